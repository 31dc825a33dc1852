package formats

import (
	"maps"
	"slices"
	"strings"
)

// Row is a line of the documentation: what an event of a gateway means here.
type Row struct {
	// Format is the name of the format, and of the table the row is in.
	Format string
	// Event is what the gateway tells, in its own words.
	Event string
	// Meaning is what comes of it, for the people who run the operator.
	Meaning string
}

// What comes of the events, as the tables of all formats say it.
const (
	meansAnswered  = "recorded in the conversation and answered"
	meansMedia     = "recorded by its kind, with its caption, and answered: the AI is told what came"
	meansFile      = "recorded as `file`, and answered: the AI is told what came"
	meansChoice    = "recorded as the text of what was chosen, else its id, and answered"
	meansEdited    = "replaces the text of the message; answered once, not again"
	meansReaction  = "recorded with the message that it is to; never answered; an empty one takes it back"
	meansOwn       = "a person has taken over: recorded, and the AI is silent in that conversation"
	meansOwnOrOurs = "compared with what the operator sent; another text is a person's, who has taken over"
	meansSentByAPI = "ignored (`SentByAPI`)"
	meansSent      = "settles a message of the operator's of which it was not known whether it went; else ignored " +
		"(`SentByAPI`)"
	meansElsewhere = "ignored (`GroupMessage`, `Broadcast`)"
	meansHidden    = "the customer's whose hidden id is known by then, or whose message it quotes; else ignored " +
		"(`NoPhone`) and counted as unmatched"
	meansCard = "recorded as `contact` and answered; nothing of the card is kept, because it is about " +
		"somebody else"
	meansEmpty      = "ignored (`EmptyMessage`)"
	meansDelivered  = "recorded as `deliveredAt` of the message, some seconds later, several together"
	meansRead       = "recorded as `readAt` of the message, some seconds later, several together"
	meansConnection = "the gateway is asked for the connection at once"
	meansNotUsed    = "ignored (`EventNotUsed`)"
	meansUnknown    = "ignored (`UnknownEvent`)"
)

// All are the names of the formats, in the order of the documentation.
func All() []string { return []string{formatUAZAPI, formatEvolution, formatMegaAPI, formatLegacy} }

// Table returns what every event of every format means, in the order of the documentation.
func Table() []Row {
	var rows []Row
	add := func(format string, lines [][2]string) {
		for _, line := range lines {
			rows = append(rows, Row{format, line[0], line[1]})
		}
	}
	add(formatUAZAPI, uazapiTable())
	add(formatEvolution, evolutionTable())
	add(formatMegaAPI, megaAPITable())
	add(formatLegacy, legacyTable())
	return rows
}

func uazapiTable() [][2]string {
	return [][2]string{
		{"`messages`: text", meansAnswered},
		{"`messages`: picture, video, audio, document, sticker, location, poll, order, product", meansMedia},
		{"`messages`: contact card, or a text that holds one", meansCard},
		{"`messages`: `type` `media` of another kind", meansFile},
		{
			"`messages`: choice of a list, of buttons, in a poll or a form (`vote`, `buttonOrListid`, or in the " +
				"`content`)", meansChoice},
		{"`messages` with `edited`", meansEdited},
		{"`messages`: `type` `reaction`", meansReaction},
		{"`messages` with `fromMe`, without `wasSentByApi`", meansOwn},
		{"`messages` with `fromMe` and `wasSentByApi`", meansSentByAPI},
		{"`messages` of a group, broadcast list, status or channel", meansElsewhere},
		{"`messages` with hidden ids (`@lid`) only", meansHidden},
		{"`messages` without anything written", meansEmpty},
		{"`messages_update`: `Delivered`", meansDelivered},
		{"`messages_update`: `Read`, `Played`", meansRead},
		{"`messages_update`: anything else", meansNotUsed},
		{"`connection`", meansConnection},
		{unused(uazapiEvents), meansNotUsed},
		{"anything else", meansUnknown},
	}
}

func evolutionTable() [][2]string {
	return [][2]string{
		{"`messages.upsert`: text", meansAnswered},
		{"`messages.upsert`: picture, video, audio, document, sticker, location, poll, order, product", meansMedia},
		{"`messages.upsert`: contact card, or a text that holds one", meansCard},
		{"`messages.upsert`: invitation, event, payment", meansFile},
		{"`messages.upsert`: text with buttons or a list", meansAnswered},
		{"`messages.upsert`: choice of a list, of buttons, in a form or, where Evolution can read it, in a poll",
			meansChoice},
		{"`messages.edited`, `messages.upsert` with an edit", meansEdited},
		{"`messages.upsert`: reaction", meansReaction},
		{"`messages.upsert` with `fromMe`", meansOwnOrOurs},
		{"`send.message`", meansSent},
		{"`messages.upsert` of a group, broadcast list, status or channel", meansElsewhere},
		{"`messages.upsert` of an `@lid` without `remoteJidAlt` or `senderPn`", meansHidden},
		{"`messages.upsert` without anything written", meansEmpty},
		{"`messages.upsert`: hidden or withdrawn vote in a poll, deletion", meansNotUsed},
		{"`messages.update`: `DELIVERY_ACK` (3)", meansDelivered},
		{"`messages.update`: `READ` (4), `PLAYED` (5)", meansRead},
		{"`messages.update`: anything else", meansNotUsed},
		{"`connection.update`, `qrcode.updated`, `logout.instance`, `remove.instance`", meansConnection},
		{unused(evolutionEvents), meansNotUsed},
		{"anything else", meansUnknown},
	}
}

func megaAPITable() [][2]string {
	return [][2]string{
		{"text", meansAnswered},
		{"picture, video, audio, document, sticker, location, poll, order, product", meansMedia},
		{"contact card, or a text that holds one", meansCard},
		{"text with buttons or a list", meansAnswered},
		{"choice of a list or of buttons", meansChoice},
		{"edit", meansEdited},
		{"reaction", meansReaction},
		{"`fromMe`", meansOwnOrOurs},
		{"of a group, broadcast list, status or channel", meansElsewhere},
		{"of an `@lid` without a phone beside it", meansHidden},
		{"nothing written", meansEmpty},
		{"`status` or `update.status` 3, without a message", meansDelivered},
		{"`status` or `update.status` 4 or 5, without a message", meansRead},
		{"any other `messageType` without a `key`", meansUnknown},
	}
}

func legacyTable() [][2]string {
	return [][2]string{
		{"`conversation`, `extendedTextMessage`", meansAnswered},
		{"picture, video, audio, document, sticker, location, poll", meansMedia},
		{"contact card, or a text that holds one", meansCard},
		{"choice of a list or of buttons", meansChoice},
		{"`fromMe`", meansOwnOrOurs},
		{"of a group, broadcast list, status or channel", meansElsewhere},
		{"of an `@lid` without a phone beside it", meansHidden},
		{"nothing written", meansEmpty},
	}
}

// unused names the events that nothing reads.
func unused(events map[string]func(Message, fields) ([]Message, error)) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(events)) {
		if events[name] == nil {
			names = append(names, "`"+name+"`")
		}
	}
	return strings.Join(names, ", ")
}
