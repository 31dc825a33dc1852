package formats

import (
	"strings"

	"cartrecovery.dev/operator/internal/lax"
)

// This file reads what was chosen of buttons, of a list or in a form. Gateways write it in
// several ways: as Baileys has it (selectedDisplayText), as the library of UAZAPI has it
// (Response.SelectedDisplayText), each nested under the name of its own type or not, and as
// JSON in a string (paramsJson). So names are compared without capitals, and what is nested is
// gone through.

// maxParams bounds the JSON in a string that is read.
const maxParams = 64 << 10

// choiceTexts are the fields that say what the customer saw, in the order they are looked for.
var choiceTexts = []string{
	"text", "selecteddisplaytext", "selectedbuttontext", "displaytext", "display_text", "title", "selectedtitle",
	"label",
}

// choiceIDs are the fields with the id that was given to it.
var choiceIDs = []string{
	"selectedrowid", "selectedbuttonid", "selectedid", "buttonid", "button_id", "rowid", "row_id", "id", "payload",
}

// choiceParts are the objects, or JSON in strings, that hold those fields.
var choiceParts = []string{
	"response", "body", "buttontext", "singleselectreply", "single_select_reply",
	"button_reply", "buttonreply", "list_reply", "listreply",
	"buttonsresponsemessage", "templatebuttonreplymessage", "listresponsemessage", "interactiveresponsemessage",
	"nativeflowmessage", "nativeflowresponsemessage", "interactive", "nfm_reply",
	"hydratedbutton", "quickreplybutton", "button", "paramsjson", "params", "response_json",
}

// choiceNames are all of those, and choiceOnly those of an answer to buttons or a list and of
// nothing else, so that an object of no known type is one.
var (
	choiceNames = setOf(choiceTexts, choiceIDs, choiceParts, []string{flowToken})
	choiceOnly  = setOf([]string{
		"selecteddisplaytext", "selectedbuttontext", "selectedbuttonid", "selectedrowid", "selectedid",
		"singleselectreply", "nativeflowresponsemessage", "nativeflowmessage", "paramsjson",
		"button_reply", "list_reply", "buttonreply", "listreply", "nfm_reply", "interactive", "button",
	})
)

// flowToken is the field that every filled in form has.
const flowToken = "flow_token"

// maxFields bounds the fields of a form that are read.
const maxFields = 32

func setOf(lists ...[]string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for _, name := range list {
			set[name] = true
		}
	}
	return set
}

// isChoice says whether an object is an answer to buttons or a list, by a field of choiceOnly.
func isChoice(from fields) bool {
	for name := range from.Each() {
		if choiceOnly[strings.ToLower(name)] {
			return true
		}
	}
	return false
}

// readChoice reads what was chosen: what the customer saw, else the id that was given to it. A
// string is the text itself.
func readChoice(data lax.Value) string {
	if data.Kind() != lax.Object {
		return data.Word()
	}
	shown, id := chosen(data.Object(), 0)
	return firstText(shown, id)
}

// chosen goes through an object and its parts.
func chosen(from fields, depth int) (shown, id string) {
	if from.Len() == 0 || depth > maxDepth {
		return "", ""
	}
	all := from
	from = withoutCapitals(from)
	shown, id = firstOf(from, choiceTexts), firstOf(from, choiceIDs)
	for _, name := range choiceParts {
		if shown != "" {
			return shown, id
		}
		if part := from.At(name).Within(maxParams).Object(); part != nil {
			partShown, partID := chosen(part, depth+1)
			shown, id = partShown, firstText(id, partID)
		}
	}
	if shown == "" && id == "" {
		shown = filledIn(from, all)
	}
	return shown, id
}

// filledIn returns what a form was filled in with, by the names of its fields.
func filledIn(from, all fields) string {
	if !from.Has(flowToken) || all.Len() > maxFields {
		return ""
	}
	var values []string
	for _, name := range all.Names() {
		if value := body(all.Word(name)); value != "" && !strings.EqualFold(name, flowToken) {
			values = append(values, value)
		}
	}
	return strings.Join(values, ", ")
}

func firstOf(from fields, names []string) string {
	for _, name := range names {
		if value := from.Word(name); body(value) != "" {
			return value
		}
	}
	return ""
}

// withoutCapitals returns the fields of a choice by their names in small letters; of two that
// differ in capitals only, the last by name.
func withoutCapitals(from fields) fields {
	found, names := &lax.Fields{}, map[string]string{}
	for name, data := range from.Each() {
		lower := strings.ToLower(name)
		if choiceNames[lower] && name >= names[lower] {
			names[lower] = name
			found.Set(lower, data)
		}
	}
	return found
}
