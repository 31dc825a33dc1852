// Package sections rewrites the parts of a document that stand between two markers, of which the first names the part:
//
//	<!-- begin generated: flags -->
//	<!-- end generated -->
package sections

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	beginMarker = "<!-- begin generated: "
	endOfBegin  = " -->"
	endMarker   = "<!-- end generated -->"
)

// Rewrite replaces what stands between the markers of each section. Every section must
// have its markers, once, and every marker its section; the error tells all that is wrong.
func Rewrite(document string, sections map[string]string) (string, error) {
	var fresh strings.Builder
	var problems []error
	seen := map[string]bool{}
	open := ""
	number := 0
	for line := range strings.Lines(document) {
		number++
		marker := strings.TrimSpace(line)
		name, begins := strings.CutPrefix(marker, beginMarker)
		switch {
		case begins && open != "":
			problems = append(problems, fmt.Errorf("line %d: %q begins before %q ends", number, marker, open))
		case begins:
			name = strings.TrimSuffix(name, endOfBegin)
			content, known := sections[name]
			if !known || seen[name] {
				problems = append(problems, fmt.Errorf("line %d: the section %q is unknown or there twice", number,
					name))
			}
			open, seen[name] = name, true
			fresh.WriteString(line + content)
		case marker == endMarker && open == "":
			problems = append(problems, fmt.Errorf("line %d: %q without a beginning", number, marker))
		case marker == endMarker:
			open = ""
			fresh.WriteString(line)
		case open == "":
			fresh.WriteString(line)
		}
	}
	if open != "" {
		problems = append(problems, fmt.Errorf("the section %q does not end", open))
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		if !seen[name] {
			problems = append(problems, fmt.Errorf("the markers of the section %q are missing", name))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	return fresh.String(), nil
}

// Table writes a table in Markdown.
func Table(head []string, lines [][]string) string {
	var text strings.Builder
	line := func(cells []string) { text.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(head)
	text.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, cells := range lines {
		line(cells)
	}
	return text.String()
}
