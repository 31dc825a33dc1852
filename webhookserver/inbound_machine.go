package webhookserver

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// Machines write on both sides: greetings and away messages of WhatsApp's Business app arrive as if somebody had
// written them. Pure functions, but for ownTexts.

const (
	// greetingWithin is how fast after the customer's message a message of the paired number is
	// its greeting: nobody reads and writes in that time.
	greetingWithin = 3 * time.Second
	// awayWithin is how fast one that reads like an away message is one.
	awayWithin = time.Minute
	// freshWithin is how old a message may be, by its own time, for its arrival to tell how fast
	// it was written: after an outage everything arrives at once.
	freshWithin = 10 * time.Second
	// answerWithin is how soon after the operator's message a longer one of the customer is a machine's.
	answerWithin = 2 * time.Second
	// longEnough is from how many characters on a text takes time to write, and says something
	// when it is repeated: "sim" and "oi" do neither.
	longEnough = 20
	// otherChats is how many other chats got a text that is a machine's.
	otherChats = 2
	// textMemory is how long, and maxTexts how many, own texts are remembered.
	textMemory = 24 * time.Hour
	maxTexts   = 4096
)

// isAutomaticOwn says whether a machine of the paired number wrote a message: the gateway says
// so, or it came at once upon the customer's, or soon and reads like it, or other chats got the
// same text (repeated).
func isAutomaticOwn(recovery *v1alpha1.CartRecovery, message *formats.Message, repeated bool, now time.Time) bool {
	if message.Kind == formats.Edited {
		return false
	}
	if repeated || message.Automatic {
		return true
	}
	inbound := lead.LastInbound(recovery)
	if inbound == nil || !isFresh(message, now) {
		return false
	}
	after := now.Sub(inbound.At.Time)
	return after >= 0 && (after <= greetingWithin || after <= awayWithin && policy.LooksAutomatic(message.Text))
}

func isFresh(message *formats.Message, now time.Time) bool {
	return message.At.IsZero() || now.Sub(message.At) <= freshWithin
}

// greetedAhead takes a hand-off back that the greeting made which comes upon this message of
// the customer's: of two deliveries the later can be the first to come.
func greetedAhead(recovery *v1alpha1.CartRecovery, message *formats.Message, now time.Time) {
	conversation := recovery.Status.Conversation
	condition := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if len(conversation) == 0 || condition == nil || condition.Status != metav1.ConditionTrue ||
		condition.Reason != v1alpha1.ReasonPersonWrote {
		return
	}
	last := &conversation[len(conversation)-1]
	took := condition.LastTransitionTime.Time.Equal(last.At.UTC().Truncate(time.Second))
	if last.Role != v1alpha1.RolePerson || last.Automatic || !took || !isFresh(message, now) ||
		now.Sub(last.At.Time) > greetingWithin || message.At.After(last.At.Time) {
		return
	}
	last.Automatic = true
	apimeta.RemoveStatusCondition(&recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
}

// isAutomaticAnswer says whether a machine seems to answer for the customer: the message reads
// like it, or came faster than anybody writes, or says for the third time what it said before.
func isAutomaticAnswer(recovery *v1alpha1.CartRecovery, message *formats.Message, now time.Time) bool {
	if policy.LooksAutomatic(message.Text) {
		return true
	}
	text := gist(message.Text)
	if utf8.RuneCountInString(text) < longEnough {
		return false
	}
	return isAtOnce(recovery, message, now) || saidBefore(recovery, text) >= 2
}

// isAtOnce says whether a message came immediately after one of our messages. In a conversation with a person that says
// nothing: they were writing already when our answer came.
func isAtOnce(recovery *v1alpha1.CartRecovery, message *formats.Message, now time.Time) bool {
	person := slices.ContainsFunc(recovery.Status.Conversation, func(m v1alpha1.Message) bool {
		return m.Cycle == recovery.Status.Cycle && m.Role == v1alpha1.RoleCustomer && !m.Automatic
	})
	if person {
		return false
	}
	last := lastContact(recovery)
	after := now.Sub(last)
	return !last.IsZero() && isFresh(message, now) && after >= 0 && after <= answerWithin
}

// saidBefore is how often the customer wrote this text in the current cycle.
func saidBefore(recovery *v1alpha1.CartRecovery, text string) int {
	count := 0
	for i := range recovery.Status.Conversation {
		message := &recovery.Status.Conversation[i]
		if message.Role == v1alpha1.RoleCustomer && message.Cycle == recovery.Status.Cycle &&
			gist(message.Text) == text {
			count++
		}
	}
	return count
}

// ownTexts remembers, for a day, which chats got which texts of the paired numbers, as hashes:
// what several chats got is nobody's own words. Each replica has its own; it only ever keeps a
// hand-over from happening.
type ownTexts struct {
	mu    sync.Mutex
	texts *lru.Cache[textHash, heardText]
}

type textHash [sha256.Size]byte

// heardText is in which chats a text was seen, otherChats at most, and when last.
type heardText struct {
	chats []textHash
	last  time.Time
}

func newOwnTexts() *ownTexts {
	// New fails only for a size that is not positive.
	texts, _ := lru.New[textHash, heardText](maxTexts)
	return &ownTexts{texts: texts}
}

// repeated notes a text of a number in a chat, and says whether otherChats others got it within
// textMemory.
func (o *ownTexts) repeated(number, chat, text string, now time.Time) bool {
	text = gist(text)
	if chat == "" || utf8.RuneCountInString(text) < longEnough {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	key, here := textHash(sha256.Sum256([]byte(number+"\x00"+text))), textHash(sha256.Sum256([]byte(chat)))
	heard, _ := o.texts.Get(key)
	if now.Sub(heard.last) > textMemory {
		heard.chats = nil
	}
	others := slices.DeleteFunc(slices.Clone(heard.chats), func(each textHash) bool { return each == here })
	if len(others) == len(heard.chats) && len(heard.chats) <= otherChats {
		heard.chats = append(heard.chats, here)
	}
	heard.last = now
	o.texts.Add(key, heard)
	return len(others) >= otherChats
}
