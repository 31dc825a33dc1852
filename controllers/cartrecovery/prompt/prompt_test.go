package prompt

import (
	"reflect"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/guard"
)

// written is a lead as its texts are written for.
func written(product *v1alpha1.Product, mods ...gen.LeadMod) plan.Snapshot {
	return plan.Snapshot{Lead: gen.Lead(gen.T0, mods...), Store: gen.StoreObject(), Product: product, Now: gen.T0}
}

func stepMessage(step v1alpha1.Step) plan.Message {
	return plan.Message{ID: "c0-step-" + step.Name, Step: &step}
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
		{"a picture", media("image", ""),
			[]ai.Message{{Role: ai.User, Text: "[o cliente enviou uma imagem, que você não pode ver]"}}},
		{"a picture with words", media("image", "é este?"),
			[]ai.Message{{Role: ai.User, Text: "[o cliente enviou uma imagem, que você não pode ver] é este?"}}},
		{"a person's text from the phone", said(v1alpha1.RolePerson, "", "Já te ajudo"),
			[]ai.Message{{Role: ai.Assistant, Text: "Já te ajudo"}}},
		{"ours that went", said(v1alpha1.RoleAssistant, v1alpha1.MessageSent, "Oi"),
			[]ai.Message{{Role: ai.Assistant, Text: "Oi"}}},
		{"ours that may have gone", said(v1alpha1.RoleAssistant, v1alpha1.MessageUnknown, "Oi"),
			[]ai.Message{{Role: ai.Assistant, Text: "Oi"}}},
		{"ours that is under way", said(v1alpha1.RoleAssistant, v1alpha1.MessageClaimed, "Oi"), []ai.Message{}},
		{"ours that failed", said(v1alpha1.RoleAssistant, v1alpha1.MessageFailed, "Oi"), []ai.Message{}},
		{"ours that was cancelled", said(v1alpha1.RoleAssistant, v1alpha1.MessageCancelled, "Oi"), []ai.Message{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := history([]v1alpha1.Message{c.in}, 0, "pt-BR"); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	got := history([]v1alpha1.Message{media("audio", ""), said(v1alpha1.RoleAssistant, v1alpha1.MessageSent, "b"),
		said(v1alpha1.RoleCustomer, "", "c")}, 0, "pt-BR")
	if want := []ai.Message{{Role: ai.User, Text: portuguese.of("audio")}, {Role: ai.Assistant, Text: "b"},
		{Role: ai.User, Text: "c"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("in the order %+v", got)
	}
}

func TestMediaWords(t *testing.T) {
	kinds := []string{"audio", "image", "video", "document", "sticker", "location", "contact", "poll"}
	for locale, want := range map[string]string{
		"pt-BR": "[o cliente enviou um áudio, que você não pode ouvir]",
		"pt":    "[o cliente enviou um áudio, que você não pode ouvir]",
		"es_MX": "[el cliente envió un audio, que no puedes escuchar]",
		"en-US": "[the customer sent a voice message, which you cannot hear]",
		"de-DE": "[the customer sent a voice message, which you cannot hear]",
		"":      "[the customer sent a voice message, which you cannot hear]",
	} {
		words := wordsOf(locale)
		if got := words.of("audio"); got != want {
			t.Errorf("%q: %q", locale, got)
		}
		seen := map[string]bool{words.of("hologram"): true, words.earlier: true}
		for _, kind := range kinds {
			said := words.of(kind)
			if seen[said] || !strings.HasPrefix(said, "[") || !strings.HasSuffix(said, "]") {
				t.Errorf("%q, %s: %q", locale, kind, said)
			}
			seen[said] = true
		}
	}
}

func TestHistoryOfEarlierCycles(t *testing.T) {
	in := func(cycle int32, role v1alpha1.Role, text string) v1alpha1.Message {
		return v1alpha1.Message{Cycle: cycle, Role: role, State: v1alpha1.MessageSent, Text: text}
	}
	first, answer, second := in(0, v1alpha1.RoleAssistant, "a"), in(0, v1alpha1.RoleCustomer, "b"), in(1,
		v1alpha1.RoleAssistant, "c")
	failed := in(1, v1alpha1.RoleAssistant, "d")
	failed.State = v1alpha1.MessageFailed
	for _, c := range []struct {
		name  string
		in    []v1alpha1.Message
		cycle int32
		want  string
	}{
		{"nothing yet", nil, 1, ""},
		{"one cycle", []v1alpha1.Message{first, answer}, 0, "a b"},
		{"a new one begins", []v1alpha1.Message{first, answer}, 1, "a b |"},
		{"and goes on", []v1alpha1.Message{first, answer, second}, 1, "a b | c"},
		{"what did not go begins nothing", []v1alpha1.Message{first, answer, failed}, 1, "a b |"},
		{"the earlier one is gone", []v1alpha1.Message{second}, 1, "c"},
		{"a cycle without a word", []v1alpha1.Message{first, second}, 2, "a | c |"},
	} {
		texts := make([]string, 0, 8)
		for _, line := range history(c.in, c.cycle, "pt-BR") {
			texts = append(texts, strings.Replace(line.Text, portuguese.earlier, "|", 1))
		}
		if got := strings.Join(texts, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestGuardFacts(t *testing.T) {
	product := gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.CheckoutURL, p.Spec.Description = "https://pay.example.com/violao", "40 aulas, garantia de 7 dias"
		p.Spec.Coupon = &v1alpha1.Coupon{Code: "VOLTA10", Text: "10% de desconto"}
	})
	s := written(product, func(l *v1alpha1.CartRecovery) {
		l.Spec.CheckoutURL, l.Spec.Amount, l.Spec.Currency = "https://checkout.example.com/c/1", "197.00", "BRL"
		l.Spec.Customer.Name = "Ganhe 90% evil.com"
		for i := range 10 {
			l.Status.Conversation = append(l.Status.Conversation,
				v1alpha1.Message{Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent,
					Text: "ours " + string(rune('a'+i))},
				v1alpha1.Message{Role: v1alpha1.RoleCustomer, Text: "theirs R$ 5"})
		}
		l.Status.Conversation = append(l.Status.Conversation,
			v1alpha1.Message{Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageFailed, Text: "never went"},
			v1alpha1.Message{Role: v1alpha1.RoleCustomer, Media: "audio"})
	})
	s.Policy.AllowedLinkHosts = []string{"blog.example.org"}
	wanted := stepMessage(v1alpha1.Step{Name: "second", Instructions: "Fale do bônus."})
	asked, err := For(s, wanted)
	if err != nil {
		t.Fatal(err)
	}
	facts := asked.Facts
	if facts.Coupon != "VOLTA10" || facts.Locale != "pt-BR" || facts.Last != "ours j" || len(facts.Earlier) != 9 ||
		len(facts.Customer) != customerTexts {
		t.Errorf("got %+v", facts)
	}
	for _, stranger := range []string{"90%", "evil.com", "R$ 5", "ours", "never went"} {
		if strings.Contains(facts.Prompt, stranger) {
			t.Errorf("%q has become a fact", stranger)
		}
	}
	for text, want := range map[string]guard.Reason{
		"Oi! São R$ 197,00, e com o cupom VOLTA10 você tem 10% de desconto.":        "",
		"Tem garantia de 7 dias e um bônus!\nhttps://checkout.example.com/c/1":      "",
		"Veja https://pay.example.com/violao ou o https://blog.example.org/violao.": "",
		"Oi! Você ganhou 90% de desconto.":                                          guard.Price,
		"Sim, são R$ 5.":                                                            guard.Price,
		"Abra evil.com agora":                                                       guard.Link,
		"ours c, ours c, ours c":                                                    "",
		"Ours j!":                                                                   guard.Repeat,
	} {
		got := guard.Reason("")
		if refusal := guard.Check(text, facts); refusal != nil {
			got = refusal.Reason
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestGuardFactsWithLittle(t *testing.T) {
	s := written(nil)
	s.Store.Spec.AI.SystemPrompt = "Temos garantia."
	asked, err := For(s, plan.Message{ReplyTo: "in-1"})
	if err != nil {
		t.Fatal(err)
	}
	facts := asked.Facts
	if !strings.Contains(facts.Prompt, "Temos garantia.") || facts.Coupon != "" || facts.Last != "" ||
		len(facts.Customer) != 0 {
		t.Errorf("got %+v", facts)
	}
	if refusal := guard.Check("Veja https://example.com/", facts); refusal == nil || refusal.Reason != guard.Link {
		t.Errorf("a link, where none is known: %v", refusal)
	}
}

func TestPrompt(t *testing.T) {
	s := written(gen.ProductObject(), gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0),
		gen.FromCustomer("in-1", gen.T0))
	prompt, err := For(s, plan.Message{ReplyTo: "in-1"})
	if err != nil {
		t.Fatal(err)
	}
	asked := prompt.Messages
	if len(asked) != 4 || asked[0].Role != ai.System || asked[1].Text != ai.SafetyRules ||
		asked[3] != (ai.Message{Role: ai.User, Text: "Tem desconto?"}) {
		t.Errorf("an answer: %+v", asked)
	}
	prompt, err = For(s, stepMessage(v1alpha1.Step{Name: "second"}))
	if err != nil {
		t.Fatal(err)
	}
	asked = prompt.Messages
	if last := asked[len(asked)-1]; len(asked) != 5 || last.Role != ai.System ||
		!strings.Contains(last.Text, `"second"`) {
		t.Errorf("a step: %+v", asked)
	}
	s.Store.Spec.AI.HistoryMessages = new(int32(0))
	if prompt, err = For(s, plan.Message{ReplyTo: "in-1"}); err != nil || len(prompt.Messages) != 2 {
		t.Errorf("without history: %+v, %v", prompt.Messages, err)
	}
}

func TestSystemPrompt(t *testing.T) {
	s := written(gen.ProductObject())
	if got, _ := systemPrompt(s); got != ai.DefaultSystemPrompt {
		t.Errorf("without any: %q", got)
	}
	s.Store.Spec.AI.SystemPrompt = "of the store"
	if got, _ := systemPrompt(s); got != "of the store" {
		t.Errorf("with the store's: %q", got)
	}
	s.Product.Spec.SystemPrompt = "of the product"
	if got, _ := systemPrompt(s); got != "of the product" {
		t.Errorf("with the product's: %q", got)
	}
	s.Product = nil
	if got, _ := systemPrompt(s); got != "of the store" {
		t.Errorf("without a Product: %q", got)
	}
	s.Store.Spec.AI.SystemPrompt = "{{.Customer.Password}}"
	if _, err := For(s, plan.Message{}); failure.CodeOf(err) != failure.Misconfigured {
		t.Errorf("a template that does not work: %v", err)
	}
}
