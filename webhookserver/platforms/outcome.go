package platforms

import (
	"cartrecovery.dev/operator/api/v1alpha1"
)

// The reasons of ignored events.
const (
	reasonNotUsed = "EventNotUsed"
	reasonUnknown = "UnknownEvent"
	reasonPing    = "Ping"
	reasonNotPaid = "NotPaid"
	reasonCard    = "CardPending"
	reasonNoData  = "NoData"
)

// outcome is what an event of a platform means here: a row of the platform's table.
type outcome struct {
	kind       Kind
	trigger    v1alpha1.Trigger
	reason     string
	attribute  bool
	chargeback bool
}

// The rows that the tables are made of.
var (
	cartLeft       = outcome{kind: Abandoned, trigger: v1alpha1.TriggerAbandonedCart}
	pixPending     = outcome{kind: Abandoned, trigger: v1alpha1.TriggerPixPending}
	boletoPending  = outcome{kind: Abandoned, trigger: v1alpha1.TriggerBoletoPending}
	paymentRefused = outcome{kind: Abandoned, trigger: v1alpha1.TriggerPaymentRefused}
	sold           = outcome{kind: Purchased, attribute: true}
	onlyStop       = outcome{kind: Purchased}
	refunded       = outcome{kind: Reversed}
	chargedBack    = outcome{kind: Reversed, chargeback: true}
	// paymentExpired is that a PIX or boleto can no longer be paid.
	paymentExpired = outcome{kind: PaymentExpired}
	notUsed        = outcome{kind: Ignored, reason: reasonNotUsed}
	unknown        = outcome{kind: Ignored, reason: reasonUnknown}
	// noData is an event that is known by its name, that matters little, and of which nothing
	// else can be read. A 400 would make the platform send it again, and switch the webhook
	// off in the end.
	noData = outcome{kind: Ignored, reason: reasonNoData}
)

// matters says whether an event may not pass without effect.
func (o outcome) matters() bool { return o.kind == Purchased || o.kind == Reversed }

// event starts an Event with this outcome.
func (o outcome) event(id, name string) Event {
	return Event{
		ID: id, Name: name, Kind: o.kind, Reason: o.reason, Trigger: o.trigger,
		Attribute: o.attribute, Chargeback: o.chargeback,
	}
}
