// Package lead holds what the webhook server and the controllers must agree on about a
// CartRecovery: its name, labels and message ids, what its conversation says, and its
// phase. Pure functions.
package lead

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/phone"
)

// Identity is what makes a cart the same cart, from whichever replica and however often
// it is reported.
type Identity struct {
	// ClientID of the Store, which outlives the Store's object: one that is deleted and
	// applied again, or restored from a backup, finds its leads.
	ClientID string
	// Platform that reported it.
	Platform v1alpha1.PlatformName
	// ProductID at the platform; the product's name where there is no id.
	ProductID string
	// Email of the customer, in lower case.
	Email string
	// Phone of the customer, with country code; used only where there is no e-mail.
	Phone string
}

var nameEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Name is the name of the CartRecovery of an identity: <platform>-<hash>.
func Name(id Identity) string {
	customer := "email:" + id.Email
	if id.Email == "" {
		customer = "phone:" + oneWriting(id.Phone)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{
		id.ClientID, string(id.Platform), id.ProductID, customer,
	}, "\x00")))
	return string(id.Platform) + "-" + nameEncoding.EncodeToString(sum[:15])
}

// PhoneHash is the value of the label v1alpha1.LabelPhoneKey for a phone number in any
// form that phone.Key takes; "" for no number.
func PhoneHash(number string) string {
	key := phone.Key(number)
	if key == "" {
		return ""
	}
	return hash("phone", key)
}

// PhoneHashes are the PhoneHash of a number, first, and those that it had before ways of
// writing it were known (see phone.Keys): what was stored under one of them is still found.
func PhoneHashes(number string) []string {
	keys := phone.Keys(number)
	if keys[0] == "" {
		return nil
	}
	for i := range keys {
		keys[i] = hash("phone", keys[i])
	}
	return keys
}

// EmailHash is the value of the label v1alpha1.LabelEmailKey; "" for no address.
func EmailHash(email string) string {
	if email == "" {
		return ""
	}
	return hash("email", strings.ToLower(email))
}

func hash(kind, value string) string {
	// Most fit into this, which is on the stack: several are made for each delivery.
	room := make([]byte, 0, 96)
	room = append(append(append(room, kind...), 0), value...)
	sum := sha256.Sum256(room)
	return string(hex.AppendEncode(room[:0], sum[:16]))
}

// Labels are the labels of the CartRecovery of this customer and store.
func Labels(storeName string, customer v1alpha1.LeadCustomer) map[string]string {
	labels := customerLabels(&customer)
	if len(storeName) <= 63 {
		labels[v1alpha1.LabelStore] = storeName
	}
	return labels
}

func customerLabels(customer *v1alpha1.LeadCustomer) map[string]string {
	labels := make(map[string]string, 6)
	for _, number := range phonesOf(customer) {
		value := PhoneHash(number)
		if value == "" {
			continue
		}
		labels[v1alpha1.LabelPhonePrefix+value] = ""
		if number == customer.Phone {
			labels[v1alpha1.LabelPhoneKey] = value
		}
	}
	for _, email := range emailsOf(customer) {
		value := EmailHash(email)
		if value == "" {
			continue
		}
		labels[v1alpha1.LabelEmailPrefix+value] = ""
		if email == customer.Email {
			labels[v1alpha1.LabelEmailKey] = value
		}
	}
	return labels
}

// CustomerKeys are the keys of the labels that find a customer's leads: one for each number
// and address (v1alpha1.LabelPhonePrefix, v1alpha1.LabelEmailPrefix), the labels having no
// value. Numbers that differ by the ninth digit have one key; leads that have not got the key
// of today yet are found by that of their day.
func CustomerKeys(customer *v1alpha1.LeadCustomer) []string {
	var keys []string
	add := func(prefix, hash string) {
		if hash != "" && !slices.Contains(keys, prefix+hash) {
			keys = append(keys, prefix+hash)
		}
	}
	for _, number := range phonesOf(customer) {
		for _, hash := range PhoneHashes(number) {
			add(v1alpha1.LabelPhonePrefix, hash)
		}
	}
	for _, email := range emailsOf(customer) {
		add(v1alpha1.LabelEmailPrefix, EmailHash(email))
	}
	return keys
}

// Labelled says whether a lead has all the labels that it is found by.
func Labelled(recovery *v1alpha1.CartRecovery) bool {
	for key, value := range Labels(recovery.Spec.StoreRef.Name, recovery.Spec.Customer) {
		if found, has := recovery.Labels[key]; !has || found != value {
			return false
		}
	}
	return true
}

