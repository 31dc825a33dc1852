package v1alpha1_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// start starts an API server for one test and returns a client and a namespace.
func start(t *testing.T) (client.Client, string) {
	t.Helper()
	environment := testenv.ForTest(t)
	namespace, err := environment.Namespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return environment.Client, namespace
}

// TestSchemas holds the rules of the schemas against a real API server: each row is an
// object that must be refused, and a word of what is said.
func TestSchemas(t *testing.T) {
	kube, namespace := start(t)
	t.Run("refused", func(t *testing.T) { refuses(t, kube, namespace) })
	t.Run("refused platforms", func(t *testing.T) { refusesPlatforms(t, kube, namespace) })
	t.Run("refused gateways", func(t *testing.T) { refusesGateways(t, kube, namespace) })
	t.Run("refused status", func(t *testing.T) { refusesStatus(t, kube, namespace) })
	t.Run("what is said", func(t *testing.T) { saysWhatToWrite(t, kube, namespace) })
	t.Run("accepted", func(t *testing.T) { accepts(t, kube, namespace) })
	t.Run("immutable", func(t *testing.T) { keeps(t, kube, namespace) })
	t.Run("defaults", func(t *testing.T) { defaults(t, kube, namespace) })
	t.Run("documented platforms", func(t *testing.T) { documented(t, kube, namespace) })
	t.Run("samples", func(t *testing.T) { samples(t, kube, namespace) })
	t.Run("guides", func(t *testing.T) { guides(t, kube, namespace) })
}

func refuses(t *testing.T, kube client.Client, namespace string) {
	long := v1alpha1.Duration{Duration: 9000 * time.Hour}
	for name, row := range map[string]struct {
		object client.Object
		says   string
	}{
		"a clientID with a slash": {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.ClientID = "a/b" }),
			"spec.clientID"},
		"a cooldown over a year": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Recovery.Cooldown = &long
		}), "cooldown must be between"},
		"an own AI endpoint without a key": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.AI.BaseURL = "https://ai.example.com/v1"
		}), "own apiKeySecretRef"},
		"a temperature that is too high": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.AI.Temperature = "2.5"
		}), "temperature"},
		"an AI endpoint with credentials": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.AI.BaseURL = "https://me:secret@ai.example.com"
		}), "baseURL"},
		"a step with instructions and text": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Recovery.Sequences = sequence("hint", "text")
		}), "not both"},
		"quiet hours of no length": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{Start: "22:00", End: "22:00"}
		}), "must differ"},
		"an unknown platform": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Platforms = platform("shopify")
		}), "described by the field generic of a platform named generic"},
		"a product without platform ids": {gen.ProductObject(func(p *v1alpha1.Product) { p.Spec.PlatformIDs = nil }),
			"platformIDs"},
		"an own gateway without a token": {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Gateway.BaseURL = "https://x.uazapi.com"
		}), "own adminTokenSecretRef"},
		"a pair code without a phone": {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Pairing.Method = v1alpha1.PairingPairCode
		}), "needs the phone"},
		"a phone that is not E.164": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone = "11 98765-4321"
		}), "customer.phone"},
		"another phone that is not E.164": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.OtherPhones = []string{"11 98765-4321"}
		}), "customer.otherPhones"},
		"more addresses than are kept": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.OtherEmails = strings.Split("a@b,c@b,d@b,e@b,f@b,g@b,h@b,i@b", ",")
		}), "customer.otherEmails"},
		"a phone of 16 digits": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone = "+1234567890123456"
		}), "customer.phone"},
		"another phone of 16 digits": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.OtherPhones = []string{"+1234567890123456"}
		}), "customer.otherPhones"},
		"a reversal by no event": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Spec.Reversal = &v1alpha1.Reversal{Kind: v1alpha1.ReversalRefund, At: v1alpha1.NewTimestamp(time.Now())}
		}), "reversal.eventID"},
		"a claim of a clientID with a slash": {claim("a/b", "shop"), "spec.clientID"},
		"a claim for what is no namespace":   {claim("acme", "my_shop"), "spec.namespace"},
		"a daily budget over the bound": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.AI.DailyTokenBudget = ptr.To[int64](1_000_000_000_001)
		}), "dailyTokenBudget"},
		"a budget of a lead over the bound": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.AI.LeadTokenBudget = ptr.To[int64](1_000_000_001)
		}), "leadTokenBudget"},
		"quiet hours without a start": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{End: "08:00"}
		}), "quietHours.start: Required value"},
		"a cart without a phone": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = "" }),
			"needs a trigger and customer.phone"},
		"a lead of nothing": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }),
			"a lead starts with"},
		"an amount with a comma": {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.Amount = "297,00" }),
			"spec.amount"},
		"a suppression of nobody": {&v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Name: "s"},
			Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: "acme"}}},
			"exactly one of phone, phoneHash and phoneHMAC"},
		"a suppression by hash and HMAC": {&v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Name: "s"},
			Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: "acme"},
				PhoneHash: strings.Repeat("0", 16), PhoneHMAC: keyedPhone}},
			"exactly one of phone, phoneHash and phoneHMAC"},
		"a suppression by the HMAC of another program": {&v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Name: "s"},
			Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: "acme"},
				PhoneHMAC: strings.Repeat("0", 64)}},
			"spec.phoneHMAC"},
	} {
		err := kube.Create(t.Context(), gen.In(namespace, row.object))
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want it refused with %q", name, err, row.says)
		}
	}
}

