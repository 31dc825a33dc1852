// Package metrics declares what the operator counts. No label holds anything of a
// customer, a store or a single object.
package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"cartrecovery.dev/operator/internal/panics"
)

// Metrics are the operator's own metrics; controller-runtime adds its own.
type Metrics struct {
	// Deliveries counts webhook deliveries by source (a platform's or format's name) and
	// result: created, stopped, recorded, reversed, gathered, unchanged, unusable and ignored, as
	// they are answered; unmatched and ambiguous, messages that belong to no lead, and to one of
	// several; unauthorized, malformed, notfound, unavailable, refused, panicked.
	Deliveries *prometheus.CounterVec
	// Connections is how many connections the webhook server has open.
	Connections prometheus.Gauge
	// RefusedConnections counts connections of the webhook server that were refused, or closed before a
	// request of theirs was answered, by reason: silent, slow, full, share, memory, malformed.
	RefusedConnections *prometheus.CounterVec
	// TokenReviews counts the callers of connect and status by how their token was looked at: asked, the
	// API server; remembered; shapeless, no token at all; limited, too many to ask about.
	TokenReviews *prometheus.CounterVec
	// Unusable counts authentic deliveries that say what matters, a purchase or a refund, and
	// could not be used, by platform and reason (NoCustomer, NoSale): somebody who has bought may
	// be written to.
	Unusable *prometheus.CounterVec
	// ReceiptsDropped counts the leads whose gathered receipts were not stored: too many
	// waited, or the API server did not take them.
	ReceiptsDropped prometheus.Counter
	// Messages counts messages handed to a gateway by kind (step, reply) and result (sent,
	// refused, ambiguous, resolved, unknown).
	Messages *prometheus.CounterVec
	// Lateness is the time from a message's due time to the call of the gateway, in seconds.
	Lateness prometheus.Histogram
	// TimeToRecovery is the time from the abandonment to the purchase of a lead that was
	// bought after a message, in seconds; observed once, when the lead is finished.
	TimeToRecovery prometheus.Histogram
	// AIRequests counts calls to the AI by result (written, and the failure classes).
	AIRequests *prometheus.CounterVec
	// AITokens counts the tokens they used.
	AITokens prometheus.Counter
	// AITexts counts the texts that were asked for by what came of them: written; rewritten,
	// written once more because the first may not be sent; refused, also the second may not
	// be sent; unreviewed, its review did not answer; handoff, the AI says that the customer wants a person;
	// stop, that they want no messages or are not the customer; exhausted, the store's budget is used up.
	AITexts *prometheus.CounterVec
	// AIRefusals counts the texts that may not be sent by reason, one of internal/guard's.
	AIRefusals *prometheus.CounterVec
	// AIReviews counts the reviews of texts by result (allowed, refused, and failed) and reason:
	// one of internal/ai's for a refusal, the failure's class for a failure.
	AIReviews *prometheus.CounterVec
	// AIReviewSeconds is how long a review took.
	AIReviewSeconds prometheus.Histogram
}

// New makes the metrics and registers them.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		Deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_webhook_deliveries_total",
			Help: "Webhook deliveries by source (platform or gateway format) and result.",
		}, []string{"source", "result"}),
		Connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cartrecovery_webhook_connections",
			Help: "Open connections of the webhook server.",
		}),
		RefusedConnections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_webhook_refused_connections_total",
			Help: "Connections that were refused, or closed before a request of theirs was answered, by reason.",
		}, []string{"reason"}),
		TokenReviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_webhook_token_reviews_total",
			Help: "Callers of connect and status by how their token was looked at.",
		}, []string{"result"}),
		Unusable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_unusable_deliveries_total",
			Help: "Authentic deliveries of a purchase or refund that could not be used, by platform and reason.",
		}, []string{"platform", "reason"}),
		ReceiptsDropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cartrecovery_receipts_dropped_total",
			Help: "Leads whose gathered receipts were not stored.",
		}),
		Messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_messages_total",
			Help: "Messages handed to a gateway by kind (step, reply) and result.",
		}, []string{"kind", "result"}),
		Lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "cartrecovery_message_lateness_seconds",
			Help:    "Time from a message's due time to the call of the gateway.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 3600},
		}),
		TimeToRecovery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "cartrecovery_time_to_recovery_seconds",
			Help:    "Time from the abandonment of a cart to its purchase after a message.",
			Buckets: []float64{300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 259200, 604800, 1209600},
		}),
		AIRequests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_ai_requests_total",
			Help: "Calls to the AI by result.",
		}, []string{"result"}),
		AITokens: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cartrecovery_ai_tokens_total",
			Help: "Tokens used by calls to the AI.",
		}),
		AITexts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_ai_texts_total",
			Help: "Texts by what came of them (written, rewritten, refused, unreviewed, handoff, stop, exhausted).",
		}, []string{"result"}),
		AIRefusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_ai_refusals_total",
			Help: "Texts of the AI that may not be sent, by reason.",
		}, []string{"reason"}),
		AIReviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cartrecovery_ai_reviews_total",
			Help: "Reviews of the AI's texts by result (allowed, refused, failed) and reason.",
		}, []string{"result", "reason"}),
		AIReviewSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "cartrecovery_ai_review_seconds",
			Help:    "How long a review of a text took.",
			Buckets: []float64{.1, .25, .5, 1, 2, 3, 5, 10},
		}),
	}
	for _, collector := range []prometheus.Collector{
		m.Deliveries, m.Connections, m.RefusedConnections, m.TokenReviews, m.Unusable, m.ReceiptsDropped, m.Messages,
		m.Lateness, m.TimeToRecovery, m.AIRequests, m.AITokens, m.AITexts, m.AIRefusals,
		panics.Total,
		m.AIReviews, m.AIReviewSeconds,
	} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
