package gateway

import (
	"context"
	"time"

	"cartrecovery.dev/operator/internal/failure"
)

// Capabilities are what a gateway can. They depend on its type and dialect alone, so that a caller
// knows them before it calls.
type Capabilities struct {
	// FindSent: a message is found again by its track id. Without it, a message whose answer was
	// lost stays Unknown.
	FindSent bool
	// CheckNumber: the gateway tells whether a number has WhatsApp.
	CheckNumber bool
	// Restart: the connection of an instance can be closed and opened again without pairing.
	Restart bool
	// Logout: Disconnect logs the phone out and keeps the instance. Without it, Disconnect deletes
	// the instance, and another has to be created.
	Logout bool
	// Posts: the gateway posts what comes in to the registered webhook.
	Posts bool
	// Templates: texts that WhatsApp has approved beforehand can be sent.
	Templates bool
	// FreeTextWindow is how long after the customer's last message free text may go; afterwards a
	// template may. 0 is without end.
	FreeTextWindow time.Duration
}

// MayWrite says whether a message may go at a time: a template always, free text within the window.
func (c Capabilities) MayWrite(text Text, now time.Time) bool {
	return text.Template != nil || c.FreeTextWindow == 0 || now.Sub(text.Heard) <= c.FreeTextWindow
}

// ErrUnsupported is the failure of a call that the gateway's Capabilities leave out. Nobody was
// called.
var ErrUnsupported = &failure.Error{
	Class: failure.Terminal, Code: failure.InvalidInput, Op: "gateway: call",
	Detail: "this gateway cannot do this",
}

// errWindow is the failure of free text outside the window in which it may go.
var errWindow = &failure.Error{
	Class: failure.Terminal, Code: failure.InvalidInput, Op: "gateway: send text",
	Detail: "the customer has not written lately, and the gateway then takes approved templates only",
}

// Unsupported answers the calls that few gateways lack. A client embeds it for those that it cannot
// make.
type Unsupported struct{}

// CheckNumber is not supported.
func (Unsupported) CheckNumber(context.Context, string) (Number, error) {
	return Number{}, ErrUnsupported
}

// FindSent is not supported.
func (Unsupported) FindSent(context.Context, string, string) (Receipt, bool, error) {
	return Receipt{}, false, ErrUnsupported
}

// Restart is not supported.
func (Unsupported) Restart(context.Context) error { return ErrUnsupported }
