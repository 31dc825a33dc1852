package gateway_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/evolution"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/secrets"
)

// recording is a Connector that keeps what its factories were given last.
type recording struct {
	*gateway.Connector
	client   *http.Client
	endpoint gateway.Endpoint
}

func (r *recording) build(client *http.Client, endpoint gateway.Endpoint) (gateway.Gateway, error) {
	r.client, r.endpoint = client, endpoint
	return struct{ gateway.Gateway }{}, nil
}

// moves gives the operator a gateway of a type elsewhere.
func (r *recording) moves(of v1alpha1.GatewayType) {
	own := r.Defaults[of]
	own.BaseURL = "https://elsewhere.example.com"
	r.Defaults[of] = own
}

func connector(defaults gateway.Defaults) *recording {
	r := &recording{}
	live := fake.NewClientBuilder().WithObjects(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "admin"},
			Data: map[string][]byte{"token": []byte("theirs")}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: gen.Instance + "-gateway"},
			Data: map[string][]byte{"token": []byte("instance"), "webhookKey": []byte("key")}},
	).Build()
	r.Connector = &gateway.Connector{
		Secrets: secrets.NewReader(live, time.Now),
		Defaults: map[v1alpha1.GatewayType]gateway.Defaults{
			v1alpha1.GatewayUAZAPI:    defaults,
			v1alpha1.GatewayEvolution: {BaseURL: "https://evolution.example.com", AdminToken: "global"},
		},
		Rules: outbound.Rules{Hosts: outbound.ParseHosts("own.example.com, theirs.example.com")},
		Types: gateway.ByName(uazapi.Type().With(r.build), evolution.Type().With(r.build)),
	}
	return r
}

var own = gateway.Defaults{BaseURL: "https://own.example.com", AdminToken: "ours"}

// TestTheOperatorsTokenGoesNowhereElse is the table of who is called with whose token.
func TestTheOperatorsTokenGoesNowhereElse(t *testing.T) {
	admin := &v1alpha1.SecretKeyReference{Name: "admin", Key: "token"}
	for name, row := range map[string]struct {
		defaults gateway.Defaults
		spec     v1alpha1.GatewaySpec
		url      string
		token    string
		refused  string
	}{
		"the operator's own": {defaults: own, url: own.BaseURL, token: "ours"},
		"an own gateway, an own token": {defaults: own,
			spec: v1alpha1.GatewaySpec{BaseURL: "https://theirs.example.com", AdminTokenSecretRef: admin},
			url:  "https://theirs.example.com", token: "theirs"},
		"the operator's, an own token": {defaults: own, spec: v1alpha1.GatewaySpec{AdminTokenSecretRef: admin},
			url: own.BaseURL, token: "theirs"},
		"an own gateway, no token": {defaults: own,
			spec: v1alpha1.GatewaySpec{BaseURL: "https://theirs.example.com"}, refused: "needed together"},
		"nothing anywhere": {refused: "UAZAPI_BASE_URL"},
		"a token that does not exist": {defaults: own,
			spec: v1alpha1.GatewaySpec{AdminTokenSecretRef: &v1alpha1.SecretKeyReference{Name: "none",
				Key: "token"}},
			refused: `Secret "none"`},
		"a type that is not spoken yet": {defaults: own, spec: v1alpha1.GatewaySpec{Type: "Carrier"},
			refused: "not supported"},
		"the operator's own Evolution": {defaults: own, spec: v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution},
			url: "https://evolution.example.com", token: "global"},
		"an own Evolution, no token": {defaults: own, spec: v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution,
			BaseURL: "https://theirs.example.com"}, refused: "needed together"},
		"an own Evolution, an own token": {
			defaults: own, spec: v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution,
				BaseURL: "https://theirs.example.com", AdminTokenSecretRef: admin},
			url: "https://theirs.example.com", token: "theirs",
		},
	} {
		t.Run(name, func(t *testing.T) {
			instance := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
				if row.spec.Type == "" {
					row.spec.Type = v1alpha1.GatewayUAZAPI
				}
				i.Spec.Gateway = row.spec
			})
			c := connector(row.defaults)
			_, err := c.For(t.Context(), instance)
			if row.refused != "" {
				if failure.CodeOf(err) != failure.Misconfigured || !strings.Contains(err.Error(), row.refused) {
					t.Fatalf("got %v, want it refused with %q", err, row.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			endpoint := c.endpoint
			if endpoint.BaseURL != row.url || endpoint.AdminToken != row.token || endpoint.Token != "instance" {
				t.Errorf("called %s with admin token %q and token %q", endpoint.BaseURL, endpoint.AdminToken,
					endpoint.Token)
			}
		})
	}
}

