package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/secrets"
)

// Keys of the Secret that a WhatsAppInstance's status.credentialsSecretRef names.
const (
	// KeyToken is the instance's token at the gateway.
	KeyToken = "token"
	// KeyWebhook is the unguessable last part of the instance's webhook URL.
	KeyWebhook = "webhookKey"
	// KeyGateway is the Fingerprint of the gateway that handed out the token.
	KeyGateway = "gateway"
)

// Fingerprint tells the gateway of an instance from any other: a token is never sent to a
// gateway that did not hand it out.
func (c *Connector) Fingerprint(instance *v1alpha1.WhatsAppInstance) string {
	return FingerprintOf(instance.Spec.Gateway.Type, c.base(instance))
}

// FingerprintOf is the Fingerprint of the gateway of a type at an address.
func FingerprintOf(gatewayType v1alpha1.GatewayType, base string) string {
	sum := sha256.Sum256([]byte(string(gatewayType) + "\x00" + strings.TrimRight(base, "/")))
	return hex.EncodeToString(sum[:])
}

// base is the address of the gateway that an instance names, "" when there is none.
func (c *Connector) base(instance *v1alpha1.WhatsAppInstance) string {
	if named := instance.Spec.Gateway.BaseURL; named != "" {
		return named
	}
	return c.Defaults[instance.Spec.Gateway.Type].BaseURL
}

// Defaults are the operator's own gateway of one type and its credentials. They are only
// ever used together: the token is never sent anywhere else.
type Defaults struct {
	// BaseURL of the operator's server; "" when there is none.
	BaseURL string
	// AdminToken of the operator's account there. A secret.
	AdminToken string
}

// Format keeps the token out of every log line and error, however it is printed.
func (d Defaults) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, "gateway defaults")
}

// Connector builds the Gateway of a WhatsAppInstance: the one place where gateway
// clients are made.
type Connector struct {
	// Secrets reads the credentials.
	Secrets *secrets.Reader
	// Types by name; a type that is not there is not supported.
	Types map[v1alpha1.GatewayType]Type
	// Defaults are the operator's own gateways, by type.
	Defaults map[v1alpha1.GatewayType]Defaults
	// Client is shared by the operator's own gateways.
	Client *http.Client
	// Guarded is shared by the gateways that instances name (NewGuardedClient). Default: one with
	// Rules.
	Guarded *http.Client
	// Rules say which gateways instances may name, and which Secrets may be sent to them.
	Rules outbound.Rules
	// Observe is told of every call; nobody is when nil.
	Observe Observer

	guardedOnce sync.Once
}

// clientFor is the HTTP client for the gateway of an instance: an address that an instance names is its owner's word
// and is guarded, unless it is the operator's own gateway.
func (c *Connector) clientFor(instance *v1alpha1.WhatsAppInstance) *http.Client {
	named := strings.TrimRight(instance.Spec.Gateway.BaseURL, "/")
	if named == "" || named == strings.TrimRight(c.Defaults[instance.Spec.Gateway.Type].BaseURL, "/") {
		return c.Client
	}
	c.guardedOnce.Do(func() {
		if c.Guarded == nil {
			c.Guarded = NewGuardedClient(c.Rules)
		}
	})
	return c.Guarded
}

// Capabilities are what the gateway of an instance can; false where nobody knows, because there is no
// instance, or its type or dialect is not supported.
func (c *Connector) Capabilities(instance *v1alpha1.WhatsAppInstance) (Capabilities, bool) {
	if instance == nil {
		return Capabilities{}, false
	}
	return c.Types[instance.Spec.Gateway.Type].Capabilities(instance.Spec.Gateway.Dialect)
}

// typeOf is the type of an instance's gateway. The error is a *failure.Error with code
// Misconfigured.
func (c *Connector) typeOf(instance *v1alpha1.WhatsAppInstance) (Type, error) {
	found, ok := c.Types[instance.Spec.Gateway.Type]
	if !ok {
		return Type{}, misconfigured("spec.gateway.type: %s is not supported by this version",
			instance.Spec.Gateway.Type)
	}
	return found, nil
}

