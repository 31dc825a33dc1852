package webhookserver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// eventOf is an event of gen's customer and product. The mods change what comes in: store, event, product and now.
func eventOf(kind platforms.Kind, mods ...func(*salesEvent)) *salesEvent {
	told := &salesEvent{
		store: gen.StoreObject(), platform: v1alpha1.PlatformHotmart, now: noon,
		event: platforms.Event{
			ID: "event-1", Kind: kind, Trigger: v1alpha1.TriggerAbandonedCart, Attribute: true,
			Customer: platforms.Customer{Name: "Maria Souza", Phone: gen.Phone, Email: gen.Email},
			Product:  platforms.Product{ID: gen.ProductID, Name: "Curso de Violão"},
		},
	}
	for _, mod := range mods {
		mod(told)
	}
	resolved := newSalesEvent(told.store, told.platform, told.event, told.product, told.now)
	resolved.suppressed = told.suppressed
	return resolved
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

func TestOccurredAt(t *testing.T) {
	for name, row := range map[string]struct{ told, want time.Time }{
		"the platform's time":            {noon.Add(-time.Hour), noon.Add(-time.Hour)},
		"a time long ago":                {noon.Add(-8 * 24 * time.Hour), noon.Add(-8 * 24 * time.Hour)},
		"no time":                        {time.Time{}, noon},
		"a clock that is a little ahead": {noon.Add(time.Minute), noon.Add(time.Minute)},
		"a time in the future":           {noon.Add(3 * time.Minute), noon},
	} {
		t.Run(name, func(t *testing.T) {
			if got := occurredAt(row.told, noon); !got.Equal(row.want) {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

// TestNewSalesEvent checks what follows from an event and its Product.
func TestNewSalesEvent(t *testing.T) {
	unnamed := func(e *salesEvent) { e.event.Product.Name = "" }
	withProduct := func(e *salesEvent) { e.product = gen.ProductObject() }
	for name, row := range map[string]struct {
		mods []func(*salesEvent)
		want v1alpha1.CartRecoverySpec
	}{
		"without a Product": {nil, v1alpha1.CartRecoverySpec{
			Product: v1alpha1.LeadProduct{ID: gen.ProductID, Name: "Curso de Violão"},
		}},
		"with a Product": {[]func(*salesEvent){withProduct}, v1alpha1.CartRecoverySpec{
			Product:    v1alpha1.LeadProduct{ID: gen.ProductID, Name: "Curso de Violão"},
			ProductRef: &v1alpha1.ObjectReference{Name: gen.Product},
		}},
		"without a name, with a Product": {[]func(*salesEvent){withProduct, unnamed}, v1alpha1.CartRecoverySpec{
			Product:    v1alpha1.LeadProduct{ID: gen.ProductID, Name: gen.ProductObject().Spec.DisplayName},
			ProductRef: &v1alpha1.ObjectReference{Name: gen.Product},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := eventOf(platforms.Abandoned, row.mods...)
			want := row.want
			want.StoreRef, want.ClientID = v1alpha1.ObjectReference{Name: gen.Store}, e.store.Spec.ClientID
			want.Platform = v1alpha1.PlatformHotmart
			want.Customer = v1alpha1.LeadCustomer{Name: "Maria Souza", Phone: gen.Phone, Email: gen.Email}
			if diff := cmp.Diff(want, e.own.Spec); diff != "" {
				t.Errorf("own lead (-want +got):\n%s", diff)
			}
			if e.own.Name != e.name || e.own.Labels[v1alpha1.LabelPhoneKey] == "" {
				t.Errorf("own lead %q has the labels %v, want the name %q", e.own.Name, e.own.Labels, e.name)
			}
		})
	}
}
