package webhookserver

import (
	"regexp"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// Events are cut to what the schema of a CartRecovery takes: a lead without its amount is worth more than no lead.
// Pure functions.

// The forms that the schema of a CartRecovery takes.
var (
	phoneForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	amountForm   = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	urlForm      = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`)
)

// The lengths, in characters, that it takes.
const (
	maxPhone       = 20
	maxAmount      = 24
	maxCurrency    = 3
	maxURL         = 2048
	maxEmail       = 254
	maxName        = 200
	maxEventID     = 200
	maxProductID   = 128
	maxTransaction = 128

	maxPixCode       = 1024
	maxBoletoLine    = 128
	maxConsentSource = 128
)

// defaultCurrency is the default of a Store's spec.currency.
const defaultCurrency = "BRL"

// truncateEvent shortens what may be shortened, and drops what the schema would refuse.
func truncateEvent(event platforms.Event) platforms.Event {
	event.ID = clip.Characters(event.ID, maxEventID)
	event.TransactionID = clip.Characters(event.TransactionID, maxTransaction)
	event.Customer.Name = clip.Characters(event.Customer.Name, maxName)
	event.Customer.Phone = matching(event.Customer.Phone, phoneForm, maxPhone)
	event.Customer.Email = fitting(event.Customer.Email, maxEmail)
	event.Product.ID = clip.Characters(event.Product.ID, maxProductID)
	event.Product.Name = clip.Characters(event.Product.Name, maxName)
	event.Amount = matching(event.Amount, amountForm, maxAmount)
	event.Currency = matching(event.Currency, currencyForm, maxCurrency)
	event.CheckoutURL = matching(event.CheckoutURL, urlForm, maxURL)
	event.Payment, event.Consent = truncatePayment(event.Payment), truncateConsent(event.Consent)
	return event
}

func truncatePayment(told *v1alpha1.Payment) *v1alpha1.Payment {
	if told == nil {
		return nil
	}
	payment := *told
	// Half a code pays nothing.
	payment.PixCode = fitting(payment.PixCode, maxPixCode)
	payment.BoletoLine = fitting(payment.BoletoLine, maxBoletoLine)
	payment.URL = matching(payment.URL, urlForm, maxURL)
	payment.TransactionID = clip.Characters(payment.TransactionID, maxTransaction)
	switch payment.Method {
	case "", v1alpha1.PaymentPix, v1alpha1.PaymentBoleto, v1alpha1.PaymentCard, v1alpha1.PaymentOther:
	default:
		payment.Method = v1alpha1.PaymentOther
	}
	return &payment
}

func truncateConsent(told *v1alpha1.Consent) *v1alpha1.Consent {
	if told == nil || told.Basis != v1alpha1.ConsentOptedIn && told.Basis != v1alpha1.ConsentOptedOut {
		return nil
	}
	consent := *told
	consent.Source = clip.Characters(consent.Source, maxConsentSource)
	return &consent
}

// fitting is a text, or "" when it is too long.
func fitting(text string, most int) string {
	if utf8.RuneCountInString(text) > most {
		return ""
	}
	return text
}

// matching is a text, or "" when it is too long or has another form.
func matching(text string, form *regexp.Regexp, most int) string {
	if fitting(text, most) == "" || !form.MatchString(text) {
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
