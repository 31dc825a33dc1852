package simulator

import "slices"

// record is a sent message as the server keeps it.
type record struct {
	SentMessage
	from *instance
	// owner is the number it was sent from.
	owner string
	// chat is the number that WhatsApp knows the recipient by.
	chat string
	// source is the sender's track_source.
	source string
	// previous is the position of the one before with the same track id, or -1.
	previous int
}

// view describes the message as the server does.
func (r record) view() messageView {
	return messageView{
		ID: r.owner + ":" + r.MessageID, MessageID: r.MessageID, ChatID: r.chat + chatServer,
		Sender: r.owner + chatServer, SenderPN: r.owner + chatServer, SenderLID: lidOf(r.owner), FromMe: true,
		MessageType: "ExtendedTextMessage", Type: "text", Text: r.Text, Content: map[string]string{"text": r.Text},
		MessageTimestamp: r.ReceivedAt.UnixMilli(), Status: "Sent", Owner: r.owner,
		TrackSource: r.source, TrackID: r.TrackID, WasSentByAPI: true,
	}
}

// trackKey names the messages of one instance with one track id.
type trackKey struct {
	from *instance
	id   string
}

// journal is the last sent messages, in order of arrival, and where to find them by
// track id. Positions count from the first message ever. Guarded by its server's mu.
type journal struct {
	keep    int
	first   int
	records []record
	last    map[trackKey]int
}

// newJournal returns a journal that keeps at least that many messages, and at most
// twice as many.
func newJournal(keep int) journal {
	return journal{keep: keep, last: make(map[trackKey]int)}
}

// add appends a message, and forgets old ones when there are too many.
func (j *journal) add(kept record) {
	if len(j.records) >= 2*j.keep {
		j.forget(len(j.records) - j.keep + 1)
	}
	kept.previous = -1
	if kept.TrackID != "" {
		key := trackKey{kept.from, kept.TrackID}
		if at, found := j.last[key]; found {
			kept.previous = at
		}
		j.last[key] = j.first + len(j.records)
	}
	j.records = append(j.records, kept)
}

// forget drops the n oldest messages.
func (j *journal) forget(n int) {
	for at, old := range j.records[:n] {
		key := trackKey{old.from, old.TrackID}
		if last, found := j.last[key]; found && last == j.first+at {
			delete(j.last, key)
		}
	}
	j.records = append([]record(nil), j.records[n:]...)
	j.first += n
}

// search gives visit the messages of an instance, newest first, until it returns
// false: all of them, or those with the track id if it is not empty.
func (j *journal) search(from *instance, trackID string, visit func(record) bool) {
	if trackID == "" {
		for _, kept := range slices.Backward(j.records) {
			if kept.from == from && !visit(kept) {
				return
			}
		}
		return
	}
	at, found := j.last[trackKey{from, trackID}]
	for found && at >= j.first {
		kept := j.records[at-j.first]
		if !visit(kept) {
			return
		}
		at = kept.previous
	}
}

// find returns the message of an instance with that id.
func (j *journal) find(from *instance, messageID string) (found record, ok bool) {
	j.search(from, "", func(each record) bool {
		if each.MessageID == messageID {
			found, ok = each, true
		}
		return !ok
	})
	return found, ok
}
