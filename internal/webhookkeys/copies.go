// Package webhookkeys keeps copies of what the webhook server checks deliveries and answers callers
// with, in Secrets of fixed names in each namespace. The part that faces the Internet can so run
// with the right to read these Secrets and no others: RBAC chooses Secrets by name only.
//
// The controllers write the copies, the webhook server reads them. Of tokens that are only
// compared there are hashes; no gateway's token and no AI's key is among them.
package webhookkeys

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// The right to read the copies, and no other Secrets.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get,resourceNames=cart-recovery-webhook-keys-0;cart-recovery-webhook-keys-1;cart-recovery-webhook-keys-2;cart-recovery-webhook-keys-3;cart-recovery-webhook-keys-4;cart-recovery-webhook-keys-5;cart-recovery-webhook-keys-6;cart-recovery-webhook-keys-7;cart-recovery-pairing-0;cart-recovery-pairing-1;cart-recovery-pairing-2;cart-recovery-pairing-3

// The names of the Secrets, each followed by a number.
const (
	// KeysPrefix begins the names of those with keys.
	KeysPrefix = "cart-recovery-webhook-keys-"
	// PairingPrefix begins the names of those with QRs and pair codes.
	PairingPrefix = "cart-recovery-pairing-"

	// keysShards and pairingShards are how many there are in a namespace. A Secret has at most
	// 1 MiB: enough for some thousand Stores, and for a dozen QRs that are on show at once.
	keysShards    = 8
	pairingShards = 4
)

// ErrNotCopied: the controllers have not copied yet what is needed now. It passes by itself.
var ErrNotCopied = errors.New("the webhook keys are not copied yet")

// Kind is what a copy is of.
type Kind string

const (
	// OfStore are the secrets of a Store's platforms.
	OfStore Kind = "store"
	// OfInstance are the credentials of a WhatsAppInstance's webhook.
	OfInstance Kind = "instance"
	// OfPairing is what a WhatsAppInstance shows to pair with.
	OfPairing Kind = "pairing"
)

// Store is the copy of the secrets of a Store's platforms.
type Store struct {
	// Name and UID of the Store.
	Name string    `json:"name"`
	UID  types.UID `json:"uid"`
	// Platforms, in the order of the Store's.
	Platforms []Platform `json:"platforms"`
	// Checked is when the copy was last compared with its sources because a delivery matched none
	// of it.
	Checked time.Time `json:"checked,omitzero"`
}

// Platform are the secrets of one platform.
type Platform struct {
	Name v1alpha1.PlatformName `json:"name"`
	// Refs are the references that Keys were read from.
	Refs []v1alpha1.SecretKeyReference `json:"refs"`
	// Keys are those that exist. Secrets: HMACs are made with them.
	Keys [][]byte `json:"keys"`
}

// Instance is the copy of the credentials of a WhatsAppInstance's webhook, each as its Digest.
type Instance struct {
	// Name and UID of the WhatsAppInstance.
	Name string    `json:"name"`
	UID  types.UID `json:"uid"`
	// Token and WebhookKey; empty where there is none.
	Token      []byte `json:"token,omitempty"`
	WebhookKey []byte `json:"webhookKey,omitempty"`
}

// Pairing is the copy of what a WhatsAppInstance shows to pair with: credentials.
type Pairing struct {
	// Name and UID of the WhatsAppInstance.
	Name string    `json:"name"`
	UID  types.UID `json:"uid"`
	// QR as a data URI, or PairCode.
	QR       string `json:"qr,omitempty"`
	PairCode string `json:"pairCode,omitempty"`
}

// Digest is how a credential is kept that is only compared.
func Digest(credential []byte) []byte {
	if len(credential) == 0 {
		return nil
	}
	sum := sha256.Sum256(credential)
	return sum[:]
}

// SecretOf is the Secret that has the copy of an object.
func SecretOf(kind Kind, object types.NamespacedName) types.NamespacedName {
	prefix, shards := KeysPrefix, keysShards
	if kind == OfPairing {
		prefix, shards = PairingPrefix, pairingShards
	}
	shard := int(sha256.Sum256([]byte(object.Name))[0]) % shards
	return types.NamespacedName{Namespace: object.Namespace, Name: prefix + strconv.Itoa(shard)}
}

// SecretNames are the names of all Secrets with copies.
func SecretNames() []string {
	var names []string
	for i := range keysShards {
		names = append(names, KeysPrefix+strconv.Itoa(i))
	}
	for i := range pairingShards {
		names = append(names, PairingPrefix+strconv.Itoa(i))
	}
	return names
}

// entryOf is the key of an object's copy in its Secret: names may be too long for one.
func entryOf(kind Kind, name string) string {
	sum := sha256.Sum256([]byte(name))
	return string(kind) + "-" + hex.EncodeToString(sum[:16])
}

// readEntry reads the copy of an object into what it is of; false when there is none.
func readEntry(data map[string][]byte, kind Kind, name string, into any) (bool, error) {
	content, found := data[entryOf(kind, name)]
	if !found {
		return false, nil
	}
	if err := json.Unmarshal(content, into); err != nil {
		return false, fmt.Errorf("read the copy of a %s: it is not what the controllers write", kind)
	}
	return true, nil
}

// isOf says whether a platform's copy was made of these references.
func (p *Platform) isOf(platform *v1alpha1.StorePlatform) bool {
	return p.Name == platform.Name && slices.Equal(p.Refs, platform.SecretRefs)
}

// isSame says whether two copies of a Store hold the same keys.
func (s *Store) isSame(other *Store) bool {
	return s.UID == other.UID && slices.EqualFunc(s.Platforms, other.Platforms, func(a, b Platform) bool {
		return a.Name == b.Name && slices.Equal(a.Refs, b.Refs) && slices.EqualFunc(a.Keys, b.Keys, bytes.Equal)
	})
}
