package index_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/internal/testenv"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// builder lets a fake client have the indexes of a cache.
type builder struct{ *fake.ClientBuilder }

func (b builder) IndexField(_ context.Context, object client.Object, field string, values client.IndexerFunc) error {
	b.WithIndex(object, field, values)
	return nil
}

func cache(t *testing.T, objects ...client.Object) client.Reader {
	t.Helper()
	return keyedCache(t, nil, objects...)
}

func keyedCache(t *testing.T, keys *suppressionkeys.Keys, objects ...client.Object) client.Reader {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	b := builder{fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)}
	if err := index.Register(t.Context(), b, keys); err != nil {
		t.Fatal(err)
	}
	return b.Build()
}

func named(name string, mods ...func(*v1alpha1.Product)) *v1alpha1.Product {
	product := gen.ProductObject(mods...)
	product.Name = name
	return product
}

func TestProductOf(t *testing.T) {
	older := named("older", func(p *v1alpha1.Product) {
		p.CreationTimestamp, p.Spec.DisplayName = metav1.NewTime(noon), "Curso de violão"
	})
	newer := named("newer", func(p *v1alpha1.Product) {
		p.CreationTimestamp, p.Spec.DisplayName = metav1.NewTime(noon.Add(time.Hour)), "Curso de Violão"
	})
	song := named("song", func(p *v1alpha1.Product) { p.Spec.DisplayName, p.Spec.PlatformIDs = "Curso de Canto", nil })
	byName := func(name string) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) { l.Spec.Product = v1alpha1.LeadProduct{Name: name} }
	}
	foreign := named("foreign", func(p *v1alpha1.Product) { p.Spec.StoreRef.Name = "other" })
	reader := cache(t, older, newer, foreign, song)
	ref := func(name string) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) { l.Spec.ProductRef = &v1alpha1.ObjectReference{Name: name} }
	}
	for name, row := range map[string]struct {
		mod  func(*v1alpha1.CartRecovery)
		want string
	}{
		"the one it names":                {ref("newer"), "newer"},
		"the oldest with its id":          {func(*v1alpha1.CartRecovery) {}, "older"},
		"one that is gone":                {ref("gone"), "older"},
		"one of another store":            {ref("foreign"), "older"},
		"an id that no Product has":       {func(l *v1alpha1.CartRecovery) { l.Spec.Product.ID = "9" }, ""},
		"no id, and a name that two have": {byName("Curso de Violão"), ""},
		"no id, and a name that one has":  {byName(" curso de CANTO"), "song"},
		"no id, and a name that none has": {byName("Curso de Flauta"), ""},
		"neither id nor name":             {byName(""), ""},
		"an id, and another's name": {func(l *v1alpha1.CartRecovery) {
			l.Spec.Product = v1alpha1.LeadProduct{ID: "9", Name: "Curso de Canto"}
		}, ""},
		"the same id at another platform": {func(l *v1alpha1.CartRecovery) {
			l.Spec.Platform = v1alpha1.PlatformKiwify
		}, ""},
	} {
		product, err := index.ProductOf(t.Context(), reader, gen.Lead(noon, row.mod))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if product != nil {
			got = product.Name
		}
		if got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestSuppressed(t *testing.T) {
	suppression := func(name string, spec v1alpha1.SuppressionSpec) *v1alpha1.Suppression {
		spec.StoreRef.Name = gen.Store
		return &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: name}, Spec: spec}
	}
	later, now := metav1.NewTime(noon.Add(time.Second)), metav1.NewTime(noon)
	reader := cache(t,
		suppression("a", v1alpha1.SuppressionSpec{Phone: "+5511900000001"}),
		suppression("b", v1alpha1.SuppressionSpec{PhoneHash: lead.PhoneHash("+5511900000002")}),
		suppression("c", v1alpha1.SuppressionSpec{Phone: "+5511900000003", ExpiresAt: &later}),
		suppression("d", v1alpha1.SuppressionSpec{Phone: "+5511900000004", ExpiresAt: &now}),
	)
	for phone, want := range map[string]bool{
		"+5511900000001": true, "+551100000001": true, "+5511900000002": true, "+5511900000003": true,
		"+5511900000004": false, "+5511900000005": false, "": false,
	} {
		got, err := index.Suppressed(t.Context(), reader, nil, gen.Namespace, gen.Store, phone, noon)
		if err != nil || got != want {
			t.Errorf("%q: got %t, %v", phone, got, err)
		}
	}
	if got, err := index.Suppressed(t.Context(), reader, nil, gen.Namespace, "other", "+5511900000001", noon); got ||
		err != nil {
		t.Errorf("another store: got %t, %v", got, err)
	}
}

