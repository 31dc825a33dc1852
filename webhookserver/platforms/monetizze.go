package platforms

import (
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/phone"
)

// monetizze understands Monetizze's postback: a form with bracketed fields
// ("venda[codigo]"), or JSON with objects or dotted names ("venda.codigo"). Facts:
// Monetizze's documentation of the postback, as integrators keep it, for fields, codes and
// chave_unica; their code for the other forms. Amounts are decimals; times have no zone;
// no currency is told. Not confirmed: that chave_unica is the account's key everywhere
// (one integrator found the sale's in it), and the meaning of 98 and 99.
type monetizze struct{ tokens }

// monetizzeTokens: the documentation compares chave_unica with the account's key.
var monetizzeTokens = tokens{fields: []string{"chave_unica"}}

func newMonetizze(where tokens) Platform { return monetizze{where} }

// monetizzeCodes is what the codes of tipoEvento mean. Code 1 is decided by the method of
// payment, and 3 too: it is a refused card, or a boleto that nobody paid.
var monetizzeCodes = map[int]outcome{
	1:   boletoPending,
	2:   sold,
	3:   paymentRefused,
	4:   refunded,
	5:   chargedBack, // blocked: the sale is disputed
	6:   onlyStop,    // complete: thirty days after the sale
	7:   cartLeft,
	8:   notUsed, // hidden
	70:  notUsed, // tickets
	98:  notUsed, // card
	99:  notUsed, // boleto
	101: onlyStop,
	102: notUsed, // subscription: overdue
	103: notUsed, // subscription: cancelled
	104: notUsed, // subscription: waiting for payment
	105: notUsed, // recovery in instalments
	106: notUsed,
	120: notUsed, // shipping
}

// monetizzeStatuses are the codes of venda[status], which older postbacks have alone.
var monetizzeStatuses = map[string]int{
	"aguardando pagamento": 1,
	"finalizada":           2,
	"aprovada":             2,
	"cancelada":            3,
	"devolvida":            4,
	"bloqueada":            5,
	"completa":             6,
	"abandono de checkout": 7,
}

// Name is "monetizze".
func (monetizze) Name() v1alpha1.PlatformName { return v1alpha1.PlatformMonetizze }

// Parse reads one sale or abandoned checkout. A sale and its reversal are events of every
// product that the checkout added to the main one.
func (monetizze) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	place, body := place.within(brazil), root
	if flat(root, "comprador", ".").Len() == 0 {
		root = holding(root, root, "comprador", "venda")
	}
	sale, product, buyer := flat(root, "venda", "."), flat(root, "produto", "."), flat(root, "comprador", ".")
	code, told := monetizzeCode(body, sale)
	if told == "" {
		code, told = monetizzeCode(root, sale)
	}
	if told == "" {
		told = toldWithin(body, commonMeaning)
	}
	if told == "" {
		return unnamed(root, delivery.Body, "tipoEvento", "the code of the event")
	}
	meaning, transaction := monetizzeOutcome(code, sale, flat(root, "assinatura", ".")), sale.ID("codigo")
	if code == 0 {
		meaning = commonMeaning(told)
	}
	meaning = orPaid(meaning, lax.Some(map[string]lax.Value{"data": lax.Made(sale)}), monetizzeStatus)
	event := meaning.event(eventID(delivery.Body, transaction, told), eventName("event", told))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	event.Customer = Customer{
		Name:  buyer.Text(maxName, "nome"),
		Phone: phoneOf("", place.Region, buyer.At("telefone")),
		Email: emailOf(buyer.At("email")),
	}
	event.Product = Product{ID: product.ID("codigo"), Name: product.Text(maxName, "nome")}
	event.CheckoutURL = monetizzeLink(root.At("url_recuperacao"))
	event.TransactionID = transaction
	event.Amount, event.Currency = amountOf(sale.At("valor")), currencyOf(sale.At("moeda"))
	event.OccurredAt = monetizzeTime(sale, meaning, place.Zone)
	event.Payment = paymentOf(&event, place, sale.ID("formaPagamento"), sale)
	events := []Event{event}
	if meaning.kind != Abandoned {
		events = perProduct(event, monetizzeItems(root, event.Product))
	}
	return completed(events, body, place, "comprador.email"), nil
}

// monetizzeTime is when a sale was made; of one that is paid, when it was.
func monetizzeTime(sale fields, meaning outcome, zone *time.Location) time.Time {
	if meaning.kind == Purchased {
		return firstTimeOf(zone, sale.At("dataFinalizada"), sale.At("dataInicio"))
	}
	if meaning.kind == Reversed {
		return time.Time{}
	}
	return firstTimeOf(zone, sale.At("dataInicio"))
}

