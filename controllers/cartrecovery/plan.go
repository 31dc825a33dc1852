package cartrecovery

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

const (
	// maxAttempts is how often the gateway may refuse a message before the lead fails.
	maxAttempts = 3
	// maxRepliesPerHour is how many answers a conversation gets within an hour.
	maxRepliesPerHour = 20
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
	// draft returns what is known of the text of a message.
	draft func(message) draft
	// contact returns what is known of the customer's number, which this instance would
	// be asked for.
	contact func(*v1alpha1.WhatsAppInstance) contact
	now     time.Time
}

// kind is what an action does.
type kind string

const (
	// wait does nothing until a time, or until something changes.
	wait kind = "Wait"
	// check asks, ahead of a first message, whether the customer is on WhatsApp.
	check kind = "Check"
	// prepare has a text written ahead, into memory.
	prepare kind = "Prepare"
	// send claims, sends and confirms a message.
	send kind = "Send"
	// resolve asks the gateway for a message that was claimed and not confirmed.
	resolve kind = "Resolve"
	// resume writes that a person gave the conversation back.
	resume kind = "Resume"
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
	// blocked is the reason of a wait that something stands in the way of, and why its
	// message.
	blocked, why string
	// refused says that the wait is for another attempt at a message that the gateway
	// refused: what stood in the way then is shown until it is made.
	refused bool
	// handedOff says that the wait is for a person of the store, who has the conversation.
	handedOff bool
	// message to check the number for, to prepare, send or resolve.
	message message
	// outcome is the reason to finish with.
	outcome string
}

// message is a message of ours that is wanted now or later.
type message struct {
	// id in the conversation.
	id string
	// step of the sequence, nil for an answer.
	step *v1alpha1.Step
	// replyTo is the id of the customer's message that is answered; "" for a step.
	replyTo string
	// due is when it should leave.
	due time.Time
	// instance to send from; set on check, send and resolve.
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
	// draftExhausted: the store has no tokens left for it until retryAt.
	draftExhausted
)

// draft is what is known of the text of a message.
type draft struct {
	state draftState
	text  string
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
		resolveClaim,
		finishReversed,
		finishBought,
		keepFinished,
		finishOptedOut,
		waitForStore,
		finishNotOnWhatsApp,
		finishExpired,
		leaveToPerson,
		answerCustomer,
		nextStep,
	} {
		if decided, ok := rule(&s); ok {
			return decided
		}
	}
	return action{kind: wait, until: expiry(&s)}
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
	if ask := claimed.At.Add(askAfter); s.now.Before(ask) {
		return action{kind: wait, until: ask}, true
	}
	if again := askedAgainAt(s.lead); s.now.Before(again) {
		return blockedUntil(again, v1alpha1.ReasonUnconfirmed, unconfirmed), true
	}
	return action{kind: resolve, message: message{id: claimed.ID, due: claimed.At.Time, instance: instanceOf(s)}}, true
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

func finishReversed(s *situation) (action, bool) {
	reversed := lead.Reversed(s.lead, lead.BetterPurchase(s.lead.Spec.Purchase, s.twin))
	return action{kind: finish, outcome: v1alpha1.ReasonReversed}, reversed && outcomeOf(s.lead) != v1alpha1.ReasonReversed
}

// finishBought holds for finished leads too: a purchase that comes after we gave up is
// still one.
func finishBought(s *situation) (action, bool) {
	purchase := lead.BetterPurchase(s.lead.Spec.Purchase, s.twin)
	if purchase == nil || lead.Reversed(s.lead, purchase) {
		return action{}, false
	}
	outcome := boughtOutcome(s.lead, purchase)
	return action{kind: finish, outcome: outcome}, outcomeOf(s.lead) != outcome
}

func boughtOutcome(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) string {
	contact := lead.FirstContact(recovery)
	switch {
	case purchase.Unattributed:
		return v1alpha1.ReasonPurchaseNotAttributed
	case contact.IsZero() || contact.After(purchase.At.Time):
		return v1alpha1.ReasonBoughtBeforeContact
	default:
		return v1alpha1.ReasonBoughtAfterContact
	}
}