func TestSuppressedByKey(t *testing.T) {
	old, rotated := testenv.SuppressionKeys('a'), testenv.SuppressionKeys('b', 'a')
	keyed := func(name, mac string, until *metav1.Time) client.Object {
		return &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: name},
			Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, PhoneHMAC: mac,
				ExpiresAt: until}}
	}
	now := metav1.NewTime(noon)
	made := []client.Object{
		keyed("a", old.Make(gen.Store, lead.PhoneHash("+5511987654321")), nil),
		// What was stored by the key of a number before its other ways of writing were known.
		keyed("b", old.Make(gen.Store, lead.PhoneHashes("+525512345678")[1]), nil),
		keyed("c", rotated.Make(gen.Store, lead.PhoneHash("+5511900000003")), nil),
		keyed("d", old.Make(gen.Store, lead.PhoneHash("+5511900000004")), &now),
	}
	for name, row := range map[string]struct {
		keys          *suppressionkeys.Keys
		store, phone  string
		want, unknown bool
	}{
		"as it was given":               {rotated, gen.Store, "+5511987654321", true, false},
		"without the ninth digit":       {rotated, gen.Store, "551187654321", true, false},
		"an old way of writing":         {rotated, gen.Store, "+5215512345678", true, false},
		"the new way of an old one":     {rotated, gen.Store, "+525512345678", true, false},
		"by the newest key":             {rotated, gen.Store, "+5511900000003", true, false},
		"lapsed":                        {rotated, gen.Store, "+5511900000004", false, false},
		"another number":                {rotated, gen.Store, "+5511900000005", false, false},
		"another store":                 {rotated, "other", "+5511987654321", false, false},
		"a key that is not there":       {old, gen.Store, "+5511900000003", false, true},
		"beside one that is not there":  {old, gen.Store, "+5511987654321", true, true},
		"no keys at all":                {nil, gen.Store, "+5511987654321", false, true},
		"no keys, and nothing of it":    {nil, "other", "+5511987654321", false, false},
		"no number, and no keys at all": {nil, gen.Store, "", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			reader := keyedCache(t, row.keys, made...)
			got, err := index.Suppressed(t.Context(), reader, row.keys, gen.Namespace, row.store, row.phone, noon)
			if err != nil || got != row.want {
				t.Errorf("suppressed: %t, %v; want %t", got, err, row.want)
			}
			unknown, err := index.SuppressedUnknown(t.Context(), reader, gen.Namespace, row.store, noon)
			if err != nil || unknown != row.unknown {
				t.Errorf("unknown: %t, %v; want %t", unknown, err, row.unknown)
			}
		})
	}
}

