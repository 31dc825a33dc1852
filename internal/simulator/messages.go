package simulator

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	restrictedKey = "WHATSAPP_REACHOUT_TIMELOCK"
	notConnected  = "WhatsApp client is not connected"
	chatServer    = "@s.whatsapp.net"
)

// SentMessage is a message that the server took to be sent.
type SentMessage struct {
	// Instance is the name of the instance it was sent from.
	Instance string
	// Number is the recipient: digits with country code.
	Number string
	// Text is what the recipient reads: {{…}} has been substituted.
	Text string
	// TrackID is the sender's mark.
	TrackID string
	// MessageID is WhatsApp's id of the message.
	MessageID string
	// ReceivedAt is when the server took it, by its Clock.
	ReceivedAt time.Time
}

// messageView is the server's description of a message.
type messageView struct {
	ID               string `json:"id"`
	MessageID        string `json:"messageid"`
	ChatID           string `json:"chatid"`
	Sender           string `json:"sender"`
	SenderName       string `json:"senderName"`
	SenderPN         string `json:"sender_pn"`
	SenderLID        string `json:"sender_lid"`
	FromMe           bool   `json:"fromMe"`
	IsGroup          bool   `json:"isGroup"`
	MessageType      string `json:"messageType"`
	MediaType        string `json:"mediaType"`
	Type             string `json:"type"`
	Text             string `json:"text"`
	Content          any    `json:"content"`
	MessageTimestamp int64  `json:"messageTimestamp"`
	Status           string `json:"status"`
	Source           string `json:"source"`
	Owner            string `json:"owner"`
	Edited           string `json:"edited"`
	Quoted           string `json:"quoted"`
	Reaction         string `json:"reaction"`
	Vote             string `json:"vote"`
	ButtonOrListID   string `json:"buttonOrListid"`
	TrackSource      string `json:"track_source"`
	TrackID          string `json:"track_id"`
	WasSentByAPI     bool   `json:"wasSentByApi"`
}

// sendInput is the body of POST /send/text (UAZAPI v2 OpenAPI).
type sendInput struct {
	Number                 string `json:"number"`
	Text                   string `json:"text"`
	LinkPreview            bool   `json:"linkPreview"`
	LinkPreviewTitle       string `json:"linkPreviewTitle"`
	LinkPreviewDescription string `json:"linkPreviewDescription"`
	LinkPreviewImage       string `json:"linkPreviewImage"`
	LinkPreviewLarge       bool   `json:"linkPreviewLarge"`
	ReplyID                string `json:"replyid"`
	Mentions               string `json:"mentions"`
	ReadChat               bool   `json:"readchat"`
	ReadMessages           bool   `json:"readmessages"`
	Delay                  int    `json:"delay"`
	Forward                bool   `json:"forward"`
	TrackSource            string `json:"track_source"`
	TrackID                string `json:"track_id"`
	Async                  bool   `json:"async"`
}

// sendText answers POST /send/text.
func (u *UAZAPI) sendText(x *exchange) (int, any) {
	var input sendInput
	if err := x.decode(&input, false); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	if input.Number == "" || input.Text == "" {
		return http.StatusBadRequest, failed{"Missing number or text"}
	}
	input.Number = strings.TrimSuffix(input.Number, chatServer)
	if !isPhone(input.Number) || input.Delay < 0 {
		return http.StatusBadRequest, failed{"Invalid number"}
	}
	if !wait(x.request.Context(), time.Duration(input.Delay)*time.Millisecond, nil) {
		return http.StatusInternalServerError, failed{"Failed to send message"}
	}
	kept, status, refused := u.take(x.instance, input)
	if refused != nil {
		return status, refused
	}
	return http.StatusOK, kept.view()
}

// sendLegacy answers POST /message/text, the old backend's send call.
func (u *UAZAPI) sendLegacy(x *exchange) (int, any) {
	var input struct {
		InstanceName string `json:"instanceName"`
		Number       string `json:"number"`
		Text         string `json:"text"`
	}
	if err := x.decode(&input, false); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	if input.InstanceName != x.instance.name || !isPhone(input.Number) || input.Text == "" {
		return http.StatusBadRequest, failed{"Missing instanceName, number or text"}
	}
	kept, status, refused := u.take(x.instance, sendInput{Number: input.Number, Text: input.Text})
	if refused != nil {
		return status, refused
	}
	return http.StatusOK, map[string]any{
		"status": "success", "key": map[string]any{"remoteJid": kept.Number + chatServer, "fromMe": true,
			"id": kept.MessageID},
	}
}

