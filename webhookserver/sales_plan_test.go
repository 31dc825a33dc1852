package webhookserver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// purchaseRow is a row of TestPlanPurchase.
type purchaseRow struct {
	name   string
	event  *salesEvent
	leads  []*v1alpha1.CartRecovery
	scope  v1alpha1.KillSwitchScope
	stop   []string
	create bool
}

func attributed(name string) string   { return name + ":attributed" }
func unattributed(name string) string { return name + ":unattributed" }

func withoutEmail(e *salesEvent) { e.event.Customer.Email = "" }

// sameProductRows are about leads of the product that was bought.
func sameProductRows() []purchaseRow {
	own := eventOf(platforms.Purchased).name
	sameProductElsewhere := func(l *v1alpha1.CartRecovery) {
		l.Spec.Platform, l.Spec.ProductRef = v1alpha1.PlatformKiwify, &v1alpha1.ObjectReference{Name: gen.Product}
	}
	return []purchaseRow{
		{name: "no lead", event: eventOf(platforms.Purchased), create: true},
		{name: "its own lead", event: eventOf(platforms.Purchased), leads: leads(gen.Lead(noon, named(own))),
			stop: []string{attributed(own)}},
		{
			name: "its own lead, over", event: eventOf(platforms.Purchased),
			leads: leads(gen.Lead(noon, named(own), isFinished)), stop: []string{attributed(own)},
		},
		{
			name: "its own lead, bought", event: eventOf(platforms.Purchased),
			leads: leads(gen.Lead(noon, named(own), isBought)), stop: []string{attributed(own)},
		},
		{
			name: "a renewal", event: eventOf(platforms.Purchased, func(e *salesEvent) { e.event.Attribute = false }),
			leads: leads(gen.Lead(noon, named(own))), stop: []string{unattributed(own)},
		},
		{
			name: "the same product under another name", event: eventOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"))), stop: []string{attributed("twin")},
		},
		{
			name: "the same Product of another platform", event: eventOf(platforms.Purchased, func(e *salesEvent) {
				e.product = gen.ProductObject()
			}),
			leads: leads(gen.Lead(noon, named("twin"), sameProductElsewhere, ofProduct("x"))),
			stop:  []string{attributed("twin")},
		},
		{
			name: "the same product under another name, over", event: eventOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"), isFinished)), create: true,
		},
		{
			name: "the same product under another name, bought", event: eventOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"), isBought)), stop: []string{attributed("twin")},
		},
	}
}

// otherRows are about leads of other products, stores and customers.
func otherRows() []purchaseRow {
	return []purchaseRow{
		{
			name: "another product", event: eventOf(platforms.Purchased), scope: v1alpha1.KillSwitchCustomer,
			leads: leads(gen.Lead(noon, named("other"), ofProduct("2"))), stop: []string{unattributed("other")},
			create: true,
		},
		{
			name: "another product, scope Product", event: eventOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchProduct, leads: leads(gen.Lead(noon, named("other"), ofProduct("2"))),
			create: true,
		},
		{
			name: "another product, over or never left", event: eventOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchCustomer, leads: leads(gen.Lead(noon, named("a"), ofProduct("2"), isFinished),
				gen.Lead(noon, named("b"), ofProduct("2"), isBought, func(l *v1alpha1.CartRecovery) {
					l.Spec.AbandonedAt, l.Spec.Trigger = nil, ""
				})),
			create: true,
		},
		{
			name: "another product, left up to an hour after the purchase", event: eventOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchCustomer, leads: leads(gen.Lead(noon.Add(lead.PurchaseMemory), named("other"),
				ofProduct("2"))), stop: []string{unattributed("other")}, create: true,
		},
		{
			name: "another product, left more than an hour after the purchase", event: eventOf(platforms.Purchased),
			scope: v1alpha1.KillSwitchCustomer, leads: leads(gen.Lead(noon.Add(lead.PurchaseMemory+time.Second),
				named("other"), ofProduct("2"))), create: true,
		},
		{
			name: "another store", event: eventOf(platforms.Purchased), scope: v1alpha1.KillSwitchCustomer,
			leads:  leads(gen.Lead(noon, named("a"), func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" })),
			create: true,
		},
		{
			name: "the same phone without its ninth digit", event: eventOf(platforms.Purchased, withoutEmail),
			leads: leads(gen.Lead(noon, named("twin"), withPhone("+551187654321"), withEmail(""))),
			stop:  []string{attributed("twin")},
		},
		{
			name: "the same e-mail address, another phone", event: eventOf(platforms.Purchased),
			leads: leads(gen.Lead(noon, named("twin"), withPhone("+5521912345678"))),
			stop:  []string{attributed("twin")},
		},
		{
			name: "another customer with the same last digits",
			event: eventOf(platforms.Purchased, withoutEmail, func(e *salesEvent) {
				e.event.Customer.Phone = "+5511932345678"
			}),
			scope: v1alpha1.KillSwitchCustomer,
			leads: leads(gen.Lead(noon, named("landline"), withPhone("+551132345678"))), create: true,
		},
	}
}

func TestPlanPurchase(t *testing.T) {
	for _, row := range append(sameProductRows(), otherRows()...) {
		t.Run(row.name, func(t *testing.T) {
			given := make([]v1alpha1.CartRecovery, 0, len(row.leads))
			for _, each := range row.leads {
				given = append(given, *each)
			}
			about := row.event.about(given)
			stopped := row.event.stoppable(given, about)
			if row.scope != v1alpha1.KillSwitchCustomer {
				stopped = nil
			}
			var stop []string
			isCreated := true
			for _, each := range row.event.planPurchase(about, stopped).writes {
				isCreated = isCreated && each.about == nil
				if each.facts.Purchase.Unattributed {
					stop = append(stop, unattributed(each.lead.Name))
				} else {
					stop = append(stop, attributed(each.lead.Name))
				}
			}
			if diff := cmp.Diff(row.stop, stop); diff != "" {
				t.Errorf("stopped (-want +got):\n%s", diff)
			}
			if isCreated != row.create {
				t.Errorf("its own lead is created: %t, want %t", isCreated, row.create)
			}
		})
	}
}

func leads(all ...*v1alpha1.CartRecovery) []*v1alpha1.CartRecovery { return all }

func TestPlanReversal(t *testing.T) {
	e := eventOf(platforms.Reversed)
	given := []v1alpha1.CartRecovery{
		*gen.Lead(noon, named(e.name), isBought),
		*gen.Lead(noon, named("twin"), isFinished),
		*gen.Lead(noon, named("reversed"), isReversed),
		*gen.Lead(noon, named("other-product"), ofProduct("2"), isBought),
		*gen.Lead(noon, named("other-store"), func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" }),
	}
	var names []string
	for _, each := range e.planReversal(given).writes {
		names = append(names, each.lead.Name)
	}
	if diff := cmp.Diff([]string{e.name, "twin", "reversed"}, names); diff != "" {
		t.Errorf("written to (-want +got):\n%s", diff)
	}
}
