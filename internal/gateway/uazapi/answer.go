package uazapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"

	"cartrecovery.dev/operator/internal/gateway"
)

const (
	// qrPrefix begins the picture to scan.
	qrPrefix = "data:image/png;base64,"
	// maxReason bounds a disconnect reason, in runes.
	maxReason = 256
	// maxID bounds an id or token that is believed, in bytes.
	maxID = 512
)

// decode reads JSON into target. A field of another type than expected keeps its
// zero value: versions of the server differ in the types of fields, and one that is
// not needed must not make an answer useless.
func decode(body []byte, target any) bool {
	err := json.Unmarshal(body, target)
	var mistyped *json.UnmarshalTypeError
	return err == nil || errors.As(err, &mistyped)
}

// isObject tells whether body begins as a JSON object.
func isObject(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// instance is the server's description of an instance. It holds, besides these,
// the keys of other services: it is never kept or logged as a whole.
type instance struct {
	ID                   text `json:"id"`
	Token                text `json:"token"`
	Status               text `json:"status"`
	QRCode               text `json:"qrcode"`
	PairCode             text `json:"paircode"`
	Owner                text `json:"owner"`
	LastDisconnectReason text `json:"lastDisconnectReason"`
	AdminField01         text `json:"adminField01"`
	AdminField02         text `json:"adminField02"`
}

// session is the part of an answer that tells of the connection as it is now.
type session struct {
	Connected flag `json:"connected"`
	LoggedIn  flag `json:"loggedIn"`
	JID       jid  `json:"jid"`
}

// described is the answer of /instance/create, connect and status: the session is
// in the answer itself or under status.
type described struct {
	session
	Token    text     `json:"token"`
	Instance instance `json:"instance"`
	Status   session  `json:"status"`
}

// instance is what an entry of a list tells.
func (i instance) instance() gateway.Instance {
	return gateway.Instance{ID: bounded(i.ID), Token: bounded(i.Token), State: i.state(session{})}
}

// state puts the description and the session together.
func (i instance) state(now session) gateway.State {
	state := gateway.State{Connection: i.connection(now)}
	switch state.Connection {
	case gateway.Connected:
		state.Phone = i.phone(now)
	case gateway.Connecting:
		state.QRCode, state.PairCode = picture(i.QRCode), bounded(i.PairCode)
	case gateway.Disconnected:
		state.DisconnectReason = reason(i.LastDisconnectReason)
		if strings.EqualFold(string(i.Status), "hibernated") && state.DisconnectReason == "" {
			state.DisconnectReason = "hibernated"
		}
	}
	return state
}

// connection is the state in the interface's terms. A hibernated instance keeps its
// session but sends nothing until it is connected again. One that says connected
// while its session is not is reconnecting.
func (i instance) connection(now session) gateway.Connection {
	switch strings.ToLower(string(i.Status)) {
	case "connected":
		if now.Connected.isFalse() || now.LoggedIn.isFalse() {
			return gateway.Connecting
		}
		return gateway.Connected
	case "connecting":
		return gateway.Connecting
	case "disconnected", "hibernated":
		return gateway.Disconnected
	}
	switch {
	case now.Connected.value && now.LoggedIn.value:
		return gateway.Connected
	case i.QRCode != "" || i.PairCode != "":
		return gateway.Connecting
	}
	return gateway.Disconnected
}

// phone is the paired number: the session's, else the instance's owner, which the
// OpenAPI document also shows as an e-mail address.
func (i instance) phone(now session) string {
	for _, candidate := range []string{string(now.JID), string(i.Owner)} {
		if user := userOf(candidate); isPhone(user) {
			return user
		}
	}
	return ""
}

// userOf cuts server and device off a WhatsApp id such as
// 5511900000000:12@s.whatsapp.net.
func userOf(id string) string {
	if end := strings.IndexAny(id, ":@"); end >= 0 {
		id = id[:end]
	}
	return id
}

// parseState reads the answer of /instance/status or connect; false when it tells
// no state.
func parseState(body []byte) (gateway.State, bool) {
	var answer described
	if !decode(body, &answer) {
		return gateway.State{}, false
	}
	now := answer.Status
	if !now.Connected.known && !now.LoggedIn.known {
		now = answer.session
	}
	if answer.Instance.Status == "" && !now.Connected.known {
		return gateway.State{}, false
	}
	return answer.Instance.state(now), true
}

// parseCreated reads the answer of /instance/create; false when there is no token.
func parseCreated(body []byte) (gateway.Instance, bool) {
	var answer described
	if !decode(body, &answer) {
		return gateway.Instance{}, false
	}
	created := gateway.Instance{
		ID: bounded(answer.Instance.ID), Token: bounded(answer.Token), State: answer.Instance.state(answer.session),
	}
	if created.Token == "" {
		created.Token = bounded(answer.Instance.Token)
	}
	return created, usable(created.Token)
}

// parseInstances reads the answer of /instance/all; false when it is no list.
func parseInstances(body []byte) ([]instance, bool) {
	var listed []instance
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '[' || !decode(body, &listed) {
		return nil, false
	}
	return listed, true
}

// message is a message as the server has sent or recorded it. key is where servers
// that speak another dialect behind the legacy call have the id.
type message struct {
	ID        text   `json:"id"`
	MessageID text   `json:"messageid"`
	ChatID    text   `json:"chatid"`
	FromMe    flag   `json:"fromMe"`
	TrackID   text   `json:"track_id"`
	Status    text   `json:"status"`
	Error     text   `json:"error"`
	Timestamp moment `json:"messageTimestamp"`
	Key       struct {
		ID text `json:"id"`
	} `json:"key"`
}

// messageID is WhatsApp's id of the message, as receipts name it. The server's own
// id is owner:messageid.
func (m message) messageID() string {
	for _, id := range []text{m.MessageID, m.ID, m.Key.ID} {
		value := bounded(id)
		if owner, rest, found := strings.Cut(value, ":"); found && isPhone(owner) {
			value = rest
		}
		if value != "" {
			return value
		}
	}
	return ""
}

// failed tells whether the server says that the message did not go (UAZAPI v2
// OpenAPI: status is one of Queued, Canceled, Failed, Sent, Delivered, Read; error
// is why a send failed).
func (m message) failed() bool {
	if m.Error != "" && m.Error != "false" {
		return true
	}
	return containsAny(strings.ToLower(string(m.Status)), "fail", "cancel", "error")
}

// isTo tells whether the message can be one to this phone: the last eight digits
// agree, which is what stays of a number whatever form WhatsApp knows it by. A chat
// that is not named by a number proves nothing either way.
func (m message) isTo(phone string) bool {
	user, server, _ := strings.Cut(string(m.ChatID), "@")
	if server != "s.whatsapp.net" || !isPhone(user) {
		return true
	}
	return user[len(user)-8:] == phone[len(phone)-8:]
}

// receipt is the server's word that it took the message.
func (m message) receipt() gateway.Receipt {
	return gateway.Receipt{MessageID: m.messageID(), At: m.Timestamp.Time}
}

// parseSent reads the answer of a send call; false when it is no JSON object.
func parseSent(body []byte) (message, bool) {
	var sent message
	if !isObject(body) || !decode(body, &sent) {
		return message{}, false
	}
	return sent, true
}

// parseFound reads the answer of /message/find: {"messages": […]} or, of older
// servers, the list alone. False when it is neither.
func parseFound(body []byte) ([]message, bool) {
	list := bytes.TrimSpace(body)
	if isObject(list) {
		var page struct {
			Messages json.RawMessage `json:"messages"`
		}
		if !decode(list, &page) || len(page.Messages) == 0 {
			return nil, false
		}
		list = bytes.TrimSpace(page.Messages)
		if bytes.Equal(list, []byte("null")) {
			return nil, true
		}
	}
	var messages []message
	if len(list) == 0 || list[0] != '[' || !decode(list, &messages) {
		return nil, false
	}
	return messages, true
}

// bounded is a value that is no longer than any real one; a longer one is dropped.
func bounded(value text) string {
	if len(value) > maxID {
		return ""
	}
	return string(value)
}

// picture is the QR as a data URI; some servers leave the prefix out.
func picture(value text) string {
	if value == "" || strings.HasPrefix(string(value), "data:") {
		return string(value)
	}
	return qrPrefix + string(value)
}

// reason is the server's disconnect reason, bounded and on one line.
func reason(value text) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, string(value))
	runes := []rune(clean)
	if len(runes) > maxReason {
		runes = runes[:maxReason]
	}
	return strings.TrimSpace(string(runes))
}
