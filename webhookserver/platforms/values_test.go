package platforms

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
)

func TestAmounts(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{json.Number("149.9"), "149.90"},
		{json.Number("1497"), "1497.00"},
		{json.Number("1.5e3"), "1500.00"},
		{json.Number("0"), "0.00"},
		{json.Number("-0"), "0.00"},
		{json.Number("1.497"), "1.50"},
		{"149.9", "149.90"},
		{"169,80", "169.80"},
		{"R$ 169,80", "169.80"},
		{"R$\u00a01.169,80", "1169.80"},
		{"US$ 1,169.80", "1169.80"},
		{"€ 12", "12.00"},
		{"1.169", "1169.00"},
		{"1.169.800", "1169800.00"},
		{"1,169,800.5", "1169800.50"},
		{"0.125", "0.12"},
		{"1 169,80", "1169.80"},
		{"1.169.80", "1169.80"},
		{"1,169,80", "1169.80"},
		{"169,80 reais", "169.80"},
		{"169,-", "169.00"},

		{json.Number("-1"), ""},
		{json.Number("1e300"), ""},
		{json.Number("1e999"), ""},
		{"", ""},
		{"free", ""},
		{"-5", ""},
		{"0x1p4", ""},
		{"Inf", ""},
		{"NaN", ""},
		{"1e3", ""},
		{".", ""},
		{strings.Repeat("9", 100), ""},
		{true, ""},
		{nil, ""},
	} {
		if got := amountOf(sent(test.value)); got != test.want {
			t.Errorf("amountOf(%#v) = %q; want %q", test.value, got, test.want)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{"https://pay.example.com/x?a=b#c", "https://pay.example.com/x?a=b#c"},
		{" http://pay.example.com ", "http://pay.example.com"},
		{"HTTPS://pay.example.com/", "https://pay.example.com/"},
		{"https://pay.example.com/ação", "https://pay.example.com/a%C3%A7%C3%A3o"},

		{"", ""},
		{"pay.example.com/x", ""},
		{"//pay.example.com/x", ""},
		{"https:///x", ""},
		{"https://:443/x", ""},
		{"https://user:pass@pay.example.com/x", ""},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"https://pay.example.com/\nx", ""},
		{"https://pay.example.com/?a=b c", ""},
		{"https://" + strings.Repeat("a", 3000), ""},
		{"https://pay.example.com/" + strings.Repeat("é", 600), ""},
	} {
		if got := linkOf(lax.Of(test.value)); got != test.want {
			t.Errorf("linkOf(%q) = %q; want %q", test.value, got, test.want)
		}
	}
}

func TestEmails(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{" Ana@Example.COM ", "ana@example.com"},
		{"ana+x@sub.example.com", "ana+x@sub.example.com"},
		{"", ""},
		{"ana", ""},
		{"@example.com", ""},
		{"ana@", ""},
		{"ana@b@example.com", ""},
		{"ana souza@example.com", ""},
		{"ana\x00@example.com", ""},
		{"\xff@example.com", ""},
		{strings.Repeat("a", 250) + "@example.com", ""},
	} {
		if got := emailOf(lax.Of(test.value)); got != test.want {
			t.Errorf("emailOf(%q) = %q; want %q", test.value, got, test.want)
		}
	}
}

