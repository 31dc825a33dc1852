package platforms

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/mapping"
)

// generic understands whatever a Store describes: JSON or a form, read by the paths of the
// Store's mapping, with an HMAC-SHA256 of the body or a bearer token. All that is known of
// the deliveries is what the mapping says.
type generic struct {
	auth    v1alpha1.GenericAuth
	mapping *mapping.Mapping
}

const (
	authHMAC   = "HMACSHA256"
	authBearer = "Bearer"
	// genericHeader carries the HMAC, unless the Store names another.
	genericHeader = "X-Signature"
)

// newGeneric makes the platform that an entry of a Store describes.
func newGeneric(entry *v1alpha1.StorePlatform) (Platform, error) {
	compiled, err := mapping.Compile(entry.Generic)
	var wrong *mapping.Error
	if errors.As(err, &wrong) {
		return nil, &ConfigError{Field: wrong.Field, Expected: wrong.Expected}
	}
	if err != nil {
		return nil, &ConfigError{Field: "generic", Expected: "a mapping that can be read"}
	}
	auth := entry.Generic.Auth
	if auth.Type != authHMAC && auth.Type != authBearer {
		return nil, &ConfigError{Field: "generic.auth.type", Expected: authHMAC + " or " + authBearer}
	}
	if auth.Header == "" {
		auth.Header = genericHeader
	}
	return generic{auth: auth, mapping: compiled}, nil
}

// Name is "generic".
func (generic) Name() v1alpha1.PlatformName { return v1alpha1.PlatformGeneric }

// Verify checks the HMAC in the mapping's header, or the bearer token.
func (g generic) Verify(delivery Delivery, secrets [][]byte) error {
	if g.auth.Type == authHMAC {
		return checkHMAC(sha256.New, header(delivery, g.auth.Header), delivery.Body, secrets)
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(header(delivery, "Authorization")), " ")
	if !strings.EqualFold(scheme, authBearer) {
		return ErrNoCredential
	}
	return checkSecret(strings.TrimSpace(token), secrets)
}

// Parse reads one event: for each of its products one, where the path of the product's id
// leads to several.
func (g generic) Parse(delivery Delivery, region string) ([]Event, error) {
	body, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	value := genericWord(g.mapping.Event.First(body))
	if value == "" {
		return nil, &InputError{Field: "event", Expected: "a text, number or truth value where generic.event of the Store leads"}
	}
	id := textOf(g.mapping.EventID.First(body), maxID)
	id = eventID(delivery.Body, id, strings.ToLower(value))
	meaning, found := g.mapping.Meaning(value)
	if !found {
		// The value is not logged: nobody says that it is the name of an event.
		return []Event{unknown.event(id, "unmapped")}, nil
	}
	event := genericOutcome(meaning).event(id, eventName(value))
	event.Customer = Customer{
		Name:  textOf(g.mapping.Name.First(body), maxName),
		Phone: phoneOf("", region, g.mapping.Phone.All(body)...),
		Email: emailOf(g.mapping.Email.All(body)...),
	}
	event.CheckoutURL = linkOf(g.mapping.CheckoutURL.First(body))
	event.TransactionID = textOf(g.mapping.TransactionID.First(body), maxID)
	event.Amount = amountOf(g.mapping.Amount.First(body))
	event.Currency = currencyOf(g.mapping.Currency.First(body))
	event.OccurredAt = timeOf(g.mapping.OccurredAt.First(body))
	event.Product.Name = textOf(g.mapping.ProductName.First(body), maxName)
	return perProduct(event, g.items(body, event)), nil
}

// items reads the products. What else lies in the same list is each product's own, what
// lies elsewhere is that of the sale: of its amount no product is given a share.
func (g generic) items(body fields, event Event) []item {
	ids, names := g.mapping.ProductID.All(body), g.mapping.ProductName.All(body)
	amounts, currencies := g.mapping.Amount.All(body), g.mapping.Currency.All(body)
	var items []item
	for i, id := range ids {
		one := item{product: Product{ID: textOf(id, maxID)}, currency: event.Currency}
		switch len(ids) {
		case 1:
			one.product.Name = event.Product.Name
		case len(names):
			one.product.Name = textOf(names[i], maxName)
		}
		if len(amounts) == len(ids) {
			one.amount = amountOf(amounts[i])
		}
		if len(currencies) == len(ids) {
			one.currency = currencyOf(currencies[i])
		}
		items = addItem(items, one)
	}
	return items
}

func genericOutcome(meaning mapping.Meaning) outcome {
	switch meaning.Role {
	case mapping.Start:
		return outcome{kind: Abandoned, trigger: meaning.Trigger}
	case mapping.Kill:
		return sold
	case mapping.Stop:
		return refunded
	}
	return unknown
}

// genericWord reads what names an event: a text, a number or a truth value.
func genericWord(value any) string {
	if truth, ok := value.(bool); ok {
		return strconv.FormatBool(truth)
	}
	return textOf(value, maxID)
}
