package whatsappinstance

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func at(offset time.Duration) time.Time { return now.Add(offset) }

func metaAt(offset time.Duration) *metav1.Time { return &metav1.Time{Time: at(offset)} }

// settledSituation is a connected instance for which nothing is due, changed by mods.
func settledSituation(mods ...func(*snapshot)) *snapshot {
	s := &snapshot{
		instance: gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.LastConnectedTime = metaAt(-time.Hour)
			i.Status.RegisteredWebhook = "hash"
			i.Status.Pairing = &v1alpha1.PairingStatus{Attempts: 1}
			connection.Webhook(i, metav1.ConditionTrue, v1alpha1.ReasonRegistered, "", now)
		}),
		storeFound: true, supported: true, webhook: "hash", giveUpAfter: 5 * time.Minute,
		credentials: credentials{found: true, webhookKey: true, token: true},
		memory:      memory{state: gateway.Connected, nextPoll: at(time.Minute), connectedFor: 1},
		now:         now,
	}
	for _, mod := range mods {
		mod(s)
	}
	return s
}

func loggedOut(s *snapshot) { s.memory.state = gateway.Disconnected }

func neverConnected(s *snapshot) {
	s.instance.Status.LastConnectedTime, s.instance.Status.Pairing = nil, nil
	s.memory.state, s.memory.connectedFor = gateway.Disconnected, 0
}

// pairing is an open attempt whose QR is on show.
func pairing(s *snapshot) {
	neverConnected(s)
	s.instance.Status.Phase = v1alpha1.InstancePairing
	s.instance.Status.Pairing = &v1alpha1.PairingStatus{
		Attempts: 1, ExpiresAt: metaAt(5 * time.Minute), SecretRef: &v1alpha1.ObjectReference{Name: "pairing"},
	}
	s.memory = memory{state: gateway.Connecting, connectedFor: 1, nextPoll: at(2 * time.Second),
		nextConnect: at(15 * time.Second)}
}

func requested(s *snapshot) {
	s.instance.Annotations = map[string]string{v1alpha1.AnnotationPairRequested: "2027-03-01T11:59:59Z"}
}

func asked(s *snapshot) { s.memory.askedFor = "2027-03-01T11:59:59Z" }

func noToken(s *snapshot) { s.credentials.token, s.memory.state = false, "" }

func policyDelete(s *snapshot) { s.instance.Spec.DeletionPolicy = v1alpha1.DeletionDelete }

func guarded(s *snapshot) { s.instance.Finalizers = []string{v1alpha1.Finalizer} }

func deleted(ago time.Duration) func(*snapshot) {
	return func(s *snapshot) { s.instance.DeletionTimestamp = metaAt(-ago) }
}

func backingOff(s *snapshot) {
	s.memory.failures, s.memory.retryAt, s.memory.state = 1, at(30*time.Second), ""
}

func tried(s *snapshot) { s.memory.tried = true }

// planned is a row of the tables: a snapshot, and what is planned for it.
type planned struct {
	snapshot *snapshot
	kind     kind
	until    time.Time
}

// set reads better in a row than the function itself.
func set(change func(*snapshot)) func(*snapshot) { return change }

func testPlan(t *testing.T, table map[string]planned) {
	t.Helper()
	for name, test := range table {
		t.Run(name, func(t *testing.T) {
			got := plan(test.snapshot)
			if got.kind != test.kind || !got.until.Equal(test.until) {
				t.Errorf("%s until %v, want %s until %v", got.kind, got.until, test.kind, test.until)
			}
		})
	}
}

