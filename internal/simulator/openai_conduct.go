package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Conduct is how the simulated AI writes, where no answer is queued.
type Conduct string

// The ways to write.
const (
	// Decent is the default: it says what it was given.
	Decent Conduct = ""
	// Inventing has it invent prices and promises.
	Inventing Conduct = "Inventing"
	// Embellishing has it invent what no rule about words can know.
	Embellishing Conduct = "Embellishing"
	// Leaking has it tell its prompt.
	Leaking Conduct = "Leaking"
	// Threatening has it threaten and shame.
	Threatening Conduct = "Threatening"
	// Asking has it ask for secrets.
	Asking Conduct = "Asking"
	// Pretending has it say that it is a person, and that something was done.
	Pretending Conduct = "Pretending"
)

// Manner is how the simulated AI reviews texts.
type Manner string

// The ways to review.
const (
	// Honest is the default: it refuses what the other conducts write, and allows the rest.
	Honest Manner = ""
	// Lax allows everything.
	Lax Manner = "Lax"
	// Strict refuses everything.
	Strict Manner = "Strict"
	// Silent never answers.
	Silent Manner = "Silent"
	// Down fails.
	Down Manner = "Down"
	// Babbling answers with something that is not JSON.
	Babbling Manner = "Babbling"
	// Foreign answers with JSON of another schema.
	Foreign Manner = "Foreign"
	// Huge answers with more than anybody should read.
	Huge Manner = "Huge"
)

// misconduct is what each conduct writes. The sentences hold no name, so that an honest reviewer
// knows them again.
var misconduct = map[Conduct][]string{
	Inventing: {
		"Consigo por R$ 9,90 só para você, fechado?", "Use o cupom AMIGO77 e leve de graça!",
		"São só hoje as últimas vagas, corre!", "Você tem acesso vitalício e garantia de 90 dias.",
	},
	Embellishing: {
		"O material já foi traduzido por uma equipe premiada.",
		"Ele combina muito bem com quem está começando na cozinha.",
		"Quem já estudou em outro lugar costuma preferir este.",
	},
	Leaking:     {"Meu prompt diz que devo responder em duas frases.", "Me instruíram a terminar com o link."},
	Threatening: {"Se não pagar, seu nome vai para o SPC.", "Por isso que você nunca vai conseguir nada."},
	Asking:      {"Me passa o número do cartão e o CVV que eu finalizo.", "Qual é o código que chegou por SMS?"},
	Pretending:  {"Não sou robô, sou gente como você.", "Prontinho, cancelado!"},
}

// Behave sets how it writes from now on.
func (o *OpenAI) Behave(conduct Conduct) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conduct = conduct
}

// ReviewAs sets how it reviews from now on.
func (o *OpenAI) ReviewAs(manner Manner) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.manner = manner
}

// Reviews returns the first 10,000 reviews that it was asked for, oldest first. Requests does
// not have them.
func (o *OpenAI) Reviews() []ChatRequest {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.reviews)
}

// misbehave answers a prompt as its conduct has it.
func (o *OpenAI) misbehave(request ChatRequest) chatAnswer {
	o.mu.Lock()
	texts := misconduct[o.conduct]
	o.mu.Unlock()
	if len(texts) == 0 {
		return writeChat(request)
	}
	return chatAnswer{text: texts[int(chatHash(request.Messages))%len(texts)]}
}

// readChatFormat reads the schema that an answer must have.
func readChatFormat(raw json.RawMessage, request *ChatRequest) string {
	var format struct {
		Type   string `json:"type"`
		Schema *struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	if json.Unmarshal(raw, &format) != nil || !slices.Contains([]string{"text", "json_object", "json_schema"},
		format.Type) {
		return "an object whose type is text, json_object or json_schema"
	}
	if format.Type != "json_schema" {
		return ""
	}
	if format.Schema == nil || !chatFunctionName.MatchString(format.Schema.Name) || !json.Valid(format.Schema.Schema) {
		return "a schema with a name of letters, digits, _ and -"
	}
	request.Schema = format.Schema.Name
	return ""
}

// reviewed is what a reviewer is asked.
type reviewed struct {
	Facts *string `json:"facts"`
	Draft *string `json:"draft"`
}

// isReview tells a call for a review, with a schema or without, from one for a text.
func isReview(request ChatRequest) bool {
	_, ok := readReview(request)
	return ok
}

func readReview(request ChatRequest) (reviewed, bool) {
	var asked reviewed
	last := request.Messages[len(request.Messages)-1]
	ok := len(request.Messages) == 2 && last.Role == "user" && json.Unmarshal([]byte(last.Content), &asked) == nil &&
		asked.Facts != nil && asked.Draft != nil
	return asked, ok
}

// review answers a call for a review.
func (o *OpenAI) review(w http.ResponseWriter, r *http.Request, request ChatRequest) {
	o.mu.Lock()
	if len(o.reviews) < maxChatRequests {
		o.reviews = append(o.reviews, request)
	}
	o.accepted++
	number, manner := o.accepted, o.manner
	o.mu.Unlock()
	switch manner {
	case Silent:
		<-r.Context().Done()
		return
	case Down:
		openAIErrorFor(http.StatusInternalServerError).write(w)
		return
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, io.LimitReader(endless{}, maxChatBody))
		return
	}
	if !o.wait(r, nil) {
		return
	}
	asked, _ := readReview(request)
	request.MaxTokens = 0 // a verdict is never cut off
	o.complete(w, request, number, chatAnswer{text: verdictOf(manner, *asked.Draft)})
}

// verdictOf is what a reviewer of a manner says of a text.
func verdictOf(manner Manner, draft string) string {
	switch manner {
	case Lax:
		return `{"allowed":true,"reason":"None"}`
	case Strict:
		return `{"allowed":false,"reason":"Fact"}`
	case Babbling:
		return "Sure! I think this message is probably fine."
	case Foreign:
		return `{"verdict":"ok","score":0.98}`
	}
	for conduct, texts := range misconduct {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(draft, text) }) {
			return `{"allowed":false,"reason":"` + conduct.reason() + `"}`
		}
	}
	return `{"allowed":true,"reason":"None"}`
}

// reason is the reason by which a review refuses a conduct's texts.
func (c Conduct) reason() string {
	return map[Conduct]string{
		Inventing: "Promise", Embellishing: "Fact", Leaking: "Leak", Threatening: "Pressure", Asking: "Sensitive",
		Pretending: "Identity",
	}[c]
}

// endless reads as blanks for ever.
type endless struct{}

// Read implements io.Reader.
func (endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = ' '
	}
	return len(into), nil
}
