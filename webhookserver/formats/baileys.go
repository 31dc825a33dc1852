package formats

import (
	"slices"
	"strings"

	"cartrecovery.dev/operator/internal/lax"
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
	remoteJID, remoteJIDAlt string
	// previous is the hidden id where Evolution has put the phone in its place.
	previous               string
	senderPhone, senderLID string
	fromMe                 bool
	id                     string
}

// keyOf reads a key; false for what is no object. Capitals do not matter.
func keyOf(value lax.Value) (baileysKey, bool) {
	from := value.Folded()
	return baileysKey{
		remoteJID: from.Word("remotejid"), remoteJIDAlt: from.Word("remotejidalt"), id: from.Word("id"),
		previous: from.Word("previousremotejid"), senderPhone: from.Word("senderpn"),
		senderLID: from.Word("senderlid"), fromMe: from.At("fromme").True(),
	}, from != nil
}

// phone returns the other side's phone. With fromMe the sender is the paired number.
func (k baileysKey) phone() string {
	if k.fromMe {
		return firstPhone(k.remoteJID, k.remoteJIDAlt)
	}
	return firstPhone(k.remoteJID, k.remoteJIDAlt, k.senderPhone)
}

// ids are those of the other side.
func (k baileysKey) ids() []string {
	if k.fromMe {
		return chatIDs(k.remoteJID, k.remoteJIDAlt, k.previous)
	}
	return chatIDs(k.remoteJID, k.remoteJIDAlt, k.previous, k.senderPhone, k.senderLID)
}

func (k baileysKey) chats() []string { return []string{k.remoteJID, k.remoteJIDAlt} }

// content is what a message says.
type content struct {
	text  string
	media string
	// nothing says that it is known and says nothing.
	nothing bool
	// reaction says that it is a reaction to the message of the id target.
	reaction bool
	target   string
	// edits is the id of the message that it changes.
	edits string
}

// isHistory says whether Baileys calls what it tells one of the past: "append" is what was
// written while it was away, "notify" what is written now.
func isHistory(from fields) bool {
	return strings.EqualFold(from.Word("type"), "append") || from.At("isHistory").True()
}

