package plan

import (
	"crypto/sha256"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"cartrecovery.dev/operator/internal/policy"
)

// This file remembers what customers' messages were understood to say. A lead is planned many
// times for one message, each time over its whole conversation, and a text does not change.

// maxMeanings is how many texts are remembered, by their hashes: what a customer wrote is in no memory but the lead.
const maxMeanings = 10_000

// Meaning is what a customer's text says, as far as it must not be left to the AI.
type Meaning struct {
	OptsOut, WrongNumber, claimsPaid, deniesPaid, asksForHuman, automatic bool
}

func meaningOf(p *policy.Policy, text string) Meaning {
	return Meaning{
		OptsOut: p.OptsOut(text), WrongNumber: p.WrongNumber(text), claimsPaid: p.ClaimsPaid(text),
		deniesPaid: p.DeniesPaid(text), asksForHuman: p.AsksForHuman(text), automatic: policy.LooksAutomatic(text),
	}
}

// stops says whether a text asks not to be written to.
func (m Meaning) stops() bool { return m.OptsOut || m.WrongNumber }

// Meanings remembers texts by what a policy adds to the words that hold everywhere.
type Meanings struct {
	known *lru.Cache[meaningKey, Meaning]
}

// meaningKey is a text, or several that were written in a row, with NUL between them.
type meaningKey struct {
	words    string
	text     [sha256.Size]byte
	together bool
}

func keyOfText(p *policy.Policy, text string, together bool) meaningKey {
	return meaningKey{words: ownWords(p), text: sha256.Sum256([]byte(text)), together: together}
}

// NewMeanings remembers nothing yet.
func NewMeanings() *Meanings {
	// New fails only for a size that is not positive.
	known, _ := lru.New[meaningKey, Meaning](maxMeanings)
	return &Meanings{known: known}
}

// Of is what a text says by a policy.
func (m *Meanings) Of(p *policy.Policy, text string) Meaning {
	key := keyOfText(p, text, false)
	if known, ok := m.known.Get(key); ok {
		return known
	}
	said := meaningOf(p, text)
	m.known.Add(key, said)
	return said
}

// means is what a customer's text says.
func (s *Snapshot) means(text string) Meaning {
	if s.Meanings == nil {
		return meaningOf(&s.Policy, text)
	}
	return s.Meanings.Of(&s.Policy, text)
}

// ownWords are the words that a policy adds, as one.
func ownWords(p *policy.Policy) string {
	if len(p.OptOutKeywords)+len(p.HandOffKeywords) == 0 {
		return ""
	}
	return strings.Join(p.OptOutKeywords, "\x00") + "\x01" + strings.Join(p.HandOffKeywords, "\x00")
}

// optOutTogether says whether texts that were written in a row are a request not to be written to.
func (s *Snapshot) optOutTogether(texts []string) bool {
	switch {
	case len(texts) == 0:
		return false
	case s.Meanings == nil:
		return s.Policy.OptsOutTogether(texts)
	}
	key := keyOfText(&s.Policy, strings.Join(texts, "\x00"), true)
	if known, ok := s.Meanings.known.Get(key); ok {
		return known.OptsOut
	}
	optsOut := s.Policy.OptsOutTogether(texts)
	s.Meanings.known.Add(key, Meaning{OptsOut: optsOut})
	return optsOut
}
