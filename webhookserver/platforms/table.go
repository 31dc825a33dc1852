package platforms

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Row is a line of the table of a platform's events, in docs/platforms.md.
type Row struct {
	// Event as the platform writes it, in Markdown.
	Event string
	// Meaning says what it does, in the words of a user.
	Meaning string
}

// The words of Row.Meaning, in the order of the table.
const (
	startsRecovery   = "starts a recovery ("
	stopsAndCounts   = "stops; counts as recovered"
	stopsUncounted   = "stops; not counted"
	reversesRefund   = "stops; reverses (refund)"
	reversesDispute  = "stops; reverses (chargeback)"
	paymentIsOver    = "ends an open payment"
	isUnusable       = "cannot be used"
	isIgnored        = "ignored"
	cannotBeRead     = "cannot be read"
	anythingElse     = "anything else"
	somethingUnknown = "something_unknown"
)

// sample is the least delivery of an event that tells its meaning.
type sample struct {
	event    string
	delivery Delivery
}

// Table returns every event of a platform and what it does, starts first, as the parser reads the smallest delivery of
// each. It is for the documentation; nil for a platform that is not understood.
func Table(name v1alpha1.PlatformName) []Row {
	row := defined(name)
	if row == nil {
		return nil
	}
	platform, err := row.configured(&v1alpha1.StorePlatform{Name: name, Generic: sampleMapping()})
	if err != nil {
		return nil
	}
	var rows []Row
	for _, each := range row.samples() {
		rows = append(rows, Row{Event: each.event, Meaning: wordsFor(platform, each.delivery)})
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return rank(a) - rank(b) })
	return rows
}

// rank is a row's place: by what it does, and what is said of everything else last.
func rank(row Row) int {
	order := []string{
		startsRecovery + string(v1alpha1.TriggerAbandonedCart) + ")",
		startsRecovery + string(v1alpha1.TriggerPixPending) + ")",
		startsRecovery + string(v1alpha1.TriggerBoletoPending) + ")",
		startsRecovery + string(v1alpha1.TriggerPaymentRefused) + ")", stopsAndCounts, stopsUncounted, reversesRefund,
		reversesDispute, paymentIsOver, isIgnored,
	}
	if at := slices.Index(order, row.Meaning); at >= 0 && row.Event != anythingElse {
		return at
	}
	return len(order)
}

// wordsFor says what a delivery does.
func wordsFor(platform Platform, delivery Delivery) string {
	events, err := platform.Parse(delivery, Place{Region: "BR"})
	if err != nil || len(events) == 0 {
		return cannotBeRead
	}
	return events[0].words()
}

// words says what an event does.
func (e Event) words() string {
	switch {
	case e.Kind == Abandoned:
		return startsRecovery + string(e.Trigger) + ")"
	case e.Kind == Purchased && e.Attribute:
		return stopsAndCounts
	case e.Kind == Purchased:
		return stopsUncounted
	case e.Kind == Reversed && e.Chargeback:
		return reversesDispute
	case e.Kind == Reversed:
		return reversesRefund
	case e.Kind == PaymentExpired:
		return paymentIsOver
	case e.Kind == Unusable:
		return isUnusable
	}
	return isIgnored
}

// given is a JSON object of a sample.
type given = map[string]any

// sampleCustomer is whom a sample is of: a purchase of nobody can be of no use.
const sampleCustomer = "customer@example.com"

func jsonSample(event string, body given) sample {
	body = maps.Clone(body)
	body["email"] = sampleCustomer
	// Samples are texts, numbers and objects of them: nothing that cannot be written.
	data, _ := json.Marshal(body) //nolint:errchkjson // see above
	return sample{event: event, delivery: Delivery{Body: data}}
}

// formSample makes a delivery of names and their values, in turn.
func formSample(event string, pairs ...string) sample {
	form := url.Values{"email": {sampleCustomer}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return sample{event: event, delivery: Delivery{Body: []byte(form.Encode())}}
}

func quoted(text string) string { return "`" + text + "`" }

func sortedKeys[K int | string, V any](table map[K]V) []K {
	return slices.Sorted(maps.Keys(table))
}