func keepFinished(s *situation) (action, bool) {
	if !lead.Finished(s.lead) {
		return action{}, false
	}
	ttl := s.policy.TTLAfterFinished
	if s.lead.Spec.AbandonedAt == nil {
		ttl = s.policy.TTLAfterPurchaseOnly
	}
	end := s.lead.Status.CompletionTime.Add(ttl)
	if purchase := s.lead.Spec.Purchase; purchase != nil {
		// However long ago we gave up: a late cart event must still find the purchase.
		end = latest(end, purchase.At.Add(s.policy.TTLAfterPurchaseOnly))
	}
	if s.now.Before(end) {
		return action{kind: wait, until: end}, true
	}
	return action{kind: remove}, true
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func finishOptedOut(s *situation) (action, bool) {
	return action{kind: finish, outcome: v1alpha1.ReasonOptedOut}, s.suppressed || askedToStop(s)
}

// askedToStop says whether any message of the customer is an opt-out word.
func askedToStop(s *situation) bool {
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		if m.Cycle == s.lead.Status.Cycle && m.Role == v1alpha1.RoleCustomer && s.policy.OptsOut(m.Text) {
			return true
		}
	}
	return false
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

func finishNotOnWhatsApp(s *situation) (action, bool) {
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		if m.Cycle == s.lead.Status.Cycle && m.State == v1alpha1.MessageFailed && m.Error == v1alpha1.ReasonNotOnWhatsApp {
			return action{kind: finish, outcome: v1alpha1.ReasonNotOnWhatsApp}, true
		}
	}
	return action{}, false
}

func finishExpired(s *situation) (action, bool) {
	if !expired(s) {
		return action{}, false
	}
	outcome := v1alpha1.ReasonNeverContacted
	switch {
	case lead.LastInbound(s.lead) != nil:
		outcome = v1alpha1.ReasonConversationEnded
	case !lead.FirstContact(s.lead).IsZero(), !lead.LastOperator(s.lead).IsZero():
		outcome = v1alpha1.ReasonUnanswered
	}
	return action{kind: finish, outcome: outcome}, true
}

func expired(s *situation) bool { return !s.now.Before(expiry(s)) }

func expiry(s *situation) time.Time { return lead.LastActivity(s.lead).Add(s.policy.ExpireAfter) }

// answerCustomer answers the customer's last message, and with it all before it. What a
// person of the store has answered is not answered again.
func answerCustomer(s *situation) (action, bool) {
	inbound := lead.LastInbound(s.lead)
	if inbound == nil || answeredByPerson(s.lead) {
		return action{}, false
	}
	answer := message{
		id:      lead.ReplyID(s.lead.Status.Cycle, inbound.ID),
		replyTo: inbound.ID,
		due:     lastWrote(inbound, s.now).Add(s.policy.ReplyDebounce),
	}
	state, due := progress(s, answer)
	switch state {
	case stepDone:
		return action{}, false
	case stepGivenUp:
		return action{kind: finish, outcome: v1alpha1.ReasonSendFailed}, true
	}
	if free := roomForReply(s); s.now.Before(free) {
		return blockedUntil(free, v1alpha1.ReasonTooManyReplies, "the customer, or a machine that answers for them, was answered too often within an hour"), true
	}
	answer.due = due
	return bring(s, answer, answer.due), true
}

// lastWrote is when the customer wrote a message, or last changed it.
func lastWrote(inbound *v1alpha1.Message, now time.Time) time.Time {
	if edited := inbound.EditedAt; edited != nil && !edited.After(now) {
		return latest(inbound.At.Time, edited.Time)
	}
	return inbound.At.Time
}

// roomForReply is when one more answer keeps within maxRepliesPerHour; zero for now. Two
// machines that answer each other would never end otherwise.
func roomForReply(s *situation) time.Time {
	var within []time.Time
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		ours := m.Role == v1alpha1.RoleAssistant && m.Step == "" && m.State != v1alpha1.MessageFailed
		if ours && s.now.Sub(m.At.Time) < time.Hour {
			within = append(within, m.At.Time)
		}
	}
	if len(within) < maxRepliesPerHour {
		return time.Time{}
	}
	return within[len(within)-maxRepliesPerHour].Add(time.Hour)
}