// keyedPhone is a phoneHMAC.
var keyedPhone = "v1.0123abcd." + strings.Repeat("0", 64)

func claim(clientID, of string) *v1alpha1.ClientIDClaim {
	return &v1alpha1.ClientIDClaim{ObjectMeta: metav1.ObjectMeta{Name: "claim"},
		Spec: v1alpha1.ClientIDClaimSpec{ClientID: clientID, Namespace: of}}
}

// refusesStatus checks the bounds of what only the operator writes.
func refusesStatus(t *testing.T, kube client.Client, namespace string) {
	lead := gen.In(namespace, gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Name = "bounds" }))
	store := gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) { s.Name = "bounds" }))
	instance := gen.In(namespace, named("bounds", gen.InstanceObject()))
	for _, object := range []client.Object{lead, store, instance} {
		if err := kube.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	message := `{"id": "m", "role": "Customer", "at": "2026-01-01T00:00:00Z", `
	delivery := `{"time": "2026-01-01T00:00:00Z", "platform": "hotmart", "reason": ""}`
	for _, row := range []struct {
		object       client.Object
		status, says string
	}{
		{lead, `{"nextAction": {"action": ""}}`, "nextAction.action"},
		{lead, `{"cycle": -1}`, "status.cycle"},
		{lead, `{"tokensUsed": -1}`, "status.tokensUsed"},
		{lead, `{"tokensUsedBefore": -1}`, "status.tokensUsedBefore"},
		{lead, `{"result": {"messages": -1}}`, "result.messages"},
		{lead, `{"conversation": [` + message + `"cycle": -1}]}`, "conversation[0].cycle"},
		{lead, `{"conversation": [` + message + `"tokens": -1}]}`, "conversation[0].tokens"},
		{store, `{"leads": {"pending": -1}}`, "leads.pending"},
		{store, `{"leads": {"revenue": [{"currency": "", "amount": "1", "leads": 1}]}}`, "currency"},
		{store, `{"leads": {"revenue": [{"currency": "BRL", "amount": "", "leads": 1}]}}`, "amount"},
		{store, `{"leads": {"revenue": [{"currency": "BRL", "amount": "1", "leads": 0}]}}`, "leads"},
		{store, `{"tokens": {"day": "2026-1-1", "used": 1}}`, "tokens.day"},
		{store, `{"tokens": {"day": "2026-01-01", "used": 0}}`, "tokens.used"},
		{store, `{"webhooks": [{"platform": "hotmart", "url": ""}]}`, "webhooks[0].url"},
		{store, `{"lastRejectedDelivery": ` + delivery + `}`, "lastRejectedDelivery.reason"},
		{store, `{"lastUnusableDelivery": ` + delivery + `}`, "lastUnusableDelivery.reason"},
		{instance, `{"pace": {"waiting": -1}}`, "pace.waiting"},
		{instance, `{"pairing": {"attempts": -1}}`, "pairing.attempts"},
	} {
		err := patchStatus(t.Context(), kube, row.object, row.status)
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want it refused with %q", row.status, err, row.says)
		}
	}
}

