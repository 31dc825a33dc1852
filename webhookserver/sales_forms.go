package webhookserver

import (
	"regexp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// The forms that the schema of a CartRecovery takes. Its lengths are kept by who reads the platforms' deliveries.
var (
	phoneForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	amountForm   = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	urlForm      = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`)
)

// defaultCurrency is the default of a Store's spec.currency.
const defaultCurrency = "BRL"

// inForm drops what the schema would refuse: a lead without its amount is worth more than no lead. Pure.
func inForm(event platforms.Event) platforms.Event {
	event.Customer.Phone = matching(event.Customer.Phone, phoneForm)
	event.Amount = matching(event.Amount, amountForm)
	event.Currency = matching(event.Currency, currencyForm)
	event.CheckoutURL = matching(event.CheckoutURL, urlForm)
	if event.Payment != nil {
		payment := *event.Payment
		payment.URL = matching(payment.URL, urlForm)
		event.Payment = &payment
	}
	return event
}

// matching is a text, or "" when it has another form.
func matching(text string, form *regexp.Regexp) string {
	if !form.MatchString(text) {
		return ""
	}
	return text
}

// currencyOf is the currency of an event's amount: the platform's, or that of the Store.
func currencyOf(store *v1alpha1.Store, event *platforms.Event) string {
	switch {
	case event.Currency != "" || event.Amount == "":
		return event.Currency
	case currencyForm.MatchString(store.Spec.Currency):
		return store.Spec.Currency
	}
	return defaultCurrency
}
