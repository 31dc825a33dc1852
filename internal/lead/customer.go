package lead

import (
	"slices"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/phone"
)

// PurchaseMemory is how long after a purchase of another product a customer who leaves a
// checkout is not written to: who has just bought something is still at it, and who bought
// last week may be written to.
const PurchaseMemory = time.Hour

// FullNumber is a number in E.164 with the ninth digit of Brazilian mobiles, which the ids
// of older WhatsApp accounts lack; what cannot be read stays as it is.
func FullNumber(number string) string {
	digits := "+" + phone.Digits(number)
	if normal, ok := phone.Normalize(digits, ""); ok {
		return normal
	}
	return digits
}

// SamePhone says whether two numbers are one phone, however they are written. An empty number is nobody's. Numbers with
// the same phone.Key need not be: a landline and a mobile can have one (see phone.Shared).
func SamePhone(a, b string) bool {
	return a != "" && b != "" && (a == b || oneWriting(a) == oneWriting(b))
}

// oneWriting is a number in a form that all ways of writing it have: its key, where nobody
// else's number has that.
func oneWriting(number string) string {
	if full := FullNumber(number); phone.Shared(full) {
		return full
	}
	return "+" + phone.Key(number)
}

// SameCustomer says whether two customers are one: they share an e-mail address or a phone.
func SameCustomer(a, b *v1alpha1.LeadCustomer) bool {
	return shared(emailsOf(a), emailsOf(b), strings.EqualFold) || shared(phonesOf(a), phonesOf(b), SamePhone)
}

func shared(a, b []string, same func(a, b string) bool) bool {
	for _, each := range a {
		if slices.ContainsFunc(b, func(other string) bool { return same(each, other) }) {
			return true
		}
	}
	return false
}

// emailsOf are all addresses of a customer, phonesOf all numbers.
func emailsOf(customer *v1alpha1.LeadCustomer) []string {
	return allOf(customer.Email, customer.OtherEmails)
}

func phonesOf(customer *v1alpha1.LeadCustomer) []string {
	return allOf(customer.Phone, customer.OtherPhones)
}

func allOf(one string, others []string) []string {
	all := make([]string, 0, 1+len(others))
	if one != "" {
		all = append(all, one)
	}
	return append(all, others...)
}

// Linked is a customer with the addresses and numbers that their leads among these say are theirs: whoever bought by an
// address that is known together with a phone is the one who left another cart with that phone. One step is taken and
// no more, and at most eight addresses and eight numbers are added.
func Linked(customer *v1alpha1.LeadCustomer, store string, leads []v1alpha1.CartRecovery) v1alpha1.LeadCustomer {
	if len(leads) == 0 {
		return *customer
	}
	linked, emails, phones := *customer, emailsOf(customer), phonesOf(customer)
	var newEmails, newPhones []string
	for i := range leads {
		spec := &leads[i].Spec
		if spec.StoreRef.Name != store || !SameCustomer(&spec.Customer, customer) {
			continue
		}
		newEmails = append(newEmails, missing(emailsOf(&spec.Customer), emails, strings.EqualFold)...)
		newPhones = append(newPhones, missing(phonesOf(&spec.Customer), phones, SamePhone)...)
	}
	linked.OtherEmails = withSome(customer.OtherEmails, newEmails)
	linked.OtherPhones = withSome(customer.OtherPhones, newPhones)
	return linked
}

// missing are those that are not among the known.
func missing(found, known []string, same func(a, b string) bool) []string {
	return slices.DeleteFunc(found, func(each string) bool {
		return slices.ContainsFunc(known, func(other string) bool { return same(each, other) })
	})
}

func withSome(own, added []string) []string {
	return slices.Concat(own, members(setOf(maxKnown, added...)))
}

// SameProduct says whether two leads are of one product: the same Product, or the same at
// one platform, by its id or, where one of them has none, its name. Platforms name a product
// in a cart that they give an id in the sale.
func SameProduct(a, b *v1alpha1.CartRecoverySpec) bool {
	if a.ProductRef != nil && b.ProductRef != nil && *a.ProductRef == *b.ProductRef {
		return true
	}
	return a.Platform == b.Platform && sameAtPlatform(&a.Product, &b.Product)
}

func sameAtPlatform(a, b *v1alpha1.LeadProduct) bool {
	nameA, nameB := strings.TrimSpace(a.Name), strings.TrimSpace(b.Name)
	if a.ID != "" && b.ID != "" || nameA == "" && nameB == "" {
		return a.ID == b.ID
	}
	return strings.EqualFold(nameA, nameB)
}

// Reaches says whether a purchase of another product, made at a time, stops a lead, where
// its killSwitchScope is Customer: whether the lead is worked on, and no start of it came
// later than PurchaseMemory after the purchase. Times decide and not what was reported first.
func Reaches(at time.Time, recovery *v1alpha1.CartRecovery) bool {
	if Over(recovery) || recovery.Spec.AbandonedAt == nil {
		return false
	}
	return !at.Before(FactsOf(recovery).FirstAbandoned.Add(-PurchaseMemory))
}

// StoppedByAny returns the purchase that stops a lead and stands on one of these others, the
// one that counts where there are several; nil when there is none.
func StoppedByAny(recovery *v1alpha1.CartRecovery, others []v1alpha1.CartRecovery,
	scope v1alpha1.KillSwitchScope) *v1alpha1.Purchase {
	customer := Linked(&recovery.Spec.Customer, recovery.Spec.StoreRef.Name, others)
	var best *v1alpha1.Purchase
	for i := range others {
		if others[i].Name != recovery.Name {
			best = BetterPurchase(best, stoppedBy(recovery, &customer, &others[i], scope))
		}
	}
	return best
}

// stoppedBy returns the purchase on another lead that stops this one, nil when none does:
// of the same customer, and of the same product or, in the scope Customer, of another one
// that Reaches it, which no recovery may take credit for.
func stoppedBy(recovery *v1alpha1.CartRecovery, customer *v1alpha1.LeadCustomer, other *v1alpha1.CartRecovery,
	scope v1alpha1.KillSwitchScope) *v1alpha1.Purchase {
	purchase := other.Spec.Purchase
	switch {
	case purchase == nil || recovery.Spec.StoreRef != other.Spec.StoreRef ||
		!SameCustomer(customer, &other.Spec.Customer):
		return nil
	case SameProduct(&recovery.Spec, &other.Spec):
		return purchase.DeepCopy()
	case scope != v1alpha1.KillSwitchCustomer:
		return nil
	}
	stops := purchase.DeepCopy()
	if last := FactsOf(other).LastPurchase; !Reaches(purchase.At.Time, recovery) {
		// A later one, of which only the time was kept.
		stops = &v1alpha1.Purchase{At: v1alpha1.NewTimestamp(last)}
	}
	stops.Unattributed = true
	if !Reaches(stops.At.Time, recovery) {
		return nil
	}
	return stops
}
