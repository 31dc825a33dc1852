package webhookserver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

func TestLeadOfACart(t *testing.T) {
	e := eventOf(platforms.Abandoned, func(e *salesEvent) {
		e.event.OccurredAt, e.product = noon.Add(-time.Hour), gen.ProductObject()
		e.event.Amount, e.event.Currency, e.event.CheckoutURL = "10.50", "BRL", "https://pay.example.com/1"
	})
	abandoned, received := v1alpha1.NewTimestamp(noon.Add(-time.Hour)), v1alpha1.NewTimestamp(noon)
	want := e.own.DeepCopy()
	want.Spec.Trigger, want.Spec.EventID, want.Spec.CheckoutURL = v1alpha1.TriggerAbandonedCart, "event-1",
		"https://pay.example.com/1"
	want.Spec.Amount, want.Spec.Currency = "10.50", "BRL"
	want.Spec.AbandonedAt, want.Spec.ReceivedAt = &abandoned, &received
	if diff := cmp.Diff(want, e.leadWith(e.started())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLeadOfAPurchase(t *testing.T) {
	e := eventOf(platforms.Purchased, func(e *salesEvent) { e.event.OccurredAt = noon.Add(-8 * 24 * time.Hour) })
	if !e.occurred.Equal(e.event.OccurredAt) {
		t.Errorf("it occurred at %s, want %s", e.occurred, e.event.OccurredAt)
	}
	received := v1alpha1.NewTimestamp(noon)
	want := e.own.DeepCopy()
	want.Spec.ReceivedAt = &received
	want.Spec.Purchase = &v1alpha1.Purchase{EventID: "event-1", At: e.occurred}
	if diff := cmp.Diff(want, e.leadWith(e.bought())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReversal(t *testing.T) {
	for name, row := range map[string]struct {
		isChargeback bool
		want         v1alpha1.ReversalKind
	}{
		"a refund":     {false, v1alpha1.ReversalRefund},
		"a chargeback": {true, v1alpha1.ReversalChargeback},
	} {
		t.Run(name, func(t *testing.T) {
			e := eventOf(platforms.Reversed, func(e *salesEvent) { e.event.Chargeback = row.isChargeback })
			if got := e.reversal().Kind; got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}