// nextStep brings the sequence's next message; the sequence ends when the customer
// answers.
func nextStep(s *situation) (action, bool) {
	if lead.LastInbound(s.lead) != nil {
		return action{}, false
	}
	steps, ok := s.policy.Steps(s.lead.Spec.Trigger)
	if !ok {
		return blocked(s, v1alpha1.ReasonNoSequence, "the policy has no sequence for trigger "+string(s.lead.Spec.Trigger)), true
	}
	done, base := stepsDone(s)
	// Somebody who has just heard from a person of the store is left in peace as long.
	base = latest(base, lead.LastOperator(s.lead))
	for i := done; i < len(steps) && i < s.policy.MaxUnanswered; i++ {
		step := message{
			id:   lead.StepID(s.lead.Status.Cycle, steps[i].Name),
			step: &steps[i],
			due:  base.Add(steps[i].After.Duration),
		}
		state, due := progress(s, step)
		switch state {
		case stepDone:
			continue
		case stepGivenUp:
			return action{kind: finish, outcome: v1alpha1.ReasonSendFailed}, true
		}
		step.due = due
		return bring(s, step, step.due.Add(-prepareAhead)), true
	}
	return action{}, false
}

// stepsDone counts the steps of this cycle that went, or may have gone, and says when the
// last of them did. The sequence goes on by place: a step that is renamed, or put before
// them, must not write to everybody once more.
func stepsDone(s *situation) (count int, last time.Time) {
	last = abandonedAt(s.lead)
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		if m.Cycle != s.lead.Status.Cycle || m.Role != v1alpha1.RoleAssistant || m.Step == "" || m.State == v1alpha1.MessageFailed {
			continue
		}
		count, last = count+1, m.At.Time
		if m.SentAt != nil {
			last = m.SentAt.Time
		}
	}
	return count, last
}

func abandonedAt(recovery *v1alpha1.CartRecovery) time.Time {
	if recovery.Spec.AbandonedAt != nil {
		return recovery.Spec.AbandonedAt.Time
	}
	return recovery.CreationTimestamp.Time
}

type stepState int

const (
	stepOpen stepState = iota
	stepDone
	stepGivenUp
)

// progress says how far a message is, and when its next attempt is due.
func progress(s *situation, wanted message) (stepState, time.Time) {
	m := lead.Find(s.lead.Status.Conversation, wanted.id)
	switch {
	case m == nil:
		return stepOpen, wanted.due
	case m.State != v1alpha1.MessageFailed:
		return stepDone, time.Time{}
	case m.Attempts >= maxAttempts:
		return stepGivenUp, time.Time{}
	case m.RetryAt != nil:
		return stepOpen, latest(m.RetryAt.Time, wanted.due)
	default:
		return stepOpen, wanted.due
	}
}

// bring does what a message needs next: its text from a time on, then, at its due time,
// to be sent.
func bring(s *situation, wanted message, prepareAt time.Time) action {
	if s.now.Before(prepareAt) && s.now.Before(wanted.due) {
		return hold(s, wanted, prepareAt)
	}
	wanted.instance = instanceFor(s)
	if wanted.instance == nil {
		return blockedUntil(someInstanceAt(s), v1alpha1.ReasonNoConnectedInstance, noInstance(s))
	}
	text := textOf(s, wanted)
	if planned, ok := reach(s, &wanted, text); ok {
		return planned
	}
	switch text.state {
	case draftPending:
		if text.failures > 0 && !s.now.Before(wanted.due) {
			return blocked(s, text.reason, text.why)
		}
		return action{kind: wait, until: expiry(s)}
	case draftReady:
		return atDueTime(s, wanted, text)
	case draftFailed:
		return afterFailedDraft(s, wanted, text)
	default:
		return action{kind: prepare, message: wanted}
	}
}

// hold waits for a message's time, with nothing new in the way.
func hold(s *situation, wanted message, until time.Time) action {
	m := lead.Find(s.lead.Status.Conversation, wanted.id)
	return action{kind: wait, until: until, refused: m != nil && m.State == v1alpha1.MessageFailed}
}

// reach finds out, ahead of the first message and before its text is paid for, whether the
// customer is on WhatsApp and by which id. It asks once, and not at all once there is a
// text: from then on nothing may come between a message and its due time.
func reach(s *situation, wanted *message, text draft) (action, bool) {
	if !opens(s, wanted) {
		return action{}, false
	}
	known := s.contact(wanted.instance)
	wanted.whatsAppID = known.id
	switch {
	case known.state == contactAbsent:
		return action{kind: finish, outcome: v1alpha1.ReasonNotOnWhatsApp}, true
	case text.state != draftNone:
		return action{}, false
	case known.state == contactUnasked:
		return action{kind: check, message: *wanted}, true
	case known.state == contactAsking && s.now.Before(wanted.due):
		return action{kind: wait, until: earliest(known.until, wanted.due)}, true
	default:
		return action{}, false
	}
}

