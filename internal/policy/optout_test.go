package policy_test

import (
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/policy"
)

func FuzzOptsOut(f *testing.F) {
	f.Add("PARAR", "não quero mais")
	f.Add("Não, quero mais?", "Nao quero MAIS!!")
	f.Add("\u0301\u200b", "")
	f.Add("pa\u0301re", "\xff")
	f.Add("\xf5ã", "A")
	f.Fuzz(func(t *testing.T, text, keyword string) {
		none, own := policy.Policy{}, policy.Policy{OptOutKeywords: []string{keyword}}
		if none.OptsOut(text) && !own.OptsOut(text) {
			t.Fatalf("%q stops without the keyword %q and does not with it", text, keyword)
		}
		if own.OptsOut(text) != own.OptsOut("  "+text+" !") {
			t.Fatalf("punctuation around %q matters", text)
		}
		if strings.TrimSpace(text) == "" && own.OptsOut(text) {
			t.Fatalf("%q says nothing and stops", text)
		}
	})
}