// monetizzeCode reads the event's code, as a number and as it is told; 0 and a text for
// what is no code, "" when nothing is told.
func monetizzeCode(root, sale fields) (code int, told string) {
	for _, where := range []struct {
		in   fields
		name string
	}{
		{flat(root, "tipoEvento", "."), "codigo"}, {root, "tipoEvento"}, {root, "codigo_status"},
		{root, "postback_evento"}, {flat(root, "tipoEvento", "."), "descricao"},
	} {
		if code, ok := where.in.Integer(where.name); ok {
			return code, strconv.Itoa(code)
		}
		if text := where.in.Text(maxEvent, where.name); text != "" && told == "" {
			told = text
		}
	}
	status := sale.Text(maxEvent, "status")
	if code, found := monetizzeStatuses[strings.ToLower(status)]; found {
		return code, strconv.Itoa(code)
	}
	if told == "" {
		told = status
	}
	return 0, told
}

// monetizzeStatus is what the status of a sale means.
func monetizzeStatus(status string) outcome {
	if code, found := monetizzeStatuses[strings.ToLower(status)]; found {
		return monetizzeCodes[code]
	}
	return commonMeaning(status)
}

// monetizzeOutcome looks into the sale: what it waits for, what was refused, and whether
// it is the charge of a subscription that is not its first.
func monetizzeOutcome(code int, sale, subscription fields) outcome {
	meaning, found := monetizzeCodes[code]
	method := sale.ID("formaPagamento")
	charge, _ := subscription.Integer("parcela")
	switch {
	case !found:
		return unknown
	case code == 1:
		return waiting(method)
	case code == 3 && (isPix(method) || strings.EqualFold(method, "boleto")):
		return paymentExpired
	case meaning == sold && charge > 1:
		return onlyStop
	}
	return meaning
}

// monetizzeItems reads the products of a checkout with order bumps, which lists the main
// one among them.
func monetizzeItems(root fields, main Product) []item {
	items := addItem(nil, item{product: main})
	for _, value := range root.At("venda_item_order_bump").Elements(maxListed) {
		one := value.Object()
		added := item{
			product: Product{ID: one.ID("produto"), Name: one.Text(maxName, "nome")},
			amount:  amountOf(one.At("valor")),
		}
		if len(items) > 0 && items[0].product.key() == added.product.key() {
			items[0].amount = added.amount
			continue
		}
		items = addItem(items, added)
	}
	return items
}

// monetizzeLink reads the link that leads back to the checkout. Monetizze fills the
// checkout's form in by it: a query that holds what the customer typed in is cut off.
func monetizzeLink(value lax.Value) string {
	const shortestNumber = 8
	text := linkOf(value)
	link, err := url.Parse(text)
	if err != nil {
		return ""
	}
	for _, values := range link.Query() {
		for _, each := range values {
			if strings.Contains(each, "@") || len(phone.Digits(each)) >= shortestNumber {
				link.RawQuery, link.Fragment = "", ""
				return link.String()
			}
		}
	}
	return text
}

// monetizzeRow is Monetizze in the registry.
var monetizzeRow = definition{
	name: v1alpha1.PlatformMonetizze, title: "Monetizze", samples: monetizzeSamples, starts: everyTrigger,
	tokens: monetizzeTokens, withTokens: newMonetizze,
	about: About{
		Unconfirmed: true,
		Setup: []string{
			"Secret: the account's unique key (*chave única*), as Monetizze's panel shows it. It comes in the field " +
				"`chave_unica` of the body, which is a form, or JSON. If the first delivery is refused with " +
				"`BadCredential`, your key is another one; if with `NoCredential`, the key comes elsewhere: name the " +
				"place in `tokenLocation`.",
		},
		Notes: []string{
			"Monetizze's link back to the checkout may hold what the customer typed in; that part is cut off.",
		},
		ProductID: "`produto.codigo`",
		Zone:      "America/Sao_Paulo",
		Amounts:   "units",
		Currency:  "the Store's: it sends none",
	},
}

// monetizzeSamples has the least delivery of every event.
func monetizzeSamples() []sample {
	body := func(number int, note string, more given) sample {
		all := given{"tipoEvento": given{"codigo": number}}
		maps.Copy(all, more)
		return jsonSample("`tipoEvento.codigo` "+strconv.Itoa(number)+note, all)
	}
	paidBy := func(method string) given { return given{"venda": given{"formaPagamento": method}} }
	var all []sample
	for _, number := range sortedKeys(monetizzeCodes) {
		all = append(all, body(number, "", nil))
	}
	for _, status := range sortedKeys(monetizzeStatuses) {
		all = append(all, jsonSample("no code, `venda.status` "+status, given{"venda": given{"status": status}}))
	}
	other := body(0, "", nil)
	other.event = anythingElse
	return append(all, body(1, ", PIX", paidBy("PIX")), body(3, ", PIX or boleto", paidBy("Boleto")),
		body(2, ", `parcela` over 1", given{"assinatura": given{"parcela": 2}}), other)
}
