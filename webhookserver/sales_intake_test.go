package webhookserver

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// reportOf is a report of gen's customer and product.
func reportOf(kind platforms.Kind, mods ...func(*report)) *report {
	r := &report{
		store: gen.StoreObject(), platform: v1alpha1.PlatformHotmart, now: noon,
		event: platforms.Event{
			ID: "event-1", Kind: kind, Trigger: v1alpha1.TriggerAbandonedCart, Attribute: true,
			Customer: platforms.Customer{Name: "Maria Souza", Phone: gen.Phone, Email: gen.Email},
			Product:  platforms.Product{ID: gen.ProductID, Name: "Curso de Violão"},
		},
	}
	for _, mod := range mods {
		mod(r)
	}
	return r
}

func TestFittingDropsWhatTheSchemaRefuses(t *testing.T) {
	long := strings.Repeat("é", 300)
	event := fitting(platforms.Event{
		ID: long, TransactionID: long, Amount: "R$ 10", Currency: "real", CheckoutURL: "https://user@pay.example.com",
		Customer: platforms.Customer{Name: long, Phone: "11987654321", Email: strings.Repeat("a", 255)},
		Product:  platforms.Product{ID: long, Name: long},
	})
	for field, length := range map[string][2]int{
		"id": {len([]rune(event.ID)), 200}, "transaction": {len([]rune(event.TransactionID)), 128},
		"name": {len([]rune(event.Customer.Name)), 200}, "product id": {len([]rune(event.Product.ID)), 128},
		"product name": {len([]rune(event.Product.Name)), 200},
		"amount":       {len(event.Amount), 0}, "currency": {len(event.Currency), 0}, "url": {len(event.CheckoutURL),
			0},
		"phone": {len(event.Customer.Phone), 0}, "email": {len(event.Customer.Email), 0},
	} {
		if length[0] != length[1] {
			t.Errorf("%s has %d characters, want %d", field, length[0], length[1])
		}
	}
	kept := fitting(platforms.Event{
		Amount: "149.90", Currency: "BRL", CheckoutURL: "https://pay.example.com/x?y=1",
		Customer: platforms.Customer{Phone: gen.Phone, Email: gen.Email},
	})
	if kept.Amount == "" || kept.Currency == "" || kept.CheckoutURL == "" || kept.Customer.Phone == "" ||
		kept.Customer.Email == "" {
		t.Errorf("a fitting event lost something: %+v", kept)
	}
}

func TestRefusal(t *testing.T) {
	trigger := func(trigger v1alpha1.Trigger) func(*report) {
		return func(r *report) { r.event.Trigger = trigger }
	}
	productWants := func(trigger v1alpha1.Trigger) func(*report) {
		return func(r *report) {
			r.product = gen.ProductObject()
			r.product.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: trigger}}
		}
	}
	for _, row := range []struct {
		name       string
		report     *report
		suppressed bool
		want       string
	}{
		{"a cart", reportOf(platforms.Abandoned), false, ""},
		{"no phone", reportOf(platforms.Abandoned, func(r *report) { r.event.Customer.Phone = "" }), false,
			ignoredNoPhone},
		{"no sequence", reportOf(platforms.Abandoned, trigger(v1alpha1.TriggerPixPending)), false, ignoredNoSequence},
		{"a sequence of the product", reportOf(platforms.Abandoned, trigger(v1alpha1.TriggerPixPending),
			productWants(v1alpha1.TriggerPixPending)), false, ""},
		{"another sequence of the product", reportOf(platforms.Abandoned, productWants(v1alpha1.TriggerPixPending)),
			false, ignoredNoSequence},
		{"suppressed", reportOf(platforms.Abandoned), true, ignoredSuppressed},
	} {
		if got := row.report.refusal(row.suppressed); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestStartOn(t *testing.T) {
	pix := func(r *report) { r.event.Trigger, r.event.ID = v1alpha1.TriggerPixPending, "pix" }
	later := func(r *report) { r.event.OccurredAt = noon.Add(time.Minute) }
	withoutStart := func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt, l.Spec.Trigger = nil, "" }
	both := func(mods ...func(*v1alpha1.CartRecovery)) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			for _, mod := range mods {
				mod(l)
			}
		}
	}
	for _, row := range []struct {
		name    string
		event   func(*report)
		lead    func(*v1alpha1.CartRecovery)
		changed bool
		want    outcome
	}{
		{"a later cart on an open lead", later, both(), false, outcome{Result: resultUnchanged}},
		{"a PIX on an open lead", pix, both(), true, outcome{Result: resultRecorded}},
		{"a PIX on one that was bought", pix, isBought, true, outcome{Result: resultIgnored,
			Reason: ignoredAlreadyPurchased}},
		{"a cart on a purchase", later, both(isBought, withoutStart), true, outcome{Result: resultIgnored,
			Reason: ignoredAlreadyPurchased}},
		{"a cart on a finished purchase", later, both(isBought, isFinished, withoutStart), true,
			outcome{Result: resultIgnored, Reason: ignoredAlreadyPurchased}},
		{"a cart on a finished refund", later, both(isReversed, isFinished, withoutStart), true,
			outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished}},
		{"a PIX on a finished one that was bought", pix, both(isBought, isFinished), false,
			outcome{Result: resultIgnored, Reason: ignoredAlreadyPurchased}},
		{"a PIX on one that was given up", pix, isFinished, false, outcome{Result: resultIgnored,
			Reason: ignoredAlreadyFinished}},
		{"a cart on one that was reversed", later, isReversed, false, outcome{Result: resultIgnored,
			Reason: ignoredAlreadyFinished}},
	} {
		recovery := gen.Lead(noon, row.lead)
		before := recovery.DeepCopy()
		r := reportOf(platforms.Abandoned, row.event)
		changed := r.startOn(recovery, nil)
		got := startedOn(recovery, changed)
		if changed != row.changed || changed == reflect.DeepEqual(before, recovery) {
			t.Errorf("%s: changed %t: %+v", row.name, changed, recovery.Spec)
		}
		if got.Result != row.want.Result || got.Reason != row.want.Reason || got.Lead != "hotmart-lead" {
			t.Errorf("%s: got %+v", row.name, got)
		}
		if changed && recovery.Spec.Trigger != r.event.Trigger {
			t.Errorf("%s: the trigger is %q", row.name, recovery.Spec.Trigger)
		}
	}
}

