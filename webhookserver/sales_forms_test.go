package webhookserver

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

func TestInForm(t *testing.T) {
	whole := platforms.Event{
		ID: "event-1", TransactionID: "HP1", Amount: "149.90", Currency: "BRL",
		CheckoutURL: "https://pay.example.com/x?y=1",
		Customer:    platforms.Customer{Name: "Maria", Phone: gen.Phone, Email: gen.Email},
		Payment: &v1alpha1.Payment{
			Method: v1alpha1.PaymentPix, PixCode: "00020126", URL: "https://pay.example.com/pix",
		},
		Consent: &v1alpha1.Consent{Basis: v1alpha1.ConsentOptedIn, Source: "checkout"},
	}
	for _, test := range []struct {
		name        string
		event, want platforms.Event
	}{
		{"what fits is kept", whole, whole},
		{"what the schema refuses is dropped", platforms.Event{
			ID: "event-1", Amount: "R$ 10", Currency: "real", CheckoutURL: "https://user@pay.example.com",
			Customer: platforms.Customer{Name: "Maria", Phone: "11987654321"},
			Payment:  &v1alpha1.Payment{Method: v1alpha1.PaymentPix, URL: "pay.example.com"},
		}, platforms.Event{
			ID: "event-1", Customer: platforms.Customer{Name: "Maria"},
			Payment: &v1alpha1.Payment{Method: v1alpha1.PaymentPix},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, inForm(test.event)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
