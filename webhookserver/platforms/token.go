package platforms

import (
	"errors"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// tokens is where a platform that sends a plain token is known to put it. A platform
// embeds it to verify its deliveries.
type tokens struct {
	headers []string
	// fields of the body's top level.
	fields []string
}

// configured is the one place that a Store names, and nowhere else; the usual ones when
// it names none.
func (t tokens) configured(location *v1alpha1.TokenLocation) (tokens, error) {
	switch {
	case location == nil:
		return t, nil
	case (location.Header == "") == (location.BodyField == ""):
		return tokens{}, &ConfigError{Field: "tokenLocation", Expected: "one of header and bodyField"}
	case location.Header != "":
		return tokens{headers: []string{location.Header}}, nil
	}
	return tokens{fields: []string{location.BodyField}}, nil
}

// Verify compares every token that the delivery carries where one may be: a proxy's own
// Authorization header must not hide the token in the body.
func (t tokens) Verify(delivery Delivery, secrets [][]byte) error {
	result := ErrNoCredential
	for _, name := range t.headers {
		if token := headerToken(delivery, name); token != "" {
			if result = checkSecret(token, secrets); result == nil {
				return nil
			}
		}
	}
	if len(t.fields) == 0 {
		return result
	}
	root, err := credentials(delivery, t.fields...)
	if err != nil && errors.Is(result, ErrNoCredential) {
		return err
	}
	for _, name := range t.fields {
		if token := root.At(name).Text(); token != "" {
			if result = checkSecret(token, secrets); result == nil {
				return nil
			}
		}
	}
	return result
}

// headerToken reads a token out of a header, without the scheme of an Authorization.
func headerToken(delivery Delivery, name string) string {
	value := header(delivery, name)
	if !strings.EqualFold(name, "Authorization") {
		return value
	}
	if scheme, token, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "Bearer") {
		return token
	}
	return value
}

// unnamed answers a delivery that does not say what happened: it is a panel's test of
// the address, or cannot be read.
func unnamed(root fields, body []byte, field, expected string) ([]Event, error) {
	if root.At("test").True() || root.At("teste").True() || root.At("ping").True() {
		return []Event{pinged.event(eventID(body, ""), "test")}, nil
	}
	return nil, &InputError{Field: field, Expected: expected}
}

// flat returns an object, or the fields of a body that has the object's fields at its top
// level with the object's name in front ("customer_name", "comprador.nome").
func flat(root fields, object, separator string) fields {
	if inner := root.Inner(object); inner != nil {
		return inner
	}
	found := &lax.Fields{}
	for name, value := range root.Each() {
		if field, ok := strings.CutPrefix(name, object+separator); ok {
			found.Set(field, value)
		}
	}
	return found
}

// waiting decides what an unpaid sale waits for by the method of payment, as the
// platform names it: a PIX, a boleto (which is what no method at all is taken for), or a
// card, which is charged while the customer looks on and needs no reminder. No trigger
// says any other method.
func waiting(method string) outcome {
	method = strings.ToLower(method)
	contains := func(part string) bool { return strings.Contains(method, part) }
	switch {
	case isPix(method):
		return pixPending
	case method == "", contains("boleto"), contains("billet"), contains("slip"):
		return boletoPending
	case contains("card"), contains("cart"):
		return outcome{kind: Ignored, reason: reasonCard}
	}
	return notUsed
}