// take sends a message, or says with which status and body it is refused.
func (u *UAZAPI) take(from *instance, input sendInput) (record, int, any) {
	now, id := u.clock(), u.ids.next()
	u.mu.Lock()
	from.refresh(now)
	if status, refused := u.refuse(from, input.Number, now); refused != nil {
		u.mu.Unlock()
		return record{}, status, refused
	}
	chat := u.directory.id(input.Number)
	from.chats[chat] = true
	kept := record{
		SentMessage: SentMessage{
			Instance: from.name, Number: input.Number, Text: substitute(input.Text), TrackID: input.TrackID,
			MessageID: id, ReceivedAt: now,
		},
		from: from, owner: from.phone, chat: chat, source: input.TrackSource,
	}
	u.sent.add(kept)
	hook := from.hook()
	u.mu.Unlock()
	u.announce(hook, kept)
	if observe := u.onSent.Load(); observe != nil {
		(*observe)(kept.SentMessage)
	}
	return kept, http.StatusOK, nil
}

// refuse says why a message cannot be sent; nil when it can. The bodies are the real
// server's (UAZAPI v2 OpenAPI; those of 463, 503 and "is not on WhatsApp" as its
// users report them).
func (u *UAZAPI) refuse(from *instance, number string, now time.Time) (int, any) {
	switch {
	case from.state != Connected && from.reason != "":
		return http.StatusServiceUnavailable, map[string]any{
			"error": true, "message": "WhatsApp disconnected: session is not reconnectable",
		}
	case from.state != Connected:
		return http.StatusInternalServerError, failed{notConnected}
	case !u.directory.has(number):
		return http.StatusInternalServerError, failed{"the number " + number + chatServer + " is not on WhatsApp"}
	case now.Before(from.restrictedUntil) && !from.open[u.directory.id(number)]:
		return http.StatusInternalServerError, map[string]any{
			"error":    "error 463: WhatsApp refused the message",
			"provider": "whatsapp", "provider_code": 463, "error_key": restrictedKey,
			"message":              "The account is under a temporary restriction on starting new conversations.",
			"diagnostics_endpoint": "/instance/wa_messages_limits",
			"details":              map[string]any{"reachout_timelock": timelock(from.restrictedUntil, true)},
		}
	}
	return 0, nil
}

// substitute replaces {{…}} as the real server does: with what it knows of the
// contact, which here is nothing.
func substitute(text string) string {
	for {
		before, rest, found := strings.Cut(text, "{{")
		if !found {
			return text
		}
		_, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return text
		}
		text = before + after
	}
}

// find answers POST /message/find, among the messages sent through the API.
func (u *UAZAPI) find(x *exchange) (int, any) {
	input := struct {
		ID          string `json:"id"`
		ChatID      string `json:"chatid"`
		TrackSource string `json:"track_source"`
		TrackID     string `json:"track_id"`
		Limit       *int   `json:"limit"`
		Offset      int    `json:"offset"`
	}{}
	if err := x.decode(&input, false); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	limit := 100
	if input.Limit != nil {
		limit = *input.Limit
	}
	if limit < 1 || input.Offset < 0 {
		return http.StatusBadRequest, failed{"Invalid limit or offset"}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if number := strings.TrimSuffix(input.ChatID, chatServer); number != "" && !x.instance.chats[number] {
		return http.StatusNotFound, failed{"Chat not found"}
	}
	views, skipped, more := []messageView{}, 0, false
	u.sent.search(x.instance, input.TrackID, func(each record) bool {
		switch {
		case input.ID != "" && input.ID != each.MessageID && input.ID != each.owner+":"+each.MessageID,
			input.ChatID != "" && input.ChatID != each.chat+chatServer,
			input.TrackSource != "" && input.TrackSource != each.source:
			return true
		case skipped < input.Offset:
			skipped++
			return true
		case len(views) == limit:
			more = true
			return false
		}
		views = append(views, each.view())
		return true
	})
	return http.StatusOK, map[string]any{
		"returnedMessages": len(views), "messages": views, "limit": limit, "offset": input.Offset,
		"nextOffset": input.Offset + len(views), "hasMore": more,
	}
}

// check answers POST /chat/check.
func (u *UAZAPI) check(x *exchange) (int, any) {
	var input struct {
		Numbers []string `json:"numbers"`
	}
	if err := x.decode(&input, false); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	if len(input.Numbers) == 0 {
		return http.StatusBadRequest, failed{"Missing numbers in payload"}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	x.instance.refresh(u.clock())
	if x.instance.state != Connected {
		return http.StatusInternalServerError, failed{notConnected}
	}
	results := make([]map[string]any, 0, len(input.Numbers))
	for _, query := range input.Numbers {
		number := strings.TrimSuffix(query, chatServer)
		result := map[string]any{"query": query, "isInWhatsapp": false}
		if id := u.directory.id(number); u.directory.has(number) {
			result["isInWhatsapp"], result["jid"], result["lid"] = true, id+chatServer, lidOf(id)
		}
		results = append(results, result)
	}
	return http.StatusOK, results
}

// lidOf is the id under which WhatsApp hides a number: always the same, and telling
// nothing of the number.
func lidOf(number string) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(number))
	return strconv.FormatUint(1e14+hash.Sum64()%9e14, 10) + "@lid"
}
