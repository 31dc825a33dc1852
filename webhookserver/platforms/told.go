package platforms

import "strings"

// This file finds what happened where the usual field does not tell it: an authentic delivery
// that says "paid" must not pass without effect because it says so elsewhere.

// eventFields name an event, and statusFields the status of a sale, the likeliest first.
var (
	eventFields = []string{
		"event", "webhook_event_type", "event_type", "eventType", "event_name", "eventName", "type", "trigger", "topic",
	}
	statusFields = []string{
		"order_status", "orderStatus", "sale_status", "sale_status_enum_key", "payment_status", "paymentStatus",
		"invoice_status", "financial_status", "purchase_status", "trans_status", "status",
	}
)

// toldWithin returns the first word of a delivery that is known to name what happened; ""
// where none is.
func toldWithin(root fields, known func(word string) outcome) string {
	all := holders(root)
	for _, names := range [][]string{eventFields, statusFields} {
		for _, holder := range all {
			for _, name := range names {
				word := holder.Text(maxEvent, name)
				if number := strings.Trim(word, "0123456789.") == ""; number && (word == "" || name == "type") {
					continue
				}
				if known(word) != unknown {
					return word
				}
			}
		}
	}
	return ""
}

// orPaid is the meaning of an event. One that nobody knows stops, where the status of its sale
// says that it is paid: it takes no credit for what may be a reminder of an old purchase.
func orPaid(meaning outcome, root fields, known func(word string) outcome) outcome {
	if meaning != unknown {
		return meaning
	}
	for _, holder := range holders(root) {
		for _, name := range statusFields {
			if word := holder.Text(maxEvent, name); word != "" && known(word).kind == Purchased {
				return onlyStop
			}
		}
	}
	return meaning
}

// knownIn looks words up in the table of a platform.
func knownIn(table map[string]outcome) func(word string) outcome {
	return func(word string) outcome { return meaningOf(table, word) }
}
