package cartrecovery

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/policy"
)

const (
	// maxAttempts is how often the gateway may refuse a message before the lead fails.
	maxAttempts = 3
	// noticeWithin is how long after a customer asked to stop, or for a person, the message
	// that says so may still go: later it would itself be unwanted.
	noticeWithin = 10 * time.Minute
	// fallbackAfter is how long the AI may fail before the policy's fallbackText is sent.
	fallbackAfter = 15 * time.Minute
	// conversationLasts is how long after its last message a conversation holds back the steps of
	// the customer's other recoveries: as long as WhatsApp itself takes one to last.
	conversationLasts = 24 * time.Hour
	// lostAfter is how long a number must be logged out before its conversations may move.
	lostAfter = 10 * time.Minute
	// prepareAhead is how long before its due time a text is written: longer than one
	// call to the AI may take, so that a failed one can be repeated.
	prepareAhead = 60 * time.Second
	// askAfter is how long a claim is left alone before the gateway is asked for it: as long
	// as a call of the gateway can take.
	askAfter = 10 * time.Second
	// grace is how old a claim must be before "not found" means "not sent": longer than the
	// claim's lease and any call after it can last.
	grace = 60 * time.Second
	// giveUpAfter is how old a claim is when the gateway has been asked in vain for long
	// enough.
	giveUpAfter = 15 * time.Minute
)

// situation is everything plan decides on.
type situation struct {
	lead *v1alpha1.CartRecovery
	// store is nil when it does not exist.
	store *v1alpha1.Store
	// product is nil when the lead's product has no Product.
	product    *v1alpha1.Product
	policy     policy.Policy
	instances  []v1alpha1.WhatsAppInstance
	suppressed bool
	// twin is the purchase of the lead's product by its customer that stands on another
	// lead, nil when there is none.
	twin *v1alpha1.Purchase
	// other is what other leads of the customer's phone have to do with this one.
	other others
	// unbooked is how many tokens the lead's texts have cost that its status does not say yet.
	unbooked int64
	// draft returns what is known of a text.
	draft func(textID) draft
	// contact returns what is known of the customer's number, which this instance would
	// be asked for.
	contact func(*v1alpha1.WhatsAppInstance) contact
	// headroom returns how free an instance is to start a conversation that is due at a time.
	headroom func(*v1alpha1.WhatsAppInstance, time.Time) headroom
	// meanings remembers what texts say; nil remembers nothing.
	meanings *meanings
	// uncalled says whether this process claimed a message at a time and never handed it to the
	// gateway; nil for never.
	uncalled func(id string, at time.Time) bool
	// waitsAt is the instance in whose line the lead stands, "" for none.
	waitsAt types.UID
	// ledger is what the Store's ledger knows of the lead.
	ledger []v1alpha1.LedgerEntry
	// began is how this process began to lead.
	began heartbeat.Start
	// restoreHold is how long after a restore nothing is sent.
	restoreHold time.Duration
	// proof returns what is known of a message, by its track id, that may have been sent before;
	// nil where nothing can have been.
	proof func(string) proof
	// decided is what is done, where a status is written that says what comes next and plan
	// alone does not know it: that a message waits for its turn; nil for what plan says.
	decided *action
	now     time.Time
}

// others is what the other leads of a phone say.
type others struct {
	// opened is when one of them last had a first message; zero when none had.
	opened time.Time
	// instance is the name of the number that the customer was written to from last, "" for
	// none.
	instance string
	// handedOff says that a person of the store has one of their conversations.
	handedOff bool
	// talkingUntil is how long a conversation lasts that the customer writes in about one of
	// them; zero for none.
	talkingUntil time.Time
	// claimsPaid says that the platform's word is waited for in one of them.
	claimsPaid bool
}

// headroom is how free a number is to start a conversation.
type headroom struct {
	// free is when it may start the next.
	free time.Time
	// left is how many it may start today.
	left int
}

// kind is what an action does.
type kind string

