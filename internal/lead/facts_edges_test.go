package lead_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// unknown is a lead of which nothing is known but its Store and platform.
func unknown() *v1alpha1.CartRecovery {
	recovery := gen.Lead(noon)
	recovery.Labels, recovery.Spec = nil, v1alpha1.CartRecoverySpec{
		StoreRef: recovery.Spec.StoreRef, Platform: recovery.Spec.Platform,
	}
	return recovery
}

// TestWhenAPaymentEndedThatIsAllThatIsKnown: the spec says so of leads without anything else.
func TestWhenAPaymentEndedThatIsAllThatIsKnown(t *testing.T) {
	end := after(2)
	for name, row := range map[string]struct {
		besides lead.Facts
		want    *v1alpha1.Timestamp
	}{
		"nothing else": {lead.Facts{}, &end},
		"a start":      {started(v1alpha1.TriggerAbandonedCart, 1), nil},
		"a purchase":   {bought(1, false, "e"), nil},
		"a reversal":   {reversed(v1alpha1.ReversalRefund, 1, "r"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := unknown()
			lead.Add(recovery, lead.Expired("t1", end).Join(row.besides))
			if diff := cmp.Diff(row.want, recovery.Spec.PaymentExpiredAt); diff != "" {
				t.Errorf("spec.paymentExpiredAt (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnEndThatCannotBeRead is of a lead of which nothing else is known.
func TestAnEndThatCannotBeRead(t *testing.T) {
	recovery := unknown()
	recovery.Annotations = map[string]string{v1alpha1.AnnotationExpiredPayments: "2026-03-02T12:05:00.000000Z short"}
	lead.Add(recovery, lead.Facts{Name: "Ana"})
	if diff := cmp.Diff((*v1alpha1.Timestamp)(nil), recovery.Spec.PaymentExpiredAt); diff != "" {
		t.Errorf("spec.paymentExpiredAt (-want +got):\n%s", diff)
	}
}

// TestAnnotationsOfWhatAnnotationsAreNotNeededFor: what the spec says is not said twice.
func TestAnnotationsOfWhatAnnotationsAreNotNeededFor(t *testing.T) {
	recovery := gen.Lead(noon)
	lead.Add(recovery, bought(5, false, "e"))
	if diff := cmp.Diff(map[string]string(nil), recovery.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

// TestLabelsFollowTheCustomer: whatever is newly told of a customer, the lead is found by it, and not by
// what is not theirs any more.
func TestLabelsFollowTheCustomer(t *testing.T) {
	const other = "+5511999999999"
	stale := func(l *v1alpha1.CartRecovery) { l.Labels[v1alpha1.LabelPhonePrefix+"gone"] = "" }
	for name, row := range map[string]struct {
		lead  *v1alpha1.CartRecovery
		facts lead.Facts
		want  v1alpha1.LeadCustomer
	}{
		"the first number": {
			gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = ""; l.Spec.AbandonedAt = nil }),
			lead.Facts{Phones: other}, v1alpha1.LeadCustomer{Phone: other, Email: gen.Email},
		},
		"another number": {
			gen.Lead(noon), lead.Facts{Phones: other},
			v1alpha1.LeadCustomer{Phone: gen.Phone, OtherPhones: []string{other}, Email: gen.Email},
		},
		"another number, a label of none": {
			gen.Lead(noon, stale), lead.Facts{Phones: other},
			v1alpha1.LeadCustomer{Phone: gen.Phone, OtherPhones: []string{other}, Email: gen.Email},
		},
		"another address": {
			gen.Lead(noon), lead.Facts{Emails: "zoe@example.com"},
			v1alpha1.LeadCustomer{Phone: gen.Phone, Email: gen.Email, OtherEmails: []string{"zoe@example.com"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			lead.Add(row.lead, row.facts)
			if diff := cmp.Diff(lead.Labels(gen.Store, row.want), row.lead.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLabelsOfASuppression: a name is a label's value as long as it may be one.
func TestLabelsOfASuppression(t *testing.T) {
	for name, row := range map[string]struct {
		length int
		want   map[string]string
	}{
		"as long as a label": {63, map[string]string{v1alpha1.LabelStore: strings.Repeat("s", 63)}},
		"longer than that":   {64, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			store := v1alpha1.ObjectReference{Name: strings.Repeat("s", row.length)}
			suppression := &v1alpha1.Suppression{Spec: v1alpha1.SuppressionSpec{StoreRef: store}}
			if diff := cmp.Diff(row.want, lead.SuppressionLabels(suppression)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLabels: the labels with a value are those of the first number and address.
func TestLabels(t *testing.T) {
	const other, long = "+5511999999999", "s23456789-123456789-123456789-123456789-123456789-123456789-123"
	phone, otherPhone := lead.PhoneHash(gen.Phone), lead.PhoneHash(other)
	email, otherEmail := lead.EmailHash(gen.Email), lead.EmailHash("zoe@example.com")
	for name, row := range map[string]struct {
		store    string
		customer v1alpha1.LeadCustomer
		want     map[string]string
	}{
		"of one of each": {gen.Store, v1alpha1.LeadCustomer{Phone: gen.Phone, Email: gen.Email}, map[string]string{
			v1alpha1.LabelStore: gen.Store, v1alpha1.LabelPhoneKey: phone, v1alpha1.LabelPhonePrefix + phone: "",
			v1alpha1.LabelEmailKey: email, v1alpha1.LabelEmailPrefix + email: "",
		}},
		"of several": {gen.Store, v1alpha1.LeadCustomer{
			Phone: gen.Phone, OtherPhones: []string{other}, Email: gen.Email, OtherEmails: []string{"zoe@example.com"},
		}, map[string]string{
			v1alpha1.LabelStore:    gen.Store,
			v1alpha1.LabelPhoneKey: phone, v1alpha1.LabelPhonePrefix + phone: "",
			v1alpha1.LabelPhonePrefix + otherPhone: "",
			v1alpha1.LabelEmailKey:                 email, v1alpha1.LabelEmailPrefix + email: "",
			v1alpha1.LabelEmailPrefix + otherEmail: "",
		}},
		"of what is no number and no address": {gen.Store, v1alpha1.LeadCustomer{
			OtherPhones: []string{"-"}, OtherEmails: []string{""},
		}, map[string]string{v1alpha1.LabelStore: gen.Store}},
		"of a Store with a long name": {long, v1alpha1.LeadCustomer{},
			map[string]string{v1alpha1.LabelStore: long}},
		"of a Store with a name too long": {long + "4", v1alpha1.LeadCustomer{}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, lead.Labels(row.store, row.customer)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCustomerKeys(t *testing.T) {
	const mexican = "+5215512345678"
	keys := func(prefix string, hashes ...string) []string {
		all := make([]string, 0, len(hashes))
		for _, each := range hashes {
			all = append(all, prefix+each)
		}
		return all
	}
	phone, email := lead.PhoneHashes(gen.Phone), lead.EmailHash(gen.Email)
	for name, row := range map[string]struct {
		customer v1alpha1.LeadCustomer
		want     []string
	}{
		"of nobody":     {v1alpha1.LeadCustomer{}, nil},
		"of a number":   {v1alpha1.LeadCustomer{Phone: gen.Phone}, keys(v1alpha1.LabelPhonePrefix, phone...)},
		"of an address": {v1alpha1.LeadCustomer{Email: gen.Email}, keys(v1alpha1.LabelEmailPrefix, email)},
		"of one twice": {
			v1alpha1.LeadCustomer{Email: gen.Email, OtherEmails: []string{gen.Email, ""}},
			keys(v1alpha1.LabelEmailPrefix, email),
		},
		"of two writings": {
			v1alpha1.LeadCustomer{Phone: mexican}, keys(v1alpha1.LabelPhonePrefix, lead.PhoneHashes(mexican)...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, lead.CustomerKeys(&row.customer)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if lead.EmailHash("") != "" || lead.PhoneHash("") != "" {
		t.Error("no address, or no number, has a hash")
	}
}

// TestPurchasedAtBeforeManyOthers: the purchase that counts is known when so many events came later
// that it is not among those that are kept.
func TestPurchasedAtBeforeManyOthers(t *testing.T) {
	recovery := gen.Lead(noon)
	lead.Add(recovery, bought(1, false, "first"))
	for n := range 20 {
		lead.Add(recovery, bought(10+n, true, fmt.Sprint("renewal-", n)))
	}
	for id, want := range map[string]int{"first": 1, "renewal-0": -1, "renewal-19": 29} {
		t.Run(id, func(t *testing.T) {
			at, _ := lead.PurchasedAt([]v1alpha1.CartRecovery{*recovery}, id)
			if diff := cmp.Diff(want, minute(at)); diff != "" {
				t.Errorf("minute (-want +got):\n%s", diff)
			}
		})
	}
	nameless := gen.Lead(noon)
	lead.Add(nameless, bought(1, false, ""))
	if at, known := lead.PurchasedAt([]v1alpha1.CartRecovery{*nameless}, ""); known {
		t.Errorf("an event without an id was at %s", at)
	}
}

// TestWhatIsKnownIsKeptAsItIs: times of one instant are not written again because another place says them.
func TestWhatIsKnownIsKeptAsItIs(t *testing.T) {
	elsewhere := noon.In(time.FixedZone("elsewhere", 3600))
	known := lead.Facts{FirstAbandoned: noon, LastPurchase: noon}
	if got := known.Join(lead.Facts{FirstAbandoned: elsewhere, LastPurchase: elsewhere}); got != known {
		t.Errorf("%+v became %+v", known, got)
	}
}

func TestFactsOfNothing(t *testing.T) {
	if diff := cmp.Diff(lead.Facts{}, lead.Bought(nil)); diff != "" {
		t.Errorf("no purchase (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(lead.Facts{}, lead.TakenBack(nil)); diff != "" {
		t.Errorf("no reversal (-want +got):\n%s", diff)
	}
}

// TestLatestPurchase: the latest time of all, whichever came first.
func TestLatestPurchase(t *testing.T) {
	for name, facts := range map[string]lead.Facts{
		"the latest first": bought(9, true, "b").Join(bought(1, true, "a")),
		"the latest last":  bought(1, true, "a").Join(bought(9, true, "b")),
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(9, minute(facts.LastPurchase)); diff != "" {
				t.Errorf("minute (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAddressesAreInLowerCase: a lead that was written with others is joined all the same.
func TestAddressesAreInLowerCase(t *testing.T) {
	recovery := gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Email = "Maria@Example.com" })
	if diff := cmp.Diff("maria@example.com", lead.FactsOf(recovery).Emails); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaches(t *testing.T) {
	for name, row := range map[string]struct {
		ago  time.Duration
		mods []mod
		want bool
	}{
		"an hour before":               {time.Hour, nil, true},
		"more than an hour before":     {time.Hour + time.Second, nil, false},
		"long after":                   {-1000 * time.Hour, nil, true},
		"a lead that nobody left":      {0, []mod{func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }}, false},
		"a lead that is over":          {0, []mod{completed(9)}, false},
		"a lead that was asked for":    {0, []mod{completed(-9), previous(-9)}, true},
		"a lead that was bought since": {0, []mod{completed(-9), previous(-9), sold}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lead.Reaches(noon.Add(-row.ago), gen.Lead(noon, row.mods...)); got != row.want {
				t.Errorf("reaches it: %t, want %t", got, row.want)
			}
		})
	}
}

func TestSamePhone(t *testing.T) {
	for name, row := range map[string]struct {
		a, b string
		want bool
	}{
		"one number":             {gen.Phone, gen.Phone, true},
		"no number and no other": {"", "", false},
		"no number and a number": {"", gen.Phone, false},
		"no number and no digit": {"", "-", false},
		"no digit and no number": {"-", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lead.SamePhone(row.a, row.b); got != row.want {
				t.Errorf("the same: %t, want %t", got, row.want)
			}
		})
	}
	if diff := cmp.Diff("+12", lead.FullNumber("1-2")); diff != "" {
		t.Errorf("what cannot be read (-want +got):\n%s", diff)
	}
}

// TestWhichPurchaseStopsALead compares the whole purchase, and not only its time.
func TestWhichPurchaseStopsALead(t *testing.T) {
	other := func(mods ...mod) v1alpha1.CartRecovery {
		return *gen.Lead(noon, append([]mod{func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.AbandonedAt = "other", nil
			l.Spec.Purchase = &v1alpha1.Purchase{EventID: "e", Amount: "9.90", At: after(1)}
		}}, mods...)...)
	}
	otherProduct := func(l *v1alpha1.CartRecovery) { l.Spec.Product.ID = "2" }
	again := func(l *v1alpha1.CartRecovery) {
		l.Annotations = map[string]string{v1alpha1.AnnotationLastPurchase: after(5).Format(time.RFC3339)}
	}
	earlier := func(l *v1alpha1.CartRecovery) { l.Spec.Purchase.At = after(-24 * 60) }
	for name, row := range map[string]struct {
		other v1alpha1.CartRecovery
		want  *v1alpha1.Purchase
	}{
		"its product": {other(), &v1alpha1.Purchase{EventID: "e", Amount: "9.90", At: after(1)}},
		"another product, once": {
			other(otherProduct), &v1alpha1.Purchase{EventID: "e", Amount: "9.90", At: after(1), Unattributed: true},
		},
		"another product, twice": {
			other(otherProduct, again),
			&v1alpha1.Purchase{EventID: "e", Amount: "9.90", At: after(1), Unattributed: true},
		},
		"another product, long ago and again": {
			other(otherProduct, earlier, again), &v1alpha1.Purchase{At: after(5), Unattributed: true},
		},
		"none of another product": {
			other(otherProduct, func(l *v1alpha1.CartRecovery) { l.Spec.Purchase = nil }), nil,
		},
		"its own": {other(func(l *v1alpha1.CartRecovery) { l.Name = gen.Lead(noon).Name }), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := lead.StoppedByAny(gen.Lead(noon), []v1alpha1.CartRecovery{row.other}, v1alpha1.KillSwitchCustomer)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLinkedByOne: one other lead is enough, and of many as many details are added as are kept.
func TestLinkedByOne(t *testing.T) {
	customer := v1alpha1.LeadCustomer{Email: "own@example.com", Phone: gen.Phone}
	addresses := many(0, 9, "a%02d@example.com")
	var leads []v1alpha1.CartRecovery
	for _, each := range addresses {
		leads = append(leads, *gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer = v1alpha1.LeadCustomer{Email: each, Phone: gen.Phone}
		}))
	}
	for name, row := range map[string]struct{ leads, kept int }{
		"by none": {0, 0}, "by one": {1, 1}, "by as many as are kept": {8, 8}, "by more than that": {9, 8},
	} {
		t.Run(name, func(t *testing.T) {
			want := customer
			want.OtherEmails = append(want.OtherEmails, addresses[:row.kept]...)
			if diff := cmp.Diff(want, lead.Linked(&customer, gen.Store, leads[:row.leads])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAProductHereAndNoneThere(t *testing.T) {
	here := &v1alpha1.CartRecoverySpec{
		Platform: v1alpha1.PlatformKirvano, Product: v1alpha1.LeadProduct{ID: "1"},
		ProductRef: &v1alpha1.ObjectReference{Name: "p"},
	}
	there := here.DeepCopy()
	there.ProductRef = nil
	if !lead.SameProduct(here, there) || !lead.SameProduct(there, here) {
		t.Error("two products of one id")
	}
}

// TestTheCycleThatEnded: a lead whose annotation is lost has none, and one that was asked for has the
// time that the request names.
func TestTheCycleThatEnded(t *testing.T) {
	for name, row := range map[string]struct {
		mods []mod
		want [2]int
	}{
		"the annotation is lost":         {[]mod{second, wrote(0, 1)}, [2]int{-1, -1}},
		"asked for, with the later time": {[]mod{completed(9), previous(10), wrote(0, 1)}, [2]int{10, 1}},
		"finished since":                 {[]mod{completed(9), previous(8), wrote(0, 1)}, [2]int{9, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			completed, contact := lead.EndedCycle(gen.Lead(noon, row.mods...))
			if diff := cmp.Diff(row.want, [2]int{minute(completed), minute(contact)}); diff != "" {
				t.Errorf("completed and contacted in minutes (-want +got):\n%s", diff)
			}
		})
	}
}