func TestPlan(t *testing.T) {
	testPlan(t, map[string]planned{
		"nothing is due": {settledSituation(), wait, at(time.Minute)},
		"poll is due": {settledSituation(set(func(s *snapshot) { s.memory.nextPoll = now })), poll,
			time.Time{}},
		"after a restart": {settledSituation(set(func(s *snapshot) { s.memory = memory{} })), poll,
			time.Time{}},
		"suspended": {settledSituation(set(func(s *snapshot) { s.instance.Spec.Suspend = true })), halt,
			time.Time{}},
		"suspended while pairing": {settledSituation(pairing,
			set(func(s *snapshot) { s.instance.Spec.Suspend = true })), endPairing, time.Time{}},
		"no Store": {settledSituation(set(func(s *snapshot) { s.storeFound = false })), halt, time.Time{}},
		"unsupported": {settledSituation(set(func(s *snapshot) {
			s.supported, s.misconfigured = false,
				true
		})), halt, time.Time{}},
		"misconfigured": {settledSituation(set(func(s *snapshot) { s.misconfigured = true })), complain,
			time.Time{}},
		"still misconfigured": {settledSituation(backingOff, set(func(s *snapshot) { s.misconfigured = true })), wait,
			at(30 * time.Second)},
	})
}

func TestPlanRestriction(t *testing.T) {
	pausedFor := func(offset time.Duration) func(*snapshot) {
		return func(s *snapshot) {
			s.instance.Status.Phase, s.instance.Status.NewConversationsPausedUntil = v1alpha1.InstanceRestricted,
				metaAt(offset)
		}
	}
	testPlan(t, map[string]planned{
		"ends before the next poll": {settledSituation(pausedFor(5 * time.Second)), wait, at(5 * time.Second)},
		"ends after the next poll":  {settledSituation(pausedFor(time.Hour)), wait, at(time.Minute)},
		"is over":                   {settledSituation(pausedFor(0)), poll, time.Time{}},
		"is over, but it is logged out": {settledSituation(pausedFor(-time.Second), loggedOut), wait,
			at(time.Minute)},
		"is over, the gateway is down": {settledSituation(pausedFor(-time.Second), backingOff), wait,
			at(30 * time.Second)},
		"ends while the gateway is down": {settledSituation(pausedFor(time.Second), backingOff), wait,
			at(30 * time.Second)},
		"is over while it is suspended": {settledSituation(pausedFor(0),
			set(func(s *snapshot) { s.instance.Spec.Suspend = true })), halt, time.Time{}},
		"is over, and nothing was polled": {settledSituation(pausedFor(-time.Hour),
			set(func(s *snapshot) { s.memory = memory{} })), poll, time.Time{}},
	})
}

func TestPlanPairingEnd(t *testing.T) {
	endsIn := func(offset time.Duration) func(*snapshot) {
		return func(s *snapshot) { s.instance.Status.Pairing.ExpiresAt = metaAt(offset) }
	}
	misconfigured := func(s *snapshot) { s.misconfigured = true }
	testPlan(t, map[string]planned{
		"suspended": {settledSituation(pairing, set(func(s *snapshot) { s.instance.Spec.Suspend = true })),
			endPairing, time.Time{}},
		"no Store": {settledSituation(pairing, set(func(s *snapshot) { s.storeFound = false })), endPairing,
			time.Time{}},
		"unsupported": {settledSituation(pairing, set(func(s *snapshot) {
			s.supported, s.misconfigured = false,
				true
		})), endPairing, time.Time{}},
		"misconfigured, times out before the next try": {settledSituation(pairing, backingOff, misconfigured,
			endsIn(time.Second)), wait, at(time.Second)},
		"misconfigured, has timed out": {settledSituation(pairing, backingOff, misconfigured,
			endsIn(0)), endPairing, time.Time{}},
		"no Secret, times out before the next try": {settledSituation(pairing, backingOff, endsIn(time.Second),
			set(func(s *snapshot) { s.credentials = credentials{} })), wait, at(time.Second)},
		"being made, times out before that is certain": {settledSituation(pairing, noToken, endsIn(time.Second),
			set(func(s *snapshot) { s.credentials.creatingSince = now })), wait, at(time.Second)},
		"the gateway is another one, what it shows goes": {settledSituation(pairing,
			set(func(s *snapshot) { s.credentials.elsewhere = true })), forget, time.Time{}},
	})
}

