package simulator

import (
	"encoding/binary"
	"sync/atomic"
)

// directory is what WhatsApp knows of numbers. Every number has an account by that number, except for these.
type directory struct {
	// absent holds the numbers without WhatsApp.
	absent map[string]bool
	// ids holds the number that WhatsApp knows a number by, where it is another.
	ids map[string]string
}

func newDirectory() directory {
	return directory{absent: make(map[string]bool), ids: make(map[string]string)}
}

// id is the number that WhatsApp knows a number by.
func (d directory) id(number string) string {
	if id, found := d.ids[number]; found {
		return id
	}
	return number
}

// has tells whether a number has WhatsApp.
func (d directory) has(number string) bool {
	return isPhone(number) && !d.absent[number] && !d.absent[d.id(number)]
}

// messageIDs makes ids of messages, of the length and look of WhatsApp's.
type messageIDs struct {
	prefix string
	serial *atomic.Uint64
}

func newMessageIDs() messageIDs {
	return messageIDs{prefix: "3EB0" + hexUpper(random(3)), serial: new(atomic.Uint64)}
}

// next returns a new id.
func (m messageIDs) next() string {
	var serial [8]byte
	binary.BigEndian.PutUint64(serial[:], m.serial.Add(1))
	return m.prefix + hexUpper(serial[2:])
}
