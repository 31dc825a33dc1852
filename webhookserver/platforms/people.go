package platforms

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/name"
)

// This file finds what is not where a platform usually has it: a customer one level deeper
// or higher, or under the name that another platform gives them. It is asked only where the
// usual place has nothing, because an authentic purchase must not pass without effect.

// The limits of a search.
const (
	maxHolders     = 32
	maxHolderDepth = 4
)

// holderNames are objects that hold what a delivery is about.
var holderNames = []string{
	"data", "order", "sale", "purchase", "transaction", "subscription", "invoice", "checkout", "cart", "event",
	"payload", "body", "resource", "object", "payment", "charge", "contract", "content", "attributes", "result",
	"response", "details", "pedido", "venda", "compra", "assinatura", "fatura", "carrinho", "lead", "last_transaction",
	"lastTransaction", "orders", "sales", "purchases", "transactions", "invoices", "pedidos", "vendas", "compras",
	"dados",
}

// personNames are objects that are a customer, the likeliest first.
var personNames = []string{
	"customer", "Customer", "buyer", "client", "cliente", "comprador", "consumer", "payer", "pagador", "contact",
	"contato", "subscriber", "assinante", "user", "usuario", "student", "aluno", "person", "lead", "recipient",
	"customer_info", "customerInfo", "buyer_info", "billing", "billing_address", "shipping_address",
}

// productNames are objects, or lists of objects, that are a product.
var productNames = []string{
	"product", "Product", "products", "produto", "produtos", "item", "items", "itens", "line_items", "lineItems",
	"plan", "offer",
}

// holders are the objects of a delivery that may hold what is looked for: the object itself
// and those within it, the nearest first.
func holders(root fields) []fields {
	all := []fields{root}
	for from, depth := 0, 0; depth < maxHolderDepth; depth++ {
		until := len(all)
		for _, each := range all[from:until] {
			for _, name := range holderNames {
				if inner := each.Inner(name); inner != nil && len(all) < maxHolders {
					all = append(all, inner)
				}
			}
		}
		from = until
	}
	return all
}

// holding returns the object that has one of the fields: the usual one, else the nearest
// within it, else the nearest of the whole delivery; the usual one where none has.
func holding(root, usual fields, names ...string) fields {
	if usual.Says(names...) {
		return usual
	}
	for _, from := range []fields{usual, root} {
		for _, each := range holders(from) {
			if each.Says(names...) {
				return each
			}
		}
	}
	return usual
}

// completed keeps the promises of Event for the events of one delivery. It looks for a
// customer whom the usual place does not tell, and makes an event that matters and still has
// nobody Unusable, naming the field that is missing. A reversal and an expiry that name
// their sale need nobody.
func completed(events []Event, root fields, place Place, missing string) []Event {
	var found *relatives
	for i := range events {
		event := &events[i]
		event.Customer.Name = name.Known(readable(event.Customer.Name))
		event.Product.Name = readable(event.Product.Name)
		if event.Kind == Ignored || event.Kind == Unusable || event.Customer.reachable() {
			continue
		}
		if found == nil {
			found = searched(root, place)
		}
		found.complete(event)
		if event.Customer.reachable() || event.Kind == Abandoned || event.Kind != Purchased &&
			event.TransactionID != "" {
			continue
		}
		*event = event.unusable(missing)
	}
	return events
}

// reachable says whether a customer can be told from others.
func (c Customer) reachable() bool { return c.Phone != "" || c.Email != "" }

// unusable is an event of which the field is missing.
func (e Event) unusable(missing string) Event {
	e.Kind, e.Trigger, e.Attribute, e.Chargeback, e.Payment = Unusable, "", false, false, nil
	e.Missing = lax.Clean(missing, maxID)
	return e
}

// relatives is what was found beside the usual places.
type relatives struct {
	customer    Customer
	product     Product
	transaction string
}

// complete adds to an event what it lacks.
func (r *relatives) complete(event *Event) {
	if customer := r.customer; customer.reachable() {
		customer.Name = name.Known(readable(customer.Name))
		if customer.Name == "" {
			customer.Name = event.Customer.Name
		}
		event.Customer = customer
	}
	if event.Product == (Product{}) {
		event.Product = r.product
	}
	if event.TransactionID == "" {
		event.TransactionID = r.transaction
	}
}

// searched looks through a whole delivery.
func searched(root fields, place Place) *relatives {
	found := &relatives{}
	for _, holder := range holders(root) {
		if !found.customer.reachable() {
			found.customer = customerWithin(holder, place)
		}
		if found.product == (Product{}) {
			found.product = productWithin(holder)
		}
		if found.transaction == "" {
			found.transaction = holder.ID("transaction", "transaction_id", "transactionId", "order_id", "orderId",
				"sale_id", "saleId",
				"invoice_id", "invoiceId", "trans_cod")
		}
	}
	return found
}