// TestPhones: every way in which a phone is sent, and who wins when there are several.
func TestPhones(t *testing.T) {
	const mobile = "+5531988776655"
	object := func(pairs ...any) map[string]any {
		made := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			made[pairs[i].(string)] = pairs[i+1]
		}
		return made
	}
	for _, test := range []struct {
		name, country string
		values        []any
		want          string
	}{
		{"text", "", []any{"(31) 98877-6655"}, mobile},
		{"number", "", []any{json.Number("31988776655")}, mobile},
		{"number with an exponent", "", []any{json.Number("5.531988776655e12")}, mobile},
		{"number with a point", "", []any{json.Number("5531988776655.0")}, mobile},
		{"text of a number with a point", "", []any{"31988776655.0"}, mobile},
		{"object", "", []any{object("countryCode", "55", "areaCode", "31", "number", "988776655")}, mobile},
		{"object, country with a plus", "", []any{object("country_code", "+55", "area_code", json.Number("31"),
			"number", json.Number("988776655"))}, mobile},
		{"object, trunk zero", "", []any{object("ddd", "031", "number", "98877-6655")}, mobile},
		{"object without a country", "", []any{object("ddd", "31", "phone", "988776655")}, mobile},
		{"object, whole number", "", []any{object("countryCode", "55", "areaCode", "31", "number",
			"+55 31 98877-6655")}, mobile},
		{"object, whole number without a plus", "", []any{object("countryCode", "55", "areaCode", "31", "number",
			"5531988776655")}, mobile},
		{"object, number with its area code", "", []any{object("countryCode", "55", "areaCode", "31", "number",
			"31988776655")}, mobile},
		{"object, an area code that begins the number too", "", []any{object("ddd", "99", "number", "998877665")},
			"+5599998877665"},
		{"object of another country", "", []any{object("countryCode", "351", "number", "912345678")}, "+351912345678"},
		{"object, country in the number alone", "", []any{object("ddi", "+55", "number", "5531988776655")}, mobile},
		{"object, area in the number alone", "", []any{object("ddi", "+55", "ddd", "", "number", "31988776655")},
			mobile},
		{"object, area code 55", "", []any{object("ddi", "55", "number", "55988776655")}, "+5555988776655"},
		{"object, trunk zero in the number too", "", []any{object("ddi", "55", "ddd", "031", "number", "031988776655")},
			mobile},
		{"object, trunk zero in parentheses", "", []any{object("ddi", "55", "ddd", "31", "number", "(031) 98877-6655")},
			mobile},
		{"object, a plus before the area code", "", []any{object("ddi", "55", "ddd", "31", "number", "+31988776655")},
			mobile},
		{"object, a plus that is another country's", "",
			[]any{object("ddi", "55", "ddd", "", "number", "+351912345678")}, ""},
		{"object, a plus and no country", "", []any{object("ddd", "", "number", "+351912345678")}, "+351912345678"},
		{"object, a country with zeros", "", []any{object("ddi", "0055", "ddd", "31", "number", "988776655")}, mobile},
		{"object, an area code that is rubbish", "", []any{object("ddi", "55", "ddd", "7", "number", "31988776655")},
			mobile},
		{"object, an area code that is another country's", "", []any{object("ddd", "98", "number", "31988776655")},
			mobile},
		{"object, a landline that begins with its area code", "", []any{object("ddd", "32", "number", "32224455")},
			"+553232224455"},
		{"object, Argentina with its area code twice", "",
			[]any{object("ddi", "54", "ddd", "11", "number", "1145678901")}, "+541145678901"},
		{"object, a local code that is the country's", "",
			[]any{object("phone_local_code", "55", "phone_number", "31988776655")}, mobile},
		{"object, a local code that is the area's", "",
			[]any{object("phone_local_code", "31", "phone_number", "988776655")}, mobile},
		{"object, a local code of another country", "",
			[]any{object("phone_local_code", "351", "phone_number", "912345678")}, "+351912345678"},
		{"list", "", []any{[]any{"", "31988776655"}}, mobile},
		{"list whose first is none", "", []any{[]any{"31", object("ddd", "31"), "31988776655"}}, mobile},
		{"country of the delivery", "pt", []any{"912345678"}, "+351912345678"},
		{"the store's region where the country does not fit", "PT", []any{"(31) 98877-6655"}, mobile},
		{"country that is no code", "Brasil", []any{"31988776655"}, mobile},
		{"first usable", "", []any{nil, "", "x", "31 19999-9999", "3132224455", "31988776655"}, "+553132224455"},

		{"null", "", []any{nil}, ""},
		{"nothing", "", nil, ""},
		{"truth", "", []any{true}, ""},
		{"empty object", "", []any{object()}, ""},
		{"object of objects", "", []any{object("number", object())}, ""},
		{"object without an area code", "", []any{object("number", "988776655")}, ""},
		{"object with letters", "", []any{object("ddi", "55", "ddd", "31", "number", "9887a-665b")}, ""},
		{"object with two numbers", "", []any{object("ddd", "31", "number", "98877-6655 / 3222-4455")}, ""},
		{"empty list", "", []any{[]any{}}, ""},
		{"number that is no phone", "", []any{json.Number("1e300")}, ""},
		{"fraction", "", []any{json.Number("3198877.5")}, ""},
		{"letters", "", []any{"+55 31 9887a-665b"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []lax.Value
			for _, value := range test.values {
				all = append(all, sent(value))
			}
			if got := phoneOf(test.country, "BR", all...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"Ana", 10, "Ana"},
		{" Ana Souza\n", 20, "Ana Souza"},
		{"Ana\tSouza\u2028x\u2029\u0085", 20, "Ana Souza x"},
		{"An\xffa", 10, "Ana"},
		{"An\ufffda", 10, "An\ufffda"},
		{"An\ufffda\xff\x00b", 10, "An\ufffda b"},
		{"ééééé", 3, "ééé"},
		{"ab cd", 3, "ab"},
		{"😀😀😀", 3, "😀😀😀"},
		{"", 3, ""},
	} {
		if got := lax.Clean(test.text, test.limit); got != test.want {
			t.Errorf("clean(%q, %d) = %q; want %q", test.text, test.limit, got, test.want)
		}
	}
}

// FuzzClean: whatever comes in, what goes out can be kept, and is kept as it is.
func FuzzClean(f *testing.F) {
	f.Add("Ana\x00 \xff\u2028 Souza", 5)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 {
			return
		}
		got := lax.Clean(text, limit)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) ||
			utf8.RuneCountInString(got) > limit || strings.TrimSpace(got) != got {
			t.Fatalf("not clean: %q", got)
		}
		if again := lax.Clean(got, limit); again != got {
			t.Fatalf("%q, then %q", got, again)
		}
	})
}

