package simulator

import "strings"

// Kind is what a message consists of.
type Kind string

const (
	// KindText is a plain text.
	KindText Kind = "text"
	// KindAudio is a voice message; it has no text.
	KindAudio Kind = "audio"
	// KindImage is a picture without a caption.
	KindImage Kind = "image"
	// KindReaction is an emoji put on a message, as its text.
	KindReaction Kind = "reaction"
	// KindListReply is an entry chosen from a list: Text is its title, and comes as
	// vote and buttonOrListid, with no text.
	KindListReply Kind = "list"
)

// Inbound is a message on a paired phone that did not come from the API.
type Inbound struct {
	// Phone is the customer's number: digits with country code.
	Phone string
	// Text is what was written.
	Text string
	// Kind is what it consists of; KindText when empty.
	Kind Kind
	// ID is WhatsApp's id of the message; a new one when empty. One given twice is a
	// message delivered twice.
	ID string
	// FromMe: the owner of the phone wrote to the customer, not the other way round.
	FromMe bool
	// Group: written in a group, which is no conversation with the customer.
	Group bool
	// Edits is the id of the message that this one replaces; empty for a new one.
	Edits string
	// ReactsTo is the id of the message that a KindReaction is put on; some message of the
	// conversation when empty.
	ReactsTo string
	// Hidden is how the customer's number is hidden; only the Evolution server looks at it.
	Hidden Hiding
}

// Hiding is how WhatsApp's hidden id stands in for a number.
type Hiding string

const (
	// HiddenWithAlt: the chat is an @lid, and remoteJidAlt holds the number.
	HiddenWithAlt Hiding = "remoteJidAlt"
	// HiddenWithSender: the chat is an @lid, and senderPn holds the number.
	HiddenWithSender Hiding = "senderPn"
	// HiddenEntirely: the chat is an @lid, and nothing tells the number.
	HiddenEntirely Hiding = "entirely"
)

// reactedTo is the id of a message that nobody has sent.
const reactedTo = "3EB000000000000000000A"

// target is the id of the message that a reaction is put on.
func (m Inbound) target() string {
	if m.ReactsTo != "" {
		return m.ReactsTo
	}
	return reactedTo
}

// Reply has a customer answer with a text. It returns the message's id once the
// webhook has been answered, and a *WebhookError when that was not with a 2xx.
func (u *UAZAPI) Reply(instanceName, fromPhone, text string) (string, error) {
	return u.Receive(instanceName, Inbound{Phone: fromPhone, Text: text})
}

// ReplyWithID is Reply with a message id, for delivering the same message again.
func (u *UAZAPI) ReplyWithID(instanceName, fromPhone, text, messageID string) error {
	_, err := u.Receive(instanceName, Inbound{Phone: fromPhone, Text: text, ID: messageID})
	return err
}

// Receive has a message appear on the instance's phone. It returns the message's id
// once the webhook has been answered, and a *WebhookError when that was not with a
// 2xx. A customer's message opens the conversation for Restrict even so.
func (u *UAZAPI) Receive(instanceName string, message Inbound) (string, error) {
	if message.Kind == "" {
		message.Kind = KindText
	}
	if !message.valid() {
		return "", ErrInvalidMessage
	}
	if message.ID == "" {
		message.ID = u.ids.next()
	}
	now := u.clock()
	u.mu.Lock()
	found, err := u.named(instanceName, now)
	if err == nil && found.state != Connected {
		err = ErrNotConnected
	}
	if err != nil {
		u.mu.Unlock()
		return "", err
	}
	message.Phone = u.directory.id(message.Phone)
	if !message.Group {
		found.chats[message.Phone] = true
		found.open[message.Phone] = found.open[message.Phone] || !message.FromMe
	}
	to := found.hook()
	u.mu.Unlock()
	if !to.wants("messages") || to.filters(message.filters()...) {
		return "", ErrNoWebhook
	}
	view := message.view(to.owner, now.UnixMilli())
	return message.ID, u.post(u.webhooks.ctx, to, to.message(view))
}

// valid tells whether the message has what one of its kind needs.
func (m Inbound) valid() bool {
	hasText := m.Kind != KindAudio && m.Kind != KindImage
	return isPhone(m.Phone) && (!hasText || m.Text != "")
}

// filters are the webhook filters that leave the message out.
func (m Inbound) filters() []string {
	filters := []string{"wasNotSentByApi", "fromMeNo", "isGroupNo"}
	if m.FromMe {
		filters[1] = "fromMeYes"
	}
	if m.Group {
		filters[2] = "isGroupYes"
	}
	return filters
}

// view describes the message as the server does. The sender is an @lid; the phone
// is in sender_pn, and with FromMe both are the owner's.
func (m Inbound) view(owner string, milliseconds int64) messageView {
	sender, name := m.Phone, "Simulated customer"
	if m.FromMe {
		sender, name = owner, "Simulated phone"
	}
	view := messageView{
		ID: owner + ":" + m.ID, MessageID: m.ID, ChatID: m.Phone + chatServer, Owner: owner,
		Sender: lidOf(sender), SenderLID: lidOf(sender), SenderPN: sender + chatServer, SenderName: name,
		FromMe: m.FromMe, IsGroup: m.Group, Source: "android", MessageTimestamp: milliseconds, Edited: m.Edits,
		MessageType: "Conversation", Type: "text", Text: m.Text, Content: m.Text,
	}
	if m.Group {
		view.ChatID = "1203630" + strings.TrimSuffix(lidOf(m.Phone), "@lid") + "@g.us"
	}
	switch m.Kind {
	case KindAudio:
		view.media("AudioMessage", "ptt", map[string]any{"mimetype": "audio/ogg; codecs=opus", "seconds": 2,
			"PTT": true})
	case KindImage:
		view.media("ImageMessage", "image", map[string]any{"mimetype": "image/jpeg", "width": 640, "height": 480})
	case KindReaction:
		view.MessageType, view.Type, view.Reaction = "ReactionMessage", "reaction", m.target()
		view.Content = map[string]any{"text": m.Text, "key": map[string]any{"ID": view.Reaction, "fromMe": true}}
	case KindListReply:
		view.MessageType, view.Text, view.Vote, view.ButtonOrListID = "ListResponseMessage", "", m.Text,
			strings.ToLower(m.Text)
		view.Content = map[string]any{"title": m.Text,
			"singleSelectReply": map[string]any{"selectedRowID": view.ButtonOrListID}}
	case KindText:
	}
	return view
}

// media makes the message one without a text.
func (v *messageView) media(messageType, mediaType string, content map[string]any) {
	v.MessageType, v.Type, v.MediaType, v.Text, v.Content = messageType, "media", mediaType, "", content
}