// For returns the Gateway of an instance, with its credentials. The error is a
// *failure.Error with code Misconfigured that says which field to set, or the API
// server's when a Secret could not be read.
func (c *Connector) For(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (Gateway, error) {
	found, err := c.typeOf(instance)
	if err != nil {
		return nil, err
	}
	endpoint, err := c.endpoint(ctx, instance)
	if err != nil {
		return nil, err
	}
	opened, err := found.Open(c.clientFor(instance), endpoint)
	return c.Observe.observe(found.Name, opened, err)
}

// WithToken returns the Gateway of an instance for the calls that its own token authorises,
// without a look at any Secret: what is deleted can still be cleaned up when its Secrets
// went first. The token must be one that this gateway handed out. The error is a
// *failure.Error with code Misconfigured.
func (c *Connector) WithToken(instance *v1alpha1.WhatsAppInstance, token string) (Gateway, error) {
	found, err := c.typeOf(instance)
	if err != nil {
		return nil, err
	}
	opened, err := found.Open(c.clientFor(instance), Endpoint{
		BaseURL: c.base(instance), Token: token, Instance: index.GatewayName(instance),
		Dialect: instance.Spec.Gateway.Dialect,
	})
	return c.Observe.observe(found.Name, opened, err)
}

func (c *Connector) endpoint(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (Endpoint, error) {
	spec := &instance.Spec.Gateway
	endpoint := Endpoint{
		BaseURL:  spec.BaseURL,
		Instance: index.GatewayName(instance),
		Dialect:  spec.Dialect,
	}
	if !c.Types[spec.Type].BuiltIn() {
		admin, err := c.admin(ctx, instance)
		if err != nil {
			return Endpoint{}, err
		}
		endpoint.BaseURL, endpoint.AdminToken = admin.BaseURL, admin.AdminToken
	}
	token, err := c.Token(ctx, instance)
	if err != nil && !errors.Is(err, secrets.ErrNotFound) {
		return Endpoint{}, err
	}
	endpoint.Token = string(token)
	return endpoint, nil
}

// admin is the gateway of an instance with the token of its account.
func (c *Connector) admin(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (Defaults, error) {
	spec := &instance.Spec.Gateway
	own := c.Defaults[spec.Type]
	if spec.BaseURL == "" && spec.AdminTokenSecretRef == nil {
		if own.BaseURL == "" || own.AdminToken == "" {
			return Defaults{}, misconfigured(
				"spec.gateway: set baseURL and adminTokenSecretRef, or give the operator %s and %s",
				c.Types[spec.Type].BaseURLVariable, c.Types[spec.Type].AdminTokenVariable)
		}
		return own, nil
	}
	base := spec.BaseURL
	if base == "" {
		base = own.BaseURL
	}
	if base == "" || spec.AdminTokenSecretRef == nil {
		return Defaults{}, misconfigured("spec.gateway: baseURL and adminTokenSecretRef are needed together")
	}
	token, err := c.adminToken(ctx, instance, base)
	if errors.Is(err, secrets.ErrNotFound) {
		return Defaults{}, misconfigured("spec.gateway.adminTokenSecretRef: Secret %q with a key %q is needed",
			spec.AdminTokenSecretRef.Name, spec.AdminTokenSecretRef.Key)
	}
	return Defaults{BaseURL: base, AdminToken: string(token)}, err
}

// adminToken reads the token of the account that an instance names, where it may be sent to the
// gateway at base.
func (c *Connector) adminToken(ctx context.Context, instance *v1alpha1.WhatsAppInstance, base string) ([]byte, error) {
	parsed, err := outbound.ParseField("spec.gateway.baseURL", base)
	if err != nil {
		return nil, err
	}
	if c.clientFor(instance) != c.Client {
		if err := c.Rules.Check("spec.gateway.baseURL", parsed); err != nil {
			return nil, err
		}
	}
	return outbound.Sender{Secrets: c.Secrets, Rules: c.Rules}.Read(ctx, outbound.Reference{
		Namespace: instance.Namespace, Field: "spec.gateway.adminTokenSecretRef",
		Ref: *instance.Spec.Gateway.AdminTokenSecretRef,
	}, parsed)
}

// WebhookKey returns the key in an instance's webhook URL. The error is
// secrets.ErrNotFound before the instance is provisioned.
func (c *Connector) WebhookKey(ctx context.Context, instance *v1alpha1.WhatsAppInstance) ([]byte, error) {
	data, err := c.credentials(ctx, instance)
	return present(data, KeyWebhook, err)
}

// Token returns an instance's gateway token. The error is secrets.ErrNotFound before the
// instance is provisioned, and after its spec has come to name another gateway.
func (c *Connector) Token(ctx context.Context, instance *v1alpha1.WhatsAppInstance) ([]byte, error) {
	data, err := c.credentials(ctx, instance)
	if from, known := data[KeyGateway]; known && string(from) != c.Fingerprint(instance) {
		return nil, fmt.Errorf("%w: the token is another gateway's", secrets.ErrNotFound)
	}
	return present(data, KeyToken, err)
}

func (c *Connector) credentials(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (map[string][]byte, error) {
	ref := instance.Status.CredentialsSecretRef
	if ref == nil {
		return nil, fmt.Errorf("%w: the instance is not provisioned yet", secrets.ErrNotFound)
	}
	return c.Secrets.Data(ctx, types.NamespacedName{Namespace: instance.Namespace, Name: ref.Name})
}

func present(data map[string][]byte, key string, err error) ([]byte, error) {
	if err == nil && len(data[key]) == 0 {
		err = fmt.Errorf("%w: no %s", secrets.ErrNotFound, key)
	}
	return data[key], err
}

// CredentialsSecret is the name of the owned Secret with an instance's credentials.
func CredentialsSecret(instance *v1alpha1.WhatsAppInstance) types.NamespacedName {
	return types.NamespacedName{Namespace: instance.Namespace, Name: instance.Name + "-gateway"}
}

// PairingSecret is the name of the owned Secret with the QR or pair code.
func PairingSecret(instance *v1alpha1.WhatsAppInstance) types.NamespacedName {
	return types.NamespacedName{Namespace: instance.Namespace, Name: instance.Name + "-pairing"}
}

// Keys of the pairing Secret.
const (
	// KeyQR is the QR as a data URI.
	KeyQR = "qr"
	// KeyQRImage is the QR as a PNG file.
	KeyQRImage = "qr.png"
	// KeyPairCode is the pair code.
	KeyPairCode = "pairCode"
)

func misconfigured(format string, args ...any) *failure.Error {
	return &failure.Error{
		Class: failure.Terminal, Code: failure.Misconfigured, Op: "gateway: configure",
		Detail: fmt.Sprintf(format, args...),
	}
}