// StepID is the id of a step's message: the same whoever plans it, so that it can be
// claimed only once.
func StepID(cycle int32, step string) string {
	return "c" + strconv.Itoa(int(cycle)) + "-step-" + step
}

// ReplyID is the id of the answer to a customer's message.
func ReplyID(cycle int32, inboundID string) string {
	sum := sha256.Sum256([]byte(inboundID))
	return "c" + strconv.Itoa(int(cycle)) + "-reply-" + hex.EncodeToString(sum[:8])
}

// IsReplyID says whether an id was made by ReplyID.
func IsReplyID(id string) bool {
	_, rest, _ := strings.Cut(id, "-")
	return strings.HasPrefix(rest, "reply-")
}

// TrackID is the id a message carries at the gateway, unique among the leads of a namespace.
// It holds no UID: a lead that was restored from a backup, under another one, asks the gateway
// for what it sent before.
func TrackID(leadName, messageID string) string {
	return leadName + "." + messageID
}

// FormerTrackID is the track id that the messages of a lead had in versions before
// spec.receivedAt.
func FormerTrackID(uid types.UID, messageID string) string {
	return string(uid) + "." + messageID
}

// Find returns the message with this id, nil when there is none.
func Find(conversation []v1alpha1.Message, id string) *v1alpha1.Message {
	for i := range conversation {
		if conversation[i].ID == id {
			return &conversation[i]
		}
	}
	return nil
}

// Claimed returns the message that is claimed and not confirmed, nil when there is none.
func Claimed(lead *v1alpha1.CartRecovery) *v1alpha1.Message {
	for i := range lead.Status.Conversation {
		if lead.Status.Conversation[i].State == v1alpha1.MessageClaimed {
			return &lead.Status.Conversation[i]
		}
	}
	return nil
}

// Finished says whether the lead has its outcome.
func Finished(lead *v1alpha1.CartRecovery) bool {
	return lead.Status.CompletionTime != nil
}

// FirstContact is when the first message of this cycle was claimed that the gateway
// accepted; zero when there is none.
func FirstContact(lead *v1alpha1.CartRecovery) time.Time {
	for i := range lead.Status.Conversation {
		message := &lead.Status.Conversation[i]
		if message.Cycle == lead.Status.Cycle && message.Role == v1alpha1.RoleAssistant &&
			message.State == v1alpha1.MessageSent {
			return message.At.Time
		}
	}
	return time.Time{}
}

// HandedOffMessage is the message of a HandedOff condition that is True, and of its event.
const HandedOffMessage = "a person wrote to the customer from the paired phone: the AI is silent until the annotation " +
	v1alpha1.AnnotationResumeRequested + " gives the conversation back"

// HandedOff says whether a person of the store has the conversation: one wrote from the
// paired phone, or the customer asked for one, and it was not given back since (v1alpha1.AnnotationResumeRequested).
func HandedOff(lead *v1alpha1.CartRecovery) bool {
	condition := apimeta.FindStatusCondition(lead.Status.Conditions, v1alpha1.ConditionHandedOff)
	if condition == nil || condition.Status != metav1.ConditionTrue {
		return false
	}
	took := condition.LastTransitionTime.Time
	if wrote := LastOperator(lead); wrote.After(took) {
		took = wrote
	}
	request := ResumeRequest(lead)
	if request == lead.Status.HandledResumeRequest {
		return true
	}
	resumed, _ := time.Parse(time.RFC3339, request) // what is no time is before all
	return resumed.Before(took.Truncate(time.Second))
}

// maxResume is what the schema takes of status.handledResumeRequest.
const maxResume = 64

// ResumeRequest is the request to give a conversation back, "" for none. One that was acted
// on is status.handledResumeRequest.
func ResumeRequest(lead *v1alpha1.CartRecovery) string {
	return clip.Bytes(strings.ToValidUTF8(lead.Annotations[v1alpha1.AnnotationResumeRequested], ""), maxResume)
}

// LastOperator is when a person of the store last wrote in this cycle; zero when never.
func LastOperator(lead *v1alpha1.CartRecovery) time.Time {
	for i := len(lead.Status.Conversation) - 1; i >= 0; i-- {
		message := &lead.Status.Conversation[i]
		if message.Cycle == lead.Status.Cycle && ByPerson(message) {
			return message.At.Time
		}
	}
	return time.Time{}
}

// LastInbound is the customer's last message of this cycle, nil when there is none.
func LastInbound(lead *v1alpha1.CartRecovery) *v1alpha1.Message {
	for i := len(lead.Status.Conversation) - 1; i >= 0; i-- {
		message := &lead.Status.Conversation[i]
		if message.Cycle == lead.Status.Cycle && message.Role == v1alpha1.RoleCustomer {
			return message
		}
	}
	return nil
}

