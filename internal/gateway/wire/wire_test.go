package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

func TestLaxTypes(t *testing.T) {
	for written, want := range map[string]struct {
		text Text
		flag Flag
		at   int64
	}{
		`"x"`: {"x", Flag{}, 0}, `true`: {"true", Flag{true, true}, 0}, `"False"`: {"False", Flag{true, false}, 0},
		`1790000000`: {"1790000000", Flag{}, 1790000000}, `"1790000000123"`: {"1790000000123", Flag{}, 1790000000},
		`"2026-09-21T14:13:20Z"`: {"2026-09-21T14:13:20Z", Flag{}, 1790000000},
		`"2026-09-21 14:13:20Z"`: {"2026-09-21 14:13:20Z", Flag{}, 1790000000},
		`null`:                   {}, `{"a":1}`: {}, `[1]`: {}, `-5`: {text: "-5"}, `1e300`: {text: "1e300"},
	} {
		var text Text
		var flag Flag
		var at Moment
		if !Decode([]byte(written), &text) || !Decode([]byte(written), &flag) || !Decode([]byte(written), &at) {
			t.Fatalf("%s cannot be read", written)
		}
		seconds := int64(0)
		if !at.IsZero() {
			seconds = at.Unix()
		}
		if text != want.text || flag != want.flag || seconds != want.at {
			t.Errorf("%s: got %q %+v %v", written, text, flag, at)
		}
	}
}

func TestBounds(t *testing.T) {
	if got := Text(strings.Repeat("x", MaxID+1)).Bounded(); got != "" {
		t.Errorf("an id of %d bytes", len(got))
	}
	if got := Text("a\nb\x00" + strings.Repeat("é", 2*MaxReason)).Reason(); !strings.HasPrefix(got, "a b é") ||
		utf8.RuneCountInString(got) != MaxReason {
		t.Errorf("got %q", got)
	}
	if Text("AA").Picture() != PicturePrefix+"AA" || Text("data:x").Picture() != "data:x" || Text("").Picture() != "" {
		t.Error("a picture is another")
	}
	for id, want := range map[string][2]string{"5531988776655:12@s.whatsapp.net": {"5531988776655", "s.whatsapp.net"},
		"x": {"x", ""}, "": {}} {
		if user, server := UserOf(id); user != want[0] || server != want[1] {
			t.Errorf("%s: got %s %s", id, user, server)
		}
	}
}

// TestHugeHeadersAreRefused: headers are held in memory whole, so they are bounded before they are read.
func TestHugeHeadersAreRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3000 {
			w.Header().Set(fmt.Sprintf("X-Padding-%d", i), strings.Repeat("x", 1000))
		}
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	client, _, err := NewClient(nil, "configure", gateway.Endpoint{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(int, http.Header, []byte) *failure.Error { return nil }
	for once, want := range map[bool]failure.Class{true: failure.Ambiguous, false: failure.Transient} {
		_, err := client.Do(t.Context(), Call{Op: "x", Method: http.MethodGet, Header: "token", Token: "t", Once: once},
			refuse)
		if failure.ClassOf(err) != want || failure.CodeOf(err) != failure.Unavailable {
			t.Errorf("once %t: got %v", once, err)
		}
	}
}

func FuzzLaxTypes(f *testing.F) {
	for _, seed := range []string{`"x"`, `1e9`, `null`, `{"user":1}`, `"2026-09-21 14:13:20Z"`, `true`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var text Text
		var flag Flag
		var at Moment
		_, _, _ = text.UnmarshalJSON(data), flag.UnmarshalJSON(data), at.UnmarshalJSON(data)
		if !at.IsZero() && (at.Year() < 1 || at.Year() > 9999) {
			t.Errorf("in the year %d", at.Year())
		}
		if flag.Value && !flag.Known {
			t.Error("a flag that is not there is set")
		}
		if json.Valid(data) && !Decode(data, &text) {
			t.Error("JSON cannot be read")
		}
	})
}

func FuzzRefused(f *testing.F) {
	f.Add(503, "5", []byte("reset before headers"), true)
	f.Add(429, "", []byte(nil), false)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, retry string, body []byte, once bool) {
		failed := Call{Op: "x", Once: once}.Refused(status, http.Header{"Retry-After": {retry}}, body, now)
		if failed.Class == failure.Ambiguous && !once ||
			(failed.Class == failure.Throttled) == failed.RetryAt.IsZero() {
			t.Errorf("%v with retry at %v", failed, failed.RetryAt)
		}
	})
}
