package webhookserver

import (
	"context"
	"net/http"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"cartrecovery.dev/operator/internal/metrics"
)

// TestKnownLabels: every route and every result is counted from the start, and nothing twice.
func TestKnownLabels(t *testing.T) {
	known := KnownLabels()
	for name, values := range map[string][]string{
		"sources": known.Sources, "results": known.Results, "routes": known.Routes, "platforms": known.Platforms,
	} {
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		if unique := slices.Compact(slices.Clone(sorted)); len(unique) != len(sorted) {
			t.Errorf("%s has something twice: %q", name, sorted)
		}
	}
	for _, weight := range weights {
		if !slices.Contains(known.Results, weight) {
			t.Errorf("the result %q is not known", weight)
		}
	}
	registry := prometheus.NewRegistry()
	counted, err := metrics.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	counted.StartAtZero(known)
}

// timedRequests is how many requests were timed by route and code.
func timedRequests(route string, code int) uint64 {
	GinkgoHelper()
	histogram, ok := server.Metrics.WebhookRequest(route, code).(prometheus.Histogram)
	Expect(ok).To(BeTrue())
	var metric dto.Metric
	Expect(histogram.Write(&metric)).To(Succeed())
	return metric.GetHistogram().GetSampleCount()
}

var _ = Describe("Requests", func() {
	DescribeTable("are timed by the route that was declared, and never by what its path holds",
		func(ctx context.Context, method, path, route string, code int) {
			before := timedRequests(route, code)
			Expect(call(ctx, method, path, nil).Status).To(Equal(code))
			Expect(timedRequests(route, code)).To(Equal(before + 1))
		},
		Entry("a store that does not exist", http.MethodPost, "/api/webhooks/hotmart/nobody",
			"/api/webhooks/:platform/:clientId", 404),
		Entry("a path that does not exist", http.MethodPost, "/api/secret", routeNone, 404),
		Entry("a method that does not", http.MethodGet, "/api/whatsapp/webhook", routeNone, 405),
	)

	It("are answered to a load balancer that asks with HEAD", func(ctx SpecContext) {
		for _, path := range []string{"/healthz", "/readyz"} {
			request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://"+server.Addr().String()+path, nil)
			Expect(err).NotTo(HaveOccurred())
			response, err := http.DefaultClient.Do(request)
			Expect(err).NotTo(HaveOccurred())
			Expect(response.Body.Close()).To(Succeed())
			Expect(response.StatusCode).To(Equal(http.StatusOK), path)
		}
	})
})
