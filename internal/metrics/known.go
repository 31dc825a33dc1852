package metrics

import (
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/panics"
)

// resultOK is the result of a call that did not fail; others are the classes of failures.
const resultOK = "ok"

var (
	classes = []string{
		string(failure.Transient), string(failure.Throttled), string(failure.Terminal), string(failure.Ambiguous),
	}
	messageKinds   = []string{"step", "reply", "notice"}
	messageResults = []string{"sent", "refused", "ambiguous", "resolved", "unknown"}
	aiTextResults  = []string{"written", "rewritten", "refused", "unreviewed", "handoff", "stop", "exhausted"}
	aiCalls        = []string{"write", "review"}
	reviewResults  = []string{"asked", "remembered", "shapeless", "limited"}
	refusedReasons = []string{"silent", "slow", "full", "share", "memory", "malformed"}
	// codes are the status codes that every route is counted with from the start: what alerts look at. Others are
	// counted once they occur.
	codes = []int{200, 400, 401, 404, 500, 503}
)

// Known are the values of labels that other packages know.
type Known struct {
	// Sources and Results are of deliveries, Routes those of the webhook server.
	Sources, Results, Routes []string
	// Platforms and Unusable are the platforms, and the reasons why a delivery cannot be used.
	Platforms, Unusable []string
	// Gateways and Methods are the types of gateways and what is asked of them.
	Gateways, Methods []string
	// Refusals and Reviews are the reasons why a text of the AI may not be sent.
	Refusals, Reviews []string
}

// StartAtZero has every value of a label that is known counted from the start: what appears only when it first happens
// has no rate then, and alerts nobody.
func (m *Metrics) StartAtZero(known Known) {
	each(known.Sources, known.Results, func(source, result string) { m.Delivery(source, result) })
	each(known.Platforms, known.Unusable, func(platform, reason string) { m.UnusableDelivery(platform, reason) })
	each(messageKinds, messageResults, func(kind, result string) { m.Message(kind, result) })
	results := append([]string{resultOK}, classes...)
	each(aiCalls, results, func(call, result string) { m.aiCalls.WithLabelValues(call, result) })
	for _, of := range known.Gateways {
		each(known.Methods, results, func(method, result string) { m.gatewayCalls.WithLabelValues(of, method, result) })
	}
	for _, route := range known.Routes {
		for _, code := range codes {
			m.WebhookRequest(route, code)
		}
	}
	for _, class := range classes {
		m.AIRequest(class)
		m.AIReview("failed", class)
	}
	m.AIRequest("written")
	m.AIReview("allowed", "")
	for values, start := range map[*[]string]func(string){
		&aiTextResults:  func(result string) { m.AIText(result) },
		&known.Refusals: func(reason string) { m.AIRefusal(reason) },
		&known.Reviews:  func(reason string) { m.AIReview("refused", reason) },
		&reviewResults:  func(result string) { m.TokenReview(result) },
		&refusedReasons: func(reason string) { m.RefusedConnection(reason) },
	} {
		for _, value := range *values {
			start(value)
		}
	}
	for _, work := range panics.Works {
		panics.Total.WithLabelValues(work)
	}
}

// each calls a function with all pairs.
func each(ones, others []string, do func(one, other string)) {
	for _, one := range ones {
		for _, other := range others {
			do(one, other)
		}
	}
}
