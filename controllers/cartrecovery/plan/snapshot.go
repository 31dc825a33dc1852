package plan

import (
	"math"
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// Snapshot is everything that a decision is made from.
type Snapshot struct {
	// Lead is what is decided about.
	Lead *v1alpha1.CartRecovery
	// Store is nil when it does not exist.
	Store *v1alpha1.Store
	// Product is nil when the lead's product has no Product.
	Product *v1alpha1.Product
	// Policy of the lead: the Product's and, for what that leaves open, the Store's.
	Policy policy.Policy
	// Instances are the numbers of the Store, by name.
	Instances []v1alpha1.WhatsAppInstance
	// Suppressed says that the customer's phone is not to be written to.
	Suppressed bool
	// SuppressedUnknown says that the Store has Suppressions of which nobody can tell whose number they are of.
	SuppressedUnknown bool
	// SiblingPurchase is a purchase of the lead's product by its customer that another lead holds; nil for none.
	SiblingPurchase *v1alpha1.Purchase
	// Others is what the customer's other leads mean for this one.
	Others OtherLeads
	// UnbookedTokens is how many tokens the lead's texts have cost that its status does not count yet.
	UnbookedTokens int64
	// Draft returns what is known of a text.
	Draft func(TextID) Draft
	// Contact returns what this instance's gateway has said of the customer's number.
	Contact func(*v1alpha1.WhatsAppInstance) contacts.Contact
	// Capacity returns how free an instance is to start a conversation that is due at a time.
	Capacity func(*v1alpha1.WhatsAppInstance, time.Time) Capacity
	// Meanings remembers how texts were understood; nil remembers nothing.
	Meanings *Meanings
	// Uncalled says whether this process claimed a message at a time and never handed it to the gateway; nil for
	// never.
	Uncalled func(id string, at time.Time) bool
	// WaitsAt is the instance in whose queue the lead waits; "" for none.
	WaitsAt types.UID
	// Ledger is what the Store's ledger knows of the lead.
	Ledger []v1alpha1.LedgerEntry
	// Began is how this process began to lead.
	Began heartbeat.Start
	// RestoreHold is how long after a restore nothing is sent.
	RestoreHold time.Duration
	// Proof returns what is known of a message, by its track id, that may have been sent before; nil when no
	// message can have been.
	Proof func(string) Proof
	// Decided replaces plan's answer in status.nextAction when pacing turned a send into a wait, which plan cannot
	// know; nil for plan's answer.
	Decided *Action
	// Now is the time of the decision.
	Now time.Time
}

// OtherLeads is what the other leads of a phone number mean for one of them.
type OtherLeads struct {
	// opened is when one of them last had a first message; zero for never.
	opened time.Time
	// instance is the name of the number that the customer was written to from last, "" for
	// none.
	instance string
	// handedOff says that a person of the store has one of their conversations.
	handedOff bool
	// talkingUntil is how long the latest conversation lasts in which the customer writes about one of them; zero
	// for none.
	talkingUntil time.Time
	// claimsPaid says that one of them waits for the platform to confirm a payment.
	claimsPaid bool
}

// OthersOf is what the leads of a phone number mean for one of them. claimed is the last first message that was
// claimed for any of them, which the cache may not show yet.
func OthersOf(recovery *v1alpha1.CartRecovery, leads []v1alpha1.CartRecovery, claimed FirstContact) OtherLeads {
	var said OtherLeads
	var contact time.Time
	for i := range leads {
		each := &leads[i]
		if each.Name == recovery.Name || !lead.SamePhone(each.Spec.Customer.Phone, recovery.Spec.Customer.Phone) {
			continue
		}
		said.opened = instant.Later(said.opened, lead.LastFirstContact(each, math.MaxInt32))
		if each.UID == claimed.Lead {
			said.opened = instant.Later(said.opened, claimed.At)
		}
		if last := lead.LastContact(each); last.After(contact) {
			contact, said.instance = last, lead.NumberOf(each)
		}
		if !lead.Finished(each) {
			said.handedOff = said.handedOff || lead.HandedOff(each)
			said.claimsPaid = said.claimsPaid || IsBlockedBy(each, v1alpha1.ReasonClaimsPaid)
			said.talkingUntil = instant.Later(said.talkingUntil, talkingUntil(each))
		}
	}
	said.opened = instant.Later(said.opened, lead.LastFirstContact(recovery, recovery.Status.Cycle))
	return said
}

// talkingUntil is how long the conversation of a lead lasts in which the customer, not a machine for them, has
// written; zero for none.
func talkingUntil(recovery *v1alpha1.CartRecovery) time.Time {
	wrote := slices.ContainsFunc(recovery.Status.Conversation, func(m v1alpha1.Message) bool {
		theirs := m.Cycle == recovery.Status.Cycle && m.Role == v1alpha1.RoleCustomer
		return theirs && !m.Automatic && !policy.LooksAutomatic(m.Text)
	})
	if !wrote {
		return time.Time{}
	}
	return lead.LastActivity(recovery).Add(ConversationLasts)
}

// IsBlockedBy says whether the Blocked condition of a lead has a reason.
func IsBlockedBy(recovery *v1alpha1.CartRecovery, reason string) bool {
	waits := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionBlocked)
	return waits != nil && waits.Status == metav1.ConditionTrue && waits.Reason == reason
}

