package simulator

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// evolutionEvents are the events of a webhook that the simulator can post; those from
// version 2 on are in evolutionNewEvents.
var (
	evolutionEvents    = []string{"MESSAGES_UPSERT", "MESSAGES_UPDATE", "MESSAGES_DELETE", "SEND_MESSAGE", "CONNECTION_UPDATE", "QRCODE_UPDATED"}
	evolutionNewEvents = []string{"MESSAGES_EDITED"}
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

// to returns the instance's webhook as of now.
func (i *evolutionInstance) to(now time.Time) evolutionHook {
	return evolutionHook{evolutionWebhook: i.hook, name: i.name, id: i.id, owner: i.phone, token: i.token, address: i.address, now: now}
}

// wants tells whether an event such as messages.upsert is posted.
func (h evolutionHook) wants(event string) bool {
	return h.Enabled && slices.Contains(h.Events, strings.ToUpper(strings.ReplaceAll(event, ".", "_")))
}

// post delivers a webhook and waits for it.
func (e *Evolution) post(ctx context.Context, to evolutionHook, event string, data any) error {
	body := map[string]any{
		"event": event, "instance": to.name, "data": data, "destination": to.URL, "server_url": to.address,
		"date_time": to.now.UTC().Format(timeLayout), "sender": to.owner + chatServer, "apikey": to.token,
	}
	if e.options.HideTokens {
		body["apikey"] = nil
	}
	return e.webhooks.post(ctx, to.URL, to.Headers, body)
}

// setWebhook answers POST /webhook/set/{name}.
func (e *Evolution) setWebhook(x *evolutionExchange) (int, any) {
	var made evolutionWebhook
	known := slices.Clone(evolutionEvents)
	if e.options.V1 {
		var input struct {
			Enabled  bool     `json:"enabled"`
			URL      string   `json:"url"`
			Events   []string `json:"events"`
			ByEvents bool     `json:"webhook_by_events"`
			Base64   bool     `json:"webhook_base64"`
		}
		if err := x.decode(&input, false); err != nil {
			return refuse(http.StatusBadRequest, err.Error())
		}
		made = evolutionWebhook{Enabled: input.Enabled, URL: input.URL, Events: input.Events}
	} else {
		input := struct {
			Webhook *evolutionWebhook `json:"webhook"`
		}{&made}
		if err := x.decode(&input, false); err != nil || input.Webhook == nil {
			return invalid(`requires property "webhook"`)
		}
		known = append(known, evolutionNewEvents...)
	}
	address, err := url.Parse(made.URL)
	if err != nil || address.Host == "" {
		return invalid(`The "url" cannot be empty`)
	}
	for _, event := range made.Events {
		if !slices.Contains(known, event) {
			return invalid("webhook.events[0] is not one of enum values: " + strings.Join(known, ","))
		}
	}
	x.of.hook = made
	return http.StatusCreated, map[string]any{
		"enabled": made.Enabled, "url": made.URL, "headers": made.Headers, "events": made.Events, "instanceId": x.of.id,
	}
}

// sendText answers POST /message/sendText/{name}.
func (e *Evolution) sendText(x *evolutionExchange) (int, any) {
	number, text, err := x.message(e.options.V1)
	switch {
	case err != nil:
		return refuse(http.StatusBadRequest, err.Error())
	case number == "":
		return invalid(`requires property "number"`)
	case text == "" && e.options.V1:
		return invalid(`requires property "textMessage"`)
	case text == "":
		return invalid(`requires property "text"`)
	case strings.TrimSpace(text) == "":
		return refuse(http.StatusBadRequest, "Text is required")
	case x.of.state != Connected:
		return refuse(http.StatusInternalServerError, "Connection Closed")
	case !e.directory.has(number):
		return refuse(http.StatusBadRequest, map[string]any{"jid": number + chatServer, "exists": false, "number": number})
	}
	now, chat := e.clock(), e.directory.id(number)
	kept := record{
		SentMessage: SentMessage{Instance: x.of.name, Number: number, Text: text, MessageID: e.ids.next(), ReceivedAt: now},
		from:        &x.of.instance, owner: x.of.phone, chat: chat,
	}
	x.of.chats[chat] = true
	e.sent.add(kept)
	e.announce(x.of.to(now), kept)
	if observe := e.onSent.Load(); observe != nil {
		(*observe)(kept.SentMessage)
	}
	return http.StatusCreated, map[string]any{
		"key":      map[string]any{"remoteJid": chat + chatServer, "fromMe": true, "id": kept.MessageID},
		"pushName": "Você", "status": "PENDING", "message": map[string]any{"conversation": text}, "contextInfo": nil,
		"messageType": "conversation", "messageTimestamp": now.Unix(), "instanceId": x.of.id, "source": "unknown",
	}
}

// message reads the body of a message to send.
func (x *evolutionExchange) message(v1 bool) (number, text string, err error) {
	if v1 {
		var input struct {
			Number      string `json:"number"`
			TextMessage struct {
				Text string `json:"text"`
			} `json:"textMessage"`
		}
		err = x.decode(&input, false)
		return input.Number, input.TextMessage.Text, err
	}
	var input struct {
		Number      string `json:"number"`
		Text        string `json:"text"`
		Delay       int    `json:"delay"`
		LinkPreview bool   `json:"linkPreview"`
	}
	err = x.decode(&input, false)
	return input.Number, input.Text, err
}

// announce posts, on the server's own time, what follows a sent message.
func (e *Evolution) announce(to evolutionHook, kept record) {
	if event, data := (Inbound{Phone: kept.chat, Text: kept.Text, ID: kept.MessageID, FromMe: true, Kind: KindText}).evolution(to); e.options.EchoSent && to.wants(event) {
		e.webhooks.put(func(ctx context.Context) { _ = e.post(ctx, to, event, data) })
	}
	if !e.options.Receipts && !e.options.ReadReceipts || !to.wants("messages.update") {
		return
	}
	e.webhooks.put(func(ctx context.Context) {
		_ = e.post(ctx, to, "messages.update", to.receipt(kept, Delivered))
		if e.options.ReadReceipts {
			_ = e.post(ctx, to, "messages.update", to.receipt(kept, Read))
		}
	})
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

// whatsappNumbers answers POST /chat/whatsappNumbers/{name}.
func (e *Evolution) whatsappNumbers(x *evolutionExchange) (int, any) {
	var input struct {
		Numbers []string `json:"numbers"`
	}
	if err := x.decode(&input, false); err != nil || len(input.Numbers) == 0 {
		return invalid(`"numbers" must be an array of numeric strings`)
	}
	if x.of.state != Connected {
		return refuse(http.StatusInternalServerError, "Connection Closed")
	}
	results := make([]map[string]any, 0, len(input.Numbers))
	for _, number := range input.Numbers {
		results = append(results, map[string]any{
			"jid": e.directory.id(number) + chatServer, "exists": e.directory.has(number), "number": number,
		})
	}
	return http.StatusOK, results
}
