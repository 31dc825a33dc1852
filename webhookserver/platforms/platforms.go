// Package platforms understands the webhooks of the sales platforms: one file per
// platform, each with the two halves every platform has, who is speaking (Verify)
// and what is said (Parse). No I/O: secrets come in, events go out.
package platforms

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Delivery is one webhook as it came in. Its slices are valid only during the call.
type Delivery struct {
	// Body is the raw body: what was signed.
	Body []byte
	// ContentType is the Content-Type header, "" when there was none.
	ContentType string
	// Header returns a request header, "" when absent.
	Header func(name string) string
	// Query returns a query parameter, "" when absent.
	Query func(name string) string

	// memo keeps the body once it was read; nil keeps nothing.
	memo *memo
}

// Remembering returns the delivery such that its body is read once, however many
// platforms look at it. Not for concurrent use.
func (d Delivery) Remembering() Delivery {
	d.memo = &memo{}
	return d
}

// memo is a body that was read.
type memo struct {
	read bool
	root fields
	form bool
	err  error
}

// Kind is what an event means to a recovery.
type Kind string

const (
	// Abandoned starts a recovery: someone left a checkout, or a payment is open
	// or was refused. See Event.Trigger.
	Abandoned Kind = "Abandoned"
	// Purchased stops the customer's recoveries: the kill switch.
	Purchased Kind = "Purchased"
	// Reversed takes a purchase back: a refund or a chargeback.
	Reversed Kind = "Reversed"
	// PaymentExpired says that an open payment (PIX, boleto) can no longer be made: its notice
	// must not be sent any more.
	PaymentExpired Kind = "PaymentExpired"
	// Unusable is authentic and says what matters (a purchase, a refund), and names nobody:
	// Event.Missing says what is missing. With a TransactionID it is a purchase, whose buyer a
	// lead may know by it.
	Unusable Kind = "Unusable"
	// Ignored is authentic and not for us. See Event.Reason.
	Ignored Kind = "Ignored"
)

// Event is what one delivery says, in one vocabulary for all platforms. Strings are
// copies, trimmed, valid UTF-8 without control characters, and within the limits
// that CartRecovery's schema sets for them.
type Event struct {
	// ID is the platform's own id of the event, for idempotency: the same event
	// delivered twice has the same ID. Derived where the platform has none.
	ID string
	// Name is the platform's own name of the event, safe to log (letters, digits,
	// "_", ".", "-", "/"; at most 64 characters).
	Name string
	// Kind is what it means.
	Kind Kind
	// Reason says why an event is Ignored: one word in CamelCase, safe to log.
	Reason string
	// Trigger is set on Abandoned.
	Trigger v1alpha1.Trigger
	// Attribute is set on a Purchased event that a recovery may take credit for;
	// renewals and completions only stop.
	Attribute bool
	// Chargeback is set on a Reversed event that is a chargeback or dispute and not
	// a refund.
	Chargeback bool
	// Customer is the buyer.
	Customer Customer
	// Product is what was left or bought.
	Product Product
	// CheckoutURL leads back to the checkout; "" when the platform sends none.
	CheckoutURL string
	// Amount is a decimal with a point ("149.90"); "" when unknown.
	Amount string
	// Currency is the ISO 4217 code; "" when unknown.
	Currency string
	// TransactionID is the platform's id of the sale; "" when there is none.
	TransactionID string
	// OccurredAt is when it happened by the platform's clock, in the platform's time zone where
	// it tells none (see docs/platforms.md); zero when the platform does not say it, or what it
	// says cannot be a time.
	OccurredAt time.Time
	// Payment is how an open payment can be made; nil when nothing is told of it.
	Payment *v1alpha1.Payment
	// Consent is on which basis the customer may be written to; nil when the platform does not
	// tell.
	Consent *v1alpha1.Consent
	// Missing is the path of the field that an Unusable event lacks.
	Missing string
}

// Customer is the buyer of an event.
type Customer struct {
	Name string
	// Phone in E.164 with the plus; "" when none was sent or none is usable.
	Phone string
	// Email in lower case; "" when none was sent or it is no address.
	Email string
}

// Product is the product of an event.
type Product struct {
	ID   string
	Name string
}

// Place is where a Store is, for what a delivery leaves open.
type Place struct {
	// Region is the ISO country whose phone format numbers without a country code have.
	Region string
	// Zone is the time zone of times that name none, where the platform has none of its own
	// either; nil for America/Sao_Paulo.
	Zone *time.Location
}

// within is the place of a platform whose times are in a zone of its own.
func (p Place) within(zone *time.Location) Place {
	p.Zone = zone
	return p
}

// Platform is one sales platform.
type Platform interface {
	// Name is the platform's name in URLs and on the Store.
	Name() v1alpha1.PlatformName
	// Verify decides whether the delivery comes from the platform: true when it
	// proves knowledge of one of the secrets. It compares in constant time over raw
	// bytes, and an empty secret proves nothing. The error is ErrNoCredential or
	// ErrBadCredential, or an *InputError where the credential is in the body and the
	// body cannot be read.
	Verify(delivery Delivery, secrets [][]byte) error
	// Parse reads an authentic delivery. A delivery can hold several events (a sale
	// of several products). The error is an *InputError.
	Parse(delivery Delivery, place Place) ([]Event, error)
}

// Pinger is a Platform whose test call can come without a credential, or with one that the
// Store does not know.
type Pinger interface {
	// IsPing says whether a delivery that proves nothing is the platform's test call and
	// nothing else: it is answered with 200 and has no effect.
	IsPing(delivery Delivery) bool
}

// The limits of a platform's test call: bytes, and what stands between values.
const (
	maxPing       = 8 << 10
	maxPingCommas = 200
)

// MayBePing says whether a delivery is small enough for a test call. No stranger's body is read for more.
func MayBePing(delivery Delivery) bool {
	return len(delivery.Body) <= maxPing && bytes.Count(delivery.Body, []byte{','}) <= maxPingCommas
}

// ConfigError says what is wrong with a platform's entry in a Store: which field, and what
// was expected there.
type ConfigError struct {
	// Field is the path of the field within the entry, such as "generic.fields.email".
	Field string
	// Expected says what should have been there.
	Expected string
}

// Error says what was expected where.
func (e *ConfigError) Error() string { return e.Field + ": expected " + e.Expected }

var (
	// ErrNoCredential: the delivery carries no credential at all, or an empty one.
	ErrNoCredential = errors.New("the delivery carries no credential")
	// ErrBadCredential: the delivery's credential matches none of the secrets.
	ErrBadCredential = errors.New("the delivery's credential matches none of the configured secrets")
)

// InputError says what is wrong with a delivery's body: which field, and what was
// expected there. It never holds a value of the body.
type InputError struct {
	// Field is the path of the field, "" for the body as a whole.
	Field string
	// Expected says what should have been there.
	Expected string
}

// Error says what was expected where.
func (e *InputError) Error() string {
	if e.Field == "" {
		return "body: expected " + e.Expected
	}
	return fmt.Sprintf("field %q: expected %s", e.Field, e.Expected)
}