// TestGatewaysThatMayNotBeCalled is the table of gateways that instances may not name, and of
// Secrets that may not be sent to them.
func TestGatewaysThatMayNotBeCalled(t *testing.T) {
	admin := &v1alpha1.SecretKeyReference{Name: "admin", Key: "token"}
	for name, row := range map[string]struct{ base, reason string }{
		"a host that the Secret does not name": {"https://evil.example.com", v1alpha1.ReasonSecretNotAllowed},
		"another port of a host that it names": {"https://theirs.example.com:8443", v1alpha1.ReasonSecretNotAllowed},
		"no TLS":                               {"http://theirs.example.com", v1alpha1.ReasonEndpointNotAllowed},
		"the metadata of the cloud":            {"https://169.254.169.254", v1alpha1.ReasonEndpointNotAllowed},
		"an address of the cluster":            {"https://10.96.0.1", v1alpha1.ReasonEndpointNotAllowed},
		"the machine itself":                   {"https://[::ffff:127.0.0.1]:6443", v1alpha1.ReasonEndpointNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connector(own).For(t.Context(), gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
				i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI, BaseURL: row.base,
					AdminTokenSecretRef: admin}
			}))
			if failure.CodeOf(err) != failure.Misconfigured || failure.ReasonOf(err, "") != row.reason {
				t.Errorf("got %v, want reason %s", err, row.reason)
			}
		})
	}
}

// TestWhoIsCalledOverWhichClient: what an instance names is called with guard, what the operator
// was configured with without.
func TestWhoIsCalledOverWhichClient(t *testing.T) {
	admin := &v1alpha1.SecretKeyReference{Name: "admin", Key: "token"}
	trusted := &http.Client{}
	for name, row := range map[string]struct {
		spec    v1alpha1.GatewaySpec
		trusted bool
	}{
		"the operator's": {v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI}, true},
		"the operator's, by name": {v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI, BaseURL: own.BaseURL + "/",
			AdminTokenSecretRef: admin}, true},
		"another path of its host": {
			v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI, BaseURL: own.BaseURL + "/x", AdminTokenSecretRef: admin},
			false,
		},
		"theirs": {v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI, BaseURL: "https://theirs.example.com",
			AdminTokenSecretRef: admin}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := connector(own)
			c.Client = trusted
			instance := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway = row.spec })
			for _, connect := range []func() error{
				func() error { _, err := c.For(t.Context(), instance); return err },
				func() error { _, err := c.WithToken(instance, "token"); return err },
			} {
				if err := connect(); err != nil {
					t.Fatal(err)
				}
				if (c.client == trusted) != row.trusted || c.client == nil {
					t.Errorf("called over the trusted client: %t, want %t", c.client == trusted, row.trusted)
				}
			}
		})
	}
}

// TestUAZAPIsTokenIsNotForEvolution: each type of gateway has its own credentials.
func TestUAZAPIsTokenIsNotForEvolution(t *testing.T) {
	c := connector(own)
	c.Defaults[v1alpha1.GatewayEvolution] = gateway.Defaults{BaseURL: "https://evolution.example.com"}
	_, err := c.For(t.Context(), gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution}
	}))
	if failure.CodeOf(err) != failure.Misconfigured || !strings.Contains(err.Error(), "EVOLUTION_API_KEY") {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsBeforeAnInstanceIsProvisioned(t *testing.T) {
	c := connector(own)
	fresh := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Status.CredentialsSecretRef = nil })
	if _, err := c.WebhookKey(t.Context(), fresh); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("webhook key: got %v", err)
	}
	if _, err := c.Token(t.Context(), fresh); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("token: got %v", err)
	}
	key, err := c.WebhookKey(t.Context(), gen.InstanceObject())
	if err != nil || string(key) != "key" {
		t.Errorf("got %q, %v", key, err)
	}
}

