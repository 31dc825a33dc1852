package mapping

import (
	"errors"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// whole makes a mapping in which everything is mapped.
func whole(mods ...func(*v1alpha1.GenericMapping)) *v1alpha1.GenericMapping {
	made := &v1alpha1.GenericMapping{
		Auth:  v1alpha1.GenericAuth{Type: "HMACSHA256"},
		Event: "$.event",
		Start: []v1alpha1.GenericStart{
			{Value: "Cart Left", Trigger: v1alpha1.TriggerAbandonedCart},
			{Value: "pix", Trigger: v1alpha1.TriggerPixPending},
		},
		Purchase: []string{"paid", "3"},
		Reversal: []string{"refunded"},
		Fields: v1alpha1.GenericFields{
			EventID: "$.id", Name: "$.name", Phone: "$.phone", Email: "$.email", ProductID: "$.product.id",
			ProductName: "$.product.name", CheckoutURL: "$.url", Amount: "$.amount", Currency: "$.currency",
			TransactionID: "$.transaction", OccurredAt: "$.at",
		},
	}
	for _, mod := range mods {
		mod(made)
	}
	return made
}

func TestMeanings(t *testing.T) {
	compiled, err := Compile(whole())
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]Meaning{
		"Cart Left":   {Role: Start, Trigger: v1alpha1.TriggerAbandonedCart},
		"cart left":   {Role: Start, Trigger: v1alpha1.TriggerAbandonedCart},
		" PIX\t":      {Role: Start, Trigger: v1alpha1.TriggerPixPending},
		"PAID":        {Role: Purchase},
		"3":           {Role: Purchase},
		"Refunded":    {Role: Reversal},
		"cart":        {},
		"":            {},
		"paid, again": {},
	} {
		if got, found := compiled.Meaning(value); got != want || found != (want != Meaning{}) {
			t.Errorf("Meaning(%q) = %v, %t; want %v", value, got, found, want)
		}
	}
}

// TestProblems is what is said of a mapping that cannot be used: the field, and a word of
// what was expected.
func TestProblems(t *testing.T) {
	type mapping = v1alpha1.GenericMapping
	for name, test := range map[string]struct {
		change func(*mapping)
		field  string
		says   string
	}{
		"no event": {func(m *mapping) { m.Event = "" }, "generic.event", "$.data.buyer.email"},
		"event":    {func(m *mapping) { m.Event = "event" }, "generic.event", "$.data.buyer.email"},
		"eventID":  {func(m *mapping) { m.Fields.EventID = "$" }, "generic.fields.eventID", "a path"},
		"name":     {func(m *mapping) { m.Fields.Name = "$..name" }, "generic.fields.name", "a path"},
		"phone": {func(m *mapping) { m.Fields.Phone = "$.a[?(@.b)]" }, "generic.fields.phone",
			"without filters"},
		"email":        {func(m *mapping) { m.Fields.Email = "data.email" }, "generic.fields.email", "a path"},
		"no productID": {func(m *mapping) { m.Fields.ProductID = "" }, "generic.fields.productID", "a path"},
		"productID":    {func(m *mapping) { m.Fields.ProductID = "$.a[0:1]" }, "generic.fields.productID", "a path"},
		"productName":  {func(m *mapping) { m.Fields.ProductName = "$.a[" }, "generic.fields.productName", "a path"},
		"checkoutURL": {func(m *mapping) { m.Fields.CheckoutURL = "https://pay.example.com" },
			"generic.fields.checkoutURL", "a path"},
		"amount":   {func(m *mapping) { m.Fields.Amount = "$.a b" }, "generic.fields.amount", "a path"},
		"currency": {func(m *mapping) { m.Fields.Currency = "BRL" }, "generic.fields.currency", "a path"},
		"transactionID": {func(m *mapping) { m.Fields.TransactionID = "$.a," }, "generic.fields.transactionID",
			"a path"},
		"occurredAt": {func(m *mapping) { m.Fields.OccurredAt = "$.*" }, "generic.fields.occurredAt", "a path"},
		"kill and start": {func(m *mapping) { m.Purchase = append(m.Purchase, "cart LEFT ") }, "generic.start",
			`generic.purchase has too, in whichever case: "Cart Left"`},
		"kill and stop": {func(m *mapping) { m.Reversal = []string{" Paid"} }, "generic.reversal",
			`generic.purchase has too, in whichever case: "Paid"`},
		"start and stop": {func(m *mapping) { m.Reversal = []string{"PIX"} }, "generic.reversal",
			`generic.start has too, in whichever case: "PIX"`},
		"two triggers": {func(m *mapping) { m.Start[1].Value = "CART LEFT" }, "generic.start",
			`one trigger for "CART LEFT"`},
		"a blank value":  {func(m *mapping) { m.Purchase = []string{" "} }, "generic.purchase", "not blank"},
		"the same twice": {func(m *mapping) { m.Purchase = []string{"paid", "PAID "} }, "", ""},
		"only what it must": {func(m *mapping) {
			m.Start, m.Reversal, m.Fields = nil, nil, v1alpha1.GenericFields{Email: "$.email", ProductID: "$.product"}
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			compiled, err := Compile(whole(test.change))
			if test.field == "" {
				if err != nil || compiled == nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Field != test.field || !strings.Contains(wrong.Expected, test.says) {
				t.Errorf("got %v, want %s: %s", err, test.field, test.says)
			}
		})
	}
	if _, err := Compile(nil); err == nil {
		t.Error("no mapping is accepted")
	}
}

func BenchmarkCompile(b *testing.B) {
	from := whole()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(from); err != nil {
			b.Fatal(err)
		}
	}
}
