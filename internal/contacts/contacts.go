// Package contacts remembers what gateways said of customers' numbers: whether they are on WhatsApp, and by which id.
package contacts

import (
	"time"

	"cartrecovery.dev/operator/internal/phone"
)

// State is what is known of a customer's number.
type State int

const (
	// Unasked: the gateway may be asked.
	Unasked State = iota
	// Asking: the gateway is being asked, on behalf of another lead.
	Asking
	// Registered: the number has WhatsApp.
	Registered
	// Absent: the number has no WhatsApp.
	Absent
	// Unsure: the gateway cannot tell, or could not just now.
	Unsure
)

// Contact is what is known of a customer's number at WhatsApp.
type Contact struct {
	// State says whether there is WhatsApp behind it.
	State State
	// ID is the number WhatsApp knows the customer by; "" when it is not known.
	ID string
	// Until is how long that is believed.
	Until time.Time
}

// SameSubscriber says whether an id of WhatsApp (digits) can be the customer's: a gateway that mixes numbers up must
// not have a stranger written to.
func SameSubscriber(id, customer string) bool {
	return id != "" && id == phone.Digits(id) && phone.Key(id) == phone.Key(customer)
}