func TestPlanProvisioning(t *testing.T) {
	testPlan(t, map[string]planned{
		"new": {settledSituation(neverConnected, noToken, set(func(s *snapshot) {
			s.instance.Status.CredentialsSecretRef, s.credentials = nil, credentials{}
		})), prepare, time.Time{}},
		"the Secret was deleted": {settledSituation(set(func(s *snapshot) { s.credentials = credentials{} })),
			prepare, time.Time{}},
		"the Secret is somebody else's": {settledSituation(backingOff,
			set(func(s *snapshot) { s.credentials = credentials{} })), wait, at(30 * time.Second)},
		"no token": {settledSituation(noToken), provision, time.Time{}},
		"creation of unknown outcome": {settledSituation(noToken,
			set(func(s *snapshot) { s.credentials.creatingSince = at(-5 * time.Second) })), wait,
			at(15 * time.Second)},
		"creation long ago": {settledSituation(noToken,
			set(func(s *snapshot) { s.credentials.creatingSince = at(-20 * time.Second) })), provision, time.Time{}},
		"creation has ended": {settledSituation(noToken, set(func(s *snapshot) {
			s.credentials.creatingSince, s.memory.settled = at(-time.Second), at(-time.Second)
		})), provision, time.Time{}},
		"the token is another gateway's": {settledSituation(set(func(s *snapshot) {
			s.credentials.elsewhere = true
		})), forget, time.Time{}},
		"gateway is down":                       {settledSituation(backingOff), wait, at(30 * time.Second)},
		"gateway is down, pairing is asked for": {settledSituation(backingOff, requested), poll, time.Time{}},
		"gateway is still down": {settledSituation(backingOff, requested, asked), wait,
			at(30 * time.Second)},
	})
}

func TestPlanWebhook(t *testing.T) {
	testPlan(t, map[string]planned{
		"webhook has changed": {settledSituation(set(func(s *snapshot) { s.webhook = "other" })), register,
			time.Time{}},
		"webhook was lost": {settledSituation(set(func(s *snapshot) { s.instance.Status.RegisteredWebhook = "" })),
			register, time.Time{}},
		"webhook was refused": {settledSituation(set(func(s *snapshot) {
			s.webhook, s.memory.webhookRetryAt = "other",
				at(time.Second)
		})), wait, at(time.Second)},
		"no public URL": {settledSituation(set(func(s *snapshot) { s.webhook = "" })), unregistered,
			time.Time{}},
		"no public URL, noted": {settledSituation(set(func(s *snapshot) {
			s.webhook = ""
			webhookUnknown(s.instance, now)
		})), wait, at(time.Minute)},
	})
}

func TestPlanConnectionChange(t *testing.T) {
	changed := func(s *snapshot) {
		s.instance.Annotations = map[string]string{v1alpha1.AnnotationConnectionChanged: "2027-03-01T11:59:59.5Z"}
	}
	noted := func(s *snapshot) { s.memory.changed = "2027-03-01T11:59:59.5Z" }
	testPlan(t, map[string]planned{
		"the connection has changed":        {settledSituation(changed), poll, time.Time{}},
		"it has changed, and was asked for": {settledSituation(changed, noted), wait, at(time.Minute)},
		"it has changed again": {settledSituation(changed,
			set(func(s *snapshot) { s.memory.changed = "2027-03-01T11:59:58Z" })), poll, time.Time{}},
		"it has changed before a restart": {settledSituation(changed,
			set(func(s *snapshot) { s.memory = memory{} })), poll, time.Time{}},
		"it has changed, the gateway is down": {settledSituation(changed, backingOff), wait, at(30 * time.Second)},
		"it has changed, and is suspended": {settledSituation(changed,
			set(func(s *snapshot) { s.instance.Spec.Suspend = true })), halt, time.Time{}},
		"it has changed before it was paired":   {settledSituation(pairing, changed), poll, time.Time{}},
		"the annotation was removed, and asked": {settledSituation(noted), poll, time.Time{}},
	})
}