func TestFingerprint(t *testing.T) {
	instance := func(kind v1alpha1.GatewayType, base string) *v1alpha1.WhatsAppInstance {
		return gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Gateway = v1alpha1.GatewaySpec{Type: kind, BaseURL: base}
		})
	}
	c := connector(gateway.Defaults{BaseURL: "https://a.example.com/", AdminToken: "ours"})
	by := c.Fingerprint(instance(v1alpha1.GatewayUAZAPI, ""))
	for name, row := range map[string]struct {
		instance *v1alpha1.WhatsAppInstance
		same     bool
	}{
		"the same said explicitly": {instance(v1alpha1.GatewayUAZAPI, "https://a.example.com"), true},
		"another host":             {instance(v1alpha1.GatewayUAZAPI, "https://b.example.com"), false},
		"another type":             {instance(v1alpha1.GatewaySimulated, ""), false},
		"Evolution there":          {instance(v1alpha1.GatewayEvolution, "https://a.example.com"), false},
	} {
		if got := c.Fingerprint(row.instance) == by; got != row.same {
			t.Errorf("%s: same gateway: %t, want %t", name, got, row.same)
		}
	}
}

// TestFingerprintOfEvolution: the operator's own Evolution server is another gateway when
// its address is another, whatever UAZAPI's is.
func TestFingerprintOfEvolution(t *testing.T) {
	c := connector(own)
	instance := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution}
	})
	before := c.Fingerprint(instance)
	c.moves(v1alpha1.GatewayUAZAPI)
	if c.Fingerprint(instance) != before {
		t.Error("UAZAPI's address makes a difference")
	}
	c.moves(v1alpha1.GatewayEvolution)
	if c.Fingerprint(instance) == before {
		t.Error("Evolution's address makes no difference")
	}
}

// TestATokenGoesToNoOtherGateway: the spec has come to name another gateway than the one
// that handed the token out.
func TestATokenGoesToNoOtherGateway(t *testing.T) {
	c := connector(own)
	instance := gen.InstanceObject()
	c.Secrets = secrets.NewReader(fake.NewClientBuilder().WithObjects(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: gen.Instance + "-gateway"},
		Data: map[string][]byte{
			gateway.KeyToken: []byte("instance"), gateway.KeyWebhook: []byte("key"),
			gateway.KeyGateway: []byte(c.Fingerprint(instance)),
		},
	}).Build(), time.Now)
	if token, err := c.Token(t.Context(), instance); err != nil || string(token) != "instance" {
		t.Fatalf("got %q, %v", token, err)
	}
	c.moves(v1alpha1.GatewayUAZAPI)
	if _, err := c.Token(t.Context(), instance); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("got %v, want no token", err)
	}
	if _, err := c.For(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	if token := c.endpoint.Token; token != "" {
		t.Errorf("the other gateway would be sent %q", token)
	}
}

func TestWithToken(t *testing.T) {
	c := connector(own)
	for name, row := range map[string]struct {
		spec v1alpha1.GatewaySpec
		want gateway.Endpoint
	}{
		"the operator's own": {v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI},
			gateway.Endpoint{BaseURL: own.BaseURL}},
		"an own gateway whose Secret is gone": {
			v1alpha1.GatewaySpec{
				Type: v1alpha1.GatewayEvolution, BaseURL: "https://theirs.example.com", Dialect: v1alpha1.DialectV1,
				AdminTokenSecretRef: &v1alpha1.SecretKeyReference{Name: "missing", Key: "token"},
			},
			gateway.Endpoint{BaseURL: "https://theirs.example.com", Dialect: v1alpha1.DialectV1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			instance := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
				i.Spec.Gateway, i.Status.CredentialsSecretRef = row.spec, nil
			})
			row.want.Token, row.want.Instance = "instance", gen.Namespace+"."+gen.Instance
			if _, err := c.WithToken(instance, "instance"); err != nil {
				t.Fatal(err)
			}
			if c.endpoint != row.want {
				t.Error("the gateway was built for another endpoint")
			}
		})
	}
	simulated := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.Gateway.Type = v1alpha1.GatewaySimulated
	})
	if _, err := c.WithToken(simulated, "instance"); failure.CodeOf(err) != failure.Misconfigured {
		t.Errorf("a type that is not supported: %v", err)
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	endpoint := gateway.Endpoint{BaseURL: "https://x", AdminToken: "hidden-admin", Token: "hidden-token",
		Instance: "one"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{endpoint, &endpoint, own} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "hidden") || strings.Contains(text, "ours") {
				t.Errorf("%s prints a secret: %s", format, text)
			}
		}
	}
}
