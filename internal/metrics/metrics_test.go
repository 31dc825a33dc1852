package metrics

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// TestNamesAndLabels holds what dashboards and alerts are built on.
func TestNamesAndLabels(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, counter := range []prometheus.Counter{
		m.Delivery("hotmart", "created"), m.RefusedConnection("slow"), m.TokenReview("asked"),
		m.UnusableDelivery("kiwify", "NoSale"), m.Message("step", "sent"), m.AIRequest("written"), m.AIText("refused"),
		m.AIRefusal("Price"), m.AIReview("allowed", ""), m.ReceiptsDropped, m.AITokens,
	} {
		counter.Inc()
	}
	for _, histogram := range []prometheus.Histogram{m.Lateness, m.TimeToRecovery, m.AIReviewSeconds} {
		histogram.Observe(4000)
	}
	m.Connections.Set(1)
	want := map[string]map[string]string{
		"cartrecovery_webhook_deliveries_total":          {"source": "hotmart", "result": "created"},
		"cartrecovery_webhook_connections":               {},
		"cartrecovery_webhook_refused_connections_total": {"reason": "slow"},
		"cartrecovery_webhook_token_reviews_total":       {"result": "asked"},
		"cartrecovery_unusable_deliveries_total":         {"platform": "kiwify", "reason": "NoSale"},
		"cartrecovery_receipts_dropped_total":            {},
		"cartrecovery_messages_total":                    {"kind": "step", "result": "sent"},
		"cartrecovery_message_lateness_seconds":          {},
		"cartrecovery_time_to_recovery_seconds":          {},
		"cartrecovery_ai_requests_total":                 {"result": "written"},
		"cartrecovery_ai_tokens_total":                   {},
		"cartrecovery_ai_texts_total":                    {"result": "refused"},
		"cartrecovery_ai_refusals_total":                 {"reason": "Price"},
		"cartrecovery_ai_reviews_total":                  {"result": "allowed", "reason": ""},
		"cartrecovery_ai_review_seconds":                 {},
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, family := range families {
		labels := map[string]string{}
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		got[family.GetName()] = labels
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}