func TestPlanPairing(t *testing.T) {
	testPlan(t, map[string]planned{
		"first pairing": {settledSituation(neverConnected), beginPairing, time.Time{}},
		"first pairing timed out": {settledSituation(pairing, set(func(s *snapshot) {
			s.instance.Status.Pairing.ExpiresAt, s.instance.Status.Pairing.SecretRef = metaAt(0), nil
		})), wait, at(2 * time.Second)},
		"first pairing was cut off": {settledSituation(pairing, set(func(s *snapshot) {
			s.instance.Status.Pairing.ExpiresAt, s.instance.Status.Pairing.SecretRef = nil, nil
		})), beginPairing, time.Time{}},
		"logged out, nobody asks": {settledSituation(loggedOut), wait, at(time.Minute)},
		"pairing is asked for":    {settledSituation(loggedOut, requested), poll, time.Time{}},
		"pairing is asked for, and away": {settledSituation(loggedOut, requested, asked), beginPairing,
			time.Time{}},
		"pairing is asked for, and connected": {settledSituation(requested, asked), acknowledge, time.Time{}},
		"request was handled": {settledSituation(loggedOut, requested, set(func(s *snapshot) {
			s.instance.Status.Pairing.HandledRequest = "2027-03-01T11:59:59Z"
		})), wait, at(time.Minute)},
		"asked again while pairing": {settledSituation(pairing, requested, asked), beginPairing, time.Time{}},
		"QR is needed": {settledSituation(pairing, set(func(s *snapshot) {
			s.memory.connectedFor, s.memory.nextConnect = 0, time.Time{}
		})), connect, time.Time{}},
		"QR is on show": {settledSituation(pairing), wait, at(2 * time.Second)},
		"QR has expired": {settledSituation(pairing,
			set(func(s *snapshot) { s.memory.state, s.memory.nextConnect = gateway.Disconnected, now })), connect,
			time.Time{}},
		"QR has expired just now": {settledSituation(pairing,
			set(func(s *snapshot) { s.memory.state, s.memory.nextPoll = gateway.Disconnected, at(time.Minute) })),
			wait, at(15 * time.Second)},
		"pairing timed out": {settledSituation(pairing,
			set(func(s *snapshot) { s.instance.Status.Pairing.ExpiresAt = metaAt(0) })), endPairing, time.Time{}},
		"paired": {settledSituation(pairing,
			set(func(s *snapshot) { s.instance.Status.Pairing.ExpiresAt = nil })), endPairing, time.Time{}},
		"timed out while gateway is down": {settledSituation(pairing, backingOff,
			set(func(s *snapshot) { s.instance.Status.Pairing.ExpiresAt = metaAt(-1) })), endPairing, time.Time{}},
		"times out before the next try": {settledSituation(pairing, backingOff,
			set(func(s *snapshot) { s.instance.Status.Pairing.ExpiresAt = metaAt(time.Second) })), wait,
			at(time.Second)},
	})
}

