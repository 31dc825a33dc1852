package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// evolutionEvents are the events of a webhook; those that version 1 lacks are in
// evolutionNewEvents.
var (
	evolutionEvents = []string{
		"APPLICATION_STARTUP", "QRCODE_UPDATED", "MESSAGES_SET", "MESSAGES_UPSERT", "MESSAGES_UPDATE",
		"MESSAGES_DELETE", "SEND_MESSAGE", "CONTACTS_SET", "CONTACTS_UPSERT", "CONTACTS_UPDATE", "PRESENCE_UPDATE",
		"CHATS_SET", "CHATS_UPSERT", "CHATS_UPDATE", "CHATS_DELETE", "GROUPS_UPSERT", "GROUP_UPDATE",
		"GROUP_PARTICIPANTS_UPDATE", "CONNECTION_UPDATE", "LABELS_EDIT", "LABELS_ASSOCIATION", "CALL", "TYPEBOT_START",
		"TYPEBOT_CHANGE_STATUS",
	}
	evolutionNewEvents = []string{
		"MESSAGES_EDITED", "SEND_MESSAGE_UPDATE", "REMOVE_INSTANCE", "LOGOUT_INSTANCE", "INSTANCE_CREATE",
		"INSTANCE_DELETE", "STATUS_INSTANCE",
	}
)

// evolutionWebhook is where an instance posts to; the zero value is nowhere.
type evolutionWebhook struct {
	Enabled  bool              `json:"enabled"`
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers"`
	Events   []string          `json:"events"`
	ByEvents bool              `json:"byEvents"`
	Base64   bool              `json:"base64"`
}

// evolutionHook is a webhook and what every post to it tells of its instance.
type evolutionHook struct {
	evolutionWebhook
	name, id, owner, token, address string
	// now is when what it tells of happened.
	now time.Time
}

// to returns an instance's webhook as of now: nowhere while it is in a database that does not
// answer.
func (e *Evolution) to(i *evolutionInstance, now time.Time) evolutionHook {
	to := evolutionHook{
		evolutionWebhook: i.hook, name: i.name, id: i.id, owner: i.phone, token: i.token, address: i.address, now: now,
	}
	to.Enabled = to.Enabled && !e.databaseDown
	return to
}

// wants tells whether an event such as messages.upsert is posted.
func (h evolutionHook) wants(event string) bool {
	return h.Enabled && slices.Contains(h.Events, strings.ToUpper(strings.ReplaceAll(event, ".", "_")))
}

// post delivers a webhook and waits for it. Before a phone is paired it has no sender.
func (e *Evolution) post(ctx context.Context, to evolutionHook, event string, data any) error {
	body := map[string]any{
		"event": event, "instance": to.name, "data": data, "destination": to.URL, "server_url": to.address,
		"date_time": to.now.UTC().Format(timeLayout), "apikey": to.token,
	}
	if to.owner != "" {
		body["sender"] = to.owner + chatServer
	}
	if e.options.HideTokens {
		body["apikey"] = nil
	}
	return e.webhooks.post(ctx, to.URL, to.Headers, body)
}

// setWebhook answers POST /webhook/set/{name}. A URL is taken as it is; headers that are left
// out stay as they were.
func (e *Evolution) setWebhook(x *evolutionExchange) (int, any) {
	made := x.of.hook
	var found []string
	if e.options.V1 {
		found = x.readWebhookV1(&made)
	} else {
		found = x.readWebhook(&made)
	}
	switch {
	case len(found) > 0:
		return invalid(found...)
	case made.Enabled && made.Events == nil:
		return crash(unread("length"))
	case !x.of.loaded:
		return crash(unread("instanceId"))
	case e.databaseDown:
		return crash(databaseFailed)
	case !made.Enabled:
		made.Events = []string{}
	case len(made.Events) == 0:
		made.Events = append(slices.Clone(evolutionEvents), evolutionNewEvents...)
	}
	x.of.hook = made
	return http.StatusCreated, map[string]any{
		"id": "simulated-" + x.of.id, "enabled": made.Enabled, "url": made.URL, "headers": made.Headers,
		"events": made.Events, "webhookByEvents": made.ByEvents, "webhookBase64": made.Base64, "instanceId": x.of.id,
	}
}

