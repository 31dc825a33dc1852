// Package metrics declares what the operator counts as it works; internal/census has what its Stores have. No label
// holds anything of a customer or a single object, and none here that of a store (decision 116).
//
// What has labels is counted through a method that takes them as parameters: a label that is
// added or removed does not compile until every caller says what it is.
package metrics

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/version"
)

// prefix of the names of all metrics.
const prefix = "cartrecovery_"

// Metrics are the operator's own metrics; controller-runtime adds its own.
type Metrics struct {
	deliveries         *prometheus.CounterVec
	refusedConnections *prometheus.CounterVec
	tokenReviews       *prometheus.CounterVec
	unusable           *prometheus.CounterVec
	messages           *prometheus.CounterVec
	aiRequests         *prometheus.CounterVec
	aiTexts            *prometheus.CounterVec
	aiRefusals         *prometheus.CounterVec
	aiReviews          *prometheus.CounterVec
	webhookRequests    *prometheus.HistogramVec
	gatewayCalls       *prometheus.HistogramVec
	aiCalls            *prometheus.HistogramVec
	buildInfo          *prometheus.GaugeVec

	// Connections is how many connections the webhook server has open.
	Connections prometheus.Gauge
	// ReceiptsDropped counts the leads whose gathered receipts were not stored: too many
	// waited, or the API server did not take them.
	ReceiptsDropped prometheus.Counter
	// Lateness is the time from a message's due time to the call of the gateway, in seconds.
	Lateness prometheus.Histogram
	// TimeToRecovery is the time from the abandonment to the purchase of a lead that was
	// bought after a message, in seconds; observed once, when the lead is finished.
	TimeToRecovery prometheus.Histogram
	// AITokens counts the tokens that calls to the AI used.
	AITokens prometheus.Counter
	// AIReviewSeconds is how long a review took.
	AIReviewSeconds prometheus.Histogram
}

// New makes the metrics and registers them.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{}
	m.makeWebhookMetrics()
	m.makeMessageMetrics()
	m.makeAIMetrics()
	m.makeCallMetrics()
	for _, collector := range []prometheus.Collector{
		m.deliveries, m.Connections, m.refusedConnections, m.tokenReviews, m.unusable, m.ReceiptsDropped, m.messages,
		m.Lateness, m.TimeToRecovery, m.aiRequests, m.AITokens, m.aiTexts, m.aiRefusals, m.aiReviews,
		m.AIReviewSeconds, m.webhookRequests, m.gatewayCalls, m.aiCalls, m.buildInfo, panics.Total,
	} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *Metrics) makeWebhookMetrics() {
	m.deliveries = counters("webhook_deliveries_total",
		"Webhook deliveries by source (platform or gateway format) and result.", "source", "result")
	m.Connections = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: prefix + "webhook_connections", Help: "Open connections of the webhook server.",
	})
	m.refusedConnections = counters("webhook_refused_connections_total",
		"Connections that were refused, or closed before a request of theirs was answered, by reason.", "reason")
	m.tokenReviews = counters("webhook_token_reviews_total",
		"Callers of connect and status by how their token was checked.", "result")
	m.unusable = counters("unusable_deliveries_total",
		"Authentic deliveries of a purchase or refund that could not be used, by platform and reason.",
		"platform", "reason")
	m.ReceiptsDropped = counter("receipts_dropped_total", "Leads whose gathered receipts were not stored.")
}

func (m *Metrics) makeMessageMetrics() {
	m.messages = counters("messages_total",
		"Messages handed to a gateway, and claims that were resolved, by kind and result.", "kind", "result")
	m.Lateness = histogram("message_lateness_seconds",
		"Time from a message's due time to the call of the gateway.",
		.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 3600)
	m.TimeToRecovery = histogram("time_to_recovery_seconds",
		"Time from the abandonment of a cart to its purchase after a message.",
		300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 259200, 604800, 1209600)
}

func (m *Metrics) makeAIMetrics() {
	m.aiRequests = counters("ai_requests_total", "Calls to the AI by result.", "result")
	m.AITokens = counter("ai_tokens_total", "Tokens used by calls to the AI.")
	m.aiTexts = counters("ai_texts_total", "Texts that were asked for, by what came of them.", "result")
	m.aiRefusals = counters("ai_refusals_total", "Texts of the AI that may not be sent, by reason.", "reason")
	m.aiReviews = counters("ai_reviews_total",
		"Reviews of the AI's texts by result (allowed, refused, failed) and reason.", "result", "reason")
	m.AIReviewSeconds = histogram("ai_review_seconds", "How long a review of a text took.",
		.1, .25, .5, 1, 2, 3, 5, 10)
}

