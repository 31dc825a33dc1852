package ai

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
)

// toolCompletion is an answer with tool calls.
func toolCompletion(text any, finish string, calls ...string) string {
	listed := make([]string, 0, len(calls))
	for i, name := range calls {
		listed = append(listed,
			fmt.Sprintf(`{"id":"call_%d","type":"function","function":{"name":%q,"arguments":"{}"}}`, i, name))
	}
	return fmt.Sprintf(
		`{"choices":[{"index":0,"message":{"role":"assistant","content":%s,"tool_calls":[%s]},"finish_reason":%q}],`+
			`"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}`, inJSON(text), strings.Join(listed, ","),
		finish)
}

func TestOpenAIOffersAPerson(t *testing.T) {
	served := serve(t, 200, nil, completion("oi", "stop"))
	r := request(served.URL)
	if _, err := writer().Write(t.Context(), r); err != nil || served.body["tools"] != nil {
		t.Fatalf("not offered, but sent: %v, %v", served.body["tools"], err)
	}
	r.OfferHuman = true
	answer, err := writer().Write(t.Context(), r)
	if err != nil || answer.WantsHuman || answer.Text != "oi" {
		t.Fatalf("got %+v, %v", answer, err)
	}
	tools := inJSON(served.body["tools"])
	if !strings.Contains(tools, `"name":"request_human"`) || !strings.Contains(tools, `"properties":{}`) {
		t.Errorf("offers %s", tools)
	}
}

func TestOpenAIWantsAPerson(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = "other"
	}
	huge := strings.Replace(toolCompletion(nil, "tool_calls", HumanTool), `"{}"`, `"`+strings.Repeat("x", 1<<19)+`"`, 1)
	for name, c := range map[string]struct {
		body    string
		refuses bool // not offered
		text    string
		human   bool
		detail  string
	}{
		"call alone":         {body: toolCompletion(nil, "tool_calls", HumanTool), human: true},
		"call with an empty": {body: toolCompletion("", "stop", HumanTool), human: true},
		"call with a text": {body: toolCompletion("Já chamo alguém.", "tool_calls", HumanTool),
			text: "Já chamo alguém.", human: true},
		"call among others":  {body: toolCompletion(nil, "tool_calls", "drop_table", HumanTool), human: true},
		"call, cut off":      {body: toolCompletion("palavr", "length", HumanTool), human: true},
		"huge arguments":     {body: huge, human: true},
		"another function":   {body: toolCompletion(nil, "tool_calls", "send_money"), detail: "no text"},
		"another and a text": {body: toolCompletion("Oi!", "tool_calls", "send_money"), text: "Oi!"},
		"behind a thousand": {body: toolCompletion(nil, "tool_calls", slices.Concat(many, []string{HumanTool})...),
			detail: "no text"},
		"nearly its name":     {body: toolCompletion(nil, "tool_calls", "REQUEST_HUMAN"), detail: "no text"},
		"no name":             {body: toolCompletion(nil, "tool_calls", ""), detail: "no text"},
		"filtered":            {body: toolCompletion(nil, "content_filter", HumanTool), detail: "content filter"},
		"not offered":         {body: toolCompletion(nil, "tool_calls", HumanTool), refuses: true, detail: "no text"},
		"not offered, a text": {body: toolCompletion("Oi!", "stop", HumanTool), refuses: true, text: "Oi!"},
		"calls of another kind": {body: `{"choices":[{"message":{"role":"assistant","tool_calls":"yes"}}]}`,
			detail: "not a chat completion"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(serve(t, 200, nil, c.body).URL)
			r.OfferHuman = !c.refuses
			if c.detail != "" {
				_, failed := mustFail(t, writer(), r)
				if failed.Code != failure.InvalidAnswer || !strings.Contains(failed.Detail, c.detail) {
					t.Errorf("got %+v", failed)
				}
				return
			}
			answer, err := writer().Write(t.Context(), r)
			if err != nil || answer.Text != c.text || answer.WantsHuman != c.human || answer.Usage.Total() != 17 {
				t.Errorf("got %+v, %v", answer, err)
			}
		})
	}
}

// TestOpenAIWantsNoMore: the AI can say that a customer wants no more messages, or is somebody
// else, where that was offered, and only there.
func TestOpenAIWantsNoMore(t *testing.T) {
	for name, c := range map[string]struct {
		calls             []string
		human, stop       bool // offered
		want              Answer
		noText            bool
		offered, withheld []string
	}{
		"stop": {calls: []string{StopTool}, stop: true, want: Answer{WantsStop: true},
			offered: []string{StopTool, WrongNumberTool}, withheld: []string{HumanTool}},
		"wrong number": {calls: []string{WrongNumberTool}, stop: true, human: true,
			want: Answer{WrongNumber: true}, offered: []string{StopTool, WrongNumberTool, HumanTool}},
		"all three": {calls: []string{HumanTool, StopTool, WrongNumberTool}, stop: true, human: true,
			want: Answer{WantsHuman: true, WantsStop: true, WrongNumber: true}},
		"stop, not offered": {calls: []string{StopTool}, human: true, noText: true, offered: []string{HumanTool},
			withheld: []string{StopTool, WrongNumberTool}},
		"person, not offered": {calls: []string{HumanTool}, stop: true, noText: true},
		"nearly its name":     {calls: []string{"stop-contacting", "Wrong_Number"}, stop: true, noText: true},
	} {
		t.Run(name, func(t *testing.T) {
			served := serve(t, 200, nil, toolCompletion(nil, "tool_calls", c.calls...))
			r := request(served.URL)
			bare := r.EstimateTokens()
			r.OfferHuman, r.OfferStop = c.human, c.stop
			if c.noText {
				if _, failed := mustFail(t, writer(), r); failed.Code != failure.InvalidAnswer {
					t.Errorf("got %+v", failed)
				}
			} else {
				answer, err := writer().Write(t.Context(), r)
				c.want.Usage = answer.Usage
				if err != nil || answer != c.want {
					t.Errorf("got %+v, %v, want %+v", answer, err, c.want)
				}
			}
			tools, _ := json.Marshal(served.body["tools"])
			for _, tool := range c.offered {
				if !strings.Contains(string(tools), `"name":"`+tool+`"`) {
					t.Errorf("%s is not offered", tool)
				}
			}
			for _, tool := range c.withheld {
				if strings.Contains(string(tools), tool) {
					t.Errorf("%s is offered", tool)
				}
			}
			if more := r.EstimateTokens() - bare; more != int64(len(r.tools()))*toolTokens ||
				more < int64(len(tools))/bytesPerToken/2 {
				t.Errorf("the functions are estimated at %d tokens for %d bytes", more, len(tools))
			}
		})
	}
}