// readWebhook reads the webhook of version 2, and returns what the validation finds.
func (x *evolutionExchange) readWebhook(made *evolutionWebhook) (found []string) {
	var input struct {
		Webhook *struct {
			Enabled  *bool             `json:"enabled"`
			URL      *string           `json:"url"`
			Headers  map[string]string `json:"headers"`
			Events   []string          `json:"events"`
			ByEvents *bool             `json:"byEvents"`
			Base64   *bool             `json:"base64"`
		} `json:"webhook"`
	}
	if err := x.lenient(&input); err != nil {
		return []string{err.Error()}
	}
	if input.Webhook == nil {
		return []string{`instance requires property "webhook"`}
	}
	if input.Webhook.Enabled == nil {
		found = append(found, `webhook requires property "enabled"`)
	}
	if input.Webhook.URL == nil {
		found = append(found, `webhook requires property "url"`)
	}
	// An empty URL is only seen where there is nothing beside it.
	alone := input.Webhook.Events == nil && input.Webhook.Headers == nil &&
		input.Webhook.ByEvents == nil && input.Webhook.Base64 == nil
	if alone && input.Webhook.URL != nil && *input.Webhook.URL == "" {
		found = append(found, `The "url" cannot be empty`)
	}
	known := append(slices.Clone(evolutionEvents), evolutionNewEvents...)
	for at, event := range input.Webhook.Events {
		if !slices.Contains(known, event) {
			found = append(found, fmt.Sprintf("webhook.events[%d] is not one of enum values: %s", at,
				strings.Join(known, ",")))
		}
	}
	if len(found) > 0 {
		return found
	}
	made.Enabled, made.URL, made.Events = *input.Webhook.Enabled, *input.Webhook.URL, input.Webhook.Events
	if input.Webhook.Headers != nil {
		made.Headers = input.Webhook.Headers
	}
	if input.Webhook.ByEvents != nil {
		made.ByEvents = *input.Webhook.ByEvents
	}
	if input.Webhook.Base64 != nil {
		made.Base64 = *input.Webhook.Base64
	}
	return nil
}

// readWebhookV1 reads the webhook of version 1, and returns what the validation finds.
func (x *evolutionExchange) readWebhookV1(made *evolutionWebhook) []string {
	var input struct {
		Enabled  bool     `json:"enabled"`
		URL      string   `json:"url"`
		Events   []string `json:"events"`
		ByEvents bool     `json:"webhook_by_events"`
		Base64   bool     `json:"webhook_base64"`
	}
	if err := x.lenient(&input); err != nil {
		return []string{err.Error()}
	}
	if input.URL == "" {
		return []string{`The "url" cannot be empty`}
	}
	for at, event := range input.Events {
		if !slices.Contains(evolutionEvents, event) {
			return []string{fmt.Sprintf("events[%d] is not one of enum values: %s", at,
				strings.Join(evolutionEvents, ","))}
		}
	}
	*made = evolutionWebhook{Enabled: input.Enabled, URL: input.URL, Events: append([]string{}, input.Events...)}
	return nil
}

// chatOf is the number that a number's chat has.
func (e *Evolution) chatOf(number string) string {
	if id, known := e.directory.ids[number]; known {
		return id
	}
	return evolutionNumber(number)
}

// sendText answers POST /message/sendText/{name}.
func (e *Evolution) sendText(x *evolutionExchange) (int, any) {
	number, text, found := x.message(e.options.V1)
	switch {
	case len(found) > 0:
		return invalid(found...)
	case !x.of.loaded:
		return crash(unread("textMessage"))
	case strings.TrimSpace(text) == "":
		return refuse(http.StatusBadRequest, "Text is required")
	case e.databaseDown:
		return crash(databaseFailed)
	}
	chat := e.chatOf(number)
	// A number that it has asked WhatsApp for before is not asked for again.
	asked, closed := x.of.chats[chat], x.of.state != Connected || x.of.dead
	switch {
	case !asked && !x.of.hasClient:
		return crash(unread("onWhatsApp"))
	case !asked && closed:
		return crash("Connection Closed")
	case closed && !x.of.hasClient:
		return refuse(http.StatusBadRequest, "TypeError: "+unread("sendMessage"))
	case closed:
		return refuse(http.StatusBadRequest, "Error: Connection Closed")
	case !e.directory.has(number):
		return refuse(http.StatusBadRequest, map[string]any{"jid": chat + chatServer, "exists": false,
			"number": number})
	}
	return http.StatusCreated, e.send(x.of, number, chat, text)
}

// send sends a message and describes it.
func (e *Evolution) send(of *evolutionInstance, number, chat, text string) map[string]any {
	now := e.clock()
	kept := record{
		SentMessage: SentMessage{Instance: of.name, Number: number, Text: text, MessageID: e.ids.next(),
			ReceivedAt: now},
		from: &of.instance, owner: of.phone, chat: chat,
	}
	of.chats[chat] = true
	e.sent.add(kept)
	described := map[string]any{
		"key":      map[string]any{"remoteJid": chat + chatServer, "fromMe": true, "id": kept.MessageID},
		"pushName": "Você", "status": "PENDING", "message": map[string]any{"conversation": text}, "contextInfo": nil,
		"messageType": "conversation", "messageTimestamp": now.Unix(), "instanceId": of.id, "source": "unknown",
	}
	e.announce(e.to(of, now), kept, described)
	if observe := e.onSent.Load(); observe != nil {
		(*observe)(kept.SentMessage)
	}
	return described
}