// slow are the buckets of what waits for others, in seconds.
var slow = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20}

func (m *Metrics) makeCallMetrics() {
	m.webhookRequests = histograms("webhook_request_seconds",
		"How long requests took to be answered, by route and status code.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "route", "code")
	m.gatewayCalls = histograms("gateway_call_seconds",
		"How long calls to gateways took, by type of gateway, method and result.", slow, "type", "method", "result")
	m.aiCalls = histograms("ai_call_seconds", "How long calls to the AI took, by what for and result.", slow, "call",
		"result")
	m.buildInfo = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: prefix + "build_info", Help: "1, with which program this is.",
	}, []string{"version", "revision", "goversion"})
	is := version.Get()
	m.buildInfo.WithLabelValues(is.Version, is.Revision, is.Go).Set(1)
}

// WebhookRequest observes how long requests to the webhook server took by route, as it is declared, and status code.
func (m *Metrics) WebhookRequest(route string, code int) prometheus.Observer {
	return m.webhookRequests.WithLabelValues(route, strconv.Itoa(code))
}

// GatewayCall observes how long calls to gateways took by type, method (gateway.Methods) and result: ok, or the class
// of the failure.
func (m *Metrics) GatewayCall(of, method string, err error) prometheus.Observer {
	return m.gatewayCalls.WithLabelValues(of, method, resultOf(err))
}

// AICall observes how long calls to the AI took by what for (write, review) and result: ok, or the class of the
// failure.
func (m *Metrics) AICall(call string, err error) prometheus.Observer {
	return m.aiCalls.WithLabelValues(call, resultOf(err))
}

func resultOf(err error) string {
	if err == nil {
		return resultOK
	}
	return string(failure.ClassOf(err))
}

// Delivery counts webhook deliveries by source (a platform's or format's name) and result:
// created, stopped, recorded, reversed, gathered, unchanged, unusable and ignored, as they are
// answered; unmatched and ambiguous, messages that belong to no lead, and to one of several;
// unauthorized, malformed, notfound, unavailable, refused, panicked.
func (m *Metrics) Delivery(source, result string) prometheus.Counter {
	return m.deliveries.WithLabelValues(source, result)
}

// RefusedConnection counts connections of the webhook server that were refused, or closed before
// a request of theirs was answered, by reason: silent, slow, full, share, memory, malformed.
func (m *Metrics) RefusedConnection(reason string) prometheus.Counter {
	return m.refusedConnections.WithLabelValues(reason)
}

// TokenReview counts the callers of connect and status by how their token was checked: asked, the
// API server; remembered; shapeless, no token at all; limited, too many to ask about.
func (m *Metrics) TokenReview(result string) prometheus.Counter {
	return m.tokenReviews.WithLabelValues(result)
}

// UnusableDelivery counts authentic deliveries that say what matters, a purchase or a refund, and
// could not be used, by platform and reason (NoCustomer, NoSale): somebody who has bought may
// be written to.
func (m *Metrics) UnusableDelivery(platform, reason string) prometheus.Counter {
	return m.unusable.WithLabelValues(platform, reason)
}

// Message counts messages handed to a gateway, and claims that were resolved, by kind (step,
// reply) and result (sent, refused, ambiguous, resolved, unknown).
func (m *Metrics) Message(kind, result string) prometheus.Counter {
	return m.messages.WithLabelValues(kind, result)
}

// AIRequest counts calls to the AI by result: written, and the failure classes.
func (m *Metrics) AIRequest(result string) prometheus.Counter {
	return m.aiRequests.WithLabelValues(result)
}

// AIText counts the texts that were asked for by what came of them: written; rewritten, written
// once more because the first may not be sent; refused, also the second may not be sent;
// unreviewed, its review did not answer; handoff, the AI says that the customer wants a person;
// stop, that they want no messages or are not the customer; exhausted, the store's budget is used up.
func (m *Metrics) AIText(result string) prometheus.Counter {
	return m.aiTexts.WithLabelValues(result)
}

// AIRefusal counts the texts that may not be sent by reason, one of internal/guard's.
func (m *Metrics) AIRefusal(reason string) prometheus.Counter {
	return m.aiRefusals.WithLabelValues(reason)
}

// AIReview counts the reviews of texts by result (allowed, refused, and failed) and reason: one
// of internal/ai's for a refusal, the failure's class for a failure, "" for a text that is allowed.
func (m *Metrics) AIReview(result, reason string) prometheus.Counter {
	return m.aiReviews.WithLabelValues(result, reason)
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets},
		labels)
}
