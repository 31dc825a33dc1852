package formats

import (
	"encoding/json"
	"strings"
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
func uazapiEvent(name text) string {
	event := strings.ToLower(strings.TrimSpace(string(name)))
	if same, is := uazapiNames[event]; is {
		return same
	}
	return event
}

// isUAZAPIWrapper tells the wrapper from Evolution's envelope, which has the same fields: by
// what the data holds or, where it does not tell, by a name that is not one of Evolution's.
func isUAZAPIWrapper(top fields) bool {
	if !top.has("event") || !top.hasAny("data", "message") {
		return false
	}
	var first fields
	if parts := uazapiData(top); len(parts) > 0 {
		first = fieldsOf(parts[0])
	}
	switch {
	case first.has("key"):
		return false
	case isUAZAPIMessage(first), isUAZAPIMessage(fieldsOf(first["message"])), first.has("EventType"):
		return true
	case first.has("MessageIDs"), fieldsOf(first["event"]).has("MessageIDs"):
		return true
	}
	if _, evolution := evolutionEvents[evolutionEvent(top.text("event"))]; evolution {
		return false
	}
	_, is := uazapiEvents[uazapiEvent(top.text("event"))]
	return is
}

// isUAZAPIMessage says whether fields are a message as UAZAPI writes it.
func isUAZAPIMessage(from fields) bool {
	return from.hasAny("chatid", "wasSentByApi") || from.has("messageid") && !from.has("key")
}

// uazapiData returns the objects of the data, which is one or a list, at most maxMessages.
func uazapiData(top fields) []json.RawMessage {
	for _, name := range []string{"data", "messages", "message"} {
		data := top[name]
		if len(data) > 0 && data[0] == '{' {
			return []json.RawMessage{data}
		}
		var list []json.RawMessage
		if len(data) > 0 && data[0] == '[' && json.Unmarshal(data, &list) == nil && len(list) > 0 {
			return list[:min(len(list), maxMessages)]
		}
	}
	return nil
}

// parseUAZAPIWrapper reads each part of the data as the envelope it stands for.
func parseUAZAPIWrapper(top fields) ([]Message, error) {
	if !top.has("event") || !top.has("data") && isUAZAPIMessage(fieldsOf(top["message"])) {
		return parseUAZAPI(top.with("EventType", text("messages")))
	}
	parts := uazapiData(top)
	if len(parts) == 0 {
		return nil, &InputError{Field: "data", Expected: "an object, or a list of objects"}
	}
	return parseEach(uazapiDeliveries(top, parts))
}

// uazapiDeliveries makes the envelope of each part of a wrapper's data.
func uazapiDeliveries(top fields, parts []json.RawMessage) []delivery {
	each := make([]delivery, 0, len(parts))
	uazapi := &format{name: formatUAZAPI, parse: parseUAZAPI}
	for _, data := range parts {
		each = append(each, delivery{uazapiEnvelope(top, fieldsOf(data)), uazapi})
	}
	return each
}

// uazapiEnvelope makes the envelope of a wrapper and one part of its data.
func uazapiEnvelope(top, data fields) fields {
	if data.has("EventType") { // an envelope, that is not opened once more
		delete(data, "data")
		delete(data, "messages")
		if fieldsOf(data["message"]) == nil {
			delete(data, "message")
		}
		return data
	}
	event := uazapiEvent(top.text("event"))
	made := fields{}.with("EventType", text(event)).
		with("instanceName", firstText(top.text("instanceName"), data.text("instanceName"), wrapperInstance(top))).
		with("token", firstText(top.text("token"), data.text("token"))).
		with("owner", firstText(top.text("owner"), data.text("owner")))
	switch {
	case isUAZAPIMessage(fieldsOf(data["message"])):
		made["message"], made["chat"] = data["message"], data["chat"]
	case event == "messages_update" && fieldsOf(data["event"]) != nil:
		made["event"], made["state"] = data["event"], data["state"]
	case event == "messages_update":
		made["event"], made["state"] = whole(data), data["state"]
	case event == "connection":
		for _, name := range []string{"status", "state", "type", "instance"} {
			made[name] = data[name]
		}
	default:
		made["message"], made["chat"] = whole(data), top["chat"]
	}
	return made
}

// wrapperInstance returns what a wrapper calls the instance: a name or UAZAPI's own id of it,
// in an object or alone.
func wrapperInstance(top fields) text {
	about := fieldsOf(top["instance"])
	return firstText(about.text("name"), about.text("instanceName"), about.text("id"), top.text("instance"))
}

// with adds a text.
func (f fields) with(name string, value text) fields {
	if data, err := json.Marshal(string(value)); err == nil && value != "" {
		f[name] = data
	}
	return f
}

// whole returns fields as the object they are of.
func whole(f fields) json.RawMessage {
	data, err := json.Marshal(f)
	if err != nil {
		return nil
	}
	return data
}
