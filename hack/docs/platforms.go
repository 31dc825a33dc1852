package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/docs/sections"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// platformSections are what docs/platforms.md says of every platform. That of any other platform is written by hand,
// but for its events.
func platformSections() map[string]string {
	var overview, zones [][]string
	var chapters []string
	for _, each := range platforms.Described() {
		name := string(each.Name)
		overview = append(overview, []string{each.Title, "`" + name + "`", each.Proof, each.Starts,
			"[" + name + "](../webhookserver/platforms/testdata/" + name + ")"})
		zones = append(zones, []string{each.Title, each.Zone, each.Amounts, each.Currency})
		if each.Name != v1alpha1.PlatformGeneric {
			chapters = append(chapters, chapter(&each))
		}
	}
	return map[string]string{
		"overview": sections.Table([]string{"platform", "in the URL", "a delivery proves itself by",
			"starts recoveries", "deliveries"}, overview),
		"zones": sections.Table([]string{"platform", "times without a zone", "whole numbers of an amount",
			"currency where none is sent"}, zones),
		"platforms": strings.Join(chapters, "\n"),
		"generic":   events(platforms.Table(v1alpha1.PlatformGeneric)),
		"words":     table([2]string{"word", "what it does"}, pairs(platforms.Words())),
	}
}

// titles is the sentence of README.md that names the platforms; the format has a place for their list.
func titles(format string) string {
	var all []string
	for _, each := range platforms.Described() {
		if each.Name != v1alpha1.PlatformGeneric {
			all = append(all, each.Title)
		}
	}
	return wrapped(fmt.Sprintf(format, strings.Join(all, ", ")), "")
}

// unconfirmed is said of a platform that documents its webhooks in part or not at all.
const unconfirmed = "Its webhooks are documented in part or not at all: what is known of them, and of the place of " +
	"the token, is what integrators agree on. Send a test from the panel before you rely on it."

// chapter is all of a platform: its entry in a Store, what is entered where, its events and what to watch for.
func chapter(about *platforms.About) string {
	parts := []string{"## " + about.Title + "\n", entry(about)}
	if about.Unconfirmed {
		parts = append(parts, wrapped(unconfirmed, ""))
	}
	for _, paragraph := range about.Setup {
		parts = append(parts, wrapped(paragraph, ""))
	}
	parts = append(parts, wrapped("Product id: "+about.ProductID+".", ""), events(platforms.Table(about.Name)))
	var notes strings.Builder
	for _, note := range about.Notes {
		notes.WriteString(wrapped("- "+note, "  "))
	}
	if notes.Len() > 0 {
		parts = append(parts, notes.String())
	}
	return strings.Join(parts, "\n")
}

// entry is a platform's entry in a Store.
func entry(about *platforms.About) string {
	refs := make([]string, 0, len(about.Keys))
	for _, key := range about.Keys {
		refs = append(refs, "{name: acme-platforms, key: "+key+"}")
	}
	text := fmt.Sprintf("```yaml\n- name: %s\n  secretRefs: [%s]\n", about.Name, strings.Join(refs, ", "))
	if about.TokenHeader != "" {
		text += "  # tokenLocation: {header: " + about.TokenHeader + "}\n"
	}
	return text + "```\n"
}

// events is the table of what events do.
func events(of []platforms.Row) string { return table([2]string{"event", "what it does"}, pairs(of)) }

func pairs(of []platforms.Row) [][2]string {
	made := make([][2]string, 0, len(of))
	for _, row := range of {
		made = append(made, [2]string{row.Event, row.Meaning})
	}
	return made
}

// lineLength is where lines of the documentation end.
const lineLength = 120

// wrapped breaks a paragraph into lines, which begin with the indent but for the first. A table stays as it is.
func wrapped(paragraph, indent string) string {
	if strings.HasPrefix(paragraph, "|") {
		return paragraph + "\n"
	}
	var text strings.Builder
	width := 0
	for word := range strings.FieldsSeq(paragraph) {
		length := utf8.RuneCountInString(word)
		switch {
		case width == 0:
		case width+1+length > lineLength:
			text.WriteString("\n" + indent)
			width = len(indent)
		default:
			text.WriteByte(' ')
			width++
		}
		text.WriteString(word)
		width += length
	}
	return text.String() + "\n"
}
