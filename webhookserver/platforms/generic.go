package platforms

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/mapping"
)

// generic understands whatever a Store describes: JSON or a form, read by the paths of the
// Store's mapping, with an HMAC-SHA256 of the body, a bearer token, or a token in a header or
// a field. All that is known of the deliveries is what the mapping says.
type generic struct {
	auth    v1alpha1.GenericAuth
	mapping *mapping.Mapping
	// eventHeader names the event, where no path does.
	eventHeader string
	// missing is the path of the field that tells the customer.
	missing string
	amount  func(lax.Value) string
}

const (
	authHMAC   = "HMACSHA256"
	authBearer = "Bearer"
	authToken  = "Token"
	// encodingHex and encodingBase64 are what an HMAC is written in.
	encodingHex    = "Hex"
	encodingBase64 = "Base64"
	// unitCents says that whole numbers are cents.
	unitCents = "Cents"
	// genericHeader carries the HMAC, unless the Store names another.
	genericHeader = "X-Signature"
)

// newGeneric makes the platform that an entry of a Store describes.
func newGeneric(entry *v1alpha1.StorePlatform) (Platform, error) {
	compiled, err := mapping.Compile(entry.Generic)
	if wrong, ok := errors.AsType[*mapping.Error](err); ok {
		return nil, &ConfigError{Field: wrong.Field, Expected: wrong.Expected}
	}
	if err != nil {
		return nil, &ConfigError{Field: "generic", Expected: "a mapping that can be read"}
	}
	auth, err := genericAuth(entry.Generic.Auth)
	if err != nil {
		return nil, err
	}
	where := entry.Generic.Fields
	made := generic{
		auth: auth, mapping: compiled, eventHeader: entry.Generic.EventHeader, amount: amountOf,
		missing: cmp.Or(string(where.Email), string(where.Phone)),
	}
	if where.AmountUnit == unitCents {
		made.amount = centsOf
	}
	return made, nil
}

// genericAuth checks how deliveries prove where they come from, and fills in the default.
func genericAuth(auth v1alpha1.GenericAuth) (v1alpha1.GenericAuth, error) {
	switch auth.Type {
	case authHMAC:
		if auth.Encoding != "" && auth.Encoding != encodingHex && auth.Encoding != encodingBase64 {
			return auth, &ConfigError{Field: "generic.auth.encoding", Expected: encodingHex + " or " + encodingBase64}
		}
		if auth.Header == "" {
			auth.Header = genericHeader
		}
	case authBearer:
	case authToken:
		if (auth.Header == "") == (auth.Field == "") {
			return auth, &ConfigError{Field: "generic.auth", Expected: "one of header and field for type " + authToken}
		}
	default:
		return auth, &ConfigError{Field: "generic.auth.type", Expected: authHMAC + ", " + authBearer + " or " +
			authToken}
	}
	return auth, nil
}

// Name is "generic".
func (generic) Name() v1alpha1.PlatformName { return v1alpha1.PlatformGeneric }

// Verify checks the HMAC in the mapping's header, or the token where the mapping says.
func (g generic) Verify(delivery Delivery, secrets [][]byte) error {
	switch {
	case g.auth.Type == authHMAC && g.auth.Encoding == encodingBase64:
		return checkBase64HMAC(sha256.New, header(delivery, g.auth.Header), delivery.Body, secrets)
	case g.auth.Type == authHMAC:
		return checkHMAC(sha256.New, header(delivery, g.auth.Header), delivery.Body, secrets)
	case g.auth.Type == authToken && g.auth.Header != "":
		return checkSecret(headerToken(delivery, g.auth.Header), secrets)
	case g.auth.Type == authToken:
		body, err := credentials(delivery, g.mapping.Token.Tops()...)
		if err != nil {
			return err
		}
		return checkSecret(g.mapping.Token.First(body).Text(), secrets)
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(header(delivery, "Authorization")), " ")
	if !strings.EqualFold(scheme, authBearer) {
		return ErrNoCredential
	}
	return checkSecret(strings.TrimSpace(token), secrets)
}

// IsPing tells WooCommerce's test of a URL, a form of nothing but the webhook's number, which
// is not signed: it takes any other answer for a URL that does not work.
func (g generic) IsPing(delivery Delivery) bool {
	number, found := strings.CutPrefix(string(withoutBOM(delivery.Body)), "webhook_id=")
	return found && number != "" && strings.Trim(number, "0123456789") == ""
}

// Parse reads one event: for each of its products one, where the path of the product's id
// leads to several.
func (g generic) Parse(delivery Delivery, place Place) ([]Event, error) {
	body, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	body.OpenAll()
	value, meaning, found := g.event(delivery, body)
	what, name := genericOutcome(meaning), eventName(value)
	if what.kind == Abandoned && g.mapping.StartsNothing(value, body) {
		what = notUsed
	}
	if !found {
		// The value is not logged: nobody says that it is the name of an event.
		what, name = unmapped(value, body), "unmapped"
	}
	if value == "" && what == unknown {
		return nil, &InputError{Field: "event", Expected: g.expected()}
	}
	id := g.mapping.EventID.First(body).Clean(maxID)
	id = eventID(delivery.Body, id, strings.ToLower(value))
	if what == unknown || what == notUsed {
		return []Event{what.event(id, name)}, nil
	}
	event := what.event(id, name)
	event.Customer = Customer{
		Name:  g.mapping.Name.First(body).Clean(maxName),
		Phone: phoneOf("", place.Region, g.mapping.Phone.Every(body)...),
		Email: emailOf(g.mapping.Email.Every(body)...),
	}
	event.CheckoutURL = linkOf(g.mapping.CheckoutURL.First(body))
	event.TransactionID = g.mapping.TransactionID.First(body).Clean(maxID)
	event.Amount = g.amount(g.mapping.Amount.First(body))
	event.Currency = firstCurrency(currencyOf(g.mapping.Currency.First(body)), currencyIn(g.mapping.Amount.First(body)))
	event.OccurredAt = happenedAt(event.Kind, g.mapping.OccurredAt.First(body), place.Zone)
	event.Product.Name = g.mapping.ProductName.First(body).Clean(maxName)
	event.Payment = g.payment(&event, body, place)
	event.Consent = g.consent(body, place)
	return completed(perProduct(event, g.items(body, event)), body, place, g.missing), nil
}

