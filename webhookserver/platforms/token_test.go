package platforms

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// These errors name fields that only the platforms with a plain token have.
var _ = named("sale_status_enum", "tipoEvento")

func named(fields ...string) bool {
	for _, field := range fields {
		inputFields[field] = true
	}
	return true
}

// withHeaders is a delivery with headers, by their names in lower case.
func withHeaders(body []byte, headers map[string]string) Delivery {
	return Delivery{Body: body, Header: func(name string) string { return headers[strings.ToLower(name)] }}
}

// tokenInForm signs as the platforms with a token in the body do: a form carries any token.
func tokenInForm(field string) func([]byte, string) Delivery {
	return func(_ []byte, secret string) Delivery {
		return Delivery{Body: []byte(url.Values{field: {secret}}.Encode())}
	}
}

// configuredPlatform is a platform as a Store describes it.
func configuredPlatform(t *testing.T, name v1alpha1.PlatformName, location *v1alpha1.TokenLocation) Platform {
	t.Helper()
	platform, err := Configured(&v1alpha1.StorePlatform{Name: name, TokenLocation: location})
	if err != nil {
		t.Fatal(err)
	}
	if platform.Name() != name {
		t.Fatalf("got %q, want %q", platform.Name(), name)
	}
	return platform
}

// forgiving is a delivery with a field in another type or absent, and what it must still
// say.
type forgiving struct {
	name   string
	change change
	says   string
	check  func(Event) bool
}

func testForgiving(t *testing.T, platform Platform, file string, rows []forgiving) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			events, err := platform.Parse(Delivery{Body: changed(t, file, row.change)}, Place{Region: "BR"})
			if err != nil {
				t.Fatal(err)
			}
			checkEvent(t, events[0])
			checkPrivate(t, events[0])
			if says(events[0]) != row.says || !row.check(events[0]) {
				t.Errorf("got %s: %+v", says(events[0]), events[0])
			}
		})
	}
}

// testTests checks that a panel's test of the address is answered and does nothing.
func testTests(t *testing.T, platform Platform, token string) {
	t.Helper()
	for name, body := range map[string]string{
		"true":   `{"test":true,"` + token + `":"x"}`,
		"1":      `{"teste":1}`,
		"string": `{"ping":"true"}`,
		"form":   "test=1&" + token + "=x",
	} {
		t.Run("test as "+name, func(t *testing.T) {
			events, err := platform.Parse(Delivery{Body: []byte(body)}, Place{Region: "BR"})
			if err != nil {
				t.Fatal(err)
			}
			if len(events) != 1 || says(events[0]) != "ignore: Ping" {
				t.Errorf("got %+v", events)
			}
			checkEvent(t, events[0])
		})
	}
}