func TestPlanDeletion(t *testing.T) {
	testPlan(t, map[string]planned{
		"to be deleted there too": {settledSituation(policyDelete), guard, time.Time{}},
		"no longer to be deleted": {settledSituation(guarded), release, time.Time{}},
		"deleted, retained":       {settledSituation(deleted(0)), wait, time.Time{}},
		"deleted, policy changed": {settledSituation(guarded, deleted(0)), release, time.Time{}},
		"deleted there too":       {settledSituation(policyDelete, guarded, deleted(0)), destroy, time.Time{}},
		"deleted, suspended": {settledSituation(policyDelete, guarded, deleted(0),
			set(func(s *snapshot) { s.instance.Spec.Suspend = true })), destroy, time.Time{}},
		"deleted, never made": {settledSituation(policyDelete, guarded, deleted(0), noToken), release,
			time.Time{}},
		"deleted before it was begun": {settledSituation(policyDelete, guarded, deleted(0),
			set(func(s *snapshot) { s.instance.Status.CredentialsSecretRef = nil })), release, time.Time{}},
		"deleted after a crash": {settledSituation(policyDelete, guarded, deleted(0), noToken,
			set(func(s *snapshot) { s.credentials.begun = true })), trace, time.Time{}},
		"deleted in the middle of its creation": {settledSituation(policyDelete, guarded, deleted(0), noToken,
			set(func(s *snapshot) {
				s.credentials.begun, s.credentials.creatingSince = true, at(-time.Second)
			})), wait, at(19 * time.Second)},
		"deleted, Secret is gone": {settledSituation(policyDelete, guarded, deleted(0),
			set(func(s *snapshot) { s.credentials = credentials{} })), trace, time.Time{}},
		"deleted, gateway is down": {settledSituation(policyDelete, guarded, deleted(time.Minute), backingOff),
			wait, at(30 * time.Second)},
		"deleted, time is running out": {settledSituation(policyDelete, guarded, deleted(290*time.Second),
			backingOff), wait, at(10 * time.Second)},
		"deleted, given up": {settledSituation(policyDelete, guarded, deleted(5*time.Minute), backingOff,
			tried), abandon, time.Time{}},
		"deleted, the API server refuses": {settledSituation(policyDelete, guarded, deleted(5*time.Minute), tried),
			abandon, time.Time{}},
		"deleted, tried, still in time": {settledSituation(policyDelete, guarded, deleted(time.Minute), tried),
			destroy, time.Time{}},
		"deleted long ago, not tried yet": {settledSituation(policyDelete, guarded, deleted(time.Hour)), destroy,
			time.Time{}},
		"deleted, misconfigured": {settledSituation(policyDelete, guarded, deleted(0),
			set(func(s *snapshot) { s.misconfigured = true })), complain, time.Time{}},
		"deleted, another gateway's token": {settledSituation(policyDelete, guarded, deleted(0),
			set(func(s *snapshot) { s.credentials.elsewhere = true })), forget, time.Time{}},
	})
}

func TestRequestIsBounded(t *testing.T) {
	s := settledSituation(func(s *snapshot) {
		s.instance.Annotations = map[string]string{v1alpha1.AnnotationPairRequested: strings.Repeat("ã", 100)}
	})
	begin(s.instance, s.request(), now)
	if got := s.instance.Status.Pairing.HandledRequest; len(got) > 64 || s.request() != "" {
		t.Errorf("handled %q, still requested %q", got, s.request())
	}
}

func TestBegin(t *testing.T) {
	s := settledSituation(neverConnected, func(s *snapshot) {
		s.instance.Spec.Pairing.Timeout = &v1alpha1.Duration{Duration: time.Minute}
	})
	begin(s.instance, "", now)
	first := *s.instance.Status.Pairing
	want := v1alpha1.PairingStatus{StartedAt: metaAt(0), ExpiresAt: metaAt(time.Minute), Attempts: 1}
	if !apiequality.Semantic.DeepEqual(first, want) {
		t.Errorf("the first attempt is %+v, want %+v", first, want)
	}
	showing(s.instance)
	want.SecretRef = &v1alpha1.ObjectReference{Name: gen.Instance + "-pairing"}
	begin(s.instance, "again", at(30*time.Second))
	want.HandledRequest, want.ExpiresAt = "again", metaAt(90*time.Second)
	if got := *s.instance.Status.Pairing; !apiequality.Semantic.DeepEqual(got, want) {
		t.Errorf("the prolonged attempt is %+v, want %+v", got, want)
	}
	begin(s.instance, "later", at(time.Hour))
	if got := s.instance.Status.Pairing; got.Attempts != 2 || got.SecretRef != nil ||
		!got.StartedAt.Equal(metaAt(time.Hour)) {
		t.Errorf("the second attempt is %+v", got)
	}
}

