package policy_test

import (
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/policy"
)

// TestNotices: every notice stands in the language of a locale, English where there is none,
// and is no wish of its own when a machine sends it back.
func TestNotices(t *testing.T) {
	for name, notice := range map[string]func(string) string{
		"first message": policy.DefaultFirstMessageNotice, "wrong number": policy.WrongNumberApology,
		"payment": policy.PaymentThanks,
	} {
		texts := map[string]bool{}
		for _, locale := range []string{"pt-BR", "es-MX", "en-US"} {
			texts[notice(locale)] = true
		}
		if len(texts) != 3 || texts[""] {
			t.Errorf("%s: %d texts in three languages", name, len(texts))
		}
		for locale, like := range map[string]string{"pt": "pt-BR", "PT_pt": "pt-BR", "es-419": "es-MX", "": "en-US",
			"de-DE": "en-US", "ptx": "en-US"} {
			if notice(locale) != notice(like) {
				t.Errorf("%s: %q is not written to as %q is", name, locale, like)
			}
		}
	}
}

// TestFirstMessageNotice: it says what is known of who writes, and a word that stops.
func TestFirstMessageNotice(t *testing.T) {
	none := policy.Policy{}
	for locale, want := range map[string]struct{ both, one, word string }{
		"pt-BR": {"Aqui é Bia, da equipe Loja Um. ", "Aqui é ", "PARAR"},
		"es-MX": {"Le escribe Bia, de Loja Um. ", "Le escribe ", "BAJA"},
		"en-US": {"This is Bia from Loja Um. ", "This is ", "STOP"},
	} {
		prompt, err := ai.ParsePrompt(policy.DefaultFirstMessageNotice(locale))
		if err != nil {
			t.Fatalf("%s: %v", locale, err)
		}
		for _, c := range []struct{ persona, store, want string }{
			{"Bia", "Loja Um", want.both}, {"Bia", "", want.one + "Bia. "}, {"", "Loja Um", want.one + "Loja Um. "},
			{"", "", ""},
		} {
			text, err := prompt.Render(ai.PromptData{Persona: ai.PromptPersona{Name: c.persona},
				Store: ai.PromptStore{Name: c.store}})
			rest, ok := strings.CutPrefix(text, c.want)
			if err != nil || !ok || strings.Contains(rest, ".\n") || len(rest) > 60 ||
				!strings.Contains(rest, want.word) {
				t.Errorf("%s, %q of %q: %q, %v", locale, c.persona, c.store, text, err)
			}
		}
		if !none.OptsOut(want.word) {
			t.Errorf("%s: %q stops nothing", locale, want.word)
		}
	}
}
