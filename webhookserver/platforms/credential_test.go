package platforms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// authentication is a line of a platform's table of who is believed.
type authentication struct {
	delivery string
	from     Delivery
	secrets  []string
	want     error
}

func testVerify(t *testing.T, platform Platform, rows []authentication) {
	t.Helper()
	for _, row := range rows {
		outcome := "authentic"
		if row.want != nil {
			outcome = row.want.Error()
		}
		t.Run(row.delivery+" → "+outcome, func(t *testing.T) {
			var secrets [][]byte
			for _, secret := range row.secrets {
				secrets = append(secrets, []byte(secret))
			}
			if err := platform.Verify(row.from, secrets); !errors.Is(err, row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHMACForms(t *testing.T) {
	const digest = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8" // HMAC-SHA256(key, …fox…)
	body := []byte("The quick brown fox jumps over the lazy dog")
	for _, test := range []struct {
		name, presented string
		want            error
	}{
		{"lower case", digest, nil},
		{"upper case", strings.ToUpper(digest), nil},
		{"prefix", "sha256=" + digest, nil},
		{"prefix in upper case", "SHA256=" + digest, nil},
		{"blanks around", " " + digest + "\n", nil},
		{"empty", "", ErrNoCredential},
		{"blank", " ", ErrNoCredential},
		{"prefix alone", "sha256=", ErrBadCredential},
		{"prefix twice", "sha256=sha256=" + digest, ErrBadCredential},
		{"cut", digest[:62], ErrBadCredential},
		{"odd", digest[:63], ErrBadCredential},
		{"longer", digest + "00", ErrBadCredential},
		{"no hex", strings.Repeat("z", 64), ErrBadCredential},
		{"zeros", strings.Repeat("0", 64), ErrBadCredential},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := checkHMAC(sha256.New, test.presented, body, [][]byte{{}, []byte("key")}); !errors.Is(err,
				test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	t.Run("an empty key proves nothing", func(t *testing.T) {
		const empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" // HMAC-SHA256("", "")
		if err := checkHMAC(sha256.New, empty, nil, [][]byte{{}, nil}); !errors.Is(err, ErrBadCredential) {
			t.Errorf("got %v", err)
		}
	})
}

// TestBlankSecretsProveNothing: a Secret that was made of an empty file holds a line break.
func TestBlankSecretsProveNothing(t *testing.T) {
	for _, blank := range []string{"", " ", "\n", "\r\n\t "} {
		secrets := [][]byte{[]byte(blank)}
		if err := checkSecret(blank, secrets); err == nil {
			t.Errorf("%q: the same blank is believed", blank)
		}
		mac := hmac.New(sha256.New, []byte(blank))
		_, _ = mac.Write([]byte("body"))
		if err := checkHMAC(sha256.New, hex.EncodeToString(mac.Sum(nil)), []byte("body"), secrets); !errors.Is(err,
			ErrBadCredential) {
			t.Errorf("%q: its signature: got %v", blank, err)
		}
	}
	if err := checkSecret("key\n", [][]byte{[]byte("key\n")}); err != nil {
		t.Errorf("a secret that ends in a line break: %v", err)
	}
}
