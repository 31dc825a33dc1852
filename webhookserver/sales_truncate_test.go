package webhookserver

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

func TestTruncateEventDropsWhatTheSchemaRefuses(t *testing.T) {
	long := strings.Repeat("é", 300)
	got := truncateEvent(platforms.Event{
		ID: long, TransactionID: long, Amount: "R$ 10", Currency: "real", CheckoutURL: "https://user@pay.example.com",
		Customer: platforms.Customer{Name: long, Phone: "11987654321", Email: strings.Repeat("a", 255)},
		Product:  platforms.Product{ID: long, Name: long},
		Payment:  &v1alpha1.Payment{Method: "Cheque", PixCode: strings.Repeat("1", 1025), BoletoLine: long},
		Consent:  &v1alpha1.Consent{Basis: "Unknown"},
	})
	want := platforms.Event{
		ID: strings.Repeat("é", 200), TransactionID: strings.Repeat("é", 128),
		Customer: platforms.Customer{Name: strings.Repeat("é", 200)},
		Product:  platforms.Product{ID: strings.Repeat("é", 128), Name: strings.Repeat("é", 200)},
		Payment:  &v1alpha1.Payment{Method: v1alpha1.PaymentOther},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTruncateEventKeepsWhatFits(t *testing.T) {
	whole := platforms.Event{
		ID: "event-1", TransactionID: "HP1", Amount: "149.90", Currency: "BRL",
		CheckoutURL: "https://pay.example.com/x?y=1",
		Customer:    platforms.Customer{Name: "Maria", Phone: gen.Phone, Email: gen.Email},
		Payment:     &v1alpha1.Payment{Method: v1alpha1.PaymentPix, PixCode: "00020126"},
		Consent:     &v1alpha1.Consent{Basis: v1alpha1.ConsentOptedIn, Source: "checkout"},
	}
	if diff := cmp.Diff(whole, truncateEvent(whole)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