func TestRetryAt(t *testing.T) {
	r := &Reconciler{Clock: clocktesting.NewFakePassiveClock(now), Rand: func() float64 { return 0.5 },
		Pace: Pace{Retry: 2 * time.Second}}
	failed := func(class failure.Class, retryAt time.Time) error {
		return &failure.Error{Class: class, RetryAt: retryAt}
	}
	for name, test := range map[string]struct {
		err      error
		failures int
		pause    time.Duration
	}{
		"first":              {failed(failure.Transient, time.Time{}), 1, 2 * time.Second},
		"third":              {failed(failure.Ambiguous, time.Time{}), 3, 8 * time.Second},
		"many":               {failed(failure.Transient, time.Time{}), 1000, 2 * time.Minute},
		"refused":            {failed(failure.Terminal, time.Time{}), 1, 10 * time.Second},
		"refused many times": {failed(failure.Terminal, time.Time{}), 50, 5 * time.Minute},
		"asked to wait":      {failed(failure.Throttled, at(time.Minute)), 1, 62 * time.Second},
		"asked to wait long": {failed(failure.Throttled, at(24*time.Hour)), 1,
			time.Hour + 2*time.Second},
		"asked to wait, but that has passed": {failed(failure.Throttled, at(-time.Minute)), 1, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.retryAt(test.err, test.failures).Sub(now); got != test.pause {
				t.Errorf("pause %s, want %s", got, test.pause)
			}
		})
	}
}

func TestPairingContent(t *testing.T) {
	picture := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("PNG"))
	for name, test := range map[string]struct {
		state gateway.State
		want  map[string]string
	}{
		"nothing": {gateway.State{}, nil},
		"QR":      {gateway.State{QRCode: picture}, map[string]string{"qr": picture, "qr.png": "PNG"}},
		"pair code": {gateway.State{PairCode: "ABCD-EFGH", QRCode: picture},
			map[string]string{"pairCode": "ABCD-EFGH"}},
		"not a picture": {gateway.State{QRCode: "data:text/html;base64,AAAA"}, nil},
		"not base64":    {gateway.State{QRCode: "data:image/png;base64,<script>"}, nil},
		"far too large": {gateway.State{QRCode: picture + strings.Repeat("A", maxPicture)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := pairingContent(test.state)
			if len(got) != len(test.want) {
				t.Fatalf("%d keys, want %d", len(got), len(test.want))
			}
			for key, value := range test.want {
				if string(got[key]) != value {
					t.Errorf("%s = %q, want %q", key, got[key], value)
				}
			}
		})
	}
}

func TestReadCredentials(t *testing.T) {
	data := map[string][]byte{
		gateway.KeyWebhook: []byte("key"), gateway.KeyToken: []byte("token"), gateway.KeyGateway: []byte("here"),
		keyCreation: []byte(now.Format(time.RFC3339Nano)),
	}
	want := credentials{found: true, webhookKey: true, token: true, begun: true, creatingSince: now}
	if got := readCredentials(data, "here"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want.elsewhere = true
	if got := readCredentials(data, "there"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := readCredentials(map[string][]byte{keyCreation: []byte(creationDone)},
		"here"); got != (credentials{found: true, begun: true}) {
		t.Errorf("got %+v after a creation", got)
	}
	if got := readCredentials(nil, "here"); got != (credentials{found: true}) {
		t.Errorf("got %+v of an empty Secret", got)
	}
}

func TestSetupRejectsMissingDependencies(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(now)
	for _, r := range []*Reconciler{{}, {Clock: clock, Connector: &gateway.Connector{}}} {
		if err := r.SetupWithManager(nil); err == nil || !strings.Contains(err.Error(), "is needed") {
			t.Errorf("SetupWithManager = %v, want it to name what is missing", err)
		}
	}
}

func TestIsGone(t *testing.T) {
	if isGone(errors.New("NotFound")) || isGone(nil) || !isGone(&failure.Error{Code: failure.NotFound}) ||
		!isGone(&failure.Error{Code: failure.Unauthorized}) {
		t.Error("only what the gateway does not know, or does not let in, is gone")
	}
}
