package formats

import (
	"strings"

	"cartrecovery.dev/operator/internal/lax"
)

// This file reads the form in which UAZAPI's documentation has its webhooks, {event, instance,
// data}, and the envelope without its EventType, as flows that pass it on leave it. The name of
// the event is singular there, and the data is the message itself, or holds it.

// uazapiNames are the names of the events that differ from those of the envelope.
var uazapiNames = map[string]string{
	"message": "messages", "messages.upsert": "messages", "messages_upsert": "messages",
	"status": "messages_update", "receipt": "messages_update",
	"message_update": "messages_update", "messages.update": "messages_update",
	"connection.update": "connection", "connection_update": "connection",
	"group": "groups", "contact": "contacts", "chat": "chats", "label": "labels",
}

// uazapiEvent returns the name of an event as the envelope has it.
func uazapiEvent(name string) string {
	event := strings.ToLower(strings.TrimSpace(name))
	if same, is := uazapiNames[event]; is {
		return same
	}
	return event
}

// isUAZAPIWrapper tells the wrapper from Evolution's envelope, which has the same fields: by
// what the data holds or, where it does not tell, by a name that is not one of Evolution's.
func isUAZAPIWrapper(top fields) bool {
	if !top.Has("event") || !top.Has("data", "message") {
		return false
	}
	var first fields
	if parts := uazapiData(top); len(parts) > 0 {
		first = parts[0].Object()
	}
	switch {
	case first.Has("key"):
		return false
	case isUAZAPIMessage(first), isUAZAPIMessage(first.Child("message")), first.Has("EventType"):
		return true
	case first.Has("MessageIDs"), first.Child("event").Has("MessageIDs"):
		return true
	}
	if _, evolution := evolutionEvents[evolutionEvent(top.Word("event"))]; evolution {
		return false
	}
	_, is := uazapiEvents[uazapiEvent(top.Word("event"))]
	return is
}

// isUAZAPIMessage says whether fields are a message as UAZAPI writes it.
func isUAZAPIMessage(from fields) bool {
	return from.Has("chatid", "wasSentByApi") || from.Has("messageid") && !from.Has("key")
}

// uazapiData returns the objects of the data, which is one or a list, at most maxMessages.
func uazapiData(top fields) []lax.Value {
	for _, name := range []string{"data", "messages", "message"} {
		data := top.At(name)
		if data.Kind() == lax.Object {
			return []lax.Value{data}
		}
		if list := data.List(maxMessages); len(list) > 0 {
			return list
		}
	}
	return nil
}

// parseUAZAPIWrapper reads each part of the data as the envelope it stands for.
func parseUAZAPIWrapper(top fields) ([]Message, error) {
	if !top.Has("event") || !top.Has("data") && isUAZAPIMessage(top.Child("message")) {
		return parseUAZAPI(with(top, "EventType", "messages"))
	}
	parts := uazapiData(top)
	if len(parts) == 0 {
		return nil, &InputError{Field: "data", Expected: "an object, or a list of objects"}
	}
	return parseEach(uazapiDeliveries(top, parts))
}

// uazapiDeliveries makes the envelope of each part of a wrapper's data.
func uazapiDeliveries(top fields, parts []lax.Value) []delivery {
	each := make([]delivery, 0, len(parts))
	uazapi := &format{name: formatUAZAPI, parse: parseUAZAPI}
	for _, data := range parts {
		each = append(each, delivery{uazapiEnvelope(top, data.Object()), uazapi})
	}
	return each
}

// uazapiEnvelope makes the envelope of a wrapper and one part of its data.
func uazapiEnvelope(top, data fields) fields {
	if data.Has("EventType") { // an envelope, that is not opened once more
		data = data.Without("data", "messages")
		if data.Child("message") == nil {
			data = data.Without("message")
		}
		return data
	}
	event := uazapiEvent(top.Word("event"))
	made := with(&lax.Fields{}, "EventType", event)
	with(made, "instanceName", firstText(top.Word("instanceName"), data.Word("instanceName"), wrapperInstance(top)))
	with(made, "token", firstText(top.Word("token"), data.Word("token")))
	with(made, "owner", firstText(top.Word("owner"), data.Word("owner")))
	switch {
	case isUAZAPIMessage(data.Child("message")):
		made.Set("message", data.At("message"))
		made.Set("chat", data.At("chat"))
	case event == "messages_update" && data.Child("event") != nil:
		made.Set("event", data.At("event"))
		made.Set("state", data.At("state"))
	case event == "messages_update":
		made.Set("event", lax.Made(data))
		made.Set("state", data.At("state"))
	case event == "connection":
		for _, name := range []string{"status", "state", "type", "instance"} {
			made.Set(name, data.At(name))
		}
	default:
		made.Set("message", lax.Made(data))
		made.Set("chat", top.At("chat"))
	}
	return made
}

// wrapperInstance returns what a wrapper calls the instance: a name or UAZAPI's own id of it,
// in an object or alone.
func wrapperInstance(top fields) string {
	about := top.Child("instance")
	return firstText(about.Word("name"), about.Word("instanceName"), about.Word("id"), top.Word("instance"))
}

// with adds a text.
func with(f fields, name, value string) fields {
	if value != "" {
		f.Set(name, lax.Of(value))
	}
	return f
}
