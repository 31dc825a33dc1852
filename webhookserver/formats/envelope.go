package formats

import (
	"slices"

	"cartrecovery.dev/operator/internal/lax"
)

// This file unwraps what has passed a delivery on: n8n, Make and the like hand over {body,
// headers, query …}, the JSON of a body in a string, or a list of deliveries.

// maxWraps bounds how often a delivery is wrapped.
const maxWraps = 4

// wraps are the fields that hold a delivery, in the order they are looked for. They are looked
// into only where the object is itself no delivery of a known gateway.
var wraps = []string{
	"body", "payload", "json", "data", "delivery", "messages",
	"request", "webhook", "result", "event", "content", "value",
}

// naming are the fields that say of which instance a delivery is. One that is wrapped has those
// of its wrapper, where it has none of them itself.
var naming = []string{"instanceName", "instance_key", "instance", "token", "apikey"}

// delivery is one that is not wrapped, and its format; nil for one that is not known.
type delivery struct {
	top    fields
	format *format
}

func (d delivery) parse() ([]Message, error) {
	if d.format == nil {
		return nil, &InputError{Expected: "a delivery of a known gateway"}
	}
	return d.format.parse(d.top)
}

// unwrap returns the deliveries that a body holds, at most maxMessages: one as a rule, none
// where it is neither an object nor a list of objects.
func unwrap(data lax.Value, depth int) []delivery {
	if data.Kind() == lax.List && depth <= maxWraps {
		return unwrapEach(data, depth)
	}
	top := data.Object()
	if top == nil {
		return nil
	}
	found := delivery{top, formatOf(top)}
	if found.format != nil || depth >= maxWraps {
		return []delivery{found}
	}
	for _, name := range wraps {
		if inner := unwrap(top.At(name).Within(maxParams), depth+1); slices.ContainsFunc(inner, isKnown) {
			return inherit(top, inner)
		}
	}
	return []delivery{found}
}

// inherit gives deliveries the names that their wrapper has of the instance.
func inherit(from fields, deliveries []delivery) []delivery {
	if !from.Has(naming...) {
		return deliveries
	}
	for i, each := range deliveries {
		if each.top.Has(naming...) {
			continue
		}
		for _, name := range naming {
			if from.Has(name) {
				each.top.Set(name, from.At(name))
			}
		}
		deliveries[i].format = formatOf(each.top)
	}
	return deliveries
}

func isKnown(each delivery) bool { return each.format != nil }

func unwrapEach(data lax.Value, depth int) []delivery {
	var found []delivery
	for _, each := range data.List(maxMessages) {
		found = append(found, unwrap(each, depth+1)...)
	}
	return found[:min(len(found), maxMessages)]
}

// parseEach reads several deliveries. One that cannot be read is ignored with the others there,
// and an error where none can. Receipts and what is ignored are bounded: the body bounds what
// somebody wrote.
func parseEach(parts []delivery) ([]Message, error) {
	var messages []Message
	var failure error
	unread, unwritten := 0, 0
	for _, part := range parts {
		found, err := part.parse()
		if err != nil {
			failure = err
			unread++
		}
		for _, message := range found {
			if message.Kind == Ignored || message.Kind == Receipt {
				if unwritten++; unwritten > maxMessages {
					continue
				}
			}
			messages = append(messages, message)
		}
	}
	if len(messages) == 0 {
		return nil, failure
	}
	if unread > 0 && unwritten < maxMessages {
		of := messages[0]
		other := Message{Format: of.Format, Instance: of.Instance, Token: of.Token}
		messages = append(messages, ignored(other, ReasonEventNotUsed))
	}
	return messages, nil
}
