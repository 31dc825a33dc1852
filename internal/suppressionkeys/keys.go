// Package suppressionkeys makes and recognises what remains of a number that was erased and must still not be written
// to: an HMAC under a key of the operator. A plain hash of a phone is no secret, because all phones can be tried in
// minutes. No I/O.
package suppressionkeys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	// MinBytes is how long a key is at least.
	MinBytes = 32
	// maxKeys bounds the keys: every look-up of a number is made for each of them.
	maxKeys = 8

	version = "v1."
	// idBytes of a key's id tell keys apart, and nothing of them.
	idBytes = 4
	// domain separates these HMACs from whatever else is made with the same key.
	domain = "cartrecovery.dev/suppression\x00v1\x00"
)

// Keys are the operator's keys for Suppressions: the first makes new HMACs, all are recognised. nil is none.
type Keys struct {
	all []key
}

type key struct {
	id     string
	secret []byte
}

// Format shows how many keys there are, and none of them.
func (k *Keys) Format(state fmt.State, _ rune) { _, _ = fmt.Fprintf(state, "%d keys", k.Count()) }

// Parse reads keys in base64, separated by commas; nil for none. The error repeats nothing of a key.
func Parse(list string) (*Keys, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	parsed := &Keys{}
	for position, entry := range strings.Split(list, ",") {
		secret, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(entry))
		switch {
		case err != nil:
			return nil, fmt.Errorf("key %d is not base64", position+1)
		case len(secret) < MinBytes:
			return nil, fmt.Errorf("key %d has %d bytes", position+1, len(secret))
		}
		made := key{id: idOf(secret), secret: secret}
		if parsed.find(made.id) != nil {
			return nil, fmt.Errorf("key %d is there twice", position+1)
		}
		parsed.all = append(parsed.all, made)
	}
	if len(parsed.all) > maxKeys {
		return nil, errors.New("there are more than 8 keys")
	}
	return parsed, nil
}

func idOf(secret []byte) string {
	sum := hmac.New(sha256.New, secret)
	sum.Write([]byte("cartrecovery.dev/suppression key id"))
	return hex.EncodeToString(sum.Sum(nil)[:idBytes])
}

// Count is how many keys there are.
func (k *Keys) Count() int {
	if k == nil {
		return 0
	}
	return len(k.all)
}

// Make returns the HMAC of a number in a Store under the first key; "" where there is no key or no number. The number
// is a lead.PhoneHash, so that a Suppression that knows only that can be keyed too.
func (k *Keys) Make(store, phoneHash string) string {
	if k.Count() == 0 || phoneHash == "" {
		return ""
	}
	return k.all[0].mac(store, phoneHash)
}

// All are the HMACs that a number in a Store can have, one for each key.
func (k *Keys) All(store, phoneHash string) []string {
	if k.Count() == 0 || phoneHash == "" {
		return nil
	}
	made := make([]string, 0, len(k.all))
	for i := range k.all {
		made = append(made, k.all[i].mac(store, phoneHash))
	}
	return made
}

// Knows says whether an HMAC was made with one of the keys: whether its number is recognised.
func (k *Keys) Knows(mac string) bool { return k.find(ID(mac)) != nil }

func (k *Keys) find(id string) *key {
	for i := range k.Count() {
		if k.all[i].id == id {
			return &k.all[i]
		}
	}
	return nil
}

func (k *key) mac(store, phoneHash string) string {
	sum := hmac.New(sha256.New, k.secret)
	sum.Write([]byte(domain + store + "\x00" + phoneHash))
	return version + k.id + "." + hex.EncodeToString(sum.Sum(nil))
}

// ID is the id of the key that an HMAC was made with.
func ID(mac string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(mac, version), ".")
	return id
}

// Name is the name of the Suppression with an HMAC: the same whoever makes it, so that whoever must know whether there
// is one reads it by name.
func Name(mac string) string {
	_, sum, _ := strings.Cut(strings.TrimPrefix(mac, version), ".")
	return "erased-" + sum[:min(len(sum), 2*16)]
}