const (
	// wait does nothing until a time, or until something changes.
	wait kind = "Wait"
	// check asks, ahead of a first message, whether the customer is on WhatsApp.
	check kind = "Check"
	// verify asks, of a message that was due before, whether it was sent.
	verify kind = "Verify"
	// rebuild writes what the ledger knows into a status that was restored without it.
	rebuild kind = "Rebuild"
	// prepare has a text written ahead, into memory.
	prepare kind = "Prepare"
	// send claims, sends and confirms a message.
	send kind = "Send"
	// resolve asks the gateway for a message that was claimed and not confirmed.
	resolve kind = "Resolve"
	// handOver writes that a person is to have the conversation.
	handOver kind = "HandOver"
	// stop writes, for every lead of the phone, that the customer asked not to be written to.
	stop kind = "Stop"
	// settle writes that a message did not go which this process claimed and never handed over.
	settle kind = "Settle"
	// resume writes that a person gave the conversation back.
	resume kind = "Resume"
	// reopen begins the next cycle of a lead that was over.
	reopen kind = "Reopen"
	// reopenForAnswer opens a lead that was over again, for answers only.
	reopenForAnswer kind = "ReopenForAnswer"
	// finish writes the outcome.
	finish kind = "Finish"
	// remove deletes the lead.
	remove kind = "Delete"
	// label gives a lead that a person made the labels it is found by.
	label kind = "Label"
)

// action is the one thing to do next.
type action struct {
	kind kind
	// until is when a wait ends; zero when only a change ends it.
	until time.Time
	// blocked is the reason of a wait that something stands in the way of.
	blocked string
	// why says in words why a wait ends when it does.
	why string
	// refused says that the wait is for another attempt at a message that the gateway
	// refused: what stood in the way then is shown until it is made.
	refused bool
	// handedOff says that the wait is for a person of the store, who has the conversation.
	handedOff bool
	// writing says that the wait is for a text, or, after a restore, for the gateway's word: what
	// stood in the way before is shown until it is there, so that the wait costs no write.
	writing bool
	// message to check the number for, to prepare, send or resolve, or that is waited for.
	message message
	// outcome is the reason to finish with, to give the conversation to a person, or to take it
	// from one.
	outcome string
	// stop is what the customer asked for, set on stop.
	stop *v1alpha1.Stop
}

// message is a message of ours that is wanted now or later.
type message struct {
	// id in the conversation.
	id string
	// step of the sequence, nil for an answer or a notice.
	step *v1alpha1.Step
	// replyTo is the id of the customer's message that is answered; "" for a step.
	replyTo string
	// fixed is the template of a text that needs no AI, "" when it is written; field is where
	// it stands.
	fixed, field string
	// due is when it should leave.
	due time.Time
	// goneBy is when it is too late for it; zero when that is only when the lead expires.
	goneBy time.Time
	// class is its place in the number's line.
	class pace.Class
	// instance to send from; set on check, verify, prepare, send and resolve.
	instance *v1alpha1.WhatsAppInstance
	// whatsAppID is what the gateway just told of the customer's number; "" for nothing
	// new.
	whatsAppID string
	// text is set where there is a text ready to be sent.
	text string
	// tokens the text cost.
	tokens int64
}

// draftState is how far the text of a message is.
type draftState int

const (
	draftNone draftState = iota
	draftPending
	draftReady
	draftFailed
	// draftRefused: what the AI wrote may not be sent, nor what it wrote in its place; why
	// says what is wrong.
	draftRefused
	// draftHandOff: the AI says that the customer wants a person.
	draftHandOff
	// draftStop: the AI says that the customer asks not to be written to.
	draftStop
	// draftWrongNumber: the AI says that who writes is not the customer.
	draftWrongNumber
	// draftExhausted: the store has no tokens left for it until retryAt.
	draftExhausted
)

// draft is what is known of the text of a message.
type draft struct {
	state draftState
	text  string
	// whole says that the text is one that was claimed before: nothing is added to it.
	whole bool
	// tokens it cost, whatever its state, all tries together.
	tokens int64
	// readyAt is when the text was written, or refused.
	readyAt time.Time
	// firstFailedAt is when the text could first not be written, of all the times in a row;
	// zero when it could, or was not tried.
	firstFailedAt time.Time
	// retryAt is when a failed text may be asked for again, reason and why the failure.
	retryAt     time.Time
	reason, why string
	failures    int
}

