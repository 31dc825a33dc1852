package platforms

import (
	"encoding/json"
	"strings"
	"testing"
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
		if got := amountOf(test.value); got != test.want {
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
		if got := linkOf(test.value); got != test.want {
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
		if got := emailOf(test.value); got != test.want {
			t.Errorf("emailOf(%q) = %q; want %q", test.value, got, test.want)
		}
	}
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
	if !strings.Contains(string(got), `"a":{"b":1,"c":{"d":2}}`) || !strings.Contains(string(got), `"scalar":{"y":7}`) ||
		!strings.Contains(string(got), `"open[z":8`) {
		t.Errorf("got %s", got)
	}
	var order []string
	for _, value := range root.list("list") {
		line, _ := value.(map[string]any)
		order = append(order, fields(line).text(maxID, "x"))
	}
	if strings.Join(order, " ") != "3 4 5" {
		t.Errorf("the list is out of order: %v", order)
	}
}

func TestLastOfTwoCounts(t *testing.T) {
	for _, body := range []string{`{"a":1,"a":2}`, "a=1&a=2"} {
		root, _, err := readBody(Delivery{Body: []byte(body)})
		if err != nil || root.text(maxID, "a") != "2" {
			t.Errorf("%s: got %v, %v", body, root, err)
		}
	}
}