// customerWithin reads the customer of an object: one of the objects that are a customer, or
// the object's own fields.
func customerWithin(holder fields, place Place) Customer {
	for _, name := range personNames {
		if person := holder.Inner(name); person != nil {
			if customer := customerOf(loosened(person), place, ""); customer.reachable() {
				return customer
			}
		}
	}
	own := loosened(holder)
	for _, prefix := range personPrefixes {
		if customer := customerOf(own, place, prefix); customer.reachable() {
			return customer
		}
	}
	return Customer{}
}

// The names of a person's and a product's fields in small letters, without separators. personPrefixes stand in front
// of a person's in an object that is not the person alone.
var (
	personPrefixes = []string{"customer", "buyer", "client", "cliente", "comprador", "cus", "payer", "contact", "user",
		"student", ""}
	phoneFields = []string{"phone", "mobile", "cellphone", "mobilephone", "phonenumber", "whatsapp", "telefone",
		"celular", "cel", "tel", "telephone", "checkoutphone", "phones"}
	emailFields       = []string{"email", "mail", "emailaddress", "emails", "correo"}
	nameFields        = []string{"fullname", "name", "nome", "nomecompleto", "completename", "displayname"}
	halfNameFields    = []string{"firstname", "lastname"}
	countryCodeFields = []string{"phonecountrycode", "phoneextension", "ddi", "phonelocalcode"}
	areaCodeFields    = []string{"phoneareacode", "areacode", "ddd"}
	numberFields      = []string{"phonenumber", "phone", "number"}
	productFields     = []string{"productid", "shortid", "id", "code", "codigo", "prod", "productcod", "productcode",
		"productname", "name", "title", "nome", "prodname"}
)

// looseFields are all of them, so that of a large object nothing else is kept.
var looseFields = func() map[string]bool {
	all := map[string]bool{}
	for _, prefix := range personPrefixes {
		for _, name := range slices.Concat(phoneFields, emailFields, nameFields, halfNameFields) {
			all[prefix+name] = true
		}
	}
	for _, name := range slices.Concat(countryCodeFields, areaCodeFields, numberFields, productFields) {
		all[name] = true
	}
	return all
}()

// loosened is those fields of an object by their names in small letters, without separators: full_name and fullName
// are one. Of two the one that is written so counts, else the first by name.
func loosened(object fields) fields {
	loose, from := &lax.Fields{}, map[string]string{}
	for field, value := range object.Each() {
		plain := joinedWords(field)
		known, taken := from[plain]
		if looseFields[plain] && (!taken || plain == field || known != plain && field <= known) {
			from[plain] = field
			loose.Set(plain, value)
		}
	}
	return loose
}

func joinedWords(field string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_- .", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, field)
}

// behind are the named fields, each behind the prefix.
func behind(loose fields, prefix string, names []string) []lax.Value {
	found := make([]lax.Value, 0, len(names))
	for _, name := range names {
		found = append(found, loose.At(prefix+name))
	}
	return found
}

// customerOf reads a customer out of a loosened object, of fields that begin with the prefix.
func customerOf(loose fields, place Place, prefix string) Customer {
	phones := behind(loose, prefix, phoneFields)
	if prefix == "" {
		phones = append(phones, phoneInParts(lax.Of(loose.ID(countryCodeFields...)),
			lax.Of(loose.ID(areaCodeFields...)), lax.Of(loose.ID(numberFields...))))
	}
	halves := loose.Text(maxName, prefix+"firstname") + " " + loose.Text(maxName, prefix+"lastname")
	return Customer{
		Name:  cmp.Or(firstText(behind(loose, prefix, nameFields)...), lax.Clean(halves, maxName)),
		Phone: phoneOf("", place.Region, phones...),
		Email: emailOf(behind(loose, prefix, emailFields)...),
	}
}

func firstText(values ...lax.Value) string {
	for _, value := range values {
		if text := value.Clean(maxName); text != "" {
			return text
		}
	}
	return ""
}

// productWithin reads the product of an object.
func productWithin(holder fields) Product {
	for _, name := range productNames {
		if object := holder.Inner(name); object != nil {
			loose := loosened(object)
			product := Product{
				ID:   loose.ID("productid", "shortid", "id", "code", "codigo"),
				Name: loose.Text(maxName, "productname", "name", "title", "nome"),
			}
			if product != (Product{}) {
				return product
			}
		}
	}
	own := loosened(holder)
	return Product{
		ID:   own.ID("productid", "prod", "productcod", "productcode"),
		Name: own.Text(maxName, "productname", "prodname"),
	}
}