// togetherWithin is how long before a message others of the customer's are read together with it.
const togetherWithin = 30 * time.Second

// WrittenTogether are the texts of a customer's messages in a row, oldest first, that end in this
// one of a conversation: of the same cycle, at most so many, with nobody else's between them; nil
// where there is only one.
func WrittenTogether(conversation []v1alpha1.Message, last, most int) []string {
	first := last
	for first > 0 && last-first+1 < most {
		before := &conversation[first-1]
		if before.Role != v1alpha1.RoleCustomer || before.Cycle != conversation[last].Cycle ||
			conversation[last].At.Sub(before.At.Time) > togetherWithin {
			break
		}
		first--
	}
	if first == last {
		return nil
	}
	texts := make([]string, 0, last-first+1)
	for i := first; i <= last; i++ {
		texts = append(texts, conversation[i].Text)
	}
	return texts
}

// LastActivity is when something last happened in the lead: the abandonment, or a message
// of this cycle either way.
func LastActivity(lead *v1alpha1.CartRecovery) time.Time {
	last := lead.CreationTimestamp.Time
	if lead.Spec.AbandonedAt != nil {
		last = lead.Spec.AbandonedAt.Time
	}
	for i := range lead.Status.Conversation {
		message := &lead.Status.Conversation[i]
		counts := message.Role == v1alpha1.RoleCustomer || ByPerson(message) ||
			message.Role == v1alpha1.RoleAssistant && message.State == v1alpha1.MessageSent
		if message.Cycle == lead.Status.Cycle && counts && message.At.After(last) {
			last = message.At.Time
		}
	}
	return last
}

// Append adds a message to a conversation and keeps it within v1alpha1.MaxConversation: the
// oldest message goes first, whoever wrote it, those last that say what a customer wants of people. Steps
// stay, because what was sent decides what may still be sent; a claimed message stays, because it must be
// resolved; and so does the customer's last message, because it is answered. The oldest texts are shortened
// where all together are more than v1alpha1.MaxConversationBytes.
func Append(conversation []v1alpha1.Message, message v1alpha1.Message) []v1alpha1.Message {
	return Bounded(append(append(make([]v1alpha1.Message, 0, len(conversation)+1), conversation...), message))
}

// Bounded keeps a conversation within its bounds as Append does, in place.
func Bounded(conversation []v1alpha1.Message) []v1alpha1.Message {
	for len(conversation) > v1alpha1.MaxConversation {
		at := oldestDroppable(conversation)
		conversation = slices.Delete(conversation, at, at+1)
	}
	shortenAll(conversation)
	return conversation
}

// oldestDroppable is the message to go. What the customer wants of people goes after others: a claim of
// having paid that is forgotten is sold to. Only so many are read for that; of several the latest stay.
func oldestDroppable(conversation []v1alpha1.Message) int {
	lastInbound, meaningful := lastInboundAt(conversation), make([]int, 0, maxMeanings)
	for i := range conversation[:len(conversation)-1] {
		m := &conversation[i]
		if m.Step != "" || m.State == v1alpha1.MessageClaimed || i == lastInbound {
			continue
		}
		if m.Role != v1alpha1.RoleCustomer || !asksPeople(m.Text) {
			return i
		}
		if meaningful = append(meaningful, i); len(meaningful) == maxMeanings {
			break
		}
	}
	if len(meaningful) > 0 {
		return meaningful[0]
	}
	return 0
}

// PhaseOf derives the phase from the facts; outcome is the Succeeded condition's reason,
// "" or InProgress while the lead is worked on.
func PhaseOf(lead *v1alpha1.CartRecovery, outcome string) v1alpha1.Phase {
	switch outcome {
	case v1alpha1.ReasonBoughtAfterContact:
		return v1alpha1.PhaseRecovered
	case v1alpha1.ReasonBoughtBeforeContact, v1alpha1.ReasonPurchaseNotAttributed:
		return v1alpha1.PhaseConverted
	case v1alpha1.ReasonOptedOut:
		return v1alpha1.PhaseOptedOut
	case v1alpha1.ReasonUnanswered, v1alpha1.ReasonConversationEnded, v1alpha1.ReasonNeverContacted:
		return v1alpha1.PhaseExpired
	case "", v1alpha1.ReasonInProgress:
	default:
		return v1alpha1.PhaseFailed
	}
	switch {
	case LastInbound(lead) != nil:
		return v1alpha1.PhaseEngaged
	case !FirstContact(lead).IsZero():
		return v1alpha1.PhaseContacted
	default:
		return v1alpha1.PhasePendingRecovery
	}
}
