package guard

import (
	"regexp"
	"slices"
	"strings"
)

// phrase is a way of saying what may not be said, in the words of a sentence: folded, without
// its punctuation, one blank between two.
type phrase struct {
	pattern *regexp.Regexp
	// anyway is true where a denial excuses nothing: it is part of what is said.
	anyway bool
	// within is true where the phrase is one only within a clause: "no, I'm a robot" is honest.
	within bool
	// ever is true where nothing of the facts allows it.
	ever bool
}

// phrases compiles patterns that hold between words.
func phrases(patterns ...string) []phrase {
	made := make([]phrase, 0, len(patterns))
	for _, pattern := range patterns {
		made = append(made, phrase{pattern: regexp.MustCompile(` (?:` + pattern + `) `)})
	}
	return made
}

// evenDenied are phrases that a denial does not excuse.
func evenDenied(made []phrase) []phrase {
	for i := range made {
		made[i].anyway = true
	}
	return made
}

// withinClause are phrases that hold only within one clause.
func withinClause(made []phrase) []phrase {
	for i := range made {
		made[i].within = true
	}
	return made
}

// never are phrases that no fact allows, and no denial excuses.
func never(made []phrase) []phrase {
	for i := range made {
		made[i].anyway, made[i].ever = true, true
	}
	return made
}

// sentence is the words of a sentence with the clause that each place of it belongs to.
type sentence struct {
	words   string
	clauses []clause
	// starts are the places at which the clauses begin.
	starts []int
}

// sentences puts the clauses of a text together as they were spoken.
func sentences(all []clause) []sentence {
	var made []sentence
	last := -1
	for _, one := range all {
		if one.sentence != last || len(made) == 0 {
			made = append(made, sentence{words: " "})
			last = one.sentence
		}
		current := &made[len(made)-1]
		current.starts = append(current.starts, len(current.words))
		current.clauses = append(current.clauses, one)
		current.words += strings.Join(one.words, " ") + " "
	}
	return made
}

// said are the places where the sentence holds the phrase, and does not deny it, each by its
// first and last word.
func (s *sentence) said(one phrase) []string {
	var found []string
	for _, at := range one.pattern.FindAllStringIndex(s.words, -1) {
		first, last := s.clauseAt(at[0]+1), s.clauseAt(at[1]-2)
		if one.within && first != last || !one.anyway && s.clauses[last].denies() {
			continue
		}
		found = append(found, outline(s.words[at[0]+1:at[1]-1]))
	}
	return found
}

// outline is the first and the last word of a phrase, in the singular.
func outline(said string) string {
	first, _, _ := strings.Cut(said, " ")
	last := said[strings.LastIndexByte(said, ' ')+1:]
	return strings.TrimSuffix(first, "s") + " " + strings.TrimSuffix(last, "s")
}

// clauseAt is the clause that a place of the sentence belongs to.
func (s *sentence) clauseAt(place int) int {
	for i := len(s.starts) - 1; i > 0; i-- {
		if s.starts[i] <= place {
			return i
		}
	}
	return 0
}

// sayAny says whether one of the sentences holds one of the phrases, and the facts do not;
// excused are sentences that do not count.
func (s *subject) sayAny(known []phrase, excused func(*sentence) bool) bool {
	for _, one := range known {
		for i := range s.spokenSentences() {
			found := s.sentences[i].said(one)
			if len(found) == 0 || excused != nil && excused(&s.sentences[i]) {
				continue
			}
			if one.ever || !s.isGiven(one, found) {
				return true
			}
		}
	}
	return false
}

// isGiven says whether the facts say all that was found of a phrase, and do not deny it.
func (s *subject) isGiven(one phrase, found []string) bool {
	if s.promptSentences == nil {
		s.promptSentences = sentences(s.promptClauses())
	}
	var known []string
	for i := range s.promptSentences {
		known = append(known, s.promptSentences[i].said(one)...)
	}
	return !slices.ContainsFunc(found, func(said string) bool { return !slices.Contains(known, said) })
}

func (s *subject) spokenSentences() []sentence {
	if s.sentences == nil {
		s.sentences = sentences(clauses(s.withoutEcho()))
	}
	return s.sentences
}

func (s *subject) promptClauses() []clause {
	if s.clausesOfPrompt == nil {
		s.clausesOfPrompt = clauses(s.promptFolded)
	}
	return s.clausesOfPrompt
}
