package lead

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
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

// Facts is what one or more events say of a lead. The zero value says nothing. Bought and
// TakenBack make those of a purchase and of a reversal.
type Facts struct {
	// Start of the lead, nil when only a purchase or a reversal is known.
	Start *Start
	// FirstAbandoned is the earliest abandonment of all starts; zero without one.
	FirstAbandoned time.Time
	// Purchase that counts, nil when there is none.
	Purchase *v1alpha1.Purchase
	// OtherPurchases are those that may count when that one is taken back; see encodePurchases.
	OtherPurchases string
	// LastPurchase is the latest time of all purchases; zero without one.
	LastPurchase time.Time
	// Purchases are the events of all purchases, that of Purchase too, for PurchasedAt. A set.
	Purchases string
	// Reversal that counts, nil when there is none.
	Reversal *v1alpha1.Reversal
	// Reversals are the sales that were taken back, that of Reversal too, for Reversed. A set.
	Reversals string
	// Payment that is open, nil when none is known, or the lead was bought or reversed.
	Payment *v1alpha1.Payment
	// ExpiredPayments are the payments that were reported as expired, in the form of Purchases
	// (see Expired). A set.
	ExpiredPayments string
	// Consent that counts, nil when the platforms tell none.
	Consent *v1alpha1.Consent
	// Sales are hashes of the transactions that the lead is about. A set.
	Sales string
	// Name of the customer, and ProductName, "" when unknown.
	Name, ProductName string
	// Emails are the customer's addresses in lower case. A set.
	Emails string
	// Phones are the customer's numbers in E.164, that of Start too. A set.
	Phones string
}

// Bought is what a purchase says of every lead that it stops; nothing when it is nil.
func Bought(purchase *v1alpha1.Purchase) Facts {
	if purchase == nil {
		return Facts{}
	}
	return Facts{Purchase: purchase, LastPurchase: purchase.At.Time, Purchases: purchaseEvent(purchase)}
}

// TakenBack is what a refund or chargeback says of a lead.
func TakenBack(reversal *v1alpha1.Reversal) Facts {
	return Facts{Reversal: reversal, Reversals: reversedSale(reversal)}
}

// OfSale is what a transaction's id says of a lead that it is about; nothing when it is "".
func OfSale(transactionID string) Facts {
	return Facts{Sales: SaleHash(transactionID)}
}

// FactsOf returns what is known of a lead.
func FactsOf(recovery *v1alpha1.CartRecovery) Facts {
	spec := &recovery.Spec
	facts := Facts{
		Purchase: spec.Purchase, OtherPurchases: encodePurchases(spec.OtherPurchases), Reversal: spec.Reversal,
		Name: spec.Customer.Name, ProductName: spec.Product.Name,
		Emails: setOf(maxKnown, lowered(emailsOf(&spec.Customer))...),
		Phones: setOf(maxKnown, phonesOf(&spec.Customer)...), Purchases: unionOfEvents(purchaseEvent(spec.Purchase),
			listed(recovery, v1alpha1.AnnotationPurchases)),
		Reversals: union(maxEvents, reversedSale(spec.Reversal), listed(recovery, v1alpha1.AnnotationReversals)),
		Payment:   spec.Payment, Consent: spec.Consent, Sales: salesOf(recovery),
		ExpiredPayments: unionOfEvents("", listed(recovery, v1alpha1.AnnotationExpiredPayments)),
	}
	if spec.AbandonedAt != nil {
		facts.Start = &Start{
			Trigger: spec.Trigger, AbandonedAt: *spec.AbandonedAt, EventID: spec.EventID, CheckoutURL: spec.CheckoutURL,
			Amount: spec.Amount, Currency: spec.Currency, Phone: spec.Customer.Phone,
		}
		facts.FirstAbandoned = instant.EarlierSet(spec.AbandonedAt.Time,
			annotated(recovery, v1alpha1.AnnotationFirstAbandoned))
	}
	if spec.Purchase != nil {
		facts.LastPurchase = instant.Later(spec.Purchase.At.Time, annotated(recovery, v1alpha1.AnnotationLastPurchase))
	}
	return facts
}

func lowered(texts []string) []string {
	for i := range texts {
		texts[i] = strings.ToLower(texts[i])
	}
	return texts
}

// listed is the set that an annotation keeps.
func listed(recovery *v1alpha1.CartRecovery, name string) string {
	value := recovery.Annotations[name]
	if value == "" {
		return ""
	}
	return setOf(maxEvents, strings.Split(value, ",")...)
}

// annotated is the time that an annotation keeps, zero where it keeps none.
func annotated(recovery *v1alpha1.CartRecovery, name string) time.Time {
	at, _ := time.Parse(time.RFC3339, recovery.Annotations[name])
	return at
}