// unmapped is what an event means that the mapping does not know: what says that it is paid
// stops all the same.
func unmapped(value string, body fields) outcome {
	if orPaid(commonMeaning(value), body, commonMeaning).kind == Purchased {
		return onlyStop
	}
	return unknown
}

// event reads what names the event: of the header and the paths the first whose value the
// mapping knows, else the first that there is.
func (g generic) event(delivery Delivery, body fields) (value string, meaning mapping.Meaning, found bool) {
	var values []string
	if g.eventHeader != "" {
		values = append(values, lax.Clean(header(delivery, g.eventHeader), maxID))
	}
	for _, path := range g.mapping.Event {
		values = append(values, genericWord(path.First(body)))
	}
	for _, each := range values {
		if meaning, found := g.mapping.Meaning(each); found {
			return each, meaning, true
		}
		if value == "" {
			value = each
		}
	}
	return value, mapping.Meaning{}, false
}

// expected says what names the event.
func (g generic) expected() string {
	if g.eventHeader != "" && g.mapping.Event == nil {
		return "the header " + http.CanonicalHeaderKey(g.eventHeader)
	}
	return "a text, number or truth value where generic.event of the Store leads"
}

// consent reads whether the customer may be written to, and keeps which path told it.
func (g generic) consent(body fields, place Place) *v1alpha1.Consent {
	for _, path := range g.mapping.Consent {
		if told := consentOf(path.First(body), lax.Clean(path.Text, maxID), place); told != nil {
			return told
		}
	}
	return nil
}

// payment reads how an open payment can be made, where the mapping says where.
func (g generic) payment(event *Event, body fields, place Place) *v1alpha1.Payment {
	if event.Trigger != v1alpha1.TriggerPixPending && event.Trigger != v1alpha1.TriggerBoletoPending {
		return nil
	}
	made := v1alpha1.Payment{
		PixCode: pixCodeOf(g.mapping.PixCode.First(body)), BoletoLine: boletoLineOf(g.mapping.BoletoLine.First(body)),
		URL: linkOf(g.mapping.PaymentURL.First(body)), ExpiresAt: timestampOf(g.mapping.PaymentExpiresAt.First(body),
			place),
	}
	if made == (v1alpha1.Payment{}) {
		return nil
	}
	made.Method = methodOf("", event.Trigger)
	return &made
}

// items reads the products. What else lies in the same list is each product's own, what
// lies elsewhere is that of the sale: of its amount no product is given a share.
func (g generic) items(body fields, event Event) []item {
	ids, names := g.mapping.ProductID.All(body), g.mapping.ProductName.All(body)
	amounts, currencies := g.mapping.Amount.All(body), g.mapping.Currency.All(body)
	var items []item
	for i, id := range ids {
		one := item{product: Product{ID: id.Clean(maxID)}, currency: event.Currency}
		switch len(ids) {
		case 1:
			one.product.Name = event.Product.Name
		case len(names):
			one.product.Name = names[i].Clean(maxName)
		}
		if len(amounts) == len(ids) {
			one.amount = g.amount(amounts[i])
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
	case mapping.Purchase:
		return sold
	case mapping.Reversal:
		return refunded
	case mapping.PaymentExpired:
		return paymentExpired
	}
	return unknown
}

// genericWord reads what names an event: a text, a number or a truth value.
func genericWord(value lax.Value) string {
	if value.Kind() == lax.Truth {
		return strconv.FormatBool(value.True())
	}
	return value.Clean(maxID)
}

// genericRow is any other platform in the registry.
var genericRow = definition{
	name: v1alpha1.PlatformGeneric, title: "generic", samples: genericSamples, starts: everyTrigger,
	make: newGeneric,
	about: About{
		Proof:    "what its mapping says: an HMAC-SHA256 of the body, or a token",
		Zone:     "the Store's zone",
		Amounts:  "units, or cents by `amountUnit: Cents`",
		Currency: "the Store's",
	},
}

// sampleMapping is a mapping whose values are the names of its lists.
func sampleMapping() *v1alpha1.GenericMapping {
	made := &v1alpha1.GenericMapping{
		Auth: v1alpha1.GenericAuth{Type: authBearer}, Event: "$.event",
		Purchase: []string{"purchase"}, Reversal: []string{"reversal"}, PaymentExpired: []string{"expired"},
		Fields: v1alpha1.GenericFields{Email: "$.email", ProductID: "$.product"},
	}
	for _, trigger := range everyTrigger {
		made.Start = append(made.Start, v1alpha1.GenericStart{Value: string(trigger), Trigger: trigger})
	}
	return made
}

// genericSamples has the least delivery of every event.
func genericSamples() []sample {
	var all []sample
	for _, trigger := range everyTrigger {
		all = append(all, jsonSample("a value of `start`, `trigger` "+string(trigger),
			given{"event": string(trigger)}))
	}
	return append(all, jsonSample("a value of `purchase`", given{"event": "purchase"}), jsonSample("a value of `reversal`",
		given{"event": "reversal"}),
		jsonSample("a value of `paymentExpired`", given{"event": "expired"}),
		jsonSample(anythingElse, given{"event": somethingUnknown}))
}
