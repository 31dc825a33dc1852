package cartrecovery

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
)

// written is the situation that a prompt is written in.
func written(product *v1alpha1.Product, mods ...leadMod) situation {
	return situation{lead: gen.Lead(t0, mods...), store: gen.StoreObject(), product: product, now: t0}
}

func stepMessage(step v1alpha1.Step) message { return message{id: "c0-step-" + step.Name, step: &step} }

func TestPromptData(t *testing.T) {
	cart := func(l *v1alpha1.CartRecovery) {
		l.Spec.CheckoutURL, l.Spec.Amount, l.Spec.Currency = "https://pay.example.com/c/1", "197.00", "BRL"
	}
	bare := ai.PromptData{
		Store: ai.PromptStore{Name: gen.Store, Locale: "pt-BR"}, Product: ai.PromptProduct{Name: "Curso de Violão"},
		Customer: ai.PromptCustomer{Name: "Maria Souza"}, Trigger: "AbandonedCart",
	}
	first, answer := message{step: &v1alpha1.Step{Name: "first", Instructions: "Be brief."}}, message{replyTo: "in-1"}
	for _, c := range []struct {
		name   string
		s      situation
		wanted message
		want   func(*ai.PromptData)
	}{
		{"a step without a Product", written(nil, cart), first, func(d *ai.PromptData) {
			d.CheckoutURL, d.Amount, d.Currency = "https://pay.example.com/c/1", "197.00", "BRL"
			d.Step = ai.PromptStep{Name: "first", Instructions: "Be brief."}
		}},
		{"an answer", written(nil), answer, func(d *ai.PromptData) { d.IsReply = true }},
		{"a Product", written(gen.ProductObject(func(p *v1alpha1.Product) {
			p.Spec.DisplayName, p.Spec.Description, p.Spec.Coupon = "Violão do zero", "40 aulas", &v1alpha1.Coupon{Code: "VOLTA10", Text: "10%"}
		})), answer, func(d *ai.PromptData) {
			d.IsReply, d.Product = true, ai.PromptProduct{Name: "Violão do zero", Description: "40 aulas"}
			d.Persona, d.Coupon = ai.PromptPersona{Name: "Bia", Tone: "warm"}, ai.PromptCoupon{Code: "VOLTA10", Text: "10%"}
			d.CheckoutURL = "https://pay.example.com/violao"
		}},
		{"a Product without a name, and a cart with its own link", written(gen.ProductObject(func(p *v1alpha1.Product) {
			p.Spec.DisplayName, p.Spec.Persona = "", v1alpha1.Persona{}
		}), cart), answer, func(d *ai.PromptData) {
			d.IsReply, d.CheckoutURL, d.Amount, d.Currency = true, "https://pay.example.com/c/1", "197.00", "BRL"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := bare
			c.want(&want)
			if got := promptData(c.s, c.wanted); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	named := written(nil)
	named.store.Spec.DisplayName = "Acme Cursos"
	if got := promptData(named, first).Store.Name; got != "Acme Cursos" {
		t.Errorf("the store is called %q", got)
	}
}

func TestHistory(t *testing.T) {
	said := func(role v1alpha1.Role, state v1alpha1.MessageState, text string) v1alpha1.Message {
		return v1alpha1.Message{Role: role, State: state, Text: text}
	}
	media := func(kind, text string) v1alpha1.Message {
		return v1alpha1.Message{Role: v1alpha1.RoleCustomer, Media: kind, Text: text}
	}
	for _, c := range []struct {
		name string
		in   v1alpha1.Message
		want []ai.Message
	}{
		{"the customer's text", said(v1alpha1.RoleCustomer, "", "Oi"), []ai.Message{{Role: ai.User, Text: "Oi"}}},
		{"a picture", media("image", ""), []ai.Message{{Role: ai.User, Text: "[image]"}}},
		{"a picture with words", media("image", "é este?"), []ai.Message{{Role: ai.User, Text: "[image] é este?"}}},
		{"a person's text from the phone", said(v1alpha1.RoleOperator, "", "Já te ajudo"), []ai.Message{{Role: ai.Assistant, Text: "Já te ajudo"}}},
		{"ours that went", said(v1alpha1.RoleAssistant, v1alpha1.MessageSent, "Oi"), []ai.Message{{Role: ai.Assistant, Text: "Oi"}}},
		{"ours that may have gone", said(v1alpha1.RoleAssistant, v1alpha1.MessageUnknown, "Oi"), []ai.Message{{Role: ai.Assistant, Text: "Oi"}}},
		{"ours that is under way", said(v1alpha1.RoleAssistant, v1alpha1.MessageClaimed, "Oi"), []ai.Message{}},
		{"ours that failed", said(v1alpha1.RoleAssistant, v1alpha1.MessageFailed, "Oi"), []ai.Message{}},
		{"ours that was cancelled", said(v1alpha1.RoleAssistant, v1alpha1.MessageCancelled, "Oi"), []ai.Message{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := history([]v1alpha1.Message{c.in}); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	got := history([]v1alpha1.Message{media("audio", ""), said(v1alpha1.RoleAssistant, v1alpha1.MessageSent, "b"), said(v1alpha1.RoleCustomer, "", "c")})
	if want := []ai.Message{{Role: ai.User, Text: "[audio]"}, {Role: ai.Assistant, Text: "b"}, {Role: ai.User, Text: "c"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("in the order %+v", got)
	}
}

func TestPrompt(t *testing.T) {
	s := written(gen.ProductObject(), ours(firstMessage, v1alpha1.MessageSent, t0), theirs("in-1", t0))
	asked, err := prompt(s, message{replyTo: "in-1"})
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 3 || asked[0].Role != ai.System || asked[2] != (ai.Message{Role: ai.User, Text: "Tem desconto?"}) {
		t.Errorf("an answer: %+v", asked)
	}
	asked, err = prompt(s, stepMessage(v1alpha1.Step{Name: "second"}))
	if err != nil {
		t.Fatal(err)
	}
	if last := asked[len(asked)-1]; len(asked) != 4 || last.Role != ai.System || !strings.Contains(last.Text, `"second"`) {
		t.Errorf("a step: %+v", asked)
	}
	s.store.Spec.AI.HistoryMessages = ptr.To(int32(0))
	if asked, err = prompt(s, message{replyTo: "in-1"}); err != nil || len(asked) != 1 {
		t.Errorf("without history: %+v, %v", asked, err)
	}
}

func TestSystemPrompt(t *testing.T) {
	s := written(gen.ProductObject())
	if got := systemPrompt(s); got != ai.DefaultSystemPrompt {
		t.Errorf("without any: %q", got)
	}
	s.store.Spec.AI.SystemPrompt = "of the store"
	if got := systemPrompt(s); got != "of the store" {
		t.Errorf("with the store's: %q", got)
	}
	s.product.Spec.SystemPrompt = "of the product"
	if got := systemPrompt(s); got != "of the product" {
		t.Errorf("with the product's: %q", got)
	}
	s.product = nil
	if got := systemPrompt(s); got != "of the store" {
		t.Errorf("without a Product: %q", got)
	}
	s.store.Spec.AI.SystemPrompt = "{{.Customer.Password}}"
	if _, err := prompt(s, message{}); failure.CodeOf(err) != failure.Misconfigured {
		t.Errorf("a template that does not work: %v", err)
	}
}

func TestFixedText(t *testing.T) {
	long := func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Name = strings.Repeat("Ana", 60) }
	for _, c := range []struct {
		name, text, want, detail string
	}{
		{name: "as it is", text: "Oi! 100% {garantido}", want: "Oi! 100% {garantido}"},
		{name: "with variables", text: "Oi {{.Customer.FirstName}}, {{.Product.Name}}", want: "Oi Maria, Curso de Violão"},
		{name: "as long as it may be", text: strings.Repeat("é", v1alpha1.MaxMessageLength), want: strings.Repeat("é", v1alpha1.MaxMessageLength)},
		{name: "longer than it may be", text: strings.Repeat("é", v1alpha1.MaxMessageLength) + "{{.Product.Name}}", detail: "more than 2048 characters"},
		{name: "empty", text: "{{with .Coupon.Code}}{{.}}{{end}}", detail: "writes nothing"},
		{name: "with a mistake", text: "Oi {{.Nobody}}", detail: "Nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := fixedText(written(nil), stepMessage(v1alpha1.Step{Name: "first", Text: c.text}))
			if got != c.want {
				t.Errorf("writes %q", got)
			}
			var failed *failure.Error
			if c.detail != "" && (!errors.As(err, &failed) || failed.Class != failure.Terminal || !strings.Contains(failed.Detail, c.detail)) {
				t.Errorf("says %v", err)
			}
			if c.detail == "" && err != nil {
				t.Errorf("says %v", err)
			}
		})
	}
	got, err := fixedText(written(nil, long), stepMessage(v1alpha1.Step{Name: "first", Text: "{{.Customer.Name}}"}))
	if err != nil || len(got) > 80 {
		t.Errorf("a name that is no name: %q, %v", got, err)
	}
}
