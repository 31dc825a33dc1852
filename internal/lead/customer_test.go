package lead_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func TestSameCustomer(t *testing.T) {
	const mobile, landline = "+5511932345678", "+551132345678"
	for name, row := range map[string]struct {
		a, b v1alpha1.LeadCustomer
		want bool
	}{
		"the same address": {v1alpha1.LeadCustomer{Email: "m@example.com"},
			v1alpha1.LeadCustomer{Email: "M@example.com", Phone: mobile}, true},
		"the same phone": {v1alpha1.LeadCustomer{Email: "a@example.com", Phone: mobile},
			v1alpha1.LeadCustomer{Email: "b@example.com", Phone: mobile}, true},
		"a mobile without its 9th digit": {v1alpha1.LeadCustomer{Phone: "+5511987654321"},
			v1alpha1.LeadCustomer{Phone: "+551187654321"}, true},
		"a landline with a mobile's key": {v1alpha1.LeadCustomer{Phone: mobile}, v1alpha1.LeadCustomer{Phone: landline},
			false},
		"nothing": {v1alpha1.LeadCustomer{}, v1alpha1.LeadCustomer{}, false},
		"a phone here, an address there": {v1alpha1.LeadCustomer{Phone: mobile},
			v1alpha1.LeadCustomer{Email: "m@example.com"}, false},
		"one of several addresses": {
			v1alpha1.LeadCustomer{Email: "a@example.com", OtherEmails: []string{"b@example.com", "m@example.com"}},
			v1alpha1.LeadCustomer{Email: "c@example.com", OtherEmails: []string{"M@example.com"}}, true,
		},
		"one of several phones": {
			v1alpha1.LeadCustomer{Phone: landline, OtherPhones: []string{mobile}},
			v1alpha1.LeadCustomer{Phone: "+5521912345678", OtherPhones: []string{mobile}}, true,
		},
		"other addresses and phones": {
			v1alpha1.LeadCustomer{Phone: landline, OtherEmails: []string{"a@example.com"}},
			v1alpha1.LeadCustomer{OtherPhones: []string{mobile}, Email: "b@example.com"}, false,
		},
		"another phone and another address": {v1alpha1.LeadCustomer{Email: "a@example.com", Phone: mobile},
			v1alpha1.LeadCustomer{Email: "b@example.com", Phone: landline}, false},
	} {
		if lead.SameCustomer(&row.a, &row.b) != row.want || lead.SameCustomer(&row.b, &row.a) != row.want {
			t.Errorf("%s: want %t", name, row.want)
		}
	}
	if lead.Name(lead.Identity{Phone: mobile}) == lead.Name(lead.Identity{Phone: landline}) {
		t.Error("a landline and a mobile have one name")
	}
}

func TestSameProduct(t *testing.T) {
	type mod = func(*v1alpha1.CartRecoverySpec)
	of := func(id, name string, mods ...mod) *v1alpha1.CartRecoverySpec {
		spec := &v1alpha1.CartRecoverySpec{Platform: v1alpha1.PlatformKirvano, Product: v1alpha1.LeadProduct{ID: id,
			Name: name}}
		for _, mod := range mods {
			mod(spec)
		}
		return spec
	}
	ref := func(name string) mod {
		return func(s *v1alpha1.CartRecoverySpec) { s.ProductRef = &v1alpha1.ObjectReference{Name: name} }
	}
	elsewhere := func(s *v1alpha1.CartRecoverySpec) { s.Platform = v1alpha1.PlatformTicto }
	for name, row := range map[string]struct {
		a, b *v1alpha1.CartRecoverySpec
		want bool
	}{
		"the same id":                    {of("1", "Curso"), of("1", "Curso, new edition"), true},
		"another id with the same name":  {of("1", "Curso"), of("2", "Curso"), false},
		"an id here, a name there":       {of("1", "Curso de Violão"), of("", " curso de VIOLÃO "), true},
		"another name":                   {of("1", "Curso de Violão"), of("", "Curso de Canto"), false},
		"the same name, no ids":          {of("", "Curso"), of("", "Curso"), true},
		"nothing known of either":        {of("", ""), of("", ""), true},
		"nothing known of one":           {of("", "Curso"), of("", ""), false},
		"an id here, nothing there":      {of("1", ""), of("", ""), false},
		"an id here, another name there": {of("1", ""), of("", "Curso"), false},
		"at another platform":            {of("1", "Curso"), of("1", "Curso", elsewhere), false},
		"one Product of two platforms":   {of("1", "Curso", ref("p")), of("x", "Course", ref("p"), elsewhere), true},
		"two Products":                   {of("1", "Curso", ref("p")), of("2", "Curso", ref("q")), false},
	} {
		if lead.SameProduct(row.a, row.b) != row.want || lead.SameProduct(row.b, row.a) != row.want {
			t.Errorf("%s: want %t", name, row.want)
		}
	}
}

