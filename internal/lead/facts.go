package lead

import (
	"cmp"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// This file joins what several events say of one lead. Platforms repeat deliveries and send
// them in any order, so every rule here is commutative, associative and idempotent, and none
// asks what came first.

// Start is what made a lead: the facts of one event, which stay together.
type Start struct {
	// Trigger of the lead.
	Trigger v1alpha1.Trigger
	// AbandonedAt is when the customer left.
	AbandonedAt v1alpha1.Timestamp
	// EventID is the platform's id of the event.
	EventID string
	// CheckoutURL, Amount and Currency of the cart, "" when unknown.
	CheckoutURL, Amount, Currency string
	// Phone in E.164: who left the checkout is written to there.
	Phone string
}

// Facts is what one or more events say of a lead. The zero value says nothing.
type Facts struct {
	// Start of the lead, nil when only a purchase or a reversal is known.
	Start *Start
	// FirstAbandoned is the earliest abandonment of all starts; zero without one.
	FirstAbandoned time.Time
	// Purchase that counts, nil when there is none.
	Purchase *v1alpha1.Purchase
	// LastPurchase is the latest time of all purchases; zero without one.
	LastPurchase time.Time
	// Reversal that counts, nil when there is none.
	Reversal *v1alpha1.Reversal
	// Name and Email of the customer, and ProductName, "" when unknown.
	Name, Email, ProductName string
	// Phone of the customer where there is no Start, whose phone counts before any other.
	Phone string
}

// FactsOf returns what is known of a lead.
func FactsOf(recovery *v1alpha1.CartRecovery) Facts {
	spec := &recovery.Spec
	facts := Facts{
		Purchase: spec.Purchase, Reversal: spec.Reversal, Name: spec.Customer.Name, Email: spec.Customer.Email,
		Phone: spec.Customer.Phone, ProductName: spec.Product.Name,
	}
	if spec.AbandonedAt != nil {
		facts.Start = &Start{
			Trigger: spec.Trigger, AbandonedAt: *spec.AbandonedAt, EventID: spec.EventID, CheckoutURL: spec.CheckoutURL,
			Amount: spec.Amount, Currency: spec.Currency, Phone: spec.Customer.Phone,
		}
		facts.FirstAbandoned, facts.Phone = earlier(spec.AbandonedAt.Time, annotated(recovery, v1alpha1.AnnotationFirstAbandoned)), ""
	}
	if spec.Purchase != nil {
		facts.LastPurchase = later(spec.Purchase.At.Time, annotated(recovery, v1alpha1.AnnotationLastPurchase))
	}
	return facts
}

func annotated(recovery *v1alpha1.CartRecovery, name string) time.Time {
	at, err := time.Parse(time.RFC3339, recovery.Annotations[name])
	if err != nil {
		return time.Time{}
	}
	return at
}

// Join is what both say together. Where they say the same, what f says is kept as it is, so
// that the join equals f when other adds nothing.
func (f Facts) Join(other Facts) Facts {
	joined := Facts{
		Start:          better(f.Start, other.Start, compareStarts),
		FirstAbandoned: earlier(f.FirstAbandoned, other.FirstAbandoned),
		Purchase:       BetterPurchase(f.Purchase, other.Purchase),
		LastPurchase:   later(f.LastPurchase, other.LastPurchase),
		Reversal:       better(f.Reversal, other.Reversal, compareReversals),
		Name:           fuller(f.Name, other.Name),
		Email:          smaller(f.Email, other.Email),
		ProductName:    fuller(f.ProductName, other.ProductName),
	}
	if joined.Start == nil {
		joined.Phone = smaller(f.Phone, other.Phone)
	}
	return joined
}

// Add joins facts to those of a lead, with the labels that it is found by, and says whether
// that changed anything.
func Add(recovery *v1alpha1.CartRecovery, facts Facts) (changed bool) {
	known := FactsOf(recovery)
	joined := known.Join(facts)
	if joined == known {
		return false
	}
	joined.writeTo(recovery)
	return true
}

func (f Facts) writeTo(recovery *v1alpha1.CartRecovery) {
	spec := &recovery.Spec
	spec.Customer = v1alpha1.LeadCustomer{Name: f.Name, Email: f.Email, Phone: f.Phone}
	spec.Product.Name = f.ProductName
	if start := f.Start; start != nil {
		at := start.AbandonedAt
		spec.Trigger, spec.AbandonedAt, spec.EventID, spec.CheckoutURL = start.Trigger, &at, start.EventID, start.CheckoutURL
		spec.Amount, spec.Currency, spec.Customer.Phone = start.Amount, start.Currency, start.Phone
		annotate(recovery, v1alpha1.AnnotationFirstAbandoned, f.FirstAbandoned, at.Time)
	}
	spec.Purchase, spec.Reversal = f.Purchase.DeepCopy(), f.Reversal.DeepCopy()
	if f.Purchase != nil {
		annotate(recovery, v1alpha1.AnnotationLastPurchase, f.LastPurchase, f.Purchase.At.Time)
	}
	for label, value := range Labels("", spec.Customer) {
		if label == v1alpha1.LabelStore {
			continue
		}
		if recovery.Labels == nil {
			recovery.Labels = map[string]string{}
		}
		recovery.Labels[label] = value
	}
}

// annotate keeps a time that the spec does not have.
func annotate(recovery *v1alpha1.CartRecovery, name string, at, inSpec time.Time) {
	if at.Equal(inSpec) {
		delete(recovery.Annotations, name)
		return
	}
	if recovery.Annotations == nil {
		recovery.Annotations = map[string]string{}
	}
	recovery.Annotations[name] = at.UTC().Format(time.RFC3339Nano)
}

// BetterPurchase returns which of two purchases counts: one that a recovery may take credit
// for, then the earlier, then the one with the smaller event id. Either may be nil.
func BetterPurchase(a, b *v1alpha1.Purchase) *v1alpha1.Purchase {
	return better(a, b, comparePurchases)
}

// better returns the one that comes first, a when they are alike. Either may be nil.
func better[T any](a, b *T, compare func(a, b *T) int) *T {
	if a == nil || b != nil && compare(b, a) < 0 {
		return b
	}
	return a
}

// compareStarts puts first what says most: an open payment before a refused one, both before
// a cart. Then the earlier, because delays count from it; the rest makes the order total.
func compareStarts(a, b *Start) int {
	return cmp.Or(
		cmp.Compare(rank(a.Trigger), rank(b.Trigger)),
		a.AbandonedAt.Compare(b.AbandonedAt.Time),
		cmp.Compare(a.Trigger, b.Trigger),
		cmp.Compare(a.EventID, b.EventID),
		cmp.Compare(a.CheckoutURL, b.CheckoutURL),
		cmp.Compare(a.Amount, b.Amount),
		cmp.Compare(a.Currency, b.Currency),
		cmp.Compare(a.Phone, b.Phone),
	)
}

func rank(trigger v1alpha1.Trigger) int {
	switch trigger {
	case v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending:
		return 0
	case v1alpha1.TriggerPaymentRefused:
		return 1
	default:
		return 2
	}
}

func comparePurchases(a, b *v1alpha1.Purchase) int {
	return cmp.Or(
		falseFirst(a.Unattributed, b.Unattributed),
		a.At.Compare(b.At.Time),
		cmp.Compare(a.EventID, b.EventID),
		cmp.Compare(a.TransactionID, b.TransactionID),
		cmp.Compare(a.Amount, b.Amount),
		cmp.Compare(a.Currency, b.Currency),
	)
}

func compareReversals(a, b *v1alpha1.Reversal) int {
	return cmp.Or(
		falseFirst(a.Kind != v1alpha1.ReversalChargeback, b.Kind != v1alpha1.ReversalChargeback),
		a.At.Compare(b.At.Time),
		cmp.Compare(a.EventID, b.EventID),
		cmp.Compare(a.TransactionID, b.TransactionID),
	)
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// fuller returns the longer text, then the smaller: "Maria Souza" says more than "Maria".
func fuller(a, b string) string {
	if cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) <= 0 {
		return a
	}
	return b
}

// smaller returns the smaller text, one that says nothing last.
func smaller(a, b string) string {
	if b == "" || a != "" && a <= b {
		return a
	}
	return b
}

// earlier returns the earlier time, the zero time last.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && !b.Before(a) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
