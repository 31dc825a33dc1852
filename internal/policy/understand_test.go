package policy_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/policy"
)

// messages are the lines of a file of messages, one a line; # begins a comment.
func messages(t testing.TB, name string) []string {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var all []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// TestUnderstands: what customers write in their own words, and what is no such wish.
func TestUnderstands(t *testing.T) {
	none := policy.Policy{}
	for name, c := range map[string]struct {
		understood func(string) bool
		yes, no    []string
		least      int
	}{
		"opt-out": {none.OptsOut, []string{"opt-out", "erase"},
			[]string{"no-opt-out", "paid", "not-paid", "wrong-number", "no-wrong-number", "not-automatic"}, 150},
		"erase": {none.AsksToErase, []string{"erase"}, []string{"opt-out", "no-opt-out", "not-paid",
			"wrong-number"}, 40},
		"paid": {none.ClaimsPaid, []string{"paid"}, []string{"not-paid", "opt-out", "no-opt-out",
			"wrong-number", "no-wrong-number"}, 60},
		"wrong number": {none.WrongNumber, []string{"wrong-number"}, []string{"no-wrong-number", "opt-out",
			"no-opt-out", "paid", "not-paid"}, 60},
		"denies paid": {none.DeniesPaid, []string{"denies-paid"},
			[]string{"no-denies-paid", "paid", "opt-out", "wrong-number", "no-wrong-number"}, 15},
		"automatic": {policy.LooksAutomatic, []string{"automatic"},
			[]string{"not-automatic", "opt-out", "no-opt-out", "paid", "not-paid", "wrong-number", "no-wrong-number"},
			60},
	} {
		for want, files := range map[bool][]string{true: c.yes, false: c.no} {
			count := 0
			for _, file := range files {
				for _, message := range messages(t, file) {
					count++
					if c.understood(message) != want {
						t.Errorf("%s: %q of %s: %t, want %t", name, message, file, !want, want)
					}
				}
			}
			if count < c.least {
				t.Errorf("%s: only %d messages that are %t", name, count, want)
			}
		}
	}
}

// TestUnclear: what only the AI can tell, which has tools for it.
func TestUnclear(t *testing.T) {
	none := policy.Policy{}
	for _, text := range []string{
		"para por favor", "cancele", "cancela", "cancelar assinatura", "cancela meu cadastro", "exclui meu cadastro",
		"👎", "🖕", "não conheço", "quem é?", "não tenho interesse", "não quero", "me deixa", "chato", "que saco",
		"feito", "quem é você?", "cancelar subscrição",
	} {
		if none.OptsOut(text) || none.WrongNumber(text) || none.ClaimsPaid(text) || none.AsksToErase(text) ||
			policy.LooksAutomatic(text) {
			t.Errorf("%q is taken for clear", text)
		}
	}
}

// TestUnderstandsOwnTexts: a message of the store that comes back as a customer's is no wish.
func TestUnderstandsOwnTexts(t *testing.T) {
	none := policy.Policy{}
	for _, locale := range []string{"pt-BR", "es-MX", "en-US"} {
		for _, text := range []string{policy.WrongNumberApology(locale), policy.PaymentThanks(locale)} {
			if none.OptsOut(text) || none.WrongNumber(text) || none.ClaimsPaid(text) {
				t.Errorf("%q is taken for a customer's wish", text)
			}
		}
	}
}

// TestLongMessages: a request among much else is heard, and costs no more than its length.
func TestLongMessages(t *testing.T) {
	none := policy.Policy{}
	talk := strings.Repeat("eu comprei o curso e gostei muito das aulas. ", 20)
	if !none.OptsOut(talk + "não me mande mais mensagens. " + talk) {
		t.Error("a request in a long message is not heard")
	}
	if none.OptsOut(talk) || none.OptsOut(talk+"pare. "+talk) || none.WrongNumber(talk) || policy.LooksAutomatic(talk) {
		t.Error("a long message that asks for nothing is taken for a wish")
	}
	for _, hostile := range []string{
		strings.Repeat("nao quero mais receber ", 50_000), strings.Repeat("parar, ", 100_000),
		strings.Repeat("\u0301", 1_000_000), strings.Repeat("por favor ", 100_000), strings.Repeat("a.", 500_000),
		strings.Repeat("e ", 500_000), strings.Repeat("\ufdfa", 100_000),
	} {
		none.OptsOut(hostile)
		none.ClaimsPaid(hostile)
		none.WrongNumber(hostile)
		none.AsksToErase(hostile)
		policy.LooksAutomatic(hostile)
	}
}

// FuzzUnderstand: nothing a customer writes breaks the reading of it, punctuation around it
// does not matter, and who asks to be erased asks to be left alone.
func FuzzUnderstand(f *testing.F) {
	for _, text := range []string{"não me mande mais msg", "p.a.r.a.r", "🅂🅃🄾🄿", "ya pagué?", "não sou a Maria",
		"Digite 1 para vendas", "\xff", "é", "LGPD: exclua meus dados"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		none := policy.Policy{}
		around := "  " + text + " !"
		if none.AsksToErase(text) && !none.OptsOut(text) {
			t.Fatalf("%q asks to be erased and not to be left alone", text)
		}
		for name, understood := range map[string]func(string) bool{
			"opts out": none.OptsOut, "claims paid": none.ClaimsPaid, "denies paid": none.DeniesPaid,
			"wrong number": none.WrongNumber, "erase": none.AsksToErase,
		} {
			if understood(text) != understood(around) {
				t.Fatalf("%s: punctuation around %q matters", name, text)
			}
		}
		policy.LooksAutomatic(text)
	})
}

func BenchmarkOptsOut(b *testing.B) {
	none := policy.Policy{}
	for name, text := range map[string]string{
		"question": "oi, quanto custa o curso e como faço para pagar no boleto?",
		"request":  "por favor não me mandem mais mensagens",
		"long":     strings.Repeat("não quero perder a oferta, mas não consigo pagar. ", 40),
		"hostile":  strings.Repeat("nao quero mais receber ", 5000),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				none.OptsOut(text)
			}
		})
	}
}

// TestExamples: every documented example is understood as documented.
func TestExamples(t *testing.T) {
	none := policy.Policy{}
	understood := map[string]func(string) bool{
		"an opt-out": none.OptsOut, "an opt-out that asks to be erased as well": none.AsksToErase,
		"a wrong number": none.WrongNumber, "a claim of having paid": none.ClaimsPaid,
		"a machine": policy.LooksAutomatic,
	}
	for _, kind := range policy.Examples() {
		understands := understood[kind.Name]
		if understands == nil || len(kind.Examples) < 3 {
			t.Fatalf("%s: no test, or too few examples", kind.Name)
		}
		for want, texts := range map[bool][]string{true: kind.Examples, false: kind.Not} {
			for _, text := range texts {
				if understands(text) != want {
					t.Errorf("%s: %q: %t, want %t", kind.Name, text, !want, want)
				}
			}
		}
	}
}
