package lead

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/policy"
)

// This file keeps a conversation within its bytes. A customer decides how long a message is and
// how many there are, and each write of a lead stores all of them once more.

const (
	// shortenedMark stands at the end of a text that is not whole.
	shortenedMark = "…"
	// keptWhole is how many of the last messages are shortened last: the AI sees six.
	keptWhole = 8
	// messageFrame is at least what a message takes beside its text: below it nothing is counted.
	messageFrame = 512
	// maxMeanings is how many texts are read for what they mean in one go.
	maxMeanings = 4
	// escaped is how many bytes a control character takes in JSON.
	escaped = 6
)

// Clip cuts a text to so many characters and so many bytes as JSON has it, the mark at its end
// included, and says whether it did.
func Clip(text string, characters, bytes int) (clipped string, shortened bool) {
	if len(text) <= min(characters, bytes/escaped) {
		return text, false
	}
	used, count, cut := 0, 0, 0
	for at := 0; at < len(text); {
		r, width := utf8.DecodeRuneInString(text[at:])
		at += width
		size := sizeInJSON(r)
		if used+size <= bytes-len(shortenedMark) && count < characters-1 {
			cut = at
		}
		used, count = used+size, count+1
		if used > bytes || count > characters {
			return strings.TrimRight(text[:cut], " \n") + shortenedMark, true
		}
	}
	return text, false
}

// sizeInJSON is how many bytes a character takes at most, as the API server stores it.
func sizeInJSON(r rune) int {
	switch {
	case r == '\n', r == '\t', r == '\r', r == '"', r == '\\':
		return 2
	case r < ' ', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029', r == utf8.RuneError:
		return escaped
	}
	return utf8.RuneLen(r)
}

// SameText says whether a text is what a message says, as far as it was kept.
func SameText(kept *v1alpha1.Message, text string) bool {
	if !kept.Shortened {
		return kept.Text == text
	}
	return strings.HasPrefix(text, strings.TrimSuffix(kept.Text, shortenedMark))
}

// shortenAll keeps a conversation within v1alpha1.MaxConversationBytes, in place: the oldest texts
// are shortened first, and what asks for a person or says that it is paid after others.
func shortenAll(conversation []v1alpha1.Message) {
	if surelyFits(conversation) {
		return
	}
	total := 0
	for i := range conversation {
		total += bytesOf(&conversation[i])
	}
	last, older := lastInboundAt(conversation), conversation[:max(0, len(conversation)-keptWhole)]
	total = shortenSome(older, last, total, keepingMeaning())
	shortenSome(conversation, last, total, addingNone)
}

// surelyFits says of a conversation, without counting every byte, that it is within its bounds.
func surelyFits(conversation []v1alpha1.Message) bool {
	most := 0
	for i := range conversation {
		most += 2*messageFrame + escaped*len(conversation[i].Text)
	}
	return most <= v1alpha1.MaxConversationBytes
}

// shortening chooses what becomes of a text that is too long: short, or less; false leaves it whole.
type shortening func(whole, short string) (string, bool)

// shortenSome shortens messages, the oldest first, until all together fit, and returns how many
// bytes they have then. The customer's last message stays, for it is answered.
func shortenSome(messages []v1alpha1.Message, last, total int, choose shortening) int {
	for i := range messages {
		m := &messages[i]
		if total <= v1alpha1.MaxConversationBytes {
			break
		}
		short, does := Clip(m.Text, v1alpha1.MaxMessageLength, v1alpha1.ShortenedBytes)
		if !does || i == last || isUnderWay(m) {
			continue
		}
		chosen, may := choose(m.Text, short)
		if !may {
			continue
		}
		total -= bytesOf(m)
		m.Text, m.Shortened = chosen, true
		total += bytesOf(m)
	}
	return total
}

// isUnderWay says whether the text of a message may still be sent.
func isUnderWay(m *v1alpha1.Message) bool {
	return m.State == v1alpha1.MessageClaimed || m.State == v1alpha1.MessageFailed
}

func lastInboundAt(conversation []v1alpha1.Message) int {
	for i := range slices.Backward(conversation) {
		if conversation[i].Role == v1alpha1.RoleCustomer {
			return i
		}
	}
	return -1
}

// bytesOf is what a message takes as JSON.
func bytesOf(m *v1alpha1.Message) int {
	written, err := json.Marshal(m)
	if err != nil {
		return messageFrame + escaped*len(m.Text)
	}
	return len(written) + 1
}

// keepingMeaning shortens a text that says afterwards what it said before, of what must not be
// left to the AI. Words that a Store adds are whole messages, shorter than what is kept. Reading a
// long text costs milliseconds, so only so many are read.
func keepingMeaning() shortening {
	left := maxMeanings
	return func(whole, short string) (string, bool) {
		if left--; left < 0 {
			return "", false
		}
		said := meaningOf(short)
		if said != (meaning{}) {
			return short, said == meaningOf(whole)
		}
		// A customer who asked to stop is stopped by then: that message is not needed any more.
		return short, !everywhere.ClaimsPaid(whole) && !everywhere.AsksForHuman(whole)
	}
}

// addingNone shortens a text to one that says nothing of what must not be left to the AI: half a
// sentence can say the opposite of the whole.
func addingNone(_, short string) (string, bool) {
	if meaningOf(short) != (meaning{}) {
		return shortenedMark, true
	}
	return short, true
}

// everywhere is the words that hold in every Store.
var everywhere = &policy.Policy{}

// asksPeople says whether a text is one that people and not the AI have to heed.
func asksPeople(text string) bool {
	said := meaningOf(text)
	return said.optsOut || said.wrongNumber || said.claimsPaid || said.asksForHuman
}

type meaning struct{ optsOut, wrongNumber, claimsPaid, asksForHuman, automatic bool }

func meaningOf(text string) meaning {
	return meaning{
		optsOut: everywhere.OptsOut(text), wrongNumber: everywhere.WrongNumber(text),
		claimsPaid: everywhere.ClaimsPaid(text), asksForHuman: everywhere.AsksForHuman(text),
		automatic: policy.LooksAutomatic(text),
	}
}
