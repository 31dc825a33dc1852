package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

// Kind is what an action does; its value is what people read in status.nextAction.action.
type Kind string

const (
	// Wait does nothing until a time, or until something changes.
	Wait Kind = "Wait"
	// Check asks, ahead of a first message, whether the customer is on WhatsApp.
	Check Kind = "Check"
	// Verify asks whether a message was sent that was due before this process or this lead was there.
	Verify Kind = "Verify"
	// Rebuild writes what the ledger knows into a status that was restored without it.
	Rebuild Kind = "Rebuild"
	// Prepare has a text written ahead, into memory.
	Prepare Kind = "Prepare"
	// Send claims, sends and confirms a message.
	Send Kind = "Send"
	// Resolve asks the gateway for a message that was claimed and not confirmed.
	Resolve Kind = "Resolve"
	// HandOver writes that a person is to have the conversation.
	HandOver Kind = "HandOver"
	// Stop writes, for every lead of the phone, that the customer asked not to be written to.
	Stop Kind = "Stop"
	// Settle writes that a message did not go that this process claimed and never handed over.
	Settle Kind = "Settle"
	// Resume writes that a person gave the conversation back.
	Resume Kind = "Resume"
	// Reopen begins the next cycle of a lead that was over.
	Reopen Kind = "Reopen"
	// ReopenForAnswer opens a lead that was over again, for answers only.
	ReopenForAnswer Kind = "ReopenForAnswer"
	// Finish writes the outcome.
	Finish Kind = "Finish"
	// Remove deletes the lead.
	Remove Kind = "Delete"
	// Label gives a lead that a person made the labels it is found by.
	Label Kind = "Label"
)

// Action is the one thing to do next.
type Action struct {
	// Rule names the rule that decided.
	Rule string
	// Gate names the gate that held back the message that the rule wants; "" for none.
	Gate string
	Kind Kind
	// Until is when a wait ends; zero for one that only a change ends.
	Until time.Time
	// Blocked is the reason of a wait that something stands in the way of.
	Blocked string
	// due is when the message that the rule wants should leave; zero when there is none.
	due time.Time
	// Why says in words what the wait is for.
	Why string
	// refused says that the wait is for another attempt at a message that the gateway refused. The reason of the
	// refusal is shown until the attempt is made.
	refused bool
	// HandedOff says that the wait is for a person of the store, who has the conversation.
	HandedOff bool
	// Writing says that the wait is for a text or, after a restore, for the gateway. What stood in the way before
	// stays shown, so that the wait costs no write.
	Writing bool
	// Message to check the number for, to prepare, send or resolve, or to wait for.
	Message Message
	// Outcome is the reason to finish with, or for handing the conversation over or taking it back.
	Outcome string
	// Stop is what the customer asked for, set on stop.
	Stop *v1alpha1.Stop
}

// Message is a message of the store that is wanted now or later.
type Message struct {
	// ID in the conversation.
	ID string
	// Step of the sequence, nil for an answer or a notice.
	Step *v1alpha1.Step
	// ReplyTo is the id of the customer's message that is answered; "" for a step.
	ReplyTo string
	// fixed is the template of a text that needs no AI, "" when it is written; field is where
	// it stands.
	fixed, field string
	// Due is when the message should leave.
	Due time.Time
	// first is when its first attempt was due.
	first time.Time
	// goneBy is when it is too late for a notice; zero for other messages, which the lead's expiry ends.
	goneBy time.Time
	// Class is the message's place in the number's queue.
	Class pace.Class
	// Instance to send from; set on check, verify, prepare, send and resolve.
	Instance *v1alpha1.WhatsAppInstance
	// whatsAppID is what the gateway has just said of the customer's number; "" for nothing new.
	whatsAppID string
	// Text is set once there is a text to send.
	Text string
	// Tokens the text cost.
	Tokens int64
}
