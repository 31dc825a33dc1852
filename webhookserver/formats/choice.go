package formats

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
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
	for name := range from {
		if choiceOnly[strings.ToLower(name)] {
			return true
		}
	}
	return false
}

// readChoice reads what was chosen: what the customer saw, else the id that was given to it. A
// string is the text itself.
func readChoice(data json.RawMessage) text {
	if len(data) > 0 && data[0] != '{' {
		var plain text
		_ = plain.UnmarshalJSON(data)
		return plain
	}
	shown, id := chosen(fieldsOf(data), 0)
	return firstText(shown, id)
}

// chosen goes through an object and its parts.
func chosen(from fields, depth int) (shown, id text) {
	if len(from) == 0 || depth > maxDepth {
		return "", ""
	}
	all := from
	from = withoutCapitals(from)
	shown, id = firstOf(from, choiceTexts), firstOf(from, choiceIDs)
	for _, name := range choiceParts {
		if shown != "" {
			return shown, id
		}
		if part := encoded(from[name]); part != nil {
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
func filledIn(from, all fields) text {
	if !from.has(flowToken) || len(all) > maxFields {
		return ""
	}
	var values []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value := body(all.text(name)); value != "" && !strings.EqualFold(name, flowToken) {
			values = append(values, value)
		}
	}
	return text(strings.Join(values, ", "))
}

func firstOf(from fields, names []string) text {
	for _, name := range names {
		if value := from.text(name); body(value) != "" {
			return value
		}
	}
	return ""
}

// withoutCapitals returns the fields of a choice by their names in small letters; of two that
// differ in capitals only, the last by name.
func withoutCapitals(from fields) fields {
	found, names := fields{}, map[string]string{}
	for name, data := range from {
		lower := strings.ToLower(name)
		if choiceNames[lower] && name >= names[lower] {
			found[lower], names[lower] = data, name
		}
	}
	return found
}

// encoded returns the fields of an object, also of one that is written as JSON in a string;
// nil for anything else.
func encoded(data json.RawMessage) fields {
	if found := fieldsOf(data); found != nil || len(data) == 0 || data[0] != '"' || len(data) > 2*maxParams {
		return found
	}
	var plain text
	_ = plain.UnmarshalJSON(data)
	inner := strings.TrimSpace(string(plain))
	if len(inner) > maxParams {
		return nil
	}
	return fieldsOf(json.RawMessage(inner))
}