func TestEventNames(t *testing.T) {
	for _, test := range []struct {
		parts []string
		want  string
	}{
		{[]string{"order_approved", "paid"}, "order_approved/paid"},
		{[]string{"", "paid"}, "paid"},
		{[]string{"myeduzz.invoice_paid"}, "myeduzz.invoice_paid"},
		{[]string{"ana@example.com\n"}, "ana_example.com_"},
		{[]string{strings.Repeat("a", 100)}, strings.Repeat("a", 64)},
	} {
		if got := eventName(test.parts...); got != test.want {
			t.Errorf("eventName(%q) = %q; want %q", test.parts, got, test.want)
		}
	}
}

func TestBracketedKeys(t *testing.T) {
	root, form, err := readBody(Delivery{Body: []byte(
		`{"a[b]":1,"a[c][d]":2,"list[0][x]":3,"list[10][x]":5,"list[2][x]":4,"scalar":6,"scalar[y]":7,"open[z":8,"` +
			"deep" + strings.Repeat("[x]", 50) + `":9}`)})
	if err != nil || form {
		t.Fatal(form, err)
	}
	got, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), `"a":{"b":1,"c":{"d":2}}`) || !strings.Contains(string(got),
		`"scalar":{"y":7}`) ||
		!strings.Contains(string(got), `"open[z":8`) {
		t.Errorf("got %s", got)
	}
	var order []string
	for _, value := range root.At("list").Elements(maxListed) {
		order = append(order, value.Object().ID("x"))
	}
	if strings.Join(order, " ") != "3 4 5" {
		t.Errorf("the list is out of order: %v", order)
	}
}

func TestLastOfTwoCounts(t *testing.T) {
	for _, body := range []string{`{"a":1,"a":2}`, "a=1&a=2"} {
		root, _, err := readBody(Delivery{Body: []byte(body)})
		if err != nil || root.ID("a") != "2" {
			t.Errorf("%s: got %v, %v", body, root, err)
		}
	}
}
