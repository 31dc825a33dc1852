package formats

import (
	"encoding/json"
	"slices"
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
	// Previous is the hidden id where Evolution has put the phone in its place.
	Previous    text `json:"previousRemoteJid"`
	SenderPhone text `json:"senderPn"`
	SenderLID   text `json:"senderLid"`
	FromMe      flag `json:"fromMe"`
	ID          text `json:"id"`
}

// phone returns the other side's phone. With fromMe the sender is the paired number.
func (k baileysKey) phone() string {
	if k.FromMe {
		return firstPhone(k.RemoteJID, k.RemoteJIDAlt)
	}
	return firstPhone(k.RemoteJID, k.RemoteJIDAlt, k.SenderPhone)
}

// ids are those of the other side.
func (k baileysKey) ids() []string {
	if k.FromMe {
		return chatIDs(k.RemoteJID, k.RemoteJIDAlt, k.Previous)
	}
	return chatIDs(k.RemoteJID, k.RemoteJIDAlt, k.Previous, k.SenderPhone, k.SenderLID)
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

// isHistory says whether Baileys calls what it tells one of the past: "append" is what was
// written while it was away, "notify" what is written now.
func isHistory(from fields) bool {
	return strings.EqualFold(string(from.text("type")), "append") || from.flag("isHistory")
}

// quotedBeside returns the id of the message that one answers to: of its content, or of the
// contextInfo that some gateways put beside it.
func quotedBeside(from fields) string {
	if id := quoted(from["message"]); id != "" {
		return id
	}
	return contextID(from)
}

// aContact is a contact card: nothing of it is kept, because it is about somebody else.
var aContact = content{media: mediaContact}

func (c content) found() bool {
	return c.text != "" || c.media != "" || c.nothing || c.reaction || c.edits != ""
}

// baileysWrappers are the types that hold a message: disappearing ones, those to be viewed
// once, documents with a caption, edits, and the plain "message" of envelopes.
var baileysWrappers = []string{
	"ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension",
	"documentWithCaptionMessage", "editedMessage", "deviceSentMessage", "lottieStickerMessage",
	"associatedChildMessage", "message",
}

// The media that are treated otherwise than the rest: a contact card, and a place.
const (
	mediaContact  = "contact"
	mediaLocation = "location"
)

// baileysMedia are the types that are more than text.
var baileysMedia = []struct{ name, kind string }{
	{"imageMessage", "image"},
	{"videoMessage", "video"}, {"ptvMessage", "video"},
	{"audioMessage", "audio"},
	{"documentMessage", "document"},
	{"stickerMessage", "sticker"},
	{"locationMessage", mediaLocation}, {"liveLocationMessage", mediaLocation},
	{"contactMessage", mediaContact}, {"contactsArrayMessage", mediaContact},
	{"stickerPackMessage", "sticker"},
	{"pollCreationMessage", "poll"}, {"pollCreationMessageV2", "poll"}, {"pollCreationMessageV3", "poll"},
	{"pollCreationMessageV4", "poll"}, {"pollCreationMessageV5", "poll"},
	{"groupInviteMessage", mediaFile}, {"eventMessage", mediaFile},
	{"sendPaymentMessage", mediaFile}, {"requestPaymentMessage", mediaFile},
}

// mediaFile is the media of what is more than text and of no kind that is told apart.
const mediaFile = "file"

// baileysNothing are the types that are known, and nothing to be answered: votes (see
// readVote) and edits that only the phone can read, pins, albums (the pictures come one by one).
var baileysNothing = []string{
	"pollUpdateMessage", "secretEncryptedMessage", "encReactionMessage", "keepInChatMessage", "pinInChatMessage",
	"albumMessage",
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
	from := typesOf(data)
	if from == nil {
		var plain text
		if len(data) > 0 && data[0] == '"' {
			_ = plain.UnmarshalJSON(data)
		}
		return written(plain)
	}
	if protocol := fieldsOf(from["protocolMessage"]); protocol != nil {
		return readProtocol(protocol, depth)
	}
	if reaction := from["reactionMessage"]; len(reaction) > 0 && reaction[0] == '{' {
		return readReaction(reaction)
	}
	if found := readKnown(from); found.found() {
		return found
	}
	if found := readWrapped(from, depth); found.found() {
		return found
	}
	if from.hasAny("viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension") {
		return content{media: "image"} // the gateway hides it; most are pictures
	}
	return content{}
}

// typesOf returns the fields of an object by the names of WhatsApp's types, as Baileys writes
// them; the library of UAZAPI begins some with a capital.
func typesOf(data json.RawMessage) fields {
	from := fieldsOf(data)
	var capitals []string
	for name := range from {
		if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
			capitals = append(capitals, name)
		}
	}
	for _, name := range capitals {
		if small := strings.ToLower(name[:1]) + name[1:]; !from.has(small) {
			from[small] = from[name]
		}
		delete(from, name)
	}
	return from
}

// readKnown reads a message of a known type.
func readKnown(from fields) content {
	if said := readReply(from); said != "" {
		return written(said)
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
	return content{nothing: from.hasAny(baileysNothing...)}
}

// readWrapped reads what is wrapped: in one of the types that hold a message, in a type that is
// not known, or in the name of its own type.
func readWrapped(from fields, depth int) content {
	if depth >= maxDepth {
		return content{}
	}
	for _, wrapper := range baileysWrappers {
		if found := readContent(from[wrapper], depth+1); found.found() {
			return found
		}
	}
	if isChoice(from) {
		if shown, id := chosen(from, 0); shown != "" || id != "" {
			return content{text: firstText(shown, id)}
		}
	}
	for _, name := range from.messages() {
		if slices.Contains(baileysWrappers, name) {
			continue
		}
		if found := readContent(from[name], depth+1); found.found() {
			return found
		}
	}
	return content{}
}

// written is what was written, but for a contact card that is written as a text.
func written(said text) content {
	if isCard(said) {
		return aContact
	}
	return content{text: said}
}

// isCard says whether a text is a contact card (vCard), or holds one.
func isCard(said text) bool {
	return strings.Contains(strings.ToLower(string(said[:min(len(said), maxCard)])), "begin:vcard")
}

// maxCard bounds where in a text a contact card is looked for, in bytes.
const maxCard = 4 * maxText

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
		"extendedTextMessage", "buttonsResponseMessage", "templateButtonReplyMessage", "listResponseMessage",
		"interactiveResponseMessage", "nativeFlowResponseMessage",
	} {
		if said := readChoice(from[name]); said != "" {
			return said
		}
	}
	return ""
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
		case media.kind == mediaContact:
			return aContact
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
	base.ChatIDs = key.ids()
	base.FromMe = bool(key.FromMe)
	base.ToSelf = isToSelf(base)
	base.Text, base.Media = body(said.text), said.media
	base.Target = line(said.target, maxID)
	if base.ID == "" {
		base.ID = derivedID(base)
	}
	return classify(base, told{
		chats: key.chats(), nothing: said.nothing, reaction: said.reaction, edits: line(said.edits, maxID),
	})
}
