package platforms

import (
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// kirvano understands Kirvano's webhook: JSON with the customer, the products of one
// checkout, and prices as people write them ("R$ 169,80"). Facts: the names of the events
// and fields are those that integrators' code agrees on; a captured PIX_GENERATED has its
// times without zone. Not confirmed: where the token is, for which integrators read the
// headers below and the field token, and what a cart holds beyond one example.
type kirvano struct{ tokens }

// kirvanoTokens are the places that integrators read Kirvano's token from.
var kirvanoTokens = tokens{
	headers: []string{"Security-Token", "X-Kirvano-Token", "X-Webhook-Token", "Authorization"},
	fields:  []string{"token"},
}

func newKirvano(where tokens) Platform { return kirvano{where} }

// kirvanoEvents is what the events mean. No field tells a renewal but the event itself.
var kirvanoEvents = map[string]outcome{
	"abandoned_cart":        cartLeft,
	"pix_generated":         pixPending,
	"bank_slip_generated":   boletoPending,
	"sale_refused":          paymentRefused,
	"sale_approved":         sold,
	"subscription_renewed":  onlyStop,
	"sale_refunded":         refunded,
	"sale_chargeback":       chargedBack,
	"pix_expired":           paymentExpired,
	"bank_slip_expired":     paymentExpired,
	"subscription_canceled": notUsed,
	"subscription_expired":  notUsed,
}

// Name is "kirvano".
func (kirvano) Name() v1alpha1.PlatformName { return v1alpha1.PlatformKirvano }

// Parse reads one sale or one abandoned cart. What starts a recovery is of the main
// product; a sale and its reversal are events of every product, order bumps too.
func (kirvano) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	name, err := word(root, "event")
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = toldWithin(root, knownIn(kirvanoEvents))
	}
	if name == "" {
		return unnamed(root, delivery.Body, "event", "the name of the event")
	}
	place = place.within(brazil)
	known, body := knownIn(kirvanoEvents), root
	meaning := orPaid(known(name), root, known)
	root = holding(root, root, "customer", "products", "sale_id")
	id := eventID(delivery.Body, root.ID("sale_id", "checkout_id"), name, root.ID("created_at"))
	event := meaning.event(id, eventName(name))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	customer, payment := root.Inner("customer"), root.Inner("payment")
	event.OccurredAt = kirvanoTime(meaning, root, payment, place.Zone)
	event.Customer = Customer{
		Name:  customer.Text(maxName, "name"),
		Phone: phoneOf("", place.Region, customer.At("phone_number"), customer.At("phone")),
		Email: emailOf(customer.At("email")),
	}
	event.CheckoutURL = linkOf(root.At("checkout_url"))
	event.TransactionID = root.ID("sale_id")
	event.Amount, event.Currency = amountOf(root.At("total_price")), currencyIn(root.At("total_price"))
	if event.Amount == "" {
		event.Amount = amountOf(root.Child("fiscal").At("total_value"))
	}
	event.Payment = paymentOf(&event, place, firstText(root.At("payment_method"), payment.At("method")), payment)
	return completed(perProduct(event, kirvanoItems(root)), body, place, "customer.email"), nil
}

// kirvanoTime is when a sale was made or paid; nothing tells when it was taken back.
func kirvanoTime(meaning outcome, root, payment fields, zone *time.Location) time.Time {
	switch meaning.kind {
	case Purchased:
		return firstTimeOf(zone, payment.At("finished_at"), root.At("created_at"))
	case Abandoned:
		return timeOf(root.At("created_at"), zone)
	}
	return time.Time{}
}

// kirvanoItems reads the products, the main one first: the first that is no order bump. An
// offer's id is no product's: a cart may have another than the sale.
func kirvanoItems(root fields) []item {
	var main, bumps []fields
	for _, value := range root.At("products").Elements(maxListed) {
		line := value.Object()
		switch {
		case line == nil:
		case len(main) == 0 && !line.At("is_order_bump").True():
			main = append(main, line)
		default:
			bumps = append(bumps, line)
		}
	}
	var items []item
	for _, line := range append(main, bumps...) {
		one := item{product: Product{ID: line.ID("id"), Name: line.Text(maxName, "name", "offer_name")}}
		one.amount, one.currency = amountOf(line.At("price")), currencyIn(line.At("price"))
		items = addItem(items, one)
	}
	return items
}

// kirvanoRow is Kirvano in the registry.
var kirvanoRow = definition{
	name: v1alpha1.PlatformKirvano, title: "Kirvano", samples: kirvanoSamples, starts: everyTrigger,
	tokens: kirvanoTokens, withTokens: newKirvano,
	about: About{
		Unconfirmed: true,
		Setup: []string{
			"Secret: the token of the webhook, as Kirvano's panel has it.",
			"The place of the token is not documented (nor is most of Kirvano, which is known from integrators' " +
				"code). The token is looked for in the headers `Security-Token`, `X-Kirvano-Token`, " +
				"`X-Webhook-Token`, `Authorization`, and in the field `token` of the body. Once you know the place, " +
				"name it in `tokenLocation`, and the token is looked for nowhere else.",
		},
		Notes: []string{
			"A sale is an event of every product in it, order bumps too; a recovery is started for the main product " +
				"only.",
		},
		ProductID: "`products[].id`",
		Zone:      "America/Sao_Paulo",
		Amounts:   "units",
		Currency:  "`R$` of the price, else the Store's",
	},
}

// kirvanoSamples has the least delivery of every event.
func kirvanoSamples() []sample {
	var all []sample
	for _, event := range sortedKeys(kirvanoEvents) {
		all = append(all, jsonSample(quoted(strings.ToUpper(event)), given{"event": strings.ToUpper(event)}))
	}
	return append(all, jsonSample(anythingElse, given{"event": somethingUnknown}))
}