// Capacity is how free a number is to start a conversation.
type Capacity struct {
	// Free is when it may start the next.
	Free time.Time
	// Left is how many it may start today.
	Left int
}

// DraftState is how far the text of a message is.
type DraftState int

const (
	// DraftNone: the text was not asked for.
	DraftNone DraftState = iota
	// DraftPending: the text is being written, or waits in the queue.
	DraftPending
	// DraftReady: the text may be sent.
	DraftReady
	// DraftFailed: the AI did not answer. It is asked again from RetryAt on.
	DraftFailed
	// DraftRefused: what the AI wrote may not be sent, nor the second text in its place. Why says what is wrong.
	DraftRefused
	// DraftHandOff: the AI says that the customer wants a person.
	DraftHandOff
	// DraftStop: the AI says that the customer asks not to be written to.
	DraftStop
	// DraftWrongNumber: the AI says that the writer is not the customer.
	DraftWrongNumber
	// DraftExhausted: the Store has no tokens left for it until RetryAt.
	DraftExhausted
)

// Draft is what is known of the text of a message.
type Draft struct {
	// State is how far it is.
	State DraftState
	// Text is what was written, of one that is ready.
	Text string
	// whole says that the text was claimed before: nothing is added to it.
	whole bool
	// Tokens it cost, whatever its state, all tries together.
	Tokens int64
	// ReadyAt is when the text was written, or refused.
	ReadyAt time.Time
	// FirstFailedAt is when the first of the failures in a row happened; zero for none.
	FirstFailedAt time.Time
	// RetryAt is when a failed text may be asked for again, Reason and Why the failure, Failures how many there
	// were in a row.
	RetryAt     time.Time
	Reason, Why string
	Failures    int
}

// ProofState is what is known of a message that may have been sent before.
type ProofState int

const (
	// The zero value: the gateway was not asked.
	_ ProofState = iota
	// ProofWaiting: the gateway is about to be asked.
	ProofWaiting
	// ProofCrowded: many messages are asked about before it, so that it has no turn yet.
	ProofCrowded
	// ProofFound: the message was sent.
	ProofFound
	// ProofNotFound: the message was not sent.
	ProofNotFound
	// ProofUnsure: the gateway cannot tell, or could not just now.
	ProofUnsure
)

// Proof is what is known of a message that may have been sent before.
type Proof struct {
	// State says what is known.
	State ProofState
	// At is when it was sent, zero when that is not known; GatewayID is the gateway's id of it.
	At        time.Time
	GatewayID string
	// Number names the WhatsAppInstance whose gateway told, "" where that is not known; Elsewhere
	// says that it is another than the message would leave from.
	Number    string
	Elsewhere bool
	// Until is when the gateway is asked, or asked again.
	Until time.Time
	// Never says that the gateway has no such look-up.
	Never bool
}

func (s *Snapshot) named(name string) *v1alpha1.WhatsAppInstance {
	for i := range s.Instances {
		if s.Instances[i].Name == name {
			return &s.Instances[i]
		}
	}
	return nil
}

func (s *Snapshot) all() []*v1alpha1.WhatsAppInstance {
	all := make([]*v1alpha1.WhatsAppInstance, 0, len(s.Instances))
	for i := range s.Instances {
		all = append(all, &s.Instances[i])
	}
	return all
}

// TextID names the text of one message of one lead. The UID tells the lead from a deleted one of the same name;
// the basis tells what the text was written from, the Store, the Product and the conversation, from what they are
// now.
type TextID struct {
	// UID is the lead's, MessageID the message's in its conversation.
	UID       types.UID
	MessageID string
	// Basis is a hash of what the text is written from.
	Basis string
}

// SameMessage says whether both are texts of one message.
func (t TextID) SameMessage(other TextID) bool {
	return t.UID == other.UID && t.MessageID == other.MessageID
}

// FirstContact is a first message that this process has claimed, or is about to claim.
type FirstContact struct {
	// Lead and Name are those of the lead that it is of.
	Lead types.UID
	Name types.NamespacedName
	// At is when it was claimed.
	At time.Time
}
