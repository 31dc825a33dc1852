package simulator

import (
	"context"
	"slices"
	"strings"
	"time"
)

// evolutionNotice is one event to be posted.
type evolutionNotice struct {
	to    evolutionHook
	event string
	data  any
}

// opening is what is told of an instance that has connected.
func (h evolutionHook) opening() []evolutionNotice {
	return []evolutionNotice{{h, "connection.update", map[string]any{
		"instance": h.name, "wuid": h.owner + chatServer, "profileName": "Simulated phone", "profilePictureUrl": nil,
		"state": "open", "statusReason": 200,
	}}}
}

// ending is what is told of an instance whose phone is gone.
func (h evolutionHook) ending() []evolutionNotice {
	return []evolutionNotice{
		{h, "status.instance", map[string]any{
			"instance": h.name, "status": "closed", "disconnectionAt": h.now.UTC().Format(timeLayout),
			"disconnectionReasonCode": 401,
			"disconnectionObject":     `{"error":{"data":{"reason":"401","location":"simulated"}}}`,
		}},
		{h, "logout.instance", nil},
		{h, "connection.update", map[string]any{"instance": h.name, "state": "close", "statusReason": 401}},
	}
}

// tell posts events where they are wanted, in their order, and waits for it.
func (e *Evolution) tell(ctx context.Context, notices []evolutionNotice) {
	for _, each := range notices {
		if each.to.wants(each.event) {
			_ = e.post(ctx, each.to, each.event, each.data)
		}
	}
}

// announceAll posts events on the server's own time.
func (e *Evolution) announceAll(notices []evolutionNotice) {
	e.webhooks.put(func(ctx context.Context) { e.tell(ctx, notices) })
}