// opens says whether a message is the first of a conversation with a customer whose id at
// WhatsApp is not known. Whoever wrote to us, or was written to, has WhatsApp.
func opens(s *situation, wanted *message) bool {
	if wanted.step == nil || sameSubscriber(s.lead.Status.WhatsAppID, s.lead.Spec.Customer.Phone) {
		return false
	}
	for i := range s.lead.Status.Conversation {
		if s.lead.Status.Conversation[i].Cycle == s.lead.Status.Cycle {
			return false
		}
	}
	return true
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// textOf is the text of a message: the one it already has when it is tried again, else its
// draft.
func textOf(s *situation, wanted message) draft {
	if m := lead.Find(s.lead.Status.Conversation, wanted.id); m != nil && m.Text != "" && !talkedSince(s.lead, m.At.Time) {
		return draft{state: draftReady, text: m.Text}
	}
	return s.draft(wanted)
}

// talkedSince says whether a person of the store wrote, or the customer changed a message,
// after a time: what was written before would be an answer to something else.
func talkedSince(recovery *v1alpha1.CartRecovery, at time.Time) bool {
	for i := range recovery.Status.Conversation {
		m := &recovery.Status.Conversation[i]
		switch {
		case m.Role == v1alpha1.RoleOperator && m.At.After(at):
			return true
		case m.EditedAt != nil && m.EditedAt.After(at):
			return true
		}
	}
	return false
}

func atDueTime(s *situation, wanted message, text draft) action {
	if s.now.Before(wanted.due) {
		return hold(s, wanted, wanted.due)
	}
	wanted.text, wanted.tokens = text.text, text.tokens
	return action{kind: send, message: wanted}
}

// afterFailedDraft asks again when it is time; the lead is blocked only once the message
// is due.
func afterFailedDraft(s *situation, wanted message, failed draft) action {
	if !s.now.Before(failed.retryAt) {
		return action{kind: prepare, message: wanted}
	}
	if s.now.Before(wanted.due) {
		return action{kind: wait, until: failed.retryAt}
	}
	return action{kind: wait, until: failed.retryAt, blocked: failed.reason, why: failed.why}
}

func blockedUntil(until time.Time, reason, why string) action {
	return action{kind: wait, until: until, blocked: reason, why: why}
}

// blocked waits for something to change, at the longest until the lead expires.
func blocked(s *situation, reason, why string) action {
	return blockedUntil(expiry(s), reason, why)
}

// instanceOf is the instance that the conversation is on, nil when there is none (any
// more).
func instanceOf(s *situation) *v1alpha1.WhatsAppInstance {
	if s.lead.Status.InstanceRef == nil {
		return nil
	}
	for i := range s.instances {
		if s.instances[i].Name == s.lead.Status.InstanceRef.Name {
			return &s.instances[i]
		}
	}
	return nil
}

// instanceFor is the instance to send from now: the one the conversation is on, which it
// never leaves unasked, else the first that can send.
func instanceFor(s *situation) *v1alpha1.WhatsAppInstance {
	starts := lead.FirstContact(s.lead).IsZero()
	if current := instanceOf(s); current != nil && !starts {
		if connection.CanSend(current, false, s.now) {
			return current
		}
		return nil
	}
	for i := range s.instances {
		if connection.CanSend(&s.instances[i], starts, s.now) {
			return &s.instances[i]
		}
	}
	return nil
}

// someInstanceAt is when an instance can send again that WhatsApp pauses now; else only a
// change helps, or the lead expires.
func someInstanceAt(s *situation) time.Time {
	at := expiry(s)
	for i := range s.instances {
		paused := s.instances[i].Status.NewConversationsPausedUntil
		if paused != nil && paused.After(s.now) && paused.Time.Before(at) {
			at = paused.Time
		}
	}
	return at
}

func noInstance(s *situation) string {
	if len(s.instances) == 0 {
		return "the Store has no WhatsAppInstance; create one and pair it"
	}
	if current := instanceOf(s); current != nil && !lead.FirstContact(s.lead).IsZero() {
		return "WhatsAppInstance " + current.Name + ", which the conversation is on, cannot send; see its conditions Ready and GatewayReachable"
	}
	return "no WhatsAppInstance of the Store can send; see their conditions Ready and GatewayReachable"
}
