package simulator

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The events and filters of a webhook (UAZAPI v2 OpenAPI).
var (
	knownEvents = []string{
		"connection", "history", "messages", "messages_update", "newsletter_messages", "call", "contacts",
		"presence", "groups", "labels", "chats", "chat_labels", "blocks", "sender",
	}
	knownFilters = []string{"wasSentByApi", "wasNotSentByApi", "fromMeYes", "fromMeNo", "isGroupYes", "isGroupNo"}
)

// webhook is where an instance posts to; it does not change once set.
type webhook struct {
	ID                  string   `json:"id"`
	Enabled             bool     `json:"enabled"`
	URL                 string   `json:"url"`
	Events              []string `json:"events"`
	ExcludeMessages     []string `json:"excludeMessages"`
	AddURLEvents        bool     `json:"addUrlEvents"`
	AddURLTypesMessages bool     `json:"addUrlTypesMessages"`
}

// hook is a webhook and what every post to it tells of its instance.
type hook struct {
	*webhook
	name, owner, token, base string
}

// hook returns the instance's webhook as of now.
func (i *instance) hook() hook {
	return hook{webhook: i.webhook, name: i.name, owner: i.phone, token: i.token, base: i.base}
}

// wants tells whether events of this type are posted.
func (h hook) wants(event string) bool {
	return h.webhook != nil && h.Enabled && slices.Contains(h.Events, event)
}

// filters tells whether messages of one of these kinds are left out.
func (h hook) filters(kinds ...string) bool {
	return slices.ContainsFunc(h.ExcludeMessages, func(filter string) bool { return slices.Contains(kinds, filter) })
}

// envelope is the body of a webhook.
type envelope struct {
	BaseURL      string         `json:"BaseUrl"`
	EventType    string         `json:"EventType"`
	InstanceName string         `json:"instanceName"`
	Owner        string         `json:"owner"`
	Token        string         `json:"token"`
	Chat         map[string]any `json:"chat,omitempty"`
	ChatSource   string         `json:"chatSource,omitempty"`
	Message      *messageView   `json:"message,omitempty"`
	Event        map[string]any `json:"event,omitempty"`
	Instance     map[string]any `json:"instance,omitempty"`
	Type         string         `json:"type,omitempty"`
	State        string         `json:"state,omitempty"`
}

// envelope begins the body of a webhook.
func (h hook) envelope(event string) envelope {
	return envelope{BaseURL: h.base, EventType: event, InstanceName: h.name, Owner: h.owner, Token: h.token}
}

// message is the body that tells of a message, sent or received.
func (h hook) message(view messageView) envelope {
	body := h.envelope("messages")
	number := "" // of a group there is none
	if !view.IsGroup {
		number = view.ChatID[:len(view.ChatID)-len(chatServer)]
	}
	lid := ""
	if number != "" {
		lid = lidOf(number)
		number = "+" + number
	}
	body.Message, body.ChatSource = &view, "updated"
	body.Chat = map[string]any{
		"id": "r" + view.ChatID, "name": "Simulated customer", "phone": number, "owner": h.owner,
		"wa_chatid": view.ChatID, "wa_chatlid": lid, "wa_name": "Simulated customer", "wa_isGroup": view.IsGroup,
		"wa_isBlocked": false, "wa_archived": false, "wa_unreadCount": 1, "wa_lastMessageType": view.MessageType,
		"wa_lastMessageTextVote": view.Text, "wa_lastMsgTimestamp": view.MessageTimestamp, "lead_tags": []string{},
	}
	return body
}

// receipt is the body that tells of a delivered or read message. Its flags are strings, as
// some servers write them.
func (h hook) receipt(kept record, kind ReceiptKind) envelope {
	body := h.envelope("messages_update")
	chat := kept.chat + chatServer
	body.Type, body.State = "ReadReceipt", string(kind)
	body.Event = map[string]any{
		"Chat": chat, "Sender": chat, "sender_pn": chat, "sender_lid": lidOf(kept.chat),
		"MessageIDs": []string{kept.MessageID}, "Type": string(kind),
		"IsFromMe": "False", "IsGroup": "False", "Timestamp": strconv.FormatInt(kept.ReceivedAt.Unix(), 10),
	}
	return body
}

// connection is the body that tells of a change of the connection.
func (h hook) connection(state, reason string, at time.Time) envelope {
	body := h.envelope("connection")
	body.Instance = map[string]any{"name": h.name, "status": state}
	if state == Disconnected {
		body.Type = "LoggedOut"
		body.Instance["lastDisconnect"] = at.UTC().Format("2006-01-02 15:04:05.000Z")
		body.Instance["lastDisconnectReason"] = reason
	}
	return body
}

// announce posts, on the server's own time, what follows a sent message.
func (u *UAZAPI) announce(to hook, kept record) {
	if to.wants("messages") && !to.filters("wasSentByApi", "fromMeYes", "isGroupNo") {
		u.webhooks.put(func(ctx context.Context) { _ = u.post(ctx, to, to.message(kept.view())) })
	}
	if !u.options.Receipts && !u.options.ReadReceipts || !to.wants("messages_update") {
		return
	}
	u.webhooks.put(func(ctx context.Context) {
		_ = u.post(ctx, to, to.receipt(kept, Delivered))
		if u.options.ReadReceipts {
			_ = u.post(ctx, to, to.receipt(kept, Read))
		}
	})
}

// post delivers a webhook and waits for it.
func (u *UAZAPI) post(ctx context.Context, to hook, body envelope) error {
	address := to.URL
	if to.AddURLEvents {
		address += "/" + body.EventType
	}
	return u.webhooks.post(ctx, address, nil, body)
}

// setWebhook answers POST /webhook in its simple mode: one webhook an instance.
func (u *UAZAPI) setWebhook(x *exchange) (int, any) {
	var input struct {
		webhook
		Action string `json:"action"`
	}
	if err := x.decode(&input, false); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	unknown := func(known []string) func(string) bool {
		return func(value string) bool { return !slices.Contains(known, value) }
	}
	address, err := url.Parse(input.URL)
	switch {
	case input.Action != "" || input.ID != "":
		return http.StatusBadRequest, failed{"Invalid action"}
	case err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "":
		return http.StatusBadRequest, failed{"Invalid url"}
	case slices.ContainsFunc(input.Events, unknown(knownEvents)):
		return http.StatusBadRequest, failed{"Invalid events"}
	case slices.ContainsFunc(input.ExcludeMessages, unknown(knownFilters)):
		return http.StatusBadRequest, failed{"Invalid excludeMessages"}
	}
	made := input.webhook
	made.ID = "w" + hex.EncodeToString(random(7))
	u.mu.Lock()
	defer u.mu.Unlock()
	x.instance.webhook, x.instance.base = &made, "http://"+x.request.Host
	return http.StatusOK, []webhook{made}
}

// getWebhook answers GET /webhook.
func (u *UAZAPI) getWebhook(x *exchange) (int, any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if x.instance.webhook == nil {
		return http.StatusOK, []webhook{}
	}
	return http.StatusOK, []webhook{*x.instance.webhook}
}