// Instances returns all instances that the server has in its database, by name.
func (e *Evolution) Instances() []SimulatedInstance {
	now := e.clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]SimulatedInstance, 0, len(e.instances))
	for _, each := range e.instances {
		if !each.stored {
			continue
		}
		each.look(now, e.options.QRAfter)
		one := SimulatedInstance{Name: each.name, Token: each.token, State: each.state, Phone: each.phone}
		if each.hook.Enabled {
			one.WebhookURL = each.hook.URL
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b SimulatedInstance) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// named returns the instance of that name that is in memory, with e.mu held.
func (e *Evolution) named(name string, now time.Time) (*evolutionInstance, error) {
	found := e.instances[name]
	if found == nil || !found.loaded {
		return nil, ErrNoInstance
	}
	found.look(now, e.options.QRAfter)
	return found, nil
}

// QRCode returns the picture that the instance shows to be scanned, as a data URI.
func (e *Evolution) QRCode(instanceName string) (string, error) {
	now := e.clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.named(instanceName, now)
	if err != nil {
		return "", err
	}
	if found.state != Connecting || found.pictureAt < 0 || found.pairPhone != "" {
		return "", ErrNotPairing
	}
	return found.display.picture, nil
}

// Scan has a phone (digits with country code) scan the instance's QR, or enter its
// pair code: it is connected, and its webhook is told before Scan returns. A webhook
// that cannot be delivered is lost, and no error.
func (e *Evolution) Scan(instanceName, phone string) error {
	now := e.clock()
	e.mu.Lock()
	found, err := e.named(instanceName, now)
	if err == nil && found.phone != "" {
		err = ErrNotPairing
	}
	if err == nil {
		err = found.scan(phone)
	}
	if err != nil {
		e.mu.Unlock()
		return err
	}
	told := e.to(found, now).opening()
	e.mu.Unlock()
	e.tell(e.webhooks.ctx, told)
	return nil
}

// Logout has the owner of the phone end the pairing: the instance is disconnected,
// and its webhook is told before Logout returns. What it showed last stays in its memory.
func (e *Evolution) Logout(instanceName string) error {
	now := e.clock()
	e.mu.Lock()
	found, err := e.named(instanceName, now)
	if err != nil {
		e.mu.Unlock()
		return err
	}
	told := e.to(found, now).ending()
	found.end(now, loggedOut)
	e.mu.Unlock()
	e.tell(e.webhooks.ctx, told)
	return nil
}

// Acknowledge has the customer's phone tell that a sent message was delivered or read. It
// returns once the webhook has been answered, and a *WebhookError when that was not with a
// 2xx.
func (e *Evolution) Acknowledge(instanceName, messageID string, kind ReceiptKind) error {
	now := e.clock()
	e.mu.Lock()
	found, err := e.named(instanceName, now)
	if err != nil {
		e.mu.Unlock()
		return err
	}
	kept, known := e.sent.find(&found.instance, messageID)
	to := e.to(found, now)
	e.mu.Unlock()
	switch {
	case !known:
		return ErrNoMessage
	case !to.wants("messages.update"):
		return ErrNoWebhook
	}
	return e.post(e.webhooks.ctx, to, "messages.update", to.receipt(kept, kind))
}

// Reply has a customer answer with a text. It returns the message's id once the
// webhook has been answered, and a *WebhookError when that was not with a 2xx.
func (e *Evolution) Reply(instanceName, fromPhone, text string) (string, error) {
	return e.Receive(instanceName, Inbound{Phone: fromPhone, Text: text})
}

// ReplyWithID is Reply with a message id, for delivering the same message again.
func (e *Evolution) ReplyWithID(instanceName, fromPhone, text, messageID string) error {
	_, err := e.Receive(instanceName, Inbound{Phone: fromPhone, Text: text, ID: messageID})
	return err
}

// Receive has a message appear on the instance's phone. It returns the message's id
// once the webhook has been answered, and a *WebhookError when that was not with a
// 2xx. One that comes to a deafened instance is lost, without an error for anyone.
func (e *Evolution) Receive(instanceName string, message Inbound) (string, error) {
	if message.Kind == "" {
		message.Kind = KindText
	}
	if !message.valid() {
		return "", ErrInvalidMessage
	}
	if message.ID == "" {
		message.ID = e.ids.next()
	}
	now := e.clock()
	e.mu.Lock()
	found, err := e.named(instanceName, now)
	if err == nil && found.state != Connected {
		err = ErrNotConnected
	}
	if err != nil {
		e.mu.Unlock()
		return "", err
	}
	message.Phone = e.chatOf(message.Phone)
	to, lost := e.to(found, now), found.deaf || e.databaseDown
	e.mu.Unlock()
	event, data := message.evolution(to)
	switch {
	case lost:
		return message.ID, nil
	case !to.wants(event):
		return "", ErrNoWebhook
	}
	return message.ID, e.post(e.webhooks.ctx, to, event, data)
}

// evolution describes the message as the server does, and the event that it comes with.
func (m Inbound) evolution(to evolutionHook) (event string, data map[string]any) {
	if m.Edits != "" {
		return "messages.edited", map[string]any{
			"key": m.evolutionKey(m.Edits), "type": "MESSAGE_EDIT", "timestampMs": to.now.UnixMilli(),
			"editedMessage": map[string]any{"conversation": m.Text},
		}
	}
	kind, content := m.evolutionContent()
	data = map[string]any{
		"key": m.evolutionKey(m.ID), "pushName": "Simulated customer", "status": "DELIVERY_ACK", "message": content,
		"messageType": kind, "messageTimestamp": to.now.Unix(), "instanceId": to.id, "source": "android",
	}
	if m.FromMe {
		data["pushName"], data["status"] = "Simulated phone", "SERVER_ACK"
	}
	return "messages.upsert", data
}

// evolutionKey names a message of the conversation.
func (m Inbound) evolutionKey(id string) map[string]any {
	key := map[string]any{"remoteJid": m.Phone + chatServer, "fromMe": m.FromMe, "id": id}
	if m.Group {
		key["remoteJid"], key["participant"] = "1203630"+strings.TrimSuffix(lidOf(m.Phone), "@lid")+"@g.us", m.Phone+
			chatServer
		return key
	}
	if m.Hidden != "" {
		key["remoteJid"], key["addressingMode"] = lidOf(m.Phone), "lid"
	}
	if m.Hidden == HiddenWithAlt || m.Hidden == HiddenWithSender {
		key[string(m.Hidden)] = m.Phone + chatServer
	}
	return key
}

// evolutionContent is what the message consists of, and its type.
func (m Inbound) evolutionContent() (kind string, content map[string]any) {
	switch m.Kind {
	case KindAudio:
		kind, content = "audioMessage", map[string]any{"mimetype": "audio/ogg; codecs=opus", "seconds": 2, "ptt": true}
	case KindImage:
		kind, content = "imageMessage", map[string]any{"mimetype": "image/jpeg", "width": 640, "height": 480}
	case KindReaction:
		kind = "reactionMessage"
		content = map[string]any{"text": m.Text, "key": map[string]any{"remoteJid": m.Phone + chatServer,
			"fromMe": true, "id": m.target()}}
	case KindListReply:
		kind = "listResponseMessage"
		content = map[string]any{"title": m.Text, "listType": 1,
			"singleSelectReply": map[string]any{"selectedRowId": strings.ToLower(m.Text)}}
	case KindText:
		return "conversation", map[string]any{"conversation": m.Text}
	}
	return kind, map[string]any{kind: content}
}