// picky refuses calls with tools, and counts the others.
type picky struct {
	*httptest.Server
	mu          sync.Mutex
	with, plain int
	status      int
	body        string
	plainStatus int
}

func servePicky(t *testing.T, status int, body string) *picky {
	p := &picky{status: status, body: body, plainStatus: 200}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		if strings.Contains(string(raw), `"tools"`) {
			p.with++
			w.WriteHeader(p.status)
			_, _ = io.WriteString(w, p.body)
			return
		}
		p.plain++
		w.WriteHeader(p.plainStatus)
		_, _ = io.WriteString(w, completion("oi", "stop"))
	}))
	t.Cleanup(p.Close)
	return p
}

func TestOpenAIDoesWithoutTools(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		plain  int // calls without tools after two texts
	}{
		"OpenAI's words": {400,
			`{"error":{"message":"Unknown parameter: 'tools'.","type":"invalid_request_error","param":"tools"}}`, 2},
		"another's words":   {400, `{"detail":"this model does not support Function calling"}`, 2},
		"a router's words":  {404, `{"error":{"message":"No endpoints found that support tool use","code":404}}`, 2},
		"a validator's":     {422, `extra fields not permitted: tools`, 2},
		"another parameter": {400, `{"error":{"message":"Unknown parameter: 'presence_penalty'."}}`, 0},
		"a toolbox":         {400, `{"error":{"message":"toolbox malfunction"}}`, 0},
		"its own trouble":   {500, `{"error":{"message":"tools"}}`, 0},
		"too many calls":    {429, `{"error":{"message":"tools"}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			served, own := servePicky(t, c.status, c.body), writer()
			r := request(served.URL)
			r.OfferHuman = true
			for range 2 {
				if c.plain == 0 {
					_, _ = mustFail(t, own, r)
					continue
				}
				if answer, err := own.Write(t.Context(), r); err != nil || answer.Text != "oi" || answer.WantsHuman {
					t.Fatalf("got %+v, %v", answer, err)
				}
			}
			if want := min(2, 2-c.plain+1); served.plain != c.plain || served.with != want {
				t.Errorf("%d calls with and %d without, want %d and %d", served.with, served.plain, want, c.plain)
			}
		})
	}
}

func TestOpenAIRemembersForAWhile(t *testing.T) {
	served, own, now := servePicky(t, 400, "no tools here"), writer(), testNow
	own.now = func() time.Time { return now }
	r := request(served.URL)
	r.OfferHuman = true
	write := func() {
		t.Helper()
		if _, err := own.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	write()
	now = now.Add(toollessFor - time.Second)
	write()
	if served.with != 1 {
		t.Errorf("offered %d times within the hour", served.with)
	}
	r.Model = "another"
	write()
	now = now.Add(time.Second)
	r.Model = DefaultModel
	write()
	if served.with != 3 || served.plain != 4 {
		t.Errorf("%d calls with, %d without", served.with, served.plain)
	}
}

// A call that fails without tools too was not refused because of them.
func TestOpenAIDoesNotBlameTheTools(t *testing.T) {
	served, own := servePicky(t, 400, "no tools here"), writer()
	served.plainStatus = 503
	r := request(served.URL)
	r.OfferHuman = true
	if _, failed := mustFail(t, own, r); failed.Status != 503 || failed.Class != failure.Transient {
		t.Errorf("got %+v", failed)
	}
	_, _ = mustFail(t, own, r)
	if served.with != 2 || served.plain != 2 {
		t.Errorf("%d calls with, %d without", served.with, served.plain)
	}
}

func TestToollessIsBounded(t *testing.T) {
	var memory toolless
	if memory.has("a", testNow) {
		t.Error("it remembers what was never said")
	}
	for i := range 10 * maxToolless {
		memory.add(fmt.Sprint(i), testNow)
	}
	if len(memory.until) > maxToolless || !memory.has(fmt.Sprint(10*maxToolless-1), testNow) {
		t.Errorf("it holds %d", len(memory.until))
	}
	memory.add("late", testNow.Add(toollessFor))
	if len(memory.until) != 1 {
		t.Errorf("it holds %d that are over", len(memory.until)-1)
	}
}
