package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// maxIdentity bounds what is read of the annotation.
const maxIdentity = 256

// Identity returns the UID under which the gateway has an instance: the object's own or, where the
// object was restored from a backup, that of the object before it. sealed is the value for
// AnnotationGatewayIdentity.
//
// The annotation is believed only with a seal by the gateway's account token over the object's
// namespace and name: who may write a WhatsAppInstance must not be able to take over a number of
// another namespace whose UID they know.
func (c *Connector) Identity(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (uid, sealed string, err error) {
	own := string(instance.UID)
	if c.Types[instance.Spec.Gateway.Type].BuiltIn() {
		return own, "", nil
	}
	admin, err := c.admin(ctx, instance)
	if err != nil {
		return own, "", err
	}
	stands := instance.Annotations[v1alpha1.AnnotationGatewayIdentity]
	if before, _, ok := strings.Cut(stands, "."); ok && len(stands) <= maxIdentity && before != "" {
		if hmac.Equal([]byte(stands), []byte(seal(admin.AdminToken, instance, before))) {
			return before, stands, nil
		}
	}
	return own, seal(admin.AdminToken, instance, own), nil
}

// seal is a UID with its seal.
func seal(key string, instance *v1alpha1.WhatsAppInstance, uid string) string {
	code := hmac.New(sha256.New, []byte(key))
	code.Write([]byte("gateway-identity\x00" + instance.Namespace + "\x00" + instance.Name + "\x00" + uid))
	return uid + "." + hex.EncodeToString(code.Sum(nil))
}
