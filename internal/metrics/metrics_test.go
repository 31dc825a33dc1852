package metrics

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/version"
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
	m.WebhookRequest("/readyz", 200).Observe(1)
	m.GatewayCall("UAZAPI", "SendText", nil).Observe(1)
	m.AICall("write", &failure.Error{Class: failure.Throttled}).Observe(1)
	is := version.Get()
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
		"cartrecovery_ai_call_seconds":                   {"call": "write", "result": "Throttled"},
		"cartrecovery_gateway_call_seconds":              {"type": "UAZAPI", "method": "SendText", "result": "ok"},
		"cartrecovery_webhook_request_seconds":           {"route": "/readyz", "code": "200"},
		"cartrecovery_build_info": {
			"version": is.Version, "revision": is.Revision, "goversion": is.Go,
		},
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

// TestStartAtZero: what nothing has happened to is there, and is zero.
func TestStartAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	m.StartAtZero(Known{
		Sources: []string{"hotmart"}, Results: []string{"created", "stopped"}, Routes: []string{"/readyz"},
		Platforms: []string{"kiwify"}, Unusable: []string{"NoSale"}, Gateways: []string{"UAZAPI"},
		Methods: []string{"SendText", "Status"}, Refusals: []string{"Price"}, Reviews: []string{"Fact"},
	})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, family := range families {
		got[strings.TrimPrefix(family.GetName(), prefix)] = len(family.GetMetric())
	}
	delete(got, "panics_total")
	want := map[string]int{
		"webhook_deliveries_total": 2, "webhook_connections": 1, "webhook_refused_connections_total": 6,
		"webhook_token_reviews_total": 4, "unusable_deliveries_total": 1, "receipts_dropped_total": 1,
		"messages_total": 15, "message_lateness_seconds": 1, "time_to_recovery_seconds": 1, "ai_requests_total": 5,
		"ai_tokens_total": 1, "ai_texts_total": 7, "ai_refusals_total": 1, "ai_reviews_total": 6,
		"ai_review_seconds": 1, "ai_call_seconds": 10, "gateway_call_seconds": 10, "webhook_request_seconds": 6,
		"build_info": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series at the start (-want +got):\n%s", diff)
	}
}
