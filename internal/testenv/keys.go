package testenv

import (
	"bytes"
	"encoding/base64"

	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// SuppressionKey is a key for SUPPRESSION_KEYS, the same for the same letter.
func SuppressionKey(letter byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{letter}, suppressionkeys.MinBytes))
}

// SuppressionKeys are the keys of these letters.
func SuppressionKeys(letters ...byte) *suppressionkeys.Keys {
	var list []byte
	for i, letter := range letters {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, SuppressionKey(letter)...)
	}
	// Keys of this form are always read.
	keys, _ := suppressionkeys.Parse(string(list))
	return keys
}
