// Package mapping reads what a Store says of the platform named generic: where in a body
// each fact is, and which values of the event field mean what. The webhook server reads
// deliveries with it, and the Store's controller says what is wrong with it.
package mapping

import (
	"fmt"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// Error says what is wrong with a mapping. It holds the Store's own words only.
type Error struct {
	// Field is the path of the field within the platform's entry, such as
	// "generic.fields.email".
	Field string
	// Expected says what should have been there.
	Expected string
}

// Error says what was expected where.
func (e *Error) Error() string { return e.Field + ": expected " + e.Expected }

// aPath is what is expected where a path is wrong.
const aPath = "a path such as $.data.buyer.email or $.items[0].id, without filters, slices or .."

// Role is what a value of the event field means.
type Role uint8

const (
	// Start: it starts a recovery.
	Start Role = iota + 1
	// Purchase: it is a purchase.
	Purchase
	// Reversal: it is a refund or chargeback.
	Reversal
	// PaymentExpired: an open payment can no longer be made.
	PaymentExpired
)

// field is the list of a mapping that has the role's values.
func (r Role) field() string {
	return "generic." + [...]string{
		Start: "start", Purchase: "purchase", Reversal: "reversal", PaymentExpired: "paymentExpired",
	}[r]
}

// Meaning is what a value of the event field stands for.
type Meaning struct {
	Role Role
	// Trigger of what a Start starts.
	Trigger v1alpha1.Trigger
}

// Mapping is a mapping that can be used. The zero Paths of a field that is not mapped leads
// nowhere.
type Mapping struct {
	// Event names the event, where a header does not. Token carries the secret itself. The
	// others are as in v1alpha1.GenericFields.
	Event         Paths
	Token         Paths
	EventID       Paths
	Name          Paths
	Phone         Paths
	Email         Paths
	ProductID     Paths
	ProductName   Paths
	CheckoutURL   Paths
	Amount        Paths
	Currency      Paths
	TransactionID Paths
	OccurredAt    Paths

	PixCode          Paths
	BoletoLine       Paths
	PaymentURL       Paths
	PaymentExpiresAt Paths
	Consent          Paths

	meanings map[string]Meaning
	// unless are the paths of what keeps an event from starting anything, by its value.
	unless map[string]Paths
}

// Compile reads a mapping. The error is an *Error.
func Compile(from *v1alpha1.GenericMapping) (*Mapping, error) {
	if from == nil {
		return nil, &Error{Field: "generic", Expected: "a mapping"}
	}
	made := &Mapping{}
	if err := made.compilePaths(from); err != nil {
		return nil, err
	}
	if err := made.compileMeanings(from); err != nil {
		return nil, err
	}
	return made, nil
}

// Meaning says what a value of the event field means; false when the mapping has no such
// value. Blanks around it and its case do not matter.
func (m *Mapping) Meaning(value string) (Meaning, bool) {
	meaning, found := m.meanings[folded(value)]
	return meaning, found
}

// StartsNothing says whether a body shows that nothing was left, though its event starts a
// recovery.
func (m *Mapping) StartsNothing(value string, body *lax.Fields) bool {
	unless, set := m.unless[folded(value)]
	return set && unless.First(body).Is()
}

func folded(value string) string { return strings.ToLower(strings.TrimSpace(value)) }

func (m *Mapping) compilePaths(from *v1alpha1.GenericMapping) error {
	for _, each := range [...]struct {
		field    string
		text     v1alpha1.JSONPath
		required bool
		paths    *Paths
	}{
		{"generic.event", from.Event, from.EventHeader == "", &m.Event},
		{"generic.auth.field", from.Auth.Field, false, &m.Token},
		{"generic.fields.eventID", from.Fields.EventID, false, &m.EventID},
		{"generic.fields.name", from.Fields.Name, false, &m.Name},
		{"generic.fields.phone", from.Fields.Phone, false, &m.Phone},
		{"generic.fields.email", from.Fields.Email, false, &m.Email},
		{"generic.fields.productID", from.Fields.ProductID, true, &m.ProductID},
		{"generic.fields.productName", from.Fields.ProductName, false, &m.ProductName},
		{"generic.fields.checkoutURL", from.Fields.CheckoutURL, false, &m.CheckoutURL},
		{"generic.fields.amount", from.Fields.Amount, false, &m.Amount},
		{"generic.fields.currency", from.Fields.Currency, false, &m.Currency},
		{"generic.fields.transactionID", from.Fields.TransactionID, false, &m.TransactionID},
		{"generic.fields.occurredAt", from.Fields.OccurredAt, false, &m.OccurredAt},
		{"generic.fields.pixCode", from.Fields.PixCode, false, &m.PixCode},
		{"generic.fields.boletoLine", from.Fields.BoletoLine, false, &m.BoletoLine},
		{"generic.fields.paymentURL", from.Fields.PaymentURL, false, &m.PaymentURL},
		{"generic.fields.paymentExpiresAt", from.Fields.PaymentExpiresAt, false, &m.PaymentExpiresAt},
		{"generic.fields.consent", from.Fields.Consent, false, &m.Consent},
	} {
		if each.text == "" && !each.required {
			continue
		}
		paths, ok := ParsePaths(string(each.text))
		if !ok {
			return &Error{Field: each.field, Expected: aPath}
		}
		*each.paths = paths
	}
	return nil
}

func (m *Mapping) compileMeanings(from *v1alpha1.GenericMapping) error {
	values := len(from.Start) + len(from.Purchase) + len(from.Reversal) + len(from.PaymentExpired)
	m.meanings = make(map[string]Meaning, values)
	for _, value := range from.Purchase {
		if err := m.add(value, Meaning{Role: Purchase}); err != nil {
			return err
		}
	}
	for _, start := range from.Start {
		if err := m.add(start.Value, Meaning{Role: Start, Trigger: start.Trigger}); err != nil {
			return err
		}
		if err := m.addUnless(start); err != nil {
			return err
		}
	}
	for _, value := range from.Reversal {
		if err := m.add(value, Meaning{Role: Reversal}); err != nil {
			return err
		}
	}
	for _, value := range from.PaymentExpired {
		if err := m.add(value, Meaning{Role: PaymentExpired}); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mapping) addUnless(start v1alpha1.GenericStart) error {
	if start.Unless == "" {
		return nil
	}
	paths, ok := ParsePaths(string(start.Unless))
	if !ok {
		return &Error{Field: "generic.start.unless", Expected: aPath}
	}
	if m.unless == nil {
		m.unless = map[string]Paths{}
	}
	m.unless[folded(start.Value)] = paths
	return nil
}

// add says what a value means, unless it means something else already.
func (m *Mapping) add(value string, meaning Meaning) error {
	key := folded(value)
	if key == "" {
		return &Error{Field: meaning.Role.field(), Expected: "values that are not blank"}
	}
	known, found := m.meanings[key]
	switch {
	case !found:
		m.meanings[key] = meaning
	case known.Role != meaning.Role:
		return &Error{Field: meaning.Role.field(), Expected: fmt.Sprintf(
			"no value that %s has too, in whichever case: %q is in both", known.Role.field(), strings.TrimSpace(value))}
	case known != meaning:
		return &Error{Field: meaning.Role.field(), Expected: fmt.Sprintf(
			"one trigger for %q, in whichever case: it has two", strings.TrimSpace(value))}
	}
	return nil
}