func isBought(l *v1alpha1.CartRecovery)   { l.Spec.Purchase = &v1alpha1.Purchase{EventID: "other"} }
func isReversed(l *v1alpha1.CartRecovery) { l.Spec.Reversal = &v1alpha1.Reversal{EventID: "other"} }
func isFinished(l *v1alpha1.CartRecovery) {
	l.Status.CompletionTime = &metav1.Time{Time: noon}
}

func named(name string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Name = name }
}

func ofProduct(id string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Spec.Product.ID = id }
}

func withPhone(phone string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = phone }
}

func withEmail(email string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Email = email }
}

func TestLeadOf(t *testing.T) {
	r := reportOf(platforms.Abandoned)
	own := named(r.leadName())
	leads := []v1alpha1.CartRecovery{
		*gen.Lead(noon, named("other-product"), ofProduct("2")),
		*gen.Lead(noon, named("other-customer"), withPhone("+5521912345678"), withEmail("ana@example.com")),
		*gen.Lead(noon, named("other-store"), func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" }),
		*gen.Lead(noon, named("finished"), isFinished),
		*gen.Lead(noon, named("reversed"), isReversed),
		*gen.Lead(noon, named("open-by-phone"), withEmail("")),
		*gen.Lead(noon, named("open-by-email"), withPhone("+5521912345678")),
		*gen.Lead(noon, own),
	}
	for _, row := range []struct {
		leads []v1alpha1.CartRecovery
		want  string
	}{
		{leads, r.leadName()}, {leads[:7], "open-by-email"}, {leads[:6], "open-by-phone"}, {leads[:5], "reversed"},
		{leads[:4], "finished"}, {leads[:3], ""},
	} {
		got := ""
		if found := r.leadOf(row.leads); found != nil {
			got = found.Name
		}
		if got != row.want {
			t.Errorf("lead of %d: got %q, want %q", len(row.leads), got, row.want)
		}
	}
}

func TestCart(t *testing.T) {
	for _, row := range []struct {
		name     string
		occurred time.Time
		want     time.Time
	}{
		{"the platform's time", noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{"no time", time.Time{}, noon},
		{"a clock that is a little ahead", noon.Add(time.Minute), noon.Add(time.Minute)},
		{"a time to come", noon.Add(3 * time.Minute), noon},
	} {
		r := reportOf(platforms.Abandoned, func(r *report) {
			r.event.OccurredAt, r.product = row.occurred, gen.ProductObject()
			r.event.Amount, r.event.Currency, r.event.CheckoutURL = "10.50", "BRL", "https://pay.example.com/1"
		})
		cart := r.leadWith(r.started())
		if !cart.Spec.AbandonedAt.Equal(row.want) {
			t.Errorf("%s: abandonedAt %s, want %s", row.name, cart.Spec.AbandonedAt, row.want)
		}
		if cart.Name != r.leadName() || cart.Spec.ProductRef.Name != gen.Product || cart.Spec.Purchase != nil ||
			cart.Spec.Amount != "10.50" || cart.Spec.EventID != "event-1" || cart.Labels[v1alpha1.LabelPhoneKey] == "" {
			t.Errorf("%s: %+v", row.name, cart)
		}
	}
}

func TestBought(t *testing.T) {
	for _, row := range []struct {
		name     string
		occurred time.Time
		want     time.Time
	}{
		{"the platform's time", noon.Add(-6 * 24 * time.Hour), noon.Add(-6 * 24 * time.Hour)},
		{"long ago", noon.Add(-8 * 24 * time.Hour), noon.Add(-8 * 24 * time.Hour)},
		{"a time to come", noon.Add(time.Hour), noon},
		{"no time", time.Time{}, noon},
	} {
		r := reportOf(platforms.Purchased, func(r *report) { r.event.OccurredAt = row.occurred })
		bought := r.leadWith(r.purchased())
		if bought.Spec.AbandonedAt != nil || bought.Spec.Trigger != "" || bought.Spec.EventID != "" ||
			!bought.Spec.Purchase.At.Equal(row.want) {
			t.Errorf("%s: %+v, purchase %+v", row.name, bought.Spec, bought.Spec.Purchase)
		}
	}
}

// purchaseRow is a row of TestPlanPurchase.
type purchaseRow struct {
	name   string
	report *report
	leads  []*v1alpha1.CartRecovery
	scope  v1alpha1.KillSwitchScope
	stop   []string
	create bool
}

func attributed(name string) string   { return name + ":attributed" }
func unattributed(name string) string { return name + ":unattributed" }

func withoutEmail(r *report) { r.event.Customer.Email = "" }

// sameProductRows are about leads of the product that was bought.
func sameProductRows() []purchaseRow {
	own := reportOf(platforms.Purchased).leadName()
	sameProductElsewhere := func(l *v1alpha1.CartRecovery) {
		l.Spec.Platform, l.Spec.ProductRef = v1alpha1.PlatformKiwify, &v1alpha1.ObjectReference{Name: gen.Product}
	}
	return []purchaseRow{
		{name: "no lead", report: reportOf(platforms.Purchased), create: true},
		{name: "its own lead", report: reportOf(platforms.Purchased), leads: leads(gen.Lead(noon, named(own))),
			stop: []string{attributed(own)}},
		{
			name: "its own lead, over", report: reportOf(platforms.Purchased),
			leads: leads(gen.Lead(noon, named(own), isFinished)), stop: []string{attributed(own)},
		},
		{
			name: "its own lead, bought", report: reportOf(platforms.Purchased),
			leads: leads(gen.Lead(noon, named(own), isBought)), stop: []string{attributed(own)},
		},
		{
			name: "a renewal", report: reportOf(platforms.Purchased, func(r *report) { r.event.Attribute = false }),
			leads: leads(gen.Lead(noon, named(own))), stop: []string{unattributed(own)},
		},
		{
			name: "the same product under another name", report: reportOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"))), stop: []string{attributed("twin")},
		},
		{
			name: "the same Product of another platform", report: reportOf(platforms.Purchased, func(r *report) {
				r.product = gen.ProductObject()
			}),
			leads: leads(gen.Lead(noon, named("twin"), sameProductElsewhere, ofProduct("x"))),
			stop:  []string{attributed("twin")},
		},
		{
			name: "the same product under another name, over", report: reportOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"), isFinished)), create: true,
		},
		{
			name: "the same product under another name, bought", report: reportOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"), isBought)), stop: []string{attributed("twin")},
		},
	}
}

// otherRows are about leads of other products, stores and customers.
func otherRows() []purchaseRow {
	return []purchaseRow{
		{
			name: "another product", report: reportOf(platforms.Purchased), scope: v1alpha1.KillSwitchCustomer,
			leads: leads(gen.Lead(noon, named("other"), ofProduct("2"))), stop: []string{unattributed("other")},
			create: true,
		},
		{
			name: "another product, scope Product", report: reportOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchProduct, leads: leads(gen.Lead(noon, named("other"), ofProduct("2"))),
			create: true,
		},
		{
			name: "another product, over or never left", report: reportOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchCustomer, leads: leads(gen.Lead(noon, named("a"), ofProduct("2"), isFinished),
				gen.Lead(noon, named("b"), ofProduct("2"), isBought, func(l *v1alpha1.CartRecovery) {
					l.Spec.AbandonedAt, l.Spec.Trigger = nil, ""
				})),
			create: true,
		},
		{
			name: "another product, left up to an hour after the purchase", report: reportOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchCustomer, leads: leads(gen.Lead(noon.Add(lead.PurchaseMemory), named("other"),
				ofProduct("2"))), stop: []string{unattributed("other")}, create: true,
		},
		{
			name: "another product, left more than an hour after the purchase", report: reportOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchCustomer, leads: leads(gen.Lead(noon.Add(lead.PurchaseMemory+time.Second),
				named("other"), ofProduct("2"))), create: true,
		},
		{
			name: "another store", report: reportOf(platforms.Purchased), scope: v1alpha1.KillSwitchCustomer,
			leads:  leads(gen.Lead(noon, named("a"), func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" })),
			create: true,
		},
		{
			name: "the same phone without its ninth digit", report: reportOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"), withPhone("+551187654321"), withEmail(""))),
			stop:  []string{attributed("twin")},
		},
		{
			name: "the same e-mail address, another phone", report: reportOf(platforms.Purchased),
			leads: leads(gen.Lead(noon, named("twin"), withPhone("+5521912345678"))),
			stop:  []string{attributed("twin")},
		},
		{
			name: "another customer with the same last digits",
			report: reportOf(platforms.Purchased, withoutEmail, func(r *report) {
				r.event.Customer.Phone = "+5511932345678"
			}),
			scope: v1alpha1.KillSwitchCustomer,
			leads: leads(gen.Lead(noon, named("landline"), withPhone("+551132345678"))), create: true,
		},
	}
}

func TestPlanPurchase(t *testing.T) {
	for _, row := range append(sameProductRows(), otherRows()...) {
		given := make([]v1alpha1.CartRecovery, 0, len(row.leads))
		for _, each := range row.leads {
			given = append(given, *each)
		}
		notes := row.report.planPurchase(given, func(*v1alpha1.CartRecovery) v1alpha1.KillSwitchScope {
			return row.scope
		})
		var stop []string
		create := true
		for _, each := range notes {
			create = create && each.about == nil
			if each.facts.Purchase.Unattributed {
				stop = append(stop, unattributed(each.lead.Name))
			} else {
				stop = append(stop, attributed(each.lead.Name))
			}
		}
		if !slices.Equal(stop, row.stop) || create != row.create {
			t.Errorf("%s: stop %v, create %v", row.name, stop, create)
		}
	}
}

func leads(all ...*v1alpha1.CartRecovery) []*v1alpha1.CartRecovery { return all }

func TestPlanReversal(t *testing.T) {
	own := reportOf(platforms.Reversed).leadName()
	given := []v1alpha1.CartRecovery{
		*gen.Lead(noon, named(own), isBought),
		*gen.Lead(noon, named("twin"), isFinished),
		*gen.Lead(noon, named("reversed"), isReversed),
		*gen.Lead(noon, named("other-product"), ofProduct("2"), isBought),
		*gen.Lead(noon, named("other-store"), func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" }),
	}
	var names []string
	for _, each := range reportOf(platforms.Reversed).planReversal(given) {
		names = append(names, each.lead.Name)
	}
	if !slices.Equal(names, []string{own, "twin", "reversed"}) {
		t.Errorf("written to %v", names)
	}
	refund := reportOf(platforms.Reversed).reversal()
	chargeback := reportOf(platforms.Reversed, func(r *report) { r.event.Chargeback = true }).reversal()
	if refund.Kind != v1alpha1.ReversalRefund || chargeback.Kind != v1alpha1.ReversalChargeback {
		t.Errorf("kinds %s, %s", refund.Kind, chargeback.Kind)
	}
}

func TestTooManyOpen(t *testing.T) {
	open := v1alpha1.CartRecovery{}
	ended, sold := open, open
	ended.Status.CompletionTime = &metav1.Time{Time: time.Now()}
	sold.Spec.Purchase = &v1alpha1.Purchase{EventID: "e1"}
	for _, c := range []struct {
		name        string
		open, other int
		want        bool
	}{
		{name: "none"},
		{name: "one less than too many, and many that are over", open: maxOpenLeads - 1, other: maxOpenLeads},
		{name: "too many", open: maxOpenLeads, want: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			leads := slices.Concat(slices.Repeat([]v1alpha1.CartRecovery{open}, c.open),
				slices.Repeat([]v1alpha1.CartRecovery{ended, sold}, c.other))
			if got := tooManyOpen(leads); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