func patchStatus(ctx context.Context, kube client.Client, object client.Object, status string) error {
	return kube.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"status": `+status+`}`)))
}

func sequence(instructions, text string) []v1alpha1.Sequence {
	return []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{{
		Name: "first", After: v1alpha1.Duration{Duration: time.Minute}, Instructions: instructions, Text: text,
	}}}}
}

func platform(name v1alpha1.PlatformName) []v1alpha1.StorePlatform {
	return []v1alpha1.StorePlatform{{Name: name, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "s", Key: "k"}}}}
}

// entry makes an entry of a Store's platforms, changed by mods.
func entry(name v1alpha1.PlatformName, mods ...func(*v1alpha1.StorePlatform)) v1alpha1.StorePlatform {
	made := platform(name)[0]
	for _, mod := range mods {
		mod(&made)
	}
	return made
}

func token(location v1alpha1.TokenLocation) func(*v1alpha1.StorePlatform) {
	return func(p *v1alpha1.StorePlatform) { p.TokenLocation = &location }
}

// mapped gives an entry the smallest mapping, changed by mods.
func mapped(mods ...func(*v1alpha1.GenericMapping)) func(*v1alpha1.StorePlatform) {
	return func(p *v1alpha1.StorePlatform) {
		p.Generic = &v1alpha1.GenericMapping{
			Auth: v1alpha1.GenericAuth{Type: "HMACSHA256"}, Event: "$.event", Purchase: []string{"paid"},
			Fields: v1alpha1.GenericFields{Email: "$.email", ProductID: "$.product"},
		}
		for _, mod := range mods {
			mod(p.Generic)
		}
	}
}

func refusesPlatforms(t *testing.T, kube client.Client, namespace string) {
	type mapping = v1alpha1.GenericMapping
	header := v1alpha1.TokenLocation{Header: "X-Token"}
	for name, row := range map[string]struct {
		platform v1alpha1.StorePlatform
		says     string
	}{
		"no secret": {entry("hotmart", func(p *v1alpha1.StorePlatform) { p.SecretRefs = nil }),
			"secretRefs"},
		"a token location for hotmart": {entry("hotmart", token(header)), "tokenLocation is for"},
		"a token location for kiwify":  {entry("kiwify", token(header)), "tokenLocation is for"},
		"a token location for eduzz":   {entry("eduzz", token(header)), "tokenLocation is for"},
		"a token location for generic": {entry("generic", mapped(), token(header)), "tokenLocation is for"},
		"a token in two places": {entry("kirvano",
			token(v1alpha1.TokenLocation{Header: "X-Token", BodyField: "token"})),
			"exactly one of header and bodyField"},
		"a token nowhere": {entry("kirvano", token(v1alpha1.TokenLocation{})),
			"exactly one of header and bodyField"},
		"a token in a header with a colon": {entry("kirvano", token(v1alpha1.TokenLocation{Header: "X-Token:"})),
			"tokenLocation.header"},
		"generic without a mapping": {entry("generic"), "generic mapping"},
		"hotmart with a mapping":    {entry("hotmart", mapped()), "generic mapping"},
		"cakto with a mapping":      {entry("cakto", mapped()), "generic mapping"},
		"a mapping without authentication": {entry("generic", mapped(func(m *mapping) { m.Auth.Type = "None" })),
			"auth.type"},
		"a mapping with basic auth": {entry("generic", mapped(func(m *mapping) { m.Auth.Type = "Basic" })),
			"auth.type"},
		"a bearer token in another header": {entry("generic",
			mapped(func(m *mapping) { m.Auth = v1alpha1.GenericAuth{Type: "Bearer", Header: "X-Token"} })),
			"header is for the types HMACSHA256 and Token"},
		"a bearer token in a field": {entry("generic", mapped(func(m *mapping) {
			m.Auth = v1alpha1.GenericAuth{Type: "Bearer", Field: "$.token"}
		})), "field is for type Token"},
		"a token of a mapping in two places": {entry("generic", mapped(func(m *mapping) {
			m.Auth = v1alpha1.GenericAuth{Type: "Token", Header: "X-Token", Field: "$.token"}
		})), "exactly one of header and field"},
		"a token of a mapping nowhere": {entry("generic", mapped(func(m *mapping) {
			m.Auth = v1alpha1.GenericAuth{Type: "Token"}
		})), "exactly one of header and field"},
		"an encoding of a token": {entry("generic", mapped(func(m *mapping) {
			m.Auth = v1alpha1.GenericAuth{Type: "Token", Header: "X-Token", Encoding: "Base64"}
		})), "encoding is for type HMACSHA256"},
		"an encoding that there is not": {entry("generic",
			mapped(func(m *mapping) { m.Auth.Encoding = "Base32" })), "auth.encoding"},
		"an event in no header": {entry("generic", mapped(func(m *mapping) { m.EventHeader = "X Topic" })),
			"eventHeader"},
		"amounts in pennies": {entry("generic",
			mapped(func(m *mapping) { m.Fields.AmountUnit = "Pennies" })), "amountUnit"},
		"a mapping without a purchase": {entry("generic", mapped(func(m *mapping) { m.Purchase = []string{} })),
			"purchase"},
		"an empty value of a purchase": {entry("generic", mapped(func(m *mapping) { m.Purchase = []string{""} })),
			"purchase[0]"},
		"an empty value of a refund": {entry("generic", mapped(func(m *mapping) { m.Reversal = []string{""} })),
			"reversal[0]"},
		"a mapping without an event": {entry("generic", mapped(func(m *mapping) { m.Event = "" })),
			"set event, eventHeader or both"},
		"a mapping without a product": {entry("generic", mapped(func(m *mapping) { m.Fields.ProductID = "" })),
			"productID"},
		"a mapping without a customer": {entry("generic", mapped(func(m *mapping) { m.Fields.Email = "" })),
			"at least one of email and phone"},
		"a start with an unheard-of trigger": {entry("generic",
			mapped(func(m *mapping) { m.Start = []v1alpha1.GenericStart{{Value: "x", Trigger: "Sneezed"}} })),
			"trigger"},
	} {
		store := gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Platforms = []v1alpha1.StorePlatform{row.platform}
		}))
		if err := kube.Create(t.Context(), store); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(),
			row.says) {
			t.Errorf("%s: got %v, want it refused with %q", name, err, row.says)
		}
	}
}

func refusesGateways(t *testing.T, kube client.Client, namespace string) {
	for _, row := range []struct {
		gateway v1alpha1.GatewayType
		dialect v1alpha1.GatewayDialect
		says    string
	}{
		{v1alpha1.GatewayUAZAPI, v1alpha1.DialectV1, "the V1 dialect is for gateway type Evolution"},
		{v1alpha1.GatewaySimulated, v1alpha1.DialectV1, "the V1 dialect is for gateway type Evolution"},
		{v1alpha1.GatewayEvolution, v1alpha1.DialectLegacy, "the Legacy dialect is for gateway type UAZAPI"},
		{v1alpha1.GatewaySimulated, v1alpha1.DialectLegacy, "the Legacy dialect is for gateway type UAZAPI"},
		{v1alpha1.GatewayUAZAPI, "V3", "Unsupported value"},
	} {
		instance := gen.In(namespace, gatewayOf(row.gateway, row.dialect))
		if err := kube.Create(t.Context(), instance); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(),
			row.says) {
			t.Errorf("%s of %s: got %v, want it refused with %q", row.dialect, row.gateway, err, row.says)
		}
	}
}

func gatewayOf(gateway v1alpha1.GatewayType, dialect v1alpha1.GatewayDialect) *v1alpha1.WhatsAppInstance {
	return gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.Gateway.Type, i.Spec.Gateway.Dialect = gateway, dialect
	})
}

// accepts checks that the rules refuse no more than they should.
func accepts(t *testing.T, kube client.Client, namespace string) {
	var every []v1alpha1.StorePlatform
	for _, name := range platforms.Names() {
		switch name {
		case v1alpha1.PlatformKirvano:
			every = append(every, entry(name, token(v1alpha1.TokenLocation{Header: "Security-Token"})))
		case v1alpha1.PlatformCakto:
			every = append(every, entry(name, token(v1alpha1.TokenLocation{BodyField: "secret"})))
		case v1alpha1.PlatformGeneric:
			every = append(every, entry(name, mapped()))
		default:
			every = append(every, entry(name))
		}
	}
	objects := map[string]client.Object{
		"every platform": gen.StoreObject(func(s *v1alpha1.Store) { s.Name, s.Spec.Platforms = "every", every }),
		"a bearer token and a phone": gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name, s.Spec.Platforms = "bearer", []v1alpha1.StorePlatform{entry("generic",
				mapped(func(m *v1alpha1.GenericMapping) {
					m.Auth.Type, m.Fields.Email, m.Fields.Phone = "Bearer", "", "$.phone"
				}))}
		}),
		"Legacy of UAZAPI": named("uazapi-legacy", gatewayOf(v1alpha1.GatewayUAZAPI, v1alpha1.DialectLegacy)),
		"V1 of Evolution":  named("evolution-v1", gatewayOf(v1alpha1.GatewayEvolution, v1alpha1.DialectV1)),
		"V2 of UAZAPI":     named("uazapi-v2", gatewayOf(v1alpha1.GatewayUAZAPI, v1alpha1.DialectV2)),
		"V2 of Evolution":  named("evolution-v2", gatewayOf(v1alpha1.GatewayEvolution, v1alpha1.DialectV2)),
		"no dialect":       named("no-dialect", gatewayOf(v1alpha1.GatewaySimulated, "")),
		"a phone of 15 digits": gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.Customer.Phone = "long-phone", "+123456789012345"
		}),
		"a purchase of which only the time is known": gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.Purchase = "only-time", &v1alpha1.Purchase{At: v1alpha1.NewTimestamp(time.Now())}
		}),
		"the greatest budgets": gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name = "budgets"
			s.Spec.AI.DailyTokenBudget, s.Spec.AI.LeadTokenBudget = ptr.To[int64](1e12), ptr.To[int64](1e9)
		}),
	}
	for name, object := range objects {
		if err := kube.Create(t.Context(), gen.In(namespace, object)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func named(name string, instance *v1alpha1.WhatsAppInstance) *v1alpha1.WhatsAppInstance {
	instance.Name = name
	return instance
}

// keeps checks what cannot be changed.
func keeps(t *testing.T, kube client.Client, namespace string) {
	store := gen.StoreObject(func(s *v1alpha1.Store) { s.Name = "kept" })
	product := gen.ProductObject(func(p *v1alpha1.Product) { p.Name = "kept" })
	instance := named("kept", gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Spec.InstanceName = "one" }))
	lead := gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Name = "kept" })
	acme := v1alpha1.ObjectReference{Name: "acme"}
	suppression := &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Name: "kept"},
		Spec: v1alpha1.SuppressionSpec{StoreRef: acme, Phone: "+5511900000002"}}
	hashed, keyed := suppression.DeepCopy(), suppression.DeepCopy()
	hashed.Name, hashed.Spec.Phone, hashed.Spec.PhoneHash = "kept-hashed", "", strings.Repeat("0", 16)
	keyed.Name, keyed.Spec.Phone, keyed.Spec.PhoneHMAC = "kept-keyed", "", keyedPhone
	ledger := &v1alpha1.RecoveryLedger{ObjectMeta: metav1.ObjectMeta{Name: "kept"},
		Spec: v1alpha1.RecoveryLedgerSpec{StoreRef: acme}}
	kept := claim("kept", namespace)
	for _, object := range []client.Object{store, product, instance, lead, suppression, hashed, keyed, ledger,
		kept} {
		if err := kube.Create(t.Context(), gen.In(namespace, object)); err != nil {
			t.Fatal(err)
		}
	}
	hash := strings.Repeat("0", 16)
	for _, row := range []struct {
		object     client.Object
		spec, says string
	}{
		{store, `{"clientID": "other"}`, "clientID is immutable"},
		{product, `{"storeRef": {"name": "other"}}`, "storeRef is immutable: create another Product"},
		{instance, `{"storeRef": {"name": "other"}}`, "storeRef is immutable: create another WhatsAppInstance"},
		{instance, `{"instanceName": null}`, "instanceName is immutable: create another WhatsAppInstance"},
		{lead, `{"storeRef": {"name": "other"}}`, "storeRef is immutable: create another CartRecovery"},
		{lead, `{"platform": "eduzz"}`, "platform is immutable: create another CartRecovery"},
		{suppression, `{"storeRef": {"name": "other"}}`, "storeRef is immutable: create another Suppression"},
		{suppression, `{"phone": "+5511900000003"}`, "phone is immutable: create another Suppression"},
		{suppression, `{"phone": null, "phoneHash": "` + hash + `"}`, "phone, phoneHash and phoneHMAC are immutable"},
		{suppression, `{"phone": null, "phoneHMAC": "` + keyedPhone + `"}`, "phone, phoneHash and phoneHMAC are immutable"},
		{hashed, `{"phoneHash": null, "phoneHMAC": "` + keyedPhone + `"}`, "phone, phoneHash and phoneHMAC are immutable"},
		{keyed, `{"phoneHMAC": "` + strings.ReplaceAll(keyedPhone, "0", "1") + `"}`, "phoneHMAC is immutable"},
		{ledger, `{"storeRef": {"name": "other"}}`, "storeRef is immutable: create another RecoveryLedger"},
		{kept, `{"clientID": "other"}`, "clientID is immutable: create another ClientIDClaim"},
	} {
		err := kube.Patch(t.Context(), row.object, client.RawPatch(types.MergePatchType, []byte(`{"spec": `+row.spec+`}`)))
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%T %s: got %v, want it refused with %q", row.object, row.spec, err, row.says)
		}
	}
}

// defaults checks what a fresh object says before any controller has seen it.
func defaults(t *testing.T, kube client.Client, namespace string) {
	fresh := gen.In(namespace, gen.Lead(time.Now()))
	if err := kube.Create(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	var read v1alpha1.CartRecovery
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(fresh), &read); err != nil {
		t.Fatal(err)
	}
	if read.Status.Phase != v1alpha1.PhasePendingRecovery || read.Status.ObservedGeneration != -1 {
		t.Errorf("a fresh lead is %q, observed %d", read.Status.Phase, read.Status.ObservedGeneration)
	}
	if *read.Spec.AbandonedAt != *fresh.Spec.AbandonedAt {
		t.Errorf("abandonedAt was %s, is %s", fresh.Spec.AbandonedAt, read.Spec.AbandonedAt)
	}
	instance := gen.In(namespace, named("plain", gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.Gateway, i.Spec.Pairing = v1alpha1.GatewaySpec{Aliases: []string{"other"}}, v1alpha1.PairingSpec{
			Phone: "+5531988776655"}
	})))
	if err := kube.Create(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	if instance.Spec.Gateway.Type != v1alpha1.GatewayUAZAPI || instance.Spec.Pairing.Method != v1alpha1.PairingQRCode {
		t.Errorf("an instance that names neither is of %q, paired by %q", instance.Spec.Gateway.Type,
			instance.Spec.Pairing.Method)
	}
	countsNone(t, kube, namespace)
}

// countsNone checks that a count of none is a 0 that kubectl can show, also on what an earlier
// version wrote.
func countsNone(t *testing.T, kube client.Client, namespace string) {
	store := gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) { s.Name = "counted" }))
	if err := kube.Create(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if err := patchStatus(t.Context(), kube, store, `{"leads": {"active": 1}}`); err != nil {
		t.Fatal(err)
	}
	read := &unstructured.Unstructured{}
	read.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Store"))
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(store), read); err != nil {
		t.Fatal(err)
	}
	leads, _, _ := unstructured.NestedMap(read.Object, "status", "leads")
	for _, count := range []string{"pending", "recovered", "converted", "closed", "optedOut", "reversed", "blocked",
		"handedOff"} {
		if leads[count] != int64(0) {
			t.Errorf("status.leads.%s is %v, want 0", count, leads[count])
		}
	}
}

// samples applies every file of config/samples.
func samples(t *testing.T, kube client.Client, namespace string) {
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "samples", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ready, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "samples", "platforms", "*.yaml"))
	if len(ready) < 6 {
		t.Errorf("only %d platforms described", len(ready))
	}
	files = append(files, ready...)
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		if err := applySample(t.Context(), kube, namespace, file); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		applied++
	}
	if applied < 6 {
		t.Errorf("only %d samples found", applied)
	}
}

// documented applies every entry of spec.platforms that docs/platforms.md shows.
func documented(t *testing.T, kube client.Client, namespace string) {
	content, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "platforms.md"))
	if err != nil {
		t.Fatal(err)
	}
	var applied []v1alpha1.PlatformName
	for _, block := range strings.Split(string(content), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.HasPrefix(block, "- name: ") {
			continue
		}
		var entries []any
		if err := yaml.Unmarshal([]byte(block), &entries); err != nil {
			t.Errorf("%v in\n%s", err, block)
			continue
		}
		name := strings.Fields(block)[2]
		store := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Store",
			"metadata": map[string]any{"name": "documented-" + name, "namespace": namespace},
			"spec":     map[string]any{"clientID": "documented-" + name, "platforms": entries},
		}}
		if err := client.WithFieldValidation(kube, metav1.FieldValidationStrict).Create(t.Context(),
			store); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		applied = append(applied, v1alpha1.PlatformName(name))
	}
	if diff := cmp.Diff(platforms.Names(), applied); diff != "" {
		t.Errorf("the entries of docs/platforms.md and the registry, -registry +docs:\n%s", diff)
	}
}

func applySample(ctx context.Context, kube client.Client, namespace, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(content, &object.Object); err != nil {
		return err
	}
	object.SetNamespace(namespace)
	strict := client.WithFieldValidation(kube, metav1.FieldValidationStrict)
	return strict.Create(ctx, object)
}
