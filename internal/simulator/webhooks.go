package simulator

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// webhookAttempts is how often a webhook is posted until it is answered with a 2xx.
const webhookAttempts = 3

// The events and filters of a webhook (UAZAPI v2 OpenAPI).
var (
	knownEvents = []string{
		"connection", "history", "messages", "messages_update", "newsletter_messages", "call", "contacts",
		"presence", "groups", "labels", "chats", "chat_labels", "blocks", "sender",
	}
	knownFilters = []string{"wasSentByApi", "wasNotSentByApi", "fromMeYes", "fromMeNo", "isGroupYes", "isGroupNo"}
)

// WebhookError is a webhook that no attempt got a 2xx for.
type WebhookError struct {
	// Status is the answer to the last attempt, 0 when there was none.
	Status int
	// Attempts is how often it was posted.
	Attempts int
	// Cause is why there was no answer.
	Cause error
}

// Error describes the failure; it does not hold the URL, which is a secret.
func (e *WebhookError) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("simulator: the webhook was answered with HTTP %d, %d times", e.Status, e.Attempts)
	}
	return fmt.Sprintf("simulator: the webhook was not answered, %d times: %v", e.Attempts, e.Cause)
}

// Unwrap returns the cause.
func (e *WebhookError) Unwrap() error { return e.Cause }

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

// receipt is the body that tells of a delivered message. Its flags are strings, as
// some servers write them.
func (h hook) receipt(kept record) envelope {
	body := h.envelope("messages_update")
	chat := kept.Number + chatServer
	body.Type, body.State = "ReadReceipt", "Delivered"
	body.Event = map[string]any{
		"Chat": chat, "Sender": chat, "sender_pn": chat, "sender_lid": lidOf(kept.Number),
		"MessageIDs": []string{kept.MessageID}, "Type": "Delivered",
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
	if u.options.Receipts && to.wants("messages_update") {
		u.webhooks.put(func(ctx context.Context) { _ = u.post(ctx, to, to.receipt(kept)) })
	}
}

// post delivers a webhook, in up to webhookAttempts attempts, or loses it as
// LoseWebhooks says.
func (u *UAZAPI) post(ctx context.Context, to hook, body envelope) error {
	if u.loses() {
		return nil
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("simulator: encode the webhook: %w", err)
	}
	address := to.URL
	if to.AddURLEvents {
		address += "/" + body.EventType
	}
	pause := u.options.WebhookRetry
	if pause <= 0 {
		pause = defaultRetry
	}
	failed := &WebhookError{}
	for failed.Attempts < webhookAttempts {
		if failed.Attempts > 0 && !wait(ctx, pause, nil) {
			failed.Cause = ctx.Err()
			return failed
		}
		failed.Attempts++
		failed.Status, failed.Cause = u.postOnce(ctx, address, encoded)
		if failed.Cause == nil && failed.Status >= 200 && failed.Status <= 299 {
			return nil
		}
	}
	return failed
}

// loses tells whether the next webhook is to vanish, and counts it.
func (u *UAZAPI) loses() bool {
	for {
		left := u.lose.Load()
		if left <= 0 {
			return false
		}
		if u.lose.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

// postOnce posts a webhook and returns the status of the answer.
func (u *UAZAPI) postOnce(ctx context.Context, address string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the URL cannot be called")
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := u.client.Do(request)
	if err != nil {
		var located *url.Error
		if errors.As(err, &located) {
			err = located.Err
		}
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	return response.StatusCode, nil
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