// TestTokenLocation: where a Store says that the token is, it is looked for, and nowhere
// else.
func TestTokenLocation(t *testing.T) {
	inHeader := &v1alpha1.TokenLocation{Header: "X-Shop-Token"}
	inBody := &v1alpha1.TokenLocation{BodyField: "shop_token"}
	inBearer := &v1alpha1.TokenLocation{Header: "authorization"}
	for i := range registry {
		if !registry[i].sendsToken() || len(registry[i].tokens.fields) == 0 {
			continue
		}
		name, field := registry[i].name, registry[i].tokens.fields[0]
		body := []byte(`{"` + field + `":"usual-1"}`)
		own := []byte(`{"shop_token":"own-1"}`)
		t.Run(string(name), func(t *testing.T) {
			testVerify(t, configuredPlatform(t, name, nil), []authentication{
				{"usual field", Delivery{Body: body}, []string{"another", "usual-1"}, nil},
				{"usual field, another token", Delivery{Body: body}, []string{"usual-2"}, ErrBadCredential},
				{"usual field, no secret", Delivery{Body: body}, nil, ErrBadCredential},
				{"usual field, an empty secret", Delivery{Body: body}, []string{""}, ErrBadCredential},
				{"usual field, empty", Delivery{Body: []byte(`{"` + field + `":""}`)}, []string{""}, ErrNoCredential},
				{"usual field, a number", Delivery{Body: []byte(`{"` + field + `":7}`)}, []string{"7"},
					ErrNoCredential},
				{"usual field, deeper", Delivery{Body: []byte(`{"data":{"` + field + `":"usual-1"}}`)},
					[]string{"usual-1"}, ErrNoCredential},
				{"usual field in a form", Delivery{Body: []byte(field + "=usual-1")}, []string{"usual-1"}, nil},
				{"another field", Delivery{Body: own}, []string{"own-1"}, ErrNoCredential},
			})
			testVerify(t, configuredPlatform(t, name, inHeader), []authentication{
				{"configured header", withHeaders(body, map[string]string{"x-shop-token": "own-1"}), []string{"own-1"},
					nil},
				{"configured header, body cannot be read",
					withHeaders([]byte("{"), map[string]string{"x-shop-token": "own-1"}), []string{"own-1"}, nil},
				{"configured header, another token", withHeaders(body, map[string]string{"x-shop-token": "own-2"}),
					[]string{"own-1"}, ErrBadCredential},
				{"header configured, usual field sent", Delivery{Body: body}, []string{"usual-1"}, ErrNoCredential},
				{"header configured, another sent", withHeaders(body, map[string]string{"x-kirvano-token": "own-1"}),
					[]string{"own-1"}, ErrNoCredential},
			})
			testVerify(t, configuredPlatform(t, name, inBody), []authentication{
				{"configured field", Delivery{Body: own}, []string{"own-1"}, nil},
				{"field configured, usual field sent", Delivery{Body: body}, []string{"usual-1"}, ErrNoCredential},
				{"field configured, header sent", withHeaders(body, map[string]string{"security-token": "own-1"}),
					[]string{"own-1"}, ErrNoCredential},
			})
			testVerify(t, configuredPlatform(t, name, inBearer), []authentication{
				{"configured Authorization, bearer",
					withHeaders(body, map[string]string{"authorization": "bearer own-1"}), []string{"own-1"}, nil},
				{"configured Authorization, plain", withHeaders(body, map[string]string{"authorization": "own-1"}),
					[]string{"own-1"}, nil},
				{"configured Authorization, nothing after the scheme",
					withHeaders(body, map[string]string{"authorization": "Bearer "}), []string{""}, ErrNoCredential},
			})
		})
	}
	t.Run("body cannot be read", func(t *testing.T) {
		var input *InputError
		if err := caktoUsual.Verify(Delivery{Body: []byte("{")}, [][]byte{[]byte("x")}); !errors.As(err, &input) {
			t.Errorf("got %v", err)
		}
	})
	for name, location := range map[string]*v1alpha1.TokenLocation{"neither": {},
		"both": {Header: "X", BodyField: "x"}} {
		t.Run(name, func(t *testing.T) {
			_, err := Configured(&v1alpha1.StorePlatform{Name: v1alpha1.PlatformTicto, TokenLocation: location})
			var wrong *ConfigError
			if !errors.As(err, &wrong) || wrong.Field != "tokenLocation" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestKirvanoHeaders: any of the usual places, whatever else carries a token.
func TestKirvanoHeaders(t *testing.T) {
	body := []byte(`{"token":"in-body"}`)
	var rows []authentication
	for _, name := range []string{"security-token", "x-kirvano-token", "x-webhook-token"} {
		rows = append(rows,
			authentication{name, withHeaders(nil, map[string]string{name: "kirvano-1"}),
				[]string{"kirvano-0", "kirvano-1"}, nil},
			authentication{name + ", another token", withHeaders(body, map[string]string{name: "kirvano-2"}),
				[]string{"kirvano-1"}, ErrBadCredential},
			authentication{name + ", empty secret", withHeaders(body, map[string]string{name: "kirvano-2"}),
				[]string{""}, ErrBadCredential})
	}
	rows = append(rows,
		authentication{"authorization", withHeaders(nil, map[string]string{"authorization": "Bearer kirvano-1"}),
			[]string{"kirvano-1"}, nil},
		authentication{"a proxy's authorization beside the field",
			withHeaders(body, map[string]string{"authorization": "Basic eDp5"}), []string{"in-body"}, nil},
		authentication{"another token, body cannot be read",
			withHeaders([]byte("{"), map[string]string{"security-token": "x"}), []string{"kirvano-1"},
			ErrBadCredential},
		authentication{"nothing", withHeaders([]byte("{}"), nil), []string{"kirvano-1"}, ErrNoCredential})
	testVerify(t, kirvano{kirvanoTokens}, rows)
}

func TestWaiting(t *testing.T) {
	for method, want := range map[string]outcome{
		"": boletoPending, "boleto": boletoPending, "BANK_SLIP": boletoPending, "billet_installments": boletoPending,
		"PIX": pixPending, "pix_recurring": pixPending,
		"credit_card": {kind: Ignored, reason: reasonCard}, "Cartão de crédito": {kind: Ignored, reason: reasonCard},
		"paypal": notUsed, "Débito online": notUsed,
	} {
		if got := waiting(method); got != want {
			t.Errorf("%q: got %+v, want %+v", method, got, want)
		}
	}
}

// TestEmptyObjects: what makes an object out of an array, as PHP does, sends an empty one as [].
func TestEmptyObjects(t *testing.T) {
	for fixture, platform := range map[string]Platform{
		"kirvano/sale.json": kirvanoUsual, "ticto/order.json": tictoUsual, "perfectpay/sale.json": perfectpayUsual,
	} {
		for name, customer := range map[string]any{
			"an empty list": []any{}, "a text": "Bia", "null": nil, "absent": absent,
			"an object in a list": []any{map[string]any{"email": "bia@example.com"}},
			"JSON in a text":      `{"email":"bia@example.com"}`,
		} {
			events, err := platform.Parse(Delivery{Body: changed(t, fixture, change{"customer": customer})},
				Place{Region: "BR"})
			if err != nil || len(events) == 0 || events[0].Kind != Purchased && events[0].Kind != Unusable {
				t.Errorf("%s, customer as %s: got %+v, %v", fixture, name, events, err)
				continue
			}
			if found := events[0].Kind == Purchased; found != strings.Contains(name, " in a ") {
				t.Errorf("%s, customer as %s: got %+v", fixture, name, events[0].Customer)
			}
		}
	}
}
