package platforms

// item is one product of a delivery, and what it cost.
type item struct {
	product          Product
	amount, currency string
}

// addItem adds a product that has an id or a name and is not there yet.
func addItem(items []item, added item) []item {
	if added.product == (Product{}) || len(items) == maxProducts {
		return items
	}
	for _, known := range items {
		if known.product.key() == added.product.key() {
			return items
		}
	}
	return append(items, added)
}

// key tells one product of a delivery from another.
func (p Product) key() string {
	if p.ID != "" {
		return p.ID
	}
	return p.Name
}

// perProduct makes one event for each product. The amount of a sale of several is that
// of each. What starts a recovery is of the first product alone: nobody is to get a message
// for each product of one cart.
func perProduct(event Event, items []item) []Event {
	if event.Kind == Abandoned && len(items) > 1 {
		items = items[:1]
	}
	if len(items) == 0 {
		return []Event{event}
	}
	if len(items) == 1 {
		event.Product = items[0].product
		return []Event{event}
	}
	events := make([]Event, 0, len(items))
	for _, each := range items {
		one := event
		one.ID = eventID(nil, event.ID, each.product.key())
		one.Product, one.Amount, one.Currency = each.product, each.amount, each.currency
		events = append(events, one)
	}
	return events
}
