package dialects

import (
	"encoding/json"
	"strings"
)

// This file reads the messages of Baileys, the library that Evolution, megaapi and the old
// backend's gateway are made with. Facts: captured deliveries, megaapi's documentation, and
// the names of WhatsApp's own message types (WAProto), which UAZAPI uses as well.

// maxDepth bounds how often what was written is wrapped: an edited, disappearing, viewed
// once message is four deep.
const maxDepth = 8

// baileysKey names a message and its chat. The chat can be a hidden id (@lid), with the
// phone beside it; participant is of groups, and never read.
type baileysKey struct {
	RemoteJID    text `json:"remoteJid"`
	RemoteJIDAlt text `json:"remoteJidAlt"`
	SenderPhone  text `json:"senderPn"`
	FromMe       flag `json:"fromMe"`
	ID           text `json:"id"`
}

// phone returns the other side's phone. With fromMe the sender is the paired number.
func (k baileysKey) phone() string {
	if k.FromMe {
		return firstPhone(k.RemoteJID, k.RemoteJIDAlt)
	}
	return firstPhone(k.RemoteJID, k.RemoteJIDAlt, k.SenderPhone)
}

func (k baileysKey) chats() []string { return []string{string(k.RemoteJID), string(k.RemoteJIDAlt)} }

// content is what a message says.
type content struct {
	text  text
	media string
	// nothing says that it is known and says nothing.
	nothing bool
	// reaction says that it is a reaction to the message of the id target.
	reaction bool
	target   text
	// edits is the id of the message that it changes.
	edits text
}

func (c content) found() bool {
	return c.text != "" || c.media != "" || c.nothing || c.reaction || c.edits != ""
}

// baileysWrappers are the types that hold a message: disappearing ones, those to be viewed
// once, documents with a caption, edits, and the plain "message" of envelopes.
var baileysWrappers = []string{
	"ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension", "documentWithCaptionMessage",
	"editedMessage", "deviceSentMessage", "lottieStickerMessage", "associatedChildMessage", "message",
}

// baileysMedia are the types that are more than text.
var baileysMedia = []struct{ name, kind string }{
	{"imageMessage", "image"},
	{"videoMessage", "video"}, {"ptvMessage", "video"},
	{"audioMessage", "audio"},
	{"documentMessage", "document"},
	{"stickerMessage", "sticker"},
	{"locationMessage", "location"}, {"liveLocationMessage", "location"},
	{"contactMessage", "contact"}, {"contactsArrayMessage", "contact"},
	{"pollCreationMessage", "poll"}, {"pollCreationMessageV2", "poll"}, {"pollCreationMessageV3", "poll"},
	{"pollCreationMessageV4", "poll"}, {"pollCreationMessageV5", "poll"},
}

// baileysNothing are the types that are known, and nothing to be answered: votes (see
// readVote) and edits that only the phone can read, pins, albums (the pictures come one by one).
var baileysNothing = []string{
	"pollUpdateMessage", "secretEncryptedMessage", "encReactionMessage", "keepInChatMessage", "pinInChatMessage", "albumMessage",
}

// baileysBusiness are the types of shops and machines, the media they are where they are more
// than text, and where they have a text, in the order that it is looked for.
var baileysBusiness = []struct {
	name, kind string
	texts      [][]string
}{
	{"orderMessage", "order", [][]string{{"message"}, {"orderTitle"}}},
	{"productMessage", "product", [][]string{{"product", "title"}, {"product", "description"}, {"body"}}},
	{"templateMessage", "", [][]string{
		{"hydratedTemplate", "hydratedContentText"}, {"hydratedFourRowTemplate", "hydratedContentText"},
		{"interactiveMessageTemplate", "body", "text"}, {"hydratedTemplate", "hydratedTitleText"},
	}},
	{"interactiveMessage", "", [][]string{{"body", "text"}, {"header", "title"}}},
	{"buttonsMessage", "", [][]string{{"contentText"}, {"text"}}},
	{"listMessage", "", [][]string{{"description"}, {"title"}}},
}

// readContent reads what a message says; a string is a text.
func readContent(data json.RawMessage, depth int) content {
	from := fieldsOf(data)
	if from == nil {
		var plain text
		if len(data) > 0 && data[0] == '"' {
			_ = plain.UnmarshalJSON(data)
		}
		return content{text: plain}
	}
	if protocol := fieldsOf(from["protocolMessage"]); protocol != nil {
		return readProtocol(protocol, depth)
	}
	if reaction := from["reactionMessage"]; len(reaction) > 0 && reaction[0] == '{' {
		return readReaction(reaction)
	}
	if said := readReply(from); said != "" {
		return content{text: said}
	}
	if found := readMedia(from); found.found() {
		return found
	}
	if found := readBusiness(from); found.found() {
		return found
	}
	if said := readVote(from["pollUpdateMessage"]); said != "" {
		return content{text: said}
	}
	if from.hasAny(baileysNothing...) {
		return content{nothing: true}
	}
	for _, wrapper := range baileysWrappers {
		if inner := from[wrapper]; len(inner) > 0 && depth < maxDepth {
			if found := readContent(inner, depth+1); found.found() {
				return found
			}
		}
	}
	if from.hasAny("viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension") {
		return content{media: "image"} // the gateway hides it; most are pictures
	}
	return content{}
}

