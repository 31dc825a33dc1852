package uazapi

import (
	"bytes"
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

// instance is the server's description of an instance. It holds, besides these,
// the keys of other services: it is never kept or logged as a whole.
type instance struct {
	ID                   wire.Text `json:"id"`
	Token                wire.Text `json:"token"`
	Status               wire.Text `json:"status"`
	QRCode               wire.Text `json:"qrcode"`
	PairCode             wire.Text `json:"paircode"`
	Owner                wire.Text `json:"owner"`
	LastDisconnectReason wire.Text `json:"lastDisconnectReason"`
	AdminField01         wire.Text `json:"adminField01"`
	AdminField02         wire.Text `json:"adminField02"`
}

// session is the part of an answer that tells of the connection as it is now.
type session struct {
	Connected wire.Flag `json:"connected"`
	LoggedIn  wire.Flag `json:"loggedIn"`
	JID       jid       `json:"jid"`
}

// described is the answer of /instance/create, connect and status: the session is
// in the answer itself or under status.
type described struct {
	session
	Token    wire.Text `json:"token"`
	Instance instance  `json:"instance"`
	Status   session   `json:"status"`
}

// instance is what an entry of a list tells.
func (i instance) instance() gateway.Instance {
	return gateway.Instance{ID: i.ID.Bounded(), Token: i.Token.Bounded(), State: i.state(session{})}
}

// state puts the description and the session together.
func (i instance) state(now session) gateway.State {
	state := gateway.State{Connection: i.connection(now)}
	switch state.Connection {
	case gateway.Connected:
		state.Phone = i.phone(now)
	case gateway.Connecting:
		state.QRCode, state.PairCode = i.QRCode.Picture(), i.PairCode.Bounded()
	case gateway.Disconnected:
		state.DisconnectReason = i.LastDisconnectReason.Reason()
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
		if now.Connected.IsFalse() || now.LoggedIn.IsFalse() {
			return gateway.Connecting
		}
		return gateway.Connected
	case "connecting":
		return gateway.Connecting
	case "disconnected", "hibernated":
		return gateway.Disconnected
	}
	switch {
	case now.Connected.Value && now.LoggedIn.Value:
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
		if user, _ := wire.UserOf(candidate); wire.IsPhone(user) {
			return user
		}
	}
	return ""
}

// parseState reads the answer of /instance/status or connect; false when it tells
// no state.
func parseState(body []byte) (gateway.State, bool) {
	var answer described
	if !wire.Decode(body, &answer) {
		return gateway.State{}, false
	}
	now := answer.Status
	if !now.Connected.Known && !now.LoggedIn.Known {
		now = answer.session
	}
	if answer.Instance.Status == "" && !now.Connected.Known {
		return gateway.State{}, false
	}
	return answer.Instance.state(now), true
}

// parseCreated reads the answer of /instance/create; false when there is no token.
func parseCreated(body []byte) (gateway.Instance, bool) {
	var answer described
	if !wire.Decode(body, &answer) {
		return gateway.Instance{}, false
	}
	created := gateway.Instance{
		ID: answer.Instance.ID.Bounded(), Token: answer.Token.Bounded(), State: answer.Instance.state(answer.session),
	}
	if created.Token == "" {
		created.Token = answer.Instance.Token.Bounded()
	}
	return created, usable(created.Token)
}

// parseInstances reads the answer of /instance/all; false when it is no list.
func parseInstances(body []byte) ([]instance, bool) {
	var listed []instance
	if !wire.IsList(body) || !wire.Decode(body, &listed) {
		return nil, false
	}
	return listed, true
}

// message is a message as the server has sent or recorded it. key is where servers
// that speak another dialect behind the legacy call have the id.
type message struct {
	ID        wire.Text   `json:"id"`
	MessageID wire.Text   `json:"messageid"`
	ChatID    wire.Text   `json:"chatid"`
	FromMe    wire.Flag   `json:"fromMe"`
	TrackID   wire.Text   `json:"track_id"`
	Status    wire.Text   `json:"status"`
	Error     wire.Text   `json:"error"`
	Timestamp wire.Moment `json:"messageTimestamp"`
	Key       struct {
		ID wire.Text `json:"id"`
	} `json:"key"`
}

// messageID is WhatsApp's id of the message, as receipts name it. The server's own
// id is owner:messageid.
func (m message) messageID() string {
	for _, id := range []wire.Text{m.MessageID, m.ID, m.Key.ID} {
		value := id.Bounded()
		if owner, rest, found := strings.Cut(value, ":"); found && wire.IsPhone(owner) {
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
	return wire.ContainsAny(strings.ToLower(string(m.Status)), "fail", "cancel", "error")
}

// isTo tells whether the message can be one to this phone: the last eight digits
// agree, which is what stays of a number whatever form WhatsApp knows it by. A chat
// that is not named by a number proves nothing either way.
func (m message) isTo(phone string) bool {
	user, server, _ := strings.Cut(string(m.ChatID), "@")
	if server != "s.whatsapp.net" || !wire.IsPhone(user) {
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
	if !wire.IsObject(body) || !wire.Decode(body, &sent) {
		return message{}, false
	}
	return sent, true
}

// parseFound reads the answer of /message/find: {"messages": […]} or, of older
// servers, the list alone. False when it is neither.
func parseFound(body []byte) ([]message, bool) {
	list := bytes.TrimSpace(body)
	if wire.IsObject(list) {
		var page struct {
			Messages json.RawMessage `json:"messages"`
		}
		if !wire.Decode(list, &page) || len(page.Messages) == 0 {
			return nil, false
		}
		list = bytes.TrimSpace(page.Messages)
		if bytes.Equal(list, []byte("null")) {
			return nil, true
		}
	}
	var messages []message
	if !wire.IsList(list) || !wire.Decode(list, &messages) {
		return nil, false
	}
	return messages, true
}