// message reads the body of a message to send, and returns what the validation finds.
func (x *evolutionExchange) message(v1 bool) (number, text string, found []string) {
	var input struct {
		Number      *string `json:"number"`
		Text        *string `json:"text"`
		TextMessage *struct {
			Text string `json:"text"`
		} `json:"textMessage"`
	}
	if err := x.lenient(&input); err != nil {
		return "", "", []string{"Invalid format"}
	}
	if input.Number == nil {
		found, input.Number = append(found, `instance requires property "number"`), new(string)
	}
	switch {
	case v1 && input.TextMessage == nil:
		return "", "", append(found, `instance requires property "textMessage"`)
	case v1:
		return *input.Number, input.TextMessage.Text, found
	case input.Text == nil:
		return "", "", append(found, `instance requires property "text"`)
	}
	return *input.Number, *input.Text, found
}

// announce posts, on the server's own time, what follows a sent message.
func (e *Evolution) announce(to evolutionHook, kept record, described map[string]any) {
	notices := []evolutionNotice{{to, "send.message", described}}
	if e.options.EchoSent {
		event, data := (Inbound{Phone: kept.chat, Text: kept.Text, ID: kept.MessageID, FromMe: true,
			Kind: KindText}).evolution(to)
		notices = append(notices, evolutionNotice{to, event, data})
	}
	if e.options.Receipts || e.options.ReadReceipts {
		notices = append(notices, evolutionNotice{to, "messages.update", to.receipt(kept, Delivered)})
	}
	if e.options.ReadReceipts {
		notices = append(notices, evolutionNotice{to, "messages.update", to.receipt(kept, Read)})
	}
	e.announceAll(notices)
}

// receipt is the data that tells of a delivered or read message.
func (h evolutionHook) receipt(kept record, kind ReceiptKind) map[string]any {
	status := "DELIVERY_ACK"
	if kind == Read {
		status = "READ"
	}
	return map[string]any{
		"keyId": kept.MessageID, "remoteJid": kept.chat + chatServer, "fromMe": true, "status": status,
		"instanceId": h.id, "messageId": "simulated-" + kept.MessageID,
	}
}

// whatsappNumbers answers POST /chat/whatsappNumbers/{name}: whatever goes wrong is a 400, with
// the error as JavaScript writes it, which leaves out what an error says.
func (e *Evolution) whatsappNumbers(x *evolutionExchange) (int, any) {
	var input struct {
		Numbers []string `json:"numbers"`
	}
	if err := x.lenient(&input); err != nil || len(input.Numbers) == 0 {
		return http.StatusBadRequest, map[string]any{
			"status": http.StatusBadRequest, "error": "Bad Request",
			"message": []any{[]string{`"numbers" must be an array of numeric strings`}},
		}
	}
	switch {
	case !x.of.loaded, !x.of.hasClient, e.databaseDown:
		return http.StatusBadRequest, map[string]any{}
	case x.of.state != Connected || x.of.dead:
		return http.StatusBadRequest, boom(http.StatusPreconditionRequired, "Precondition Required",
			"Connection Closed", nil)
	}
	results := make([]map[string]any, 0, len(input.Numbers))
	for _, number := range input.Numbers {
		results = append(results, map[string]any{
			"jid": e.chatOf(number) + chatServer, "exists": e.directory.has(number), "number": number,
		})
	}
	return http.StatusOK, results
}

// boom is an error of the server's WhatsApp client as JSON.
func boom(status int, title, message string, data any) map[string]any {
	return map[string]any{
		"data": data, "isBoom": true, "isServer": status >= http.StatusInternalServerError,
		"output": map[string]any{
			"statusCode": status, "headers": map[string]any{},
			"payload": map[string]any{"statusCode": status, "error": title, "message": message},
		},
	}
}

// evolutionNumber is how the server calls a number's chat: Brazilian mobiles of area codes
// from 31 on lose their ninth digit, Mexican and Argentine ones the digit after the country.
func evolutionNumber(number string) string {
	mobile := len(number) == 13
	switch {
	case mobile && strings.HasPrefix(number, "55") && number[2:4] >= "31" && number[5] >= '7':
		return number[:4] + number[5:]
	case mobile && (strings.HasPrefix(number, "52") || strings.HasPrefix(number, "54")):
		return number[:2] + number[3:]
	}
	return number
}