// plan decides the one thing to do next for a lead. It is pure: no clock, no client, no
// logs. The first rule that has something to say decides.
func plan(s situation) action {
	for _, rule := range []func(*situation) (action, bool){
		leaveDeleted,
		labelUnlabelled,
		rebuildRestored,
		resolveClaim,
		finishReversed,
		finishBought,
		reopenEnded,
		hearLate,
		forgetPayment,
		keepFinished,
		endStopped,
		waitForStore,
		finishNotOnWhatsApp,
		finishExpired,
		finishUnpayable,
		giveToPerson,
		leaveToPerson,
		waitForPlatform,
		answerCustomer,
		keepWaitingForPlatform,
		nextStep,
	} {
		if decided, ok := rule(&s); ok {
			return withinLife(&s, decided)
		}
	}
	return action{kind: wait, until: expiry(&s), why: "nothing more is to be sent; the lead expires then"}
}

// withinLife ends no wait of an open lead later than the lead, than the wait for a platform's
// word, or than what the first message would be about.
func withinLife(s *situation, decided action) action {
	if decided.kind != wait || lead.Finished(s.lead) || expired(s) {
		return decided
	}
	decided.until = notAfter(decided.until, expiry(s))
	if first, _ := paymentClaims(s); first != nil && !lead.HandedOff(s.lead) && claimEnds(s, first).After(s.now) {
		decided.until = notAfter(decided.until, claimEnds(s, first))
	}
	if ends := paymentEnds(s); ends.After(s.now) && !hasBegun(s.lead) {
		decided.until = notAfter(decided.until, ends)
	}
	return decided
}

// notAfter is a time, or an earlier one; no time stays none.
func notAfter(at, most time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return earliest(at, most)
}

func leaveDeleted(s *situation) (action, bool) {
	return action{kind: wait}, s.lead.DeletionTimestamp != nil
}

// labelUnlabelled comes before anything is sent: the kill switch finds leads by label.
func labelUnlabelled(s *situation) (action, bool) {
	return action{kind: label}, !lead.Labelled(s.lead)
}

// resolveClaim comes before all that follows: until it is known whether a claimed message went,
// neither the next message nor the outcome can be decided.
func resolveClaim(s *situation) (action, bool) {
	claimed := lead.Claimed(s.lead)
	if claimed == nil {
		return action{}, false
	}
	if s.uncalled != nil && s.uncalled(claimed.ID, claimed.At.Time) {
		return action{kind: settle, message: message{id: claimed.ID, due: claimed.At.Time, instance: s.named(lead.NumberOf(s.lead))}}, true
	}
	if ask := claimed.At.Add(askAfter); s.now.Before(ask) {
		return action{kind: wait, until: ask, why: "the gateway's word for message " + claimed.ID}, true
	}
	if again := askedAgainAt(s.lead); s.now.Before(again) {
		return blockedUntil(again, v1alpha1.ReasonUnconfirmed, unconfirmed), true
	}
	return action{kind: resolve, message: message{id: claimed.ID, due: claimed.At.Time, instance: s.named(lead.NumberOf(s.lead))}}, true
}

const unconfirmed = "a message was handed to the gateway and is not confirmed; the gateway is asked for it"

// askedAgainAt is when the gateway is to be asked again for a claimed message it did not
// know, as it was first written; zero when it was not asked yet.
func askedAgainAt(recovery *v1alpha1.CartRecovery) time.Time {
	waits := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionBlocked)
	if waits == nil || waits.Reason != v1alpha1.ReasonUnconfirmed || recovery.Status.NextActionTime == nil {
		return time.Time{}
	}
	return recovery.Status.NextActionTime.Time
}

// nextResolve is when the gateway is asked again for a message claimed at a time.
func nextResolve(claimedAt, now time.Time) time.Time {
	for _, after := range []time.Duration{askAfter, 30 * time.Second, grace} {
		if at := claimedAt.Add(after); at.After(now) {
			return at
		}
	}
	return now.Add(time.Minute)
}

func waitForStore(s *situation) (action, bool) {
	switch {
	case expired(s):
		return action{}, false
	case s.store == nil:
		return blocked(s, v1alpha1.ReasonStoreNotFound, "spec.storeRef names no Store in this namespace"), true
	case s.store.Spec.Suspend:
		return blocked(s, v1alpha1.ReasonSuspended, "the Store is suspended"), true
	case s.lead.Spec.Suspend:
		return blocked(s, v1alpha1.ReasonSuspended, "spec.suspend is set"), true
	default:
		return action{}, false
	}
}

func blockedUntil(until time.Time, reason, why string) action {
	return action{kind: wait, until: until, blocked: reason, why: why}
}

// blocked waits for something to change, at the longest until the lead expires.
func blocked(s *situation, reason, why string) action {
	return blockedUntil(expiry(s), reason, why)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