// quotedBeside returns the id of the message that one answers to: of its content, or of the
// contextInfo that some gateways put beside it.
func quotedBeside(from fields) string {
	if id := quoted(from.At("message")); id != "" {
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
func readContent(data lax.Value, depth int) content {
	from := typesOf(data)
	if from == nil {
		return written(data.Text())
	}
	if protocol := from.Child("protocolMessage"); protocol != nil {
		return readProtocol(protocol, depth)
	}
	if reaction := from.At("reactionMessage"); reaction.Kind() == lax.Object {
		return readReaction(reaction)
	}
	if found := readKnown(from); found.found() {
		return found
	}
	if found := readWrapped(from, depth); found.found() {
		return found
	}
	if from.Has("viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension") {
		return content{media: "image"} // the gateway hides it; most are pictures
	}
	return content{}
}

// typesOf returns the fields of an object by the names of WhatsApp's types, as Baileys writes
// them; the library of UAZAPI begins some with a capital.
func typesOf(data lax.Value) fields {
	from := data.Object()
	var capitals []string
	for name := range from.Each() {
		if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
			capitals = append(capitals, name)
		}
	}
	if capitals == nil {
		return from
	}
	types := from.Without(capitals...)
	for _, name := range capitals {
		if small := strings.ToLower(name[:1]) + name[1:]; !types.Has(small) {
			types.Set(small, from.At(name))
		}
	}
	return types
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
	if said := readVote(from.At("pollUpdateMessage")); said != "" {
		return content{text: said}
	}
	return content{nothing: from.Has(baileysNothing...)}
}

// readWrapped reads what is wrapped: in one of the types that hold a message, in a type that is
// not known, or in the name of its own type.
func readWrapped(from fields, depth int) content {
	if depth >= maxDepth {
		return content{}
	}
	for _, wrapper := range baileysWrappers {
		if found := readContent(from.At(wrapper), depth+1); found.found() {
			return found
		}
	}
	if isChoice(from) {
		if shown, id := chosen(from, 0); shown != "" || id != "" {
			return content{text: firstText(shown, id)}
		}
	}
	for _, name := range messagesOf(from) {
		if slices.Contains(baileysWrappers, name) {
			continue
		}
		if found := readContent(from.At(name), depth+1); found.found() {
			return found
		}
	}
	return content{}
}

// written is what was written, but for a contact card that is written as a text.
func written(said string) content {
	if isCard(said) {
		return aContact
	}
	return content{text: said}
}

// isCard says whether a text is a contact card (vCard), or holds one.
func isCard(said string) bool {
	return strings.Contains(strings.ToLower(said[:min(len(said), maxCard)]), "begin:vcard")
}

// maxCard bounds where in a text a contact card is looked for, in bytes.
const maxCard = 4 * maxText

// readProtocol reads a protocolMessage: an edit, or else what is nobody's answer, such as a
// deletion.
func readProtocol(from fields, depth int) content {
	key, _ := keyOf(from.At("key"))
	if edited := from.At("editedMessage"); from.Has("editedMessage") && key.id != "" && depth < maxDepth {
		found := readContent(edited, depth+1)
		return content{text: found.text, media: found.media, edits: key.id}
	}
	return content{nothing: true}
}

func readReaction(data lax.Value) content {
	from := data.Folded()
	key, _ := keyOf(from.At("key"))
	return content{reaction: true, target: key.id, text: from.Word("text")}
}

// readReply reads a text, or the choice of a button or of a list: what the customer saw,
// else the id that was given to it.
func readReply(from fields) string {
	if said := from.Word("conversation"); said != "" {
		return said
	}
	for _, name := range []string{
		"extendedTextMessage", "buttonsResponseMessage", "templateButtonReplyMessage", "listResponseMessage",
		"interactiveResponseMessage", "nativeFlowResponseMessage",
	} {
		if said := readChoice(from.At(name)); said != "" {
			return said
		}
	}
	return ""
}

// readMedia reads a message that is more than text, with its caption: the question of a
// poll, and what the gateway has heard in a voice message where it listens.
func readMedia(from fields) content {
	for _, media := range baileysMedia {
		if !from.At(media.name).Is() {
			continue
		}
		about := from.Child(media.name)
		found := content{media: media.kind, text: about.Word("caption")}
		switch {
		case media.kind == mediaContact:
			return aContact
		case media.kind == "poll":
			found.text = about.Word("name")
		case media.kind == "audio" && found.text == "":
			found.text = from.Word("speechToText")
		}
		return found
	}
	return content{}
}

// readBusiness reads a message of a shop or a machine.
func readBusiness(from fields) content {
	for _, business := range baileysBusiness {
		about := from.Child(business.name)
		if about == nil {
			continue
		}
		for _, path := range business.texts {
			if said := wordAt(about, path); body(said) != "" {
				return content{text: said, media: business.kind}
			}
		}
		return content{media: business.kind}
	}
	return content{}
}

// readVote reads a vote in a poll that the gateway has decrypted: the options that are chosen
// now. "" for one that it could not read, or that was taken back.
func readVote(data lax.Value) string {
	chosen := words(data.Object().Child("vote").At("selectedOptions"))
	options := make([]string, 0, len(chosen))
	for _, each := range chosen {
		if option := body(each); option != "" {
			options = append(options, option)
		}
	}
	return strings.Join(options, ", ")
}

// firstText returns the first that holds something to read.
func firstText(values ...string) string {
	for _, value := range values {
		if body(value) != "" {
			return value
		}
	}
	return ""
}

// baileysMessage makes a message of what was read: base has the instance and when it was.
func baileysMessage(base Message, key baileysKey, said content) Message {
	base.ID = line(key.id, maxID)
	base.Phone = key.phone()
	base.ChatIDs = key.ids()
	base.FromMe = key.fromMe
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