// TestLeadsOfAKeyedSuppression: whoever is told of a keyed Suppression finds the leads of its number, however it is
// written, and without looking at the others.
func TestLeadsOfAKeyedSuppression(t *testing.T) {
	keys := testenv.SuppressionKeys('b', 'a')
	of := func(name, store, phone string) client.Object {
		return gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.StoreRef.Name, l.Spec.Customer.Phone = name, store, phone
		})
	}
	reader := keyedCache(t, keys, of("a", gen.Store, "+5511987654321"), of("b", gen.Store, "+551187654321"),
		of("c", gen.Store, "+5511987654322"), of("d", "other", "+5511987654321"))
	for name, mac := range map[string]string{
		"the newest key": keys.Make(gen.Store, lead.PhoneHash(gen.Phone)),
		"an older key":   testenv.SuppressionKeys('a').Make(gen.Store, lead.PhoneHash(gen.Phone)),
	} {
		var leads v1alpha1.CartRecoveryList
		if err := reader.List(t.Context(), &leads, client.InNamespace(gen.Namespace),
			client.MatchingFields{index.LeadByPhone: index.LeadPhoneKey(gen.Store, mac)}); err != nil {
			t.Fatal(err)
		}
		var names []string
		for i := range leads.Items {
			names = append(names, leads.Items[i].Name)
		}
		if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestStoppingPurchase(t *testing.T) {
	type mod = func(*v1alpha1.CartRecovery)
	bought := func(name string, mods ...mod) *v1alpha1.CartRecovery {
		return gen.Lead(noon, append([]mod{func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.AbandonedAt = name, nil
			l.Spec.Purchase = &v1alpha1.Purchase{EventID: name, At: v1alpha1.NewTimestamp(noon)}
		}}, mods...)...)
	}
	byPhone := func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Email = "" }
	byEmail := func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = "" }
	otherProduct := func(l *v1alpha1.CartRecovery) { l.Spec.Product.ID = "2" }
	withAddress := func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Email = "b@example.com" }
	unattributed := func(l *v1alpha1.CartRecovery) { l.Spec.Purchase.Unattributed = true }
	for name, row := range map[string]struct {
		others []client.Object
		want   string
	}{
		"none":                        {nil, ""},
		"the same product, by phone":  {[]client.Object{bought("a", byPhone)}, "a"},
		"the same product, by e-mail": {[]client.Object{bought("a", byEmail)}, "a"},
		"an older form of the number": {[]client.Object{bought("a", byPhone, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone = "+551187654321"
		})}, "a"},
		"another product":            {[]client.Object{bought("a", otherProduct)}, "a"},
		"another product, by e-mail": {[]client.Object{bought("a", otherProduct, byEmail)}, "a"},
		"the same Product elsewhere": {[]client.Object{bought("a", otherProduct, func(l *v1alpha1.CartRecovery) {
			l.Spec.Platform, l.Spec.ProductRef = v1alpha1.PlatformKiwify, &v1alpha1.ObjectReference{Name: gen.Product}
		})}, "a"},
		"an address it has beside its own": {[]client.Object{bought("a", byEmail, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Email, l.Spec.Customer.OtherEmails = "b@example.com", []string{"c@example.com", gen.Email}
		})}, "a"},
		"a number it has beside its own": {[]client.Object{bought("a", byPhone, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone, l.Spec.Customer.OtherPhones = "+5521911112222", []string{gen.Phone}
		})}, "a"},
		"an address that only another lead has": {[]client.Object{
			bought("a", byEmail, otherProduct, withAddress), gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
				l.Name = "b"
			}, otherProduct, withAddress),
		}, "a"},
		"an address that only another store's lead has": {[]client.Object{
			bought("a", byEmail, otherProduct, withAddress),
			gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.Name, l.Spec.StoreRef.Name = "b", "other" }, otherProduct,
				withAddress),
		}, ""},
		"the one that counts": {[]client.Object{
			bought("a", unattributed), bought("b"), bought("c"), bought("d", otherProduct, byEmail),
			bought("e", byEmail),
		}, "b"},
		"another customer": {[]client.Object{bought("a", byPhone, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone = "+5521911112222"
		})}, ""},
		"another store": {[]client.Object{bought("a", func(l *v1alpha1.CartRecovery) {
			l.Spec.StoreRef.Name = "other"
		})}, ""},
		"not bought": {[]client.Object{gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.Name = "a"
		})}, ""},
		"its own, which counts by itself": {[]client.Object{bought("hotmart-lead")}, ""},
	} {
		cart := gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.Spec.ProductRef = &v1alpha1.ObjectReference{Name: gen.Product}
		})
		found, err := index.StoppingPurchase(t.Context(), cache(t, row.others...), cart, v1alpha1.KillSwitchCustomer)
		got := ""
		if found != nil {
			got = found.EventID
		}
		if err != nil || got != row.want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, row.want)
		}
	}
}

func TestLeadOfStoreFindsFinishedLeads(t *testing.T) {
	named := func(name, namespace, store string, finished bool) client.Object {
		return gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.Name, l.Namespace, l.Spec.StoreRef.Name = name, namespace, store
			if finished {
				at := metav1.NewTime(noon)
				l.Status.CompletionTime = &at
			}
		})
	}
	reader := cache(t, named("a", gen.Namespace, gen.Store, false), named("b", gen.Namespace, gen.Store, true),
		named("c", gen.Namespace, "other", true), named("d", "elsewhere", gen.Store, true))
	var leads v1alpha1.CartRecoveryList
	err := reader.List(t.Context(), &leads, client.InNamespace(gen.Namespace),
		client.MatchingFields{index.LeadOfStore: gen.Store})
	if err != nil || len(leads.Items) != 2 || leads.Items[0].Name != "a" || leads.Items[1].Name != "b" {
		t.Errorf("got %d leads, %v; want a and b", len(leads.Items), err)
	}
}