// Join is what both say together. Where they say the same, what f says is kept as it is, so
// that the join equals f when other adds nothing.
func (f Facts) Join(other Facts) Facts {
	joined := Facts{
		Start:          better(f.Start, other.Start, compareStarts),
		FirstAbandoned: instant.EarlierSet(f.FirstAbandoned, other.FirstAbandoned),
		LastPurchase:   instant.Later(f.LastPurchase, other.LastPurchase),
		Purchases:      unionOfEvents(f.Purchases, other.Purchases),
		Reversal:       better(f.Reversal, other.Reversal, compareReversals),
		Reversals:      union(maxEvents, f.Reversals, other.Reversals),
		Consent:        better(f.Consent, other.Consent, compareConsents),
		Sales:          union(maxEvents, f.Sales, other.Sales),
		Name:           fuller(f.Name, other.Name),
		ProductName:    fuller(f.ProductName, other.ProductName),
		Emails:         union(maxKnown, f.Emails, other.Emails),
		Phones:         union(maxKnown, f.Phones, other.Phones),

		ExpiredPayments: unionOfEvents(f.ExpiredPayments, other.ExpiredPayments),
	}
	joined.Purchase, joined.OtherPurchases = joinPurchases(f, other, joined.Reversals)
	if joined.Purchase == nil && joined.Reversal == nil {
		joined.Payment = ended(better(f.Payment, other.Payment, comparePayments), joined.ExpiredPayments)
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
	spec, customer := &recovery.Spec, f.customer()
	known := sameDetails(&spec.Customer, &customer)
	spec.Customer, spec.Product.Name = customer, f.ProductName
	if start := f.Start; start != nil {
		at := start.AbandonedAt
		spec.Trigger, spec.AbandonedAt, spec.EventID, spec.CheckoutURL = start.Trigger, &at, start.EventID,
			start.CheckoutURL
		spec.Amount, spec.Currency = start.Amount, start.Currency
		annotateTime(recovery, v1alpha1.AnnotationFirstAbandoned, f.FirstAbandoned, at.Time)
	}
	spec.Purchase, spec.Reversal = f.Purchase.DeepCopy(), f.Reversal.DeepCopy()
	spec.OtherPurchases = decodePurchases(f.OtherPurchases)
	spec.Payment, spec.Consent = f.Payment.DeepCopy(), f.Consent.DeepCopy()
	spec.PaymentExpiredAt = nil
	if f.Start == nil && f.Purchase == nil && f.Reversal == nil {
		spec.PaymentExpiredAt = lastExpiry(f.ExpiredPayments)
	}
	if f.Purchase != nil {
		annotateTime(recovery, v1alpha1.AnnotationLastPurchase, f.LastPurchase, f.Purchase.At.Time)
	}
	annotate(recovery, v1alpha1.AnnotationPurchases, strings.Join(without(f.Purchases, purchaseEvent(f.Purchase)), ","))
	annotate(recovery, v1alpha1.AnnotationReversals, strings.Join(without(f.Reversals, reversedSale(f.Reversal)), ","))
	annotate(recovery, v1alpha1.AnnotationExpiredPayments, strings.Join(members(f.ExpiredPayments), ","))
	if !known {
		relabel(recovery)
	}
	labelSales(recovery, f.Sales)
}

// sameDetails says whether two customers have the same addresses and numbers.
func sameDetails(a, b *v1alpha1.LeadCustomer) bool {
	return a.Phone == b.Phone && a.Email == b.Email && slices.Equal(a.OtherPhones, b.OtherPhones) &&
		slices.Equal(a.OtherEmails, b.OtherEmails)
}

// customer is who the facts are of. The first phone is the one that is written to: that of
// the start, where there is one.
func (f Facts) customer() v1alpha1.LeadCustomer {
	phone := first(f.Phones)
	if f.Start != nil {
		phone = f.Start.Phone
	}
	email := first(f.Emails)
	return v1alpha1.LeadCustomer{
		Name: f.Name, Phone: phone, OtherPhones: without(f.Phones, phone), Email: email, OtherEmails: without(f.Emails,
			email),
	}
}

// relabel gives a lead the labels of its customer, and takes those of others off. That of the
// Store stays as it is.
func relabel(recovery *v1alpha1.CartRecovery) {
	labels := customerLabels(&recovery.Spec.Customer)
	maps.DeleteFunc(recovery.Labels, func(key, _ string) bool {
		return strings.HasPrefix(key, v1alpha1.LabelPhonePrefix) || strings.HasPrefix(key, v1alpha1.LabelEmailPrefix)
	})
	if recovery.Labels == nil && len(labels) > 0 {
		recovery.Labels = map[string]string{}
	}
	maps.Copy(recovery.Labels, labels)
}

// annotateTime keeps a time that the spec does not have.
func annotateTime(recovery *v1alpha1.CartRecovery, name string, at, inSpec time.Time) {
	value := ""
	if !at.Equal(inSpec) {
		value = at.UTC().Format(time.RFC3339Nano)
	}
	annotate(recovery, name, value)
}

// annotate keeps what the spec has no place for; nothing for "".
func annotate(recovery *v1alpha1.CartRecovery, name, value string) {
	if value == "" {
		delete(recovery.Annotations, name)
		return
	}
	if recovery.Annotations == nil {
		recovery.Annotations = map[string]string{}
	}
	recovery.Annotations[name] = value
}

// PurchasedAt is the time that leads keep of a purchase, by the id of its event: the earliest
// of them; false when none of them knows the event.
func PurchasedAt(recoveries []v1alpha1.CartRecovery, eventID string) (at time.Time, known bool) {
	if eventID == "" {
		return time.Time{}, false
	}
	wanted := shortHash("event", eventID)
	for i := range recoveries {
		facts := FactsOf(&recoveries[i])
		if purchase := facts.Purchase; purchase != nil && purchase.EventID == eventID {
			at = instant.EarlierSet(at, purchase.At.Time)
		}
		for _, member := range members(facts.Purchases) {
			if told, hash, ok := readEvent(member); ok && hash == wanted {
				at = instant.EarlierSet(at, told)
			}
		}
	}
	return at, !at.IsZero()
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
