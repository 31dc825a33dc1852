package platforms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
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
	return checkEncodedHMAC(newHash, hex.DecodeString, presented, signed, secrets)
}

// checkBase64HMAC is checkHMAC for an HMAC in base64, of either alphabet.
func checkBase64HMAC(newHash func() hash.Hash, presented string, signed []byte, secrets [][]byte) error {
	return checkEncodedHMAC(newHash, decodeBase64, presented, signed, secrets)
}

func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	return base64.RawStdEncoding.DecodeString(text)
}

// checkEncodedHMAC compares an HMAC that is decoded first. The word of an algorithm or a
// version may stand in front of it.
func checkEncodedHMAC(
	newHash func() hash.Hash, decode func(string) ([]byte, error), presented string, signed []byte, secrets [][]byte,
) error {
	presented = strings.TrimSpace(presented)
	if presented == "" {
		return ErrNoCredential
	}
	got, err := decode(withoutAlgorithm(presented))
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

// withoutAlgorithm takes a word and a sign from the front of a credential: "sha256=", "v1=".
// The padding of base64 has nothing after it that could be one.
func withoutAlgorithm(credential string) string {
	const longestWord = 16
	at := strings.IndexAny(credential, "= :")
	if at <= 0 || at > longestWord || strings.Trim(credential[at:], "= :") == "" {
		return credential
	}
	return strings.TrimLeft(credential[at+1:], " ")
}

// isBlank tells an empty secret: a Secret made of an empty file holds a line break.
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
