package cartrecovery

import (
	"strings"

	"k8s.io/utils/lru"

	"cartrecovery.dev/operator/internal/policy"
)

// This file remembers what customers' messages were understood to say. A lead is planned many
// times for one message, each time over its whole conversation, and a text does not change.

// maxMeanings is how many texts are remembered; at most some 20 MB, of long ones.
const maxMeanings = 10_000

// meaning is what a customer's text says, as far as it must not be left to the AI.
type meaning struct {
	optsOut, wrongNumber, claimsPaid, deniesPaid, asksForHuman, automatic bool
}

func meaningOf(p *policy.Policy, text string) meaning {
	return meaning{
		optsOut: p.OptsOut(text), wrongNumber: p.WrongNumber(text), claimsPaid: p.ClaimsPaid(text), deniesPaid: p.DeniesPaid(text),
		asksForHuman: p.AsksForHuman(text), automatic: policy.LooksAutomatic(text),
	}
}

// stops says whether a text asks not to be written to.
func (m meaning) stops() bool { return m.optsOut || m.wrongNumber }

// meanings remembers texts by what a policy adds to the words that hold everywhere.
type meanings struct{ known *lru.Cache }

// meaningKey is a text, or several that were written in a row, with NUL between them.
type meaningKey struct {
	words, text string
	together    bool
}

func newMeanings() *meanings { return &meanings{known: lru.New(maxMeanings)} }

func (m *meanings) of(p *policy.Policy, text string) meaning {
	key := meaningKey{text: text, words: ownWords(p)}
	if known, ok := m.known.Get(key); ok {
		return known.(meaning)
	}
	said := meaningOf(p, text)
	m.known.Add(key, said)
	return said
}

// means is what a customer's text says.
func (s *situation) means(text string) meaning {
	if s.meanings == nil {
		return meaningOf(&s.policy, text)
	}
	return s.meanings.of(&s.policy, text)
}

// ownWords are the words that a policy adds, as one.
func ownWords(p *policy.Policy) string {
	if len(p.OptOutKeywords)+len(p.HandOffKeywords) == 0 {
		return ""
	}
	return strings.Join(p.OptOutKeywords, "\x00") + "\x01" + strings.Join(p.HandOffKeywords, "\x00")
}

// optOutTogether says whether texts that were written in a row are a request not to be written to.
func (s *situation) optOutTogether(texts []string) bool {
	switch {
	case len(texts) == 0:
		return false
	case s.meanings == nil:
		return s.policy.OptsOutTogether(texts)
	}
	key := meaningKey{words: ownWords(&s.policy), text: strings.Join(texts, "\x00"), together: true}
	if known, ok := s.meanings.known.Get(key); ok {
		return known.(meaning).optsOut
	}
	optsOut := s.policy.OptsOutTogether(texts)
	s.meanings.known.Add(key, meaning{optsOut: optsOut})
	return optsOut
}
