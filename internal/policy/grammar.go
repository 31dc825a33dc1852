package policy

import (
	"regexp"
	"strings"
)

// grammar is sentence patterns over words. Its parts are lists of alternatives by name, one
// alternative a line or between bars.
//
// In patterns and parts a word stands for itself, a* for all that begin with a, [a|b c] for
// one of the alternatives or none, (a|b c) for one of them, <name> for a part of that name.
//
// Every word of the patterns is a character of an alphabet, and what is matched is a clause
// written in it: expressions stay small, and a match takes time linear in the clause.
type grammar struct {
	parts map[string]string
	// letters are the words and, with a * behind them, the beginnings of words.
	letters map[string]rune
	// newest is the letter that was given last.
	newest rune
	// expanded are the expressions of parts, and the classes of beginnings of words.
	expanded map[string]string
}

const (
	// unknownLetter is every word that stands in no pattern.
	unknownLetter = rune(0xF0000)
	// shortestStem is the least a beginning of words must have to be looked for.
	shortestStem = 3
)

func newGrammar(parts map[string]string, patterns ...string) *grammar {
	g := &grammar{parts: parts, letters: map[string]rune{}, expanded: map[string]string{}, newest: unknownLetter}
	for _, part := range parts {
		g.learn(part)
	}
	for _, list := range patterns {
		g.learn(list)
	}
	return g
}

// learn takes the words of a list into the alphabet.
func (g *grammar) learn(list string) {
	words := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(" |[]()\n\t", r) })
	for _, word := range words {
		word = singleLetters(word)
		if _, known := g.letters[word]; !known && word[0] != '<' {
			g.newest++
			g.letters[word] = g.newest
		}
	}
}

// write writes words in the alphabet.
func (g *grammar) write(words []string) string {
	var out strings.Builder
	for _, word := range words {
		out.WriteRune(g.letter(word))
	}
	return out.String()
}

// matches says whether patterns that match a whole clause match words. A word that stands in no
// pattern is looked for first, which costs far less than the patterns and answers for most.
func (g *grammar) matches(patterns *regexp.Regexp, words []string) bool {
	written := g.write(words)
	return !strings.ContainsRune(written, unknownLetter) && patterns.MatchString(written)
}

// letter is the letter of a word: its own, else that of its longest known beginning.
func (g *grammar) letter(word string) rune {
	if letter, ok := g.letters[word]; ok {
		return letter
	}
	for end := len(word); end >= shortestStem; end-- {
		if letter, ok := g.letters[word[:end]+"*"]; ok {
			return letter
		}
	}
	return unknownLetter
}

// class are the letters of a word of a pattern: with a * those of all words that begin so.
func (g *grammar) class(word string) string {
	stem, open := strings.CutSuffix(word, "*")
	if !open {
		return string(g.letters[word])
	}
	return g.once(word, func() string {
		var out strings.Builder
		for known, letter := range g.letters {
			if strings.HasPrefix(known, stem) {
				out.WriteRune(letter)
			}
		}
		return "[" + out.String() + "]"
	})
}

// once expands a part or a class only once.
func (g *grammar) once(name string, expand func() string) string {
	if _, ok := g.expanded[name]; !ok {
		g.expanded[name] = expand()
	}
	return g.expanded[name]
}

// within makes one expression of the patterns, each between what may stand before and after
// it. It matches a whole clause.
func (g *grammar) within(before, patterns, after string) *regexp.Regexp {
	return regexp.MustCompile(`^` + g.expression(before) + `(?:` + g.alternatives(patterns) + `)` +
		g.expression(after) + `$`)
}

// beginning makes one expression of the patterns, which matches the beginning of a clause, as
// much of it as there is.
func (g *grammar) beginning(patterns string) *regexp.Regexp {
	made := regexp.MustCompile(`^(?:` + g.alternatives(patterns) + `)`)
	made.Longest()
	return made
}

// anywhere makes one expression of the patterns, which matches a part of a text.
func (g *grammar) anywhere(patterns string) *regexp.Regexp {
	return regexp.MustCompile(g.alternatives(patterns))
}

// alternatives are the expressions of alternatives, joined.
func (g *grammar) alternatives(list string) string {
	var expressions []string
	for _, line := range splitOutside(list, '\n') {
		for _, one := range splitOutside(line, '|') {
			if one = strings.Join(strings.Fields(one), " "); one != "" {
				expressions = append(expressions, g.expression(one))
			}
		}
	}
	return strings.Join(expressions, "|")
}

// expression is one alternative as an expression.
func (g *grammar) expression(pattern string) string {
	var out strings.Builder
	for _, part := range splitOutside(pattern, ' ') {
		switch {
		case part == "":
		case part[0] == '[':
			out.WriteString("(?:" + g.alternatives(part[1:len(part)-1]) + ")?")
		case part[0] == '(':
			out.WriteString("(?:" + g.alternatives(part[1:len(part)-1]) + ")")
		case part[0] == '<':
			out.WriteString("(?:" + g.once(part, func() string {
				return g.alternatives(g.parts[part[1:len(part)-1]])
			}) + ")")
		default:
			out.WriteString(g.class(singleLetters(part)))
		}
	}
	return out.String()
}

// splitOutside cuts at a separator where it stands in no brackets.
func splitOutside(text string, separator rune) []string {
	var parts []string
	depth, from := 0, 0
	for i, r := range text {
		switch r {
		case '[', '(':
			depth++
		case ']', ')':
			depth--
		case separator:
			if depth == 0 {
				parts, from = append(parts, text[from:i]), i+1
			}
		}
	}
	return append(parts, text[from:])
}
