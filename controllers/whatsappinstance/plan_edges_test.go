package whatsappinstance

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
)

// pausedUntil is a gateway that may be called again after this time, and was asked for the
// connection before.
func pausedUntil(offset time.Duration) func(*snapshot) {
	return func(s *snapshot) { s.memory.retryAt = at(offset) }
}

func neverAsked(s *snapshot) { s.memory.state = "" }

func misconfigured(s *snapshot) { s.misconfigured = true }

func unprepared(s *snapshot) { s.credentials.webhookKey = false }

func suspended(s *snapshot) { s.instance.Spec.Suspend = true }

func unidentified(s *snapshot) { s.unidentified = true }

func refusedThere(s *snapshot) {
	connection.Webhook(s.instance, metav1.ConditionFalse, v1alpha1.ReasonGatewayRefused, "", now)
}

func noURL(s *snapshot) { s.webhook = "" }

func noConditions(s *snapshot) { s.instance.Status.Conditions = nil }

// TestPlanAtTheInstant: what is due at a time is due at that instant, and not only after it.
func TestPlanAtTheInstant(t *testing.T) {
	creatingSince := func(offset time.Duration) func(*snapshot) {
		return func(s *snapshot) { s.credentials.begun, s.credentials.creatingSince = true, at(offset) }
	}
	testPlan(t, map[string]planned{
		"deleted, the gateway may be called again": {
			settledSituation(policyDelete, guarded, deleted(0), pausedUntil(0)), destroy, time.Time{},
		},
		"deleted, the creation has had its effect": {
			settledSituation(policyDelete, guarded, deleted(0), noToken, creatingSince(-settleAfter)), trace,
			time.Time{},
		},
		"misconfigured, it may be tried again": {settledSituation(misconfigured, pausedUntil(0)), complain,
			time.Time{}},
		"unprepared, it may be tried again": {settledSituation(unprepared, pausedUntil(0)), prepare, time.Time{}},
		"the gateway may be called again":   {settledSituation(neverAsked, pausedUntil(0)), poll, time.Time{}},
		"the webhook may be registered again": {
			settledSituation(func(s *snapshot) { s.webhook, s.memory.webhookRetryAt = "other", now }), register,
			time.Time{},
		},
	})
}

// TestPlanPaused: a person who asks for pairing has the gateway called in spite of a failure, but
// not where that cannot help.
func TestPlanPaused(t *testing.T) {
	later := at(30 * time.Second)
	paused := pausedUntil(30 * time.Second)
	testPlan(t, map[string]planned{
		"misconfigured, pairing is asked for": {settledSituation(misconfigured, paused, requested), wait, later},
		"unprepared, pairing is asked for":    {settledSituation(unprepared, paused, requested), wait, later},
		"a poll would be due before": {
			settledSituation(paused, func(s *snapshot) { s.memory.nextPoll = at(2 * time.Second) }), wait, later,
		},
		"nothing was asked since": {settledSituation(neverAsked), poll, time.Time{}},
	})
}

// TestPlanWhatIsKept: what is as it should be is left alone, what is not is seen to.
func TestPlanWhatIsKept(t *testing.T) {
	testPlan(t, map[string]planned{
		"guarded, and to be deleted there too": {settledSituation(policyDelete, guarded), wait, at(time.Minute)},
		"unidentified":                         {settledSituation(unidentified), identify, time.Time{}},
		"the status does not name the Secret": {
			settledSituation(func(s *snapshot) { s.instance.Status.CredentialsSecretRef = nil }), prepare, time.Time{},
		},
		"no public URL, and never one":             {settledSituation(noURL, noConditions), unregistered, time.Time{}},
		"no public URL since it was refused":       {settledSituation(refusedThere, noURL), unregistered, time.Time{}},
		"the webhook was refused, and is the same": {settledSituation(refusedThere), register, time.Time{}},
		"connected, and nobody was ever told of it": {
			settledSituation(func(s *snapshot) { s.instance.Status.Conditions = s.instance.Status.Conditions[1:] }),
			wait, at(time.Minute),
		},
		"no request since the last that was asked for": {settledSituation(asked), wait, at(time.Minute)},
	})
}

// TestPlanPairingAtItsEdges is about attempts that have only begun or are all but over.
func TestPlanPairingAtItsEdges(t *testing.T) {
	showsNothing := func(s *snapshot) { s.instance.Status.Pairing.SecretRef = nil }
	connected := func(s *snapshot) { s.memory.state, s.memory.nextPoll = gateway.Connected, at(time.Minute) }
	testPlan(t, map[string]planned{
		"begun, shows nothing, and is suspended": {
			settledSituation(pairing, showsNothing, suspended), endPairing, time.Time{},
		},
		"connected before an attempt": {settledSituation(neverConnected, connected), wait, at(time.Minute)},
		"connected before its QR was asked for": {
			settledSituation(pairing, connected, func(s *snapshot) { s.memory.connectedFor = 0 }), wait,
			at(time.Minute),
		},
		"the gateway waits for the phone, for long": {
			settledSituation(pairing, func(s *snapshot) { s.memory.nextConnect = at(-time.Minute) }), wait,
			at(2 * time.Second),
		},
	})
}

func TestAnsweredCaller(t *testing.T) {
	for name, row := range map[string]struct{ request, want string }{
		"nobody asked":         {"", ""},
		"somebody asked":       {"2027-03-01T12:00:00Z", "2027-03-01T12:00:00Z"},
		"as long as it may be": {strings.Repeat("a", 64), strings.Repeat("a", 64)},
		"longer than that":     {strings.Repeat("a", 65), "before"},
	} {
		t.Run(name, func(t *testing.T) {
			s := settledSituation(func(s *snapshot) {
				s.instance.Annotations = map[string]string{v1alpha1.AnnotationStatusRequested: row.request}
				s.instance.Status.HandledStatusRequest = "before"
			})
			answeredCaller(s.instance)
			if diff := cmp.Diff(row.want, s.instance.Status.HandledStatusRequest); diff != "" {
				t.Errorf("status.handledStatusRequest (-want +got):\n%s", diff)
			}
		})
	}
}
