package webhookserver

import (
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// Which lead a customer's message belongs to. Pure functions.

// beforehand is how long before a customer left the checkout a message may have been written
// that belongs to the lead: platforms report a cart when they have given up on it, and clocks
// differ.
const beforehand = 15 * time.Minute

// bond ties a message to a lead; a later one is stronger.
type bond int

const (
	// bondNone: nothing does.
	bondNone bond = iota
	// bondOther: it is of another number of the customer's.
	bondOther
	// bondPhone: it is of the number that is written to, as far as a key of a phone tells.
	bondPhone
	// bondChat: it is of a chat that the customer wrote from before.
	bondChat
	// bondQuote: it answers to a message of that conversation.
	bondQuote
)

// String is the name of the bond.
func (b bond) String() string {
	return [...]string{
		bondNone: "none", bondOther: "other number", bondPhone: "phone", bondChat: "chat", bondQuote: "quote",
	}[b]
}

// bondOf tells what ties a message to a lead, the strongest there is.
func bondOf(recovery *v1alpha1.CartRecovery, message *formats.Message) bond {
	number := message.Phone
	switch {
	case recovery.DeletionTimestamp != nil:
		return bondNone
	case quotesOurs(recovery, message.Quotes):
		return bondQuote
	case inChat(recovery, message.ChatIDs):
		return bondChat
	case number != "" && isOf(recovery, number):
		return bondPhone
	case number != "" && slices.ContainsFunc(recovery.Spec.Customer.OtherPhones, sameAs(number)):
		return bondOther
	}
	return bondNone
}

// quotesOurs says whether this is the gateway's id of a message that the AI or a person of the
// store wrote. The ids that we give messages ourselves are no secret, and the same on many leads:
// whoever writes one into a quote must not get into somebody's conversation.
func quotesOurs(recovery *v1alpha1.CartRecovery, id string) bool {
	quoted := atGateway(recovery, id)
	return quoted != nil && quoted.Role != v1alpha1.RoleCustomer
}

func sameAs(number string) func(string) bool {
	return func(other string) bool { return lead.SamePhone(number, other) }
}

// inChat says whether one of these chats is the customer's: messages came in with it, or the
// gateway found it for the number.
func inChat(recovery *v1alpha1.CartRecovery, chatIDs []string) bool {
	account := recovery.Status.WhatsAppID
	return slices.ContainsFunc(chatIDs, func(id string) bool {
		return slices.Contains(recovery.Status.ChatIDs, id) || account != "" && id == phone.JID(account)
	})
}

// matchLead finds the lead that a customer's message belongs to; for an edit, the lead that has the message. leads are
// those that it may belong to. Without a lead the outcome says why. An edit from a hidden number is the customer's only
// where the message is known: who edited something else is not guessed.
func matchLead(
	leads []v1alpha1.CartRecovery, instance string, message *formats.Message,
) (*v1alpha1.CartRecovery, outcome) {
	id := messageID(message)
	for i := range leads {
		switch each := &leads[i]; {
		case isOurs(each, id):
			return nil, outcome{Result: resultIgnored, Reason: ignoredOwn, Lead: each.Name}
		case lead.Find(each.Status.Conversation, id) != nil && message.Kind == formats.Edited:
			return each, outcome{}
		case lead.Find(each.Status.Conversation, id) != nil:
			return nil, outcome{Result: resultUnchanged, Lead: each.Name}
		}
	}
	if message.Kind == formats.Edited && message.Phone == "" {
		return nil, unmatched(formats.ReasonNoPhone)
	}
	return chooseLead(leads, instance, message)
}

// tied are leads by what ties a message to them.
type tied map[bond][]*v1alpha1.CartRecovery

// chooseLead finds the lead for a message that no lead has yet: the conversation that it quotes; else the open lead
// whose customer was written to last or, where nobody was written to, left the checkout last; else the lead that ended
// last. A lead that is younger than the message is not considered.
func chooseLead(
	leads []v1alpha1.CartRecovery, instance string, message *formats.Message,
) (*v1alpha1.CartRecovery, outcome) {
	open, ended, old := tied{}, tied{}, false
	for i := range leads {
		each := &leads[i]
		switch tie := bondOf(each, message); {
		case tie == bondNone:
		case isOld(each, message):
			old = true
		case isOpen(each):
			open[tie] = append(open[tie], each)
		default:
			ended[tie] = append(ended[tie], each)
		}
	}
	for _, among := range []tied{open, ended} {
		candidates, one := among.candidates()
		switch {
		case len(candidates) == 0:
		case !one:
			return nil, ignored(ignoredAmbiguous)
		default:
			return pick(candidates, instance), outcome{}
		}
	}
	switch {
	case old:
		return nil, ignored(ignoredOldMessage)
	case message.Phone == "":
		return nil, unmatched(formats.ReasonNoPhone)
	}
	return nil, unmatched(ignoredNoOpenLead)
}

// candidates are the leads that a message can belong to by its strongest tie; one says that
// they are all of one customer. A chat is of one person, who may have other leads that know only
// the phone.
func (t tied) candidates() (leads []*v1alpha1.CartRecovery, one bool) {
	switch {
	case len(t[bondQuote]) > 0:
		return t[bondQuote], true
	case len(t[bondChat]) > 0:
		leads = slices.Clone(t[bondChat])
		for _, each := range t[bondPhone] {
			if slices.ContainsFunc(t[bondChat], samePerson(each)) {
				leads = append(leads, each)
			}
		}
		return leads, true
	case len(t[bondPhone]) > 0:
		return t[bondPhone], oneNumber(t[bondPhone])
	}
	return t[bondOther], oneCustomer(t[bondOther])
}

// samePerson says of a lead whether it is of one's customer, by the number that is written to.
func samePerson(one *v1alpha1.CartRecovery) func(*v1alpha1.CartRecovery) bool {
	return func(other *v1alpha1.CartRecovery) bool {
		return lead.SamePhone(one.Spec.Customer.Phone, other.Spec.Customer.Phone)
	}
}

// pick takes the lead of a customer that a message belongs to.
func pick(leads []*v1alpha1.CartRecovery, instance string) *v1alpha1.CartRecovery {
	var contacted []*v1alpha1.CartRecovery
	for _, each := range leads {
		if !lastContact(each).IsZero() && isOpen(each) {
			contacted = append(contacted, each)
		}
	}
	if len(contacted) > 0 {
		return latestOf(preferring(contacted, instance), lastContact)
	}
	return latestOf(leads, lastKnown)
}

// oneCustomer says whether leads that share one of the customer's other numbers are all of one
// customer.
func oneCustomer(leads []*v1alpha1.CartRecovery) bool {
	return !slices.ContainsFunc(leads, func(each *v1alpha1.CartRecovery) bool {
		return !lead.SameCustomer(&each.Spec.Customer, &leads[0].Spec.Customer)
	})
}

func latestOf(leads []*v1alpha1.CartRecovery, at func(*v1alpha1.CartRecovery) time.Time) *v1alpha1.CartRecovery {
	return slices.MaxFunc(leads, func(a, b *v1alpha1.CartRecovery) int { return at(a).Compare(at(b)) })
}

// lastKnown is when a lead ended or, while it is open, when the customer left the checkout.
func lastKnown(recovery *v1alpha1.CartRecovery) time.Time {
	if lead.Finished(recovery) {
		return recovery.Status.CompletionTime.Time
	}
	if recovery.Spec.AbandonedAt != nil {
		return recovery.Spec.AbandonedAt.Time
	}
	return recovery.CreationTimestamp.Time
}

// isOld says whether a message was written before the conversation of a lead began, or before
// what the conversation still has: a gateway that connects again can tell of it as if it were
// new. What has no time is new.
func isOld(recovery *v1alpha1.CartRecovery, message *formats.Message) bool {
	if message.At.IsZero() {
		return false
	}
	if message.At.Add(beforehand).Before(beganAt(recovery)) {
		return true
	}
	conversation := recovery.Status.Conversation
	return len(conversation) >= v1alpha1.MaxConversation && message.At.Add(clockSkew).Before(conversation[0].At.Time)
}

// beganAt is when the current cycle of a lead began: when the customer first left the checkout,
// or when the lead was made where that is not known.
func beganAt(recovery *v1alpha1.CartRecovery) time.Time {
	began := lead.FactsOf(recovery).FirstAbandoned
	if began.IsZero() {
		began = recovery.CreationTimestamp.Time
	}
	if before := lead.PreviousCompleted(recovery); before.After(began) {
		return before
	}
	return began
}

// expired says whether a lead ended because nothing came of it, so that the customer can still
// be answered (recovery.lateReplies).
func expired(recovery *v1alpha1.CartRecovery) bool {
	succeeded := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionSucceeded)
	if succeeded == nil || !lead.Finished(recovery) || recovery.DeletionTimestamp != nil {
		return false
	}
	switch succeeded.Reason {
	case v1alpha1.ReasonUnanswered, v1alpha1.ReasonConversationEnded, v1alpha1.ReasonNeverContacted:
		return lead.Unsold(recovery)
	}
	return false
}
