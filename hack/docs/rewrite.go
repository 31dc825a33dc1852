package main

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

// rewrite replaces what stands between the markers of each section. Every section must
// have its markers, once, and every marker its section; the error tells all that is wrong.
func rewrite(document string, sections map[string]string) (string, error) {
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

// table writes a table in Markdown.
func table(head [2]string, rows [][2]string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "| %s | %s |\n|---|---|\n", head[0], head[1])
	for _, row := range rows {
		fmt.Fprintf(&text, "| %s | %s |\n", row[0], row[1])
	}
	return text.String()
}
