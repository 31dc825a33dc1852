package guard

import (
	"strings"

	"cartrecovery.dev/operator/internal/clip"
)

const (
	// alike is from which share of common words two texts are one, in hundredths.
	alike = 90
	// leastAlike is how many different words a text needs to be compared by them.
	leastAlike = 6
	// leastEarlier is how many words make it a repetition to say what was said some time
	// ago: "De nada!" may be said again.
	leastEarlier = 4
)

// repeats compares with the store's last message and those before it.
func (s *subject) repeats() bool {
	said := spoken(s.folded)
	if s.facts.Last != "" && same(s.folded, said, s.facts.Last, 0) {
		return true
	}
	for _, earlier := range s.facts.Earlier[max(0, len(s.facts.Earlier)-maxSaid):] {
		if same(s.folded, said, earlier, leastEarlier) {
			return true
		}
	}
	return false
}

// same compares the words of two texts. Their links do not count, unless there is nothing
// else.
func same(folded string, said []string, other string, least int) bool {
	other = readable(clip.Bytes(other, maxMessage))
	theirs := spoken(fold(bare(other)))
	if len(said) == 0 || len(theirs) == 0 {
		return least == 0 && len(said) == len(theirs) &&
			strings.TrimSpace(folded) == strings.TrimSpace(fold(bare(other)))
	}
	if len(said) < least {
		return false
	}
	ours, known := strings.Join(said, " "), strings.Join(theirs, " ")
	if ours == known {
		return true
	}
	if len(said) >= leastAlike && len(theirs) >= leastAlike && strings.Contains(" "+known+" ", " "+ours+" ") {
		return true
	}
	common, all := overlap(said, theirs)
	return all >= leastAlike && common*100 >= all*alike
}

// bare is a text without its links.
func bare(text string) string {
	var kept strings.Builder
	for from := 0; ; {
		start, end, found := nextLink(text, from)
		if !found {
			kept.WriteString(text[from:])
			return kept.String()
		}
		kept.WriteString(text[from:start])
		kept.WriteByte(' ')
		from = end
	}
}

func spoken(folded string) []string { return codeWord.FindAllString(folded, -1) }

// overlap counts the different words that two texts share, and all of them.
func overlap(a, b []string) (common, all int) {
	first, both := map[string]bool{}, map[string]bool{}
	for _, word := range a {
		first[word], both[word] = true, true
	}
	shared := map[string]bool{}
	for _, word := range b {
		both[word] = true
		if first[word] {
			shared[word] = true
		}
	}
	return len(shared), len(both)
}
