package webhookserver

import (
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// A message of the paired number is the echo of a message that the operator sent, a machine's, or from a person who has
// taken over. Pure functions.

// planHandOver decides which leads a message of the paired number concerns, or why it concerns no lead. They are the
// customer's open leads or, without an open one, the last that expired: its customer may still answer. leads are those
// that the message may belong to.
func planHandOver(
	leads []v1alpha1.CartRecovery, message *formats.Message, now time.Time,
) ([]*v1alpha1.CartRecovery, outcome) {
	open, ended, old := tied{}, []*v1alpha1.CartRecovery(nil), false
	for i := range leads {
		each := &leads[i]
		switch tie := bondOf(each, message); {
		case tie == bondNone && !knows(each, message):
		case isEcho(each, message, now):
			return nil, outcome{Result: resultIgnored, Reason: formats.ReasonSentByAPI, Lead: each.Name}
		case isOld(each, message):
			old = true
		case isOpen(each):
			open[tie] = append(open[tie], each)
		case expired(each):
			ended = append(ended, each)
		}
	}
	taken, one := open.everyLead()
	if len(taken) == 0 && len(ended) > 0 {
		taken, one = []*v1alpha1.CartRecovery{latestOf(ended, lastKnown)}, oneNumber(ended)
	}
	switch {
	case !one:
		return nil, ignored(ignoredAmbiguous)
	case len(taken) == 0 && old:
		return nil, ignored(ignoredOldMessage)
	case len(taken) == 0 && message.Phone == "":
		return nil, unmatched(formats.ReasonNoPhone)
	case len(taken) == 0:
		return nil, ignored(ignoredOwn)
	}
	return taken, outcome{}
}

// everyLead are all leads of a customer, for a person who writes to them has every conversation;
// one says that they are of one customer.
func (t tied) everyLead() (leads []*v1alpha1.CartRecovery, one bool) {
	leads = slices.Concat(t[bondNone], t[bondQuote], t[bondChat])
	certain := len(leads)
	for _, each := range t[bondPhone] {
		if certain == 0 || slices.ContainsFunc(leads[:certain], samePerson(each)) {
			leads = append(leads, each)
		}
	}
	one = certain > 0 || oneNumber(leads)
	if len(leads) == 0 {
		one = oneCustomer(t[bondOther])
	}
	return append(leads, t[bondOther]...), one
}

// knows says whether a lead's conversation has a message of this id: of a hidden number
// nothing else may tell whose a message, or an edit of one, is.
func knows(recovery *v1alpha1.CartRecovery, message *formats.Message) bool {
	return message.Phone == "" && recovery.DeletionTimestamp == nil &&
		(atGateway(recovery, message.ID) != nil || lead.Find(recovery.Status.Conversation, messageID(message)) != nil)
}

// handOver gives a conversation to the person who wrote to the customer from the paired
// phone, or changed there what the AI wrote. What a machine wrote is stored and hands nothing
// over. It is false when the message is known already, or was sent by the operator.
func handOver(recovery *v1alpha1.CartRecovery, message *formats.Message, automatic bool, now time.Time) bool {
	if !isOpen(recovery) && !expired(recovery) || isEcho(recovery, message, now) {
		return false
	}
	known := atGateway(recovery, message.ID)
	if known == nil {
		known = lead.Find(recovery.Status.Conversation, messageID(message))
	}
	switch {
	case known == nil:
		added := entry(recovery, v1alpha1.RolePerson, message, now)
		added.Automatic = automatic
		recovery.Status.Conversation = lead.Append(recovery.Status.Conversation, added)
		learnChats(recovery, message.ChatIDs)
	case message.Kind != formats.Edited, known.Role == v1alpha1.RoleCustomer, !editIn(recovery, known, message, now):
		return false
	case known.Role == v1alpha1.RolePerson:
		return true
	}
	if !automatic {
		handOff(recovery, now)
	}
	return true
}

// handOff says in a lead's conditions that a person has its conversation, and that nothing
// else comes next. What the customer asked for stays what it is.
func handOff(recovery *v1alpha1.CartRecovery, now time.Time) {
	if !lead.Finished(recovery) {
		recovery.Status.NextActionTime = nil
		recovery.Status.NextAction = &v1alpha1.NextAction{Action: "Wait", Message: lead.HandedOffMessage}
	}
	reason := v1alpha1.ReasonPersonWrote
	before := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if before != nil && before.Status == metav1.ConditionTrue && before.Reason == v1alpha1.ReasonCustomerAsked {
		reason = before.Reason
	}
	setHandedOff(recovery, metav1.ConditionTrue, reason, lead.HandedOffMessage, now)
}

func setHandedOff(
	recovery *v1alpha1.CartRecovery, status metav1.ConditionStatus, reason, message string, now time.Time,
) {
	apimeta.SetStatusCondition(&recovery.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionHandedOff, Status: status, Reason: reason, Message: message,
		ObservedGeneration: recovery.Generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
	lead.Summarize(recovery, lead.SucceededReason(recovery), now)
}

// pairedPhoneMessage is the condition's message where the customer's number is the paired number itself.
const pairedPhoneMessage = "the customer's number is the paired number itself: what is written there is " +
	"nobody's answer; try it with another phone (docs/instances.md)"

// isPairedPhone says whether a message was written by the paired number to itself: whoever
// tries it with the paired phone is neither a customer nor a person who takes over.
func isPairedPhone(instance *v1alpha1.WhatsAppInstance, message *formats.Message) bool {
	return message.FromMe && (message.ToSelf || lead.SamePhone(instance.Status.Phone, message.Phone))
}

// noteSelf keeps what the paired number wrote to itself in the conversation, where it means
// nothing, and says on the lead why.
func noteSelf(recovery *v1alpha1.CartRecovery, message *formats.Message, now time.Time) bool {
	if !handOver(recovery, message, true, now) {
		return false
	}
	if !lead.HandedOff(recovery) {
		setHandedOff(recovery, metav1.ConditionFalse, v1alpha1.ReasonPairedPhone, pairedPhoneMessage, now)
	}
	return true
}
