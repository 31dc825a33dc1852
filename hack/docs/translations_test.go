package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTranslationsKeepStep: a page and its translation have the same headings by level, the same blocks of code, the
// same number of items and rows, and lead to the same pages. A change of one fails here until the other has it.
func TestTranslationsKeepStep(t *testing.T) {
	read := pages(t)
	for english, portuguese := range map[string]string{
		"README.md":           "README.pt-BR.md",
		"docs/first-store.md": "docs/first-store.pt-BR.md",
	} {
		t.Run(english, func(t *testing.T) {
			if diff := cmp.Diff(shapeOf(read[english]), shapeOf(read[portuguese])); diff != "" {
				t.Errorf("%s and %s are not in step (-%s +%s):\n%s", english, portuguese, english, portuguese, diff)
			}
		})
	}
}

// shape is what a page and its translation have in common.
type shape struct {
	Headings, Commands, Links []string
	Items, Rows               int
}

// shapeOf is a page's shape. Of code only what is run is compared: manifests hold texts for customers.
func shapeOf(page string) shape {
	var of shape
	for _, block := range fenced.FindAllString(page, -1) {
		if head, _, _ := strings.Cut(strings.TrimSpace(block), "\n"); head == "```yaml" {
			block = regexp.MustCompile(`(?m)(#|instructions:|text:|fallbackText:|description:|tone:|name:).*$`).
				ReplaceAllString(block, "$1")
		}
		of.Commands = append(of.Commands, strings.NewReplacer("O-HOTTOK", "THE-HOTTOK").Replace(block))
	}
	text := fenced.ReplaceAllString(page, "")
	of.Headings = regexp.MustCompile(`(?m)^#+ `).FindAllString(text, -1)
	for _, found := range linked.FindAllStringSubmatch(text, -1) {
		of.Links = append(of.Links, strings.Replace(found[1], ".pt-BR.md", ".md", 1))
	}
	slices.Sort(of.Links)
	of.Items = len(regexp.MustCompile(`(?m)^\s*([-*]|\d+\.) `).FindAllString(text, -1))
	of.Rows = strings.Count(text, "\n|")
	return of
}
