package webhookserver

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// This file decides what a sales event means for the leads there are. Pure functions.

const (
	// clockSkew is how far a platform's clock may be ahead of ours.
	clockSkew = 2 * time.Minute
	// oldestPurchase is how old a purchase may say that it is.
	oldestPurchase = 7 * 24 * time.Hour
)

// What CartRecovery's schema takes.
var (
	phoneForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,18}$`)
	amountForm   = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	urlForm      = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`)
)

const (
	maxURL         = 2048
	maxEmail       = 254
	maxName        = 200
	maxEventID     = 200
	maxProductID   = 128
	maxTransaction = 128
)

// report is an event of a sales platform for one Store, and when it came.
type report struct {
	store    *v1alpha1.Store
	platform v1alpha1.PlatformName
	event    platforms.Event
	// product is nil where the event's product has no Product.
	product *v1alpha1.Product
	now     time.Time
}

// fitting drops what CartRecovery's schema would refuse: a lead without an amount is worth
// more than none.
func fitting(event platforms.Event) platforms.Event {
	event.ID = bounded(event.ID, maxEventID)
	event.TransactionID = bounded(event.TransactionID, maxTransaction)
	event.Customer.Name = bounded(event.Customer.Name, maxName)
	event.Product.ID = bounded(event.Product.ID, maxProductID)
	event.Product.Name = bounded(event.Product.Name, maxName)
	event.Customer.Phone = matching(event.Customer.Phone, phoneForm, 20)
	event.Amount = matching(event.Amount, amountForm, 24)
	event.Currency = matching(event.Currency, currencyForm, 3)
	event.CheckoutURL = matching(event.CheckoutURL, urlForm, maxURL)
	if utf8.RuneCountInString(event.Customer.Email) > maxEmail {
		event.Customer.Email = ""
	}
	return event
}

func matching(value string, form *regexp.Regexp, most int) string {
	if utf8.RuneCountInString(value) > most || !form.MatchString(value) {
		return ""
	}
	return value
}

// bounded cuts a text to its first characters.
func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// leadName is the name of the event's lead.
func (r *report) leadName() string {
	return lead.Name(lead.Identity{
		StoreUID: r.store.UID, Platform: r.platform, ProductID: productKey(r.event.Product.ID, r.event.Product.Name),
		Email: r.event.Customer.Email, Phone: r.event.Customer.Phone,
	})
}

// productKey tells one product of a platform from another.
func productKey(id, name string) string {
	if id != "" {
		return id
	}
	return name
}

// refusal is why an abandoned cart starts nothing, whatever leads there are; "" when it
// may.
func (r *report) refusal(suppressed bool) string {
	resolved := policy.Resolve(r.store, r.product)
	_, wanted := resolved.Steps(r.event.Trigger)
	switch {
	case r.event.Customer.Phone == "":
		return ignoredNoPhone
	case !wanted:
		return ignoredNoSequence
	case suppressed:
		return ignoredSuppressed
	}
	return ""
}

// cartOn is what a cart event means to a lead that exists: nothing, whatever its state. A
// finished lead that may be re-opened as its next cycle would be told apart here.
func cartOn(existing *v1alpha1.CartRecovery) outcome {
	switch {
	case existing.Spec.Purchase != nil:
		return outcome{Result: resultIgnored, Reason: ignoredAlreadyPurchased, Lead: existing.Name}
	case lead.Finished(existing) || existing.Spec.Reversal != nil:
		return outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished, Lead: existing.Name}
	}
	return outcome{Result: resultUnchanged, Lead: existing.Name}
}

// twin finds the same cart under another name: the customer gave an e-mail address in one
// event and none, or another, in the other. One that was bought counts first, then one
// that is worked on, then one that is over; nil when there is none.
func (r *report) twin(leads []v1alpha1.CartRecovery) *v1alpha1.CartRecovery {
	var found *v1alpha1.CartRecovery
	for i := range leads {
		each := &leads[i]
		switch {
		case fullNumber(each.Spec.Customer.Phone) != fullNumber(r.event.Customer.Phone) || !r.isSameProduct(each):
		case each.Spec.Purchase != nil:
			return each
		case found == nil || !lead.Finished(each):
			found = each
		}
	}
	return found
}

func (r *report) customer() v1alpha1.LeadCustomer {
	return v1alpha1.LeadCustomer{Name: r.event.Customer.Name, Phone: r.event.Customer.Phone, Email: r.event.Customer.Email}
}

// newLead is the event's lead, with what both a cart and a purchase say of it.
func (r *report) newLead() *v1alpha1.CartRecovery {
	customer := r.customer()
	created := &v1alpha1.CartRecovery{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.store.Namespace, Name: r.leadName(), Labels: lead.Labels(r.store.Name, customer)},
		Spec: v1alpha1.CartRecoverySpec{
			StoreRef: v1alpha1.ObjectReference{Name: r.store.Name},
			Platform: r.platform,
			Customer: customer,
			Product:  v1alpha1.LeadProduct{ID: r.event.Product.ID, Name: r.event.Product.Name},
			EventID:  r.event.ID,
		},
	}
	if r.product != nil {
		created.Spec.ProductRef = &v1alpha1.ObjectReference{Name: r.product.Name}
		if created.Spec.Product.Name == "" {
			created.Spec.Product.Name = r.product.Spec.DisplayName
		}
	}
	return created
}