func TestLinked(t *testing.T) {
	const first, second, foreign = "+5511987654321", "+5521912345678", "+5531912345678"
	of := func(name string, customer v1alpha1.LeadCustomer,
		mods ...func(*v1alpha1.CartRecovery)) v1alpha1.CartRecovery {
		return *gen.Lead(noon, append([]func(*v1alpha1.CartRecovery){func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.Customer = name, customer
		}}, mods...)...)
	}
	elsewhere := func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" }
	leads := []v1alpha1.CartRecovery{
		of("own", v1alpha1.LeadCustomer{Email: "a@example.com", Phone: first}),
		of("older form of the number", v1alpha1.LeadCustomer{Email: "A@example.com", Phone: "+551187654321"}),
		of("another address", v1alpha1.LeadCustomer{Email: "b@example.com", OtherPhones: []string{first}}),
		of("another phone", v1alpha1.LeadCustomer{OtherEmails: []string{"a@example.com"}, Phone: second}),
		of("two steps away", v1alpha1.LeadCustomer{Email: "c@example.com", Phone: second}),
		of("another store", v1alpha1.LeadCustomer{Email: "d@example.com", Phone: first}, elsewhere),
		of("somebody else", v1alpha1.LeadCustomer{Email: "e@example.com", Phone: foreign}),
	}
	customer := v1alpha1.LeadCustomer{Name: "Ana", Email: "a@example.com", Phone: first}
	want := v1alpha1.LeadCustomer{
		Name: "Ana", Email: "a@example.com", Phone: first, OtherEmails: []string{"b@example.com"},
		OtherPhones: []string{second},
	}
	if got := lead.Linked(&customer, gen.Store, leads); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := lead.Linked(&customer, gen.Store, leads[:1]); !reflect.DeepEqual(got, customer) {
		t.Errorf("nothing new made %+v", got)
	}
	for n := range 1000 {
		leads = append(leads, of("crowd", v1alpha1.LeadCustomer{Email: fmt.Sprintf("x%d@example.com", n),
			Phone: first}))
	}
	if got := lead.Linked(&customer, gen.Store, leads); len(got.OtherEmails) > 8 {
		t.Errorf("a number that a thousand give adds %d addresses", len(got.OtherEmails))
	}
}

func TestStoppedByAny(t *testing.T) {
	type mod = func(*v1alpha1.CartRecovery)
	purchase := func(minutes int, unattributed bool, mods ...mod) *v1alpha1.CartRecovery {
		return gen.Lead(noon, append([]mod{func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.AbandonedAt = "other", nil
			l.Spec.Purchase = &v1alpha1.Purchase{EventID: "e", At: after(minutes), Unattributed: unattributed}
		}}, mods...)...)
	}
	otherProduct := func(l *v1alpha1.CartRecovery) { l.Spec.Product.ID = "2" }
	finished := func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = &metav1.Time{Time: noon} }
	firstAt := func(minutes int) mod {
		return func(l *v1alpha1.CartRecovery) {
			l.Annotations = map[string]string{v1alpha1.AnnotationFirstAbandoned: after(minutes).Format(time.RFC3339)}
		}
	}
	lastAt := func(minutes int) mod {
		return func(l *v1alpha1.CartRecovery) {
			l.Annotations = map[string]string{v1alpha1.AnnotationLastPurchase: after(minutes).Format(time.RFC3339)}
		}
	}
	const days = 24 * 60
	for name, row := range map[string]struct {
		lead  mod
		other *v1alpha1.CartRecovery
		scope v1alpha1.KillSwitchScope
		// at is when the purchase was, in minutes; nothing stops where stops is not set.
		stops        bool
		at           int
		unattributed bool
	}{
		"its product": {nil, purchase(1, false), v1alpha1.KillSwitchProduct, true, 1, false},
		"its product long before": {nil, purchase(-30*days, false), v1alpha1.KillSwitchCustomer, true,
			-30 * days, false},
		"its product, a renewal": {nil, purchase(1, true), v1alpha1.KillSwitchProduct, true, 1, true},
		"its product, after it was given up": {finished, purchase(1, false), v1alpha1.KillSwitchCustomer, true, 1,
			false},
		"another product": {nil, purchase(1, false, otherProduct), v1alpha1.KillSwitchCustomer,
			true, 1, true},
		"another product, scope Product": {nil, purchase(1, false, otherProduct), v1alpha1.KillSwitchProduct,
			false, 0, false},
		"another product, an hour before": {nil, purchase(-60, false, otherProduct), v1alpha1.KillSwitchCustomer,
			true, -60, true},
		"another product, more than an hour": {nil, purchase(-61, false, otherProduct), v1alpha1.KillSwitchCustomer,
			false, 0, false},
		"another product, an hour before first": {firstAt(-30), purchase(-90, false, otherProduct),
			v1alpha1.KillSwitchCustomer, true, -90, true},
		"another product, again since": {nil, purchase(-30*days, false, otherProduct, lastAt(5)),
			v1alpha1.KillSwitchCustomer, true, 5, true},
		"another product, again and too early": {nil, purchase(-30*days, false, otherProduct, lastAt(-61)),
			v1alpha1.KillSwitchCustomer, false, 0, false},
		"another product, after it was over": {finished, purchase(1, false, otherProduct), v1alpha1.KillSwitchCustomer,
			false, 0, false},
		"another store": {nil, purchase(1, false, func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" }),
			v1alpha1.KillSwitchCustomer, false, 0, false},
		"another customer": {nil, purchase(1, false, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer = v1alpha1.LeadCustomer{Phone: "+5521912345678", Email: "ana@example.com"}
		}), v1alpha1.KillSwitchCustomer, false, 0, false},
		"no purchase": {nil, gen.Lead(noon), v1alpha1.KillSwitchCustomer, false, 0, false},
	} {
		recovery := gen.Lead(noon)
		if row.lead != nil {
			row.lead(recovery)
		}
		got := lead.StoppedByAny(recovery, []v1alpha1.CartRecovery{*row.other}, row.scope)
		if (got != nil) != row.stops {
			t.Errorf("%s: got %+v", name, got)
			continue
		}
		if got != nil && (!got.At.Equal(after(row.at).Time) || got.Unattributed != row.unattributed ||
			got == row.other.Spec.Purchase) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
