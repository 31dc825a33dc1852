package platforms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"strings"
)

// checkSecret decides whether presented is one of the secrets. Both sides are hashed
// first, so that the time tells nothing of their lengths, and every secret is compared,
// so that it tells nothing of which one matched. An empty or blank secret proves nothing.
func checkSecret(presented string, secrets [][]byte) error {
	if presented == "" {
		return ErrNoCredential
	}
	got := sha256.Sum256([]byte(presented))
	match := 0
	for _, secret := range secrets {
		if isBlank(secret) {
			continue
		}
		want := sha256.Sum256(secret)
		match |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return verdict(match)
}

// checkHMAC decides whether presented is the hex HMAC of signed under one of the
// secrets. Either case of the digits is read, and a "sha256=" in front.
func checkHMAC(newHash func() hash.Hash, presented string, signed []byte, secrets [][]byte) error {
	presented = strings.TrimSpace(presented)
	if presented == "" {
		return ErrNoCredential
	}
	const prefix = "sha256="
	if len(presented) > len(prefix) && strings.EqualFold(presented[:len(prefix)], prefix) {
		presented = presented[len(prefix):]
	}
	got, err := hex.DecodeString(presented)
	if err != nil {
		return ErrBadCredential
	}
	match := 0
	for _, secret := range secrets {
		if isBlank(secret) {
			continue
		}
		mac := hmac.New(newHash, secret)
		_, _ = mac.Write(signed)
		match |= subtle.ConstantTimeCompare(got, mac.Sum(nil))
	}
	return verdict(match)
}

// isBlank tells a secret that is none: a Secret made of an empty file holds a line break.
func isBlank(secret []byte) bool { return len(bytes.TrimSpace(secret)) == 0 }

func verdict(match int) error {
	if match != 1 {
		return ErrBadCredential
	}
	return nil
}

// header reads a header of a delivery.
func header(delivery Delivery, name string) string {
	if delivery.Header == nil {
		return ""
	}
	return delivery.Header(name)
}

// query reads a query parameter of a delivery.
func query(delivery Delivery, name string) string {
	if delivery.Query == nil {
		return ""
	}
	return delivery.Query(name)
}