// cart is the lead that an abandoned cart starts.
func (r *report) cart() *v1alpha1.CartRecovery {
	created := r.newLead()
	created.Spec.Trigger = r.event.Trigger
	created.Spec.CheckoutURL = r.event.CheckoutURL
	created.Spec.Amount, created.Spec.Currency = r.event.Amount, r.event.Currency
	at := r.occurred(time.Time{})
	created.Spec.AbandonedAt = &at
	return created
}

// occurred is when the event happened by the platform's clock, where that is possible,
// else now.
func (r *report) occurred(notBefore time.Time) v1alpha1.Timestamp {
	at := r.event.OccurredAt
	if at.IsZero() || at.Before(notBefore) || at.After(r.now.Add(clockSkew)) {
		at = r.now
	}
	return v1alpha1.NewTimestamp(at)
}

// bought is the lead of a purchase without one: it is kept so that a late cart event
// starts nothing.
func (r *report) bought() *v1alpha1.CartRecovery {
	created := r.newLead()
	created.Spec.Purchase = r.purchase(!r.event.Attribute)
	return created
}

func (r *report) purchase(unattributed bool) *v1alpha1.Purchase {
	return &v1alpha1.Purchase{
		EventID: r.event.ID, TransactionID: r.event.TransactionID,
		Amount: r.event.Amount, Currency: r.event.Currency,
		At: r.occurred(r.now.Add(-oldestPurchase)), Unattributed: unattributed,
	}
}

func (r *report) reversal() *v1alpha1.Reversal {
	kind := v1alpha1.ReversalRefund
	if r.event.Chargeback {
		kind = v1alpha1.ReversalChargeback
	}
	return &v1alpha1.Reversal{
		EventID: r.event.ID, Kind: kind, TransactionID: r.event.TransactionID,
		At: r.occurred(r.now.Add(-oldestPurchase)),
	}
}

// isSameProduct says whether a lead is of the event's product: the same at the same
// platform, or another platform's of the same Product.
func (r *report) isSameProduct(recovery *v1alpha1.CartRecovery) bool {
	spec := &recovery.Spec
	if r.product != nil && spec.ProductRef != nil && spec.ProductRef.Name == r.product.Name {
		return true
	}
	return spec.Platform == r.platform &&
		productKey(spec.Product.ID, spec.Product.Name) == productKey(r.event.Product.ID, r.event.Product.Name)
}

// isSameCustomer says whether a lead is of the event's customer: the same e-mail address,
// or the same phone however it is written.
func (r *report) isSameCustomer(recovery *v1alpha1.CartRecovery) bool {
	customer := &recovery.Spec.Customer
	if r.event.Customer.Email != "" && strings.EqualFold(customer.Email, r.event.Customer.Email) {
		return true
	}
	return r.event.Customer.Phone != "" && fullNumber(customer.Phone) == fullNumber(r.event.Customer.Phone)
}

// fullNumber is a number in E.164 with the ninth digit of Brazilian mobiles, which the
// ids of older WhatsApp accounts lack; what cannot be read stays as it is.
func fullNumber(number string) string {
	digits := "+" + phone.Digits(number)
	if normal, ok := phone.Normalize(digits, ""); ok {
		return normal
	}
	return digits
}

// purchasePlan is what a purchase changes.
type purchasePlan struct {
	// stop are the leads that get the purchase.
	stop []stop
	// create is the lead to create with it, nil when some lead has or gets it.
	create *v1alpha1.CartRecovery
	// known are leads that have it already.
	known []string
}

// stop is a lead that a purchase stops.
type stop struct {
	lead         *v1alpha1.CartRecovery
	unattributed bool
}

// planPurchase decides what a purchase changes among the leads that the customer has in
// the store. scope is the killSwitchScope that holds for a lead of another product.
func (r *report) planPurchase(leads []v1alpha1.CartRecovery, scope func(*v1alpha1.CartRecovery) v1alpha1.KillSwitchScope) purchasePlan {
	var plan purchasePlan
	own, kept := r.leadName(), false
	for i := range leads {
		each := &leads[i]
		if each.Spec.StoreRef.Name != r.store.Name || (each.Name != own && !r.isSameCustomer(each)) {
			continue
		}
		same := each.Name == own || r.isSameProduct(each)
		switch {
		case each.Spec.Purchase != nil:
			if same {
				plan.known, kept = append(plan.known, each.Name), true
			}
		case each.Name == own, same && !lead.Finished(each):
			plan.stop, kept = append(plan.stop, stop{each, !r.event.Attribute}), true
		case !lead.Finished(each) && scope(each) == v1alpha1.KillSwitchCustomer:
			plan.stop = append(plan.stop, stop{each, true})
		}
	}
	if !kept {
		plan.create = r.bought()
	}
	return plan
}

// planReversal finds the leads that a refund or chargeback is written to, and those that
// have one already.
func (r *report) planReversal(leads []v1alpha1.CartRecovery) (write []*v1alpha1.CartRecovery, known []string) {
	own := r.leadName()
	for i := range leads {
		each := &leads[i]
		mine := each.Name == own || (r.isSameCustomer(each) && r.isSameProduct(each))
		switch {
		case each.Spec.StoreRef.Name != r.store.Name || !mine:
		case each.Spec.Reversal != nil:
			known = append(known, each.Name)
		default:
			write = append(write, each)
		}
	}
	return write, known
}
