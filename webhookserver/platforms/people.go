package platforms

import (
	"maps"
	"slices"
	"strings"

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
				if inner := each.inner(name); inner != nil && len(all) < maxHolders {
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
	if usual.has(names...) {
		return usual
	}
	for _, from := range []fields{usual, root} {
		for _, each := range holders(from) {
			if each.has(names...) {
				return each
			}
		}
	}
	return usual
}

// has says whether one of the fields is there and not null.
func (f fields) has(names ...string) bool {
	for _, name := range names {
		if f[name] != nil {
			return true
		}
	}
	return false
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
	e.Missing = clean(missing, maxID)
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
			found.transaction = holder.id("transaction", "transaction_id", "transactionId", "order_id", "orderId",
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
		if person := holder.inner(name); person != nil {
			if customer := customerOf(loosened(person), place, ""); customer.reachable() {
				return customer
			}
		}
	}
	own := loosened(holder)
	for _, prefix := range []string{"customer", "buyer", "client", "cliente", "comprador", "cus", "payer", "contact",
		"user", "student", ""} {
		if customer := customerOf(own, place, prefix); customer.reachable() {
			return customer
		}
	}
	return Customer{}
}

// loosened is an object by its fields' names in small letters, without separators: full_name
// and fullName are one.
func loosened(object fields) fields {
	loose := make(fields, len(object))
	for _, field := range slices.Sorted(maps.Keys(object)) {
		plain := strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(field))
		if _, taken := loose[plain]; !taken || plain == field {
			loose[plain] = object[field]
		}
	}
	return loose
}

// customerOf reads a customer out of a loosened object, of fields that begin with the prefix.
func customerOf(loose fields, place Place, prefix string) Customer {
	values := func(names ...string) []any {
		var found []any
		for _, name := range names {
			found = append(found, loose[prefix+name])
		}
		return found
	}
	phones := values("phone", "mobile", "cellphone", "mobilephone", "phonenumber", "whatsapp", "telefone", "celular",
		"cel", "tel",
		"telephone", "checkoutphone", "phones")
	if prefix == "" {
		phones = append(phones, map[string]any(loosePhone(loose)))
	}
	first := textOf(loose[prefix+"firstname"], maxName)
	return Customer{
		Name: firstText(append(values("fullname", "name", "nome", "nomecompleto", "completename", "displayname"),
			clean(first+" "+textOf(loose[prefix+"lastname"], maxName), maxName))...),
		Phone: phoneOf("", place.Region, phones...),
		Email: emailOf(values("email", "mail", "emailaddress", "emails", "correo")...),
	}
}

// loosePhone are the parts of a phone among the fields of a person.
func loosePhone(loose fields) fields {
	first := func(names ...string) any {
		for _, name := range names {
			if text := textOf(loose[name], maxID); text != "" {
				return text
			}
		}
		return nil
	}
	return fields{
		"ddi": first("phonecountrycode", "phoneextension", "ddi", "phonelocalcode"),
		"ddd": first("phoneareacode", "areacode", "ddd"), "number": first("phonenumber", "phone", "number"),
	}
}

func firstText(values ...any) string {
	for _, value := range values {
		if text := textOf(value, maxName); text != "" {
			return text
		}
	}
	return ""
}

// productWithin reads the product of an object.
func productWithin(holder fields) Product {
	own := loosened(holder)
	for _, name := range productNames {
		if object := holder.inner(name); object != nil {
			loose := loosened(object)
			product := Product{
				ID:   loose.id("productid", "shortid", "id", "code", "codigo"),
				Name: firstText(loose["productname"], loose["name"], loose["title"], loose["nome"]),
			}
			if product != (Product{}) {
				return product
			}
		}
	}
	return Product{ID: own.id("productid", "prod", "productcod", "productcode"), Name: firstText(own["productname"],
		own["prodname"])}
}
