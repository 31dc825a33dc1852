package movein

import (
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
)

// Number is what a row becomes: a held WhatsAppInstance, and the Secret that the controller keeps its token in.
type Number struct {
	Object *v1alpha1.WhatsAppInstance
	Secret *corev1.Secret
}

var gateways = map[string]v1alpha1.GatewayType{
	"uazapi": v1alpha1.GatewayUAZAPI, "evolution": v1alpha1.GatewayEvolution,
	"evolutionapi": v1alpha1.GatewayEvolution, "baileys": v1alpha1.GatewayEvolution,
}

var dialects = map[string]v1alpha1.GatewayDialect{
	"v2": v1alpha1.DialectV2, "v1": v1alpha1.DialectV1, "legacy": v1alpha1.DialectLegacy,
}

var (
	gatewayNameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$`)
	baseForm        = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?$`)
	notInNames      = regexp.MustCompile(`[^a-z0-9]+`)
)

// warmUpLasts is how long a number has been paired that needs no warm-up.
const warmUpLasts = 14 * 24 * time.Hour

// maxToken is what gateways' tokens have at most.
const maxToken = 1 << 10

// Number is what a row becomes; nil when the row is skipped, or wrong.
func (t *Target) Number(row Row) (made *Number, skipped string, problems []Problem) {
	c := &cells{Target: t, row: row}
	if c.isOthers() {
		return nil, SkippedClient, nil
	}
	instance := c.numberObject()
	token := c.get("token")
	switch {
	case token == "":
		c.wrong("token", "expected the instance's token at the gateway, found nothing")
	case len(token) > maxToken || strings.ContainsAny(token, " \t\r\n"):
		c.wrong("token", "expected a token without blanks")
	}
	base := c.get("baseURL")
	if base == "" {
		base = t.GatewayURL
	}
	if len(base) > 512 || !baseForm.MatchString(base) {
		c.wrong("baseURL", "expected the gateway's address, such as https://example.uazapi.com; "+
			"--gateway-url names it for all rows")
	}
	c.account(instance, base)
	if len(c.problems) > 0 {
		return nil, "", c.problems
	}
	name := gateway.CredentialsSecret(instance)
	return &Number{Object: instance, Secret: &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Data: map[string][]byte{
			gateway.KeyToken:   []byte(token),
			gateway.KeyGateway: []byte(gateway.FingerprintOf(instance.Spec.Gateway.Type, base)),
		},
	}}, "", nil
}

// numberObject is the WhatsAppInstance of a row.
func (c *cells) numberObject() *v1alpha1.WhatsAppInstance {
	atGateway := c.matching("instanceName", gatewayNameForm, "expected letters, digits, '.', '_' and '-', at most 128")
	if c.get("instanceName") == "" {
		c.wrong("instanceName", "expected the name at the gateway, found nothing")
	}
	name := c.get("name")
	if name == "" {
		name = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(atGateway), "-"), "-")
	}
	if len(validation.IsDNS1123Label(name)) > 0 && atGateway != "" {
		c.wrong("name", "expected a name for the WhatsAppInstance: at most 63 small letters, digits and '-'")
	}
	instance := &v1alpha1.WhatsAppInstance{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.Store.Namespace, Name: name, Labels: map[string]string{v1alpha1.LabelImport: c.Batch},
			Annotations: map[string]string{v1alpha1.AnnotationImportIncomplete: ""},
		},
		Spec: v1alpha1.WhatsAppInstanceSpec{
			StoreRef: v1alpha1.ObjectReference{Name: c.Store.Name}, InstanceName: atGateway, Suspend: true,
			Gateway: v1alpha1.GatewaySpec{
				Type:    oneOf(c, "gateway", gateways, v1alpha1.GatewayUAZAPI, "UAZAPI or Evolution"),
				Dialect: oneOf(c, "dialect", dialects, "", "V2, V1 or Legacy"),
			},
		},
	}
	if paired := c.past("pairedAt"); !paired.IsZero() && c.Now.Sub(paired) >= warmUpLasts {
		none := int32(0)
		instance.Spec.Limits.WarmUp = &v1alpha1.WarmUp{Days: &none}
	}
	return instance
}

// account has an instance name its gateway, where the account there is the client's own.
func (c *cells) account(instance *v1alpha1.WhatsAppInstance, base string) {
	secret := c.get("adminTokenSecret")
	if secret == "" {
		return
	}
	name, key, ok := strings.Cut(secret, "/")
	if !ok || len(validation.IsDNS1123Subdomain(name)) > 0 || len(validation.IsConfigMapKey(key)) > 0 {
		c.wrong("adminTokenSecret", "expected NAME/KEY of a Secret in the Store's namespace")
		return
	}
	instance.Spec.Gateway.BaseURL = base
	instance.Spec.Gateway.AdminTokenSecretRef = &v1alpha1.SecretKeyReference{Name: name, Key: key}
}
