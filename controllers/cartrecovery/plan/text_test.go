package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
)

// written is what a prompt is written in.
func written(product *v1alpha1.Product, mods ...gen.LeadMod) Snapshot {
	return Snapshot{Lead: gen.Lead(gen.T0, mods...), Store: gen.StoreObject(), Product: product, Now: gen.T0}
}

func TestPromptData(t *testing.T) {
	cart := func(l *v1alpha1.CartRecovery) {
		l.Spec.CheckoutURL, l.Spec.Amount, l.Spec.Currency = "https://pay.example.com/c/1", "197.00", "BRL"
	}
	bare := ai.PromptData{
		Store: ai.PromptStore{Name: gen.Store, Locale: "pt-BR"}, Product: ai.PromptProduct{Name: "Curso de Violão"},
		Customer: ai.PromptCustomer{Name: "Maria Souza"}, Trigger: "AbandonedCart",
	}
	first, answer := Message{Step: &v1alpha1.Step{Name: "first", Instructions: "Be brief."}}, Message{ReplyTo: "in-1"}
	for _, c := range []struct {
		name   string
		s      Snapshot
		wanted Message
		want   func(*ai.PromptData)
	}{
		{"a step without a Product", written(nil, cart), first, func(d *ai.PromptData) {
			d.CheckoutURL, d.Amount, d.Currency = "https://pay.example.com/c/1", "197.00", "BRL"
			d.Step = ai.PromptStep{Name: "first", Instructions: "Be brief."}
		}},
		{"an answer", written(nil), answer, func(d *ai.PromptData) { d.IsReply = true }},
		{"a Product", written(gen.ProductObject(func(p *v1alpha1.Product) {
			p.Spec.DisplayName, p.Spec.Description, p.Spec.Coupon = "Violão do zero", "40 aulas",
				&v1alpha1.Coupon{Code: "VOLTA10", Text: "10%"}
		})), answer, func(d *ai.PromptData) {
			d.IsReply, d.Product = true, ai.PromptProduct{Name: "Violão do zero", Description: "40 aulas"}
			d.Persona, d.Coupon = ai.PromptPersona{Name: "Bia", Tone: "warm"}, ai.PromptCoupon{Code: "VOLTA10",
				Text: "10%"}
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
			if diff := cmp.Diff(want, PromptData(c.s, c.wanted)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	named := written(nil)
	named.Store.Spec.DisplayName = "Acme Cursos"
	if got := PromptData(named, first).Store.Name; got != "Acme Cursos" {
		t.Errorf("the store is called %q", got)
	}
}

func TestFixedTextOfAField(t *testing.T) {
	s := written(gen.ProductObject())
	for _, c := range []struct{ template, want, detail string }{
		{"Pronto, {{.Customer.FirstName}}. Você não recebe mais nada de nós.",
			"Pronto, Maria. Você não recebe mais nada de nós.", ""},
		{"{{if .IsReply}}resposta{{else}}primeira{{end}}", "resposta", ""},
		{"Oi {{.Nobody}}", "", "fallbackText: line 1"},
		{"{{.Coupon.Code}}", "", "fallbackText: the template writes nothing"},
		{"", "", "fallbackText: the template is empty"},
		{strings.Repeat("é", v1alpha1.MaxMessageLength) + "{{.Product.Name}}", "",
			"filled in, fallbackText has more than 2048 characters"},
	} {
		got, err := fixedText(s, Message{ReplyTo: "in-1", field: "fallbackText", fixed: c.template})
		var failed *failure.Error
		if got != c.want || (err != nil) != (c.detail != "") {
			t.Errorf("%q writes %q, %v", c.template, got, err)
		}
		if err != nil && (!errors.As(err, &failed) || failed.Code != failure.Misconfigured ||
			!strings.Contains(failed.Detail, c.detail)) {
			t.Errorf("%q says %v, want %q", c.template, err, c.detail)
		}
	}
}

func TestFixedText(t *testing.T) {
	long := func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Name = strings.Repeat("Ana", 60) }
	for _, c := range []struct {
		name, text, want, detail string
	}{
		{name: "as it is", text: "Oi! 100% {garantido}", want: "Oi! 100% {garantido}"},
		{name: "with variables", text: "Oi {{.Customer.FirstName}}, {{.Product.Name}}",
			want: "Oi Maria, Curso de Violão"},
		{name: "as long as it may be", text: strings.Repeat("é", v1alpha1.MaxMessageLength),
			want: strings.Repeat("é", v1alpha1.MaxMessageLength)},
		{name: "a character longer than it may be", text: strings.Repeat("é", v1alpha1.MaxMessageLength+1),
			detail: "more than 2048 characters"},
		{name: "empty", text: "{{with .Coupon.Code}}{{.}}{{end}}", detail: "writes nothing"},
		{name: "with a mistake", text: "Oi {{.Nobody}}", detail: "Nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := fixedText(written(nil), Message{fixed: c.text, field: "the text of step \"first\""})
			if got != c.want {
				t.Errorf("writes %q", got)
			}
			var failed *failure.Error
			if c.detail != "" && (!errors.As(err, &failed) || failed.Class != failure.Terminal ||
				!strings.Contains(failed.Detail, c.detail)) {
				t.Errorf("says %v", err)
			}
			if c.detail == "" && err != nil {
				t.Errorf("says %v", err)
			}
		})
	}
	got, err := fixedText(written(nil, long), Message{fixed: "{{.Customer.Name}}", field: "text"})
	if err != nil || len(got) > 80 {
		t.Errorf("a name that is no name: %q, %v", got, err)
	}
}

// TestInField: an error that nobody has classed is left as it is.
func TestInField(t *testing.T) {
	unclassed := errors.New("unclassed")
	classed := &failure.Error{Class: failure.Terminal, Code: failure.Misconfigured, Op: "parse", Detail: "line 1"}
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"unclassed": {unclassed, unclassed.Error()},
		"classed":   {classed, strings.Replace(classed.Error(), "line 1", "the field: line 1", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, InField("the field", row.err).Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