// readProtocol reads a protocolMessage: an edit, or else what is nobody's answer, such as a
// deletion.
func readProtocol(from fields, depth int) content {
	var key object[baileysKey]
	from.read("key", &key)
	id := key.or().ID
	if edited := from["editedMessage"]; len(edited) > 0 && id != "" && depth < maxDepth {
		found := readContent(edited, depth+1)
		return content{text: found.text, media: found.media, edits: id}
	}
	return content{nothing: true}
}

func readReaction(data json.RawMessage) content {
	var reaction object[struct {
		Key  object[baileysKey] `json:"key"`
		Text text               `json:"text"`
	}]
	_ = reaction.UnmarshalJSON(data)
	return content{reaction: true, target: reaction.or().Key.or().ID, text: reaction.or().Text}
}

// readReply reads a text, or the choice of a button or of a list: what the customer saw,
// else the id that was given to it.
func readReply(from fields) text {
	if said := from.text("conversation"); said != "" {
		return said
	}
	for _, name := range []string{
		"extendedTextMessage", "buttonsResponseMessage", "templateButtonReplyMessage", "listResponseMessage", "interactiveResponseMessage",
	} {
		if data := from[name]; len(data) > 0 {
			var reply baileysReply
			if _ = reply.UnmarshalJSON(data); reply != "" {
				return text(reply)
			}
		}
	}
	return ""
}

// baileysReply is the text of a message that is text: of an object, or the text itself.
type baileysReply text

// UnmarshalJSON never fails.
func (r *baileysReply) UnmarshalJSON(data []byte) error {
	var from object[struct {
		Text        text `json:"text"`
		DisplayText text `json:"selectedDisplayText"`
		Title       text `json:"title"`
		// Response holds the text in the library that UAZAPI is made with.
		Response object[struct {
			DisplayText text `json:"selectedDisplayText"`
		}] `json:"response"`
		Body object[struct {
			Text text `json:"text"`
		}] `json:"body"`
		Row object[struct {
			ID text `json:"selectedRowId"`
		}] `json:"singleSelectReply"`
		ButtonID text `json:"selectedButtonId"`
		ID       text `json:"selectedId"`
		Flow     object[struct {
			Params text `json:"paramsJson"`
		}] `json:"nativeFlowResponseMessage"`
	}]
	if data[0] != '{' {
		return (*text)(r).UnmarshalJSON(data)
	}
	_ = from.UnmarshalJSON(data)
	reply := from.or()
	params := fieldsOf(json.RawMessage(reply.Flow.or().Params))
	*r = baileysReply(firstText(reply.Text, reply.DisplayText, reply.Response.or().DisplayText, reply.Title, reply.Body.or().Text,
		reply.Row.or().ID, reply.ButtonID, reply.ID, params.text("id")))
	return nil
}

// readMedia reads a message that is more than text, with its caption: the question of a
// poll, and what the gateway has heard in a voice message where it listens.
func readMedia(from fields) content {
	for _, media := range baileysMedia {
		data := from[media.name]
		if len(data) == 0 || string(data) == "null" {
			continue
		}
		about := fieldsOf(data)
		found := content{media: media.kind, text: about.text("caption")}
		switch {
		case media.kind == "poll":
			found.text = about.text("name")
		case media.kind == "audio" && found.text == "":
			found.text = from.text("speechToText")
		}
		return found
	}
	return content{}
}

// readBusiness reads a message of a shop or a machine.
func readBusiness(from fields) content {
	for _, business := range baileysBusiness {
		about := fieldsOf(from[business.name])
		if about == nil {
			continue
		}
		for _, path := range business.texts {
			if said := about.at(path); body(said) != "" {
				return content{text: said, media: business.kind}
			}
		}
		return content{media: business.kind}
	}
	return content{}
}

// readVote reads a vote in a poll that the gateway has decrypted: the options that are chosen
// now. "" for one that it could not read, or that was taken back.
func readVote(data json.RawMessage) text {
	var chosen texts
	fieldsOf(fieldsOf(data)["vote"]).read("selectedOptions", &chosen)
	options := make([]string, 0, len(chosen))
	for _, each := range chosen {
		if option := body(each); option != "" {
			options = append(options, option)
		}
	}
	return text(strings.Join(options, ", "))
}

// firstText returns the first that holds something to read.
func firstText(values ...text) text {
	for _, value := range values {
		if body(value) != "" {
			return value
		}
	}
	return ""
}

// baileysMessage makes a message of what was read: base has the instance and when it was.
func baileysMessage(base Message, key baileysKey, said content) Message {
	base.ID = line(key.ID, maxID)
	base.Phone = key.phone()
	base.FromMe = bool(key.FromMe)
	base.Text, base.Media = body(said.text), said.media
	base.Target = line(said.target, maxID)
	if base.ID == "" {
		base.ID = derivedID(base)
	}
	return classify(base, told{
		chats: key.chats(), nothing: said.nothing, reaction: said.reaction, edits: line(said.edits, maxID),
	})
}
