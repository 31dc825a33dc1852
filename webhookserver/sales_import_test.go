package webhookserver

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/movein"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// TestImportedLeadIsTheCarts: an import makes the lead that the webhook server makes of the same cart, apart from being
// held. What comes later for the cart, and its purchase, are written to it.
func TestImportedLeadIsTheCarts(t *testing.T) {
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart}, {Name: v1alpha1.PlatformKiwify}}
		s.Spec.Currency = "BRL"
	})
	left := v1alpha1.NewTimestamp(noon.Add(-time.Hour))
	cart := platforms.Event{
		Kind: platforms.Abandoned, ID: "E1", OccurredAt: left.Time, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer: platforms.Customer{Name: "Maria Souza", Phone: gen.Phone, Email: gen.Email},
		Product:  platforms.Product{ID: gen.ProductID, Name: "Violão"}, Amount: "297.00", Currency: "BRL",
		CheckoutURL: "https://pay.example.com/1", TransactionID: "HP1",
	}
	byName := cart
	byName.Product, byName.Customer.Email = platforms.Product{Name: "Outro"}, ""
	pix := cart
	pix.Trigger = v1alpha1.TriggerPixPending
	const columns = "client_id;customer_name;customer_phone;customer_email;platform;product_id;product_name;" +
		"created_at;event;value;cart_url;transaction_id;event_id\n"
	const who, what = "acme;Maria Souza;(11) 98765-4321;", ";297,00;https://pay.example.com/1;HP1;E1\n"
	when := left.Format("2006-01-02 15:04:05.999999999+00")
	for name, row := range map[string]struct {
		event   platforms.Event
		product *v1alpha1.Product
		line    string
	}{
		"a cart": {cart, nil, who + "Maria@Example.com;hotmart;1001;Violão;" + when + ";" + what},
		"a cart with a Product": {cart, gen.ProductObject(),
			who + "maria@example.com;Hotmart;1001;Violão;" + when + ";abandoned_cart" + what},
		"a cart without an address and an id": {byName, nil, who + ";hotmart;;Outro;" + when + ";" + what},
		"a PIX": {pix, nil,
			who + "maria@example.com;hotmart;1001;Violão;" + when + ";PIX_PENDING" + what},
	} {
		t.Run(name, func(t *testing.T) {
			want := newSalesEvent(store, v1alpha1.PlatformHotmart, row.event, row.product, noon).startedLead()
			target := &movein.Target{Store: store, Now: noon, Batch: "move"}
			if row.product != nil {
				target.Products = []v1alpha1.Product{*row.product}
			}
			target.Store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: row.event.Trigger,
				Steps: []v1alpha1.Step{{Name: "first"}}}}
			var got *v1alpha1.CartRecovery
			_, err := movein.Read(strings.NewReader(columns+row.line), movein.CSV, movein.LeadColumns,
				func(row movein.Row, _ *movein.Problem) error {
					made, skipped, problems := target.Lead(row)
					if made == nil {
						t.Fatalf("skipped %q, wrong %v", skipped, problems)
					}
					got = made.Object
					return nil
				})
			if err != nil || !got.Spec.Suspend || got.Labels[v1alpha1.LabelImport] != "move" {
				t.Fatalf("%v: made %+v", err, got)
			}
			delete(got.Labels, v1alpha1.LabelImport)
			delete(want.Annotations, v1alpha1.AnnotationPlanned)
			got.Spec.Suspend = false
			lead.Received(got, noon)
			if len(want.Annotations) == 0 {
				want.Annotations = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("lead (-the webhook server's +imported):\n%s", diff)
			}
		})
	}
}
