package store

import (
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/status"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// claimant makes another Store with the same clientID.
func claimant(namespace string, age time.Duration) v1alpha1.Store {
	return *gen.StoreObject(func(s *v1alpha1.Store) {
		s.Namespace, s.UID, s.CreationTimestamp = namespace, "uid-"+s.UID, metav1.NewTime(now.Add(-age))
	})
}

// generic gives a Store the platform named generic, beside one that needs no mapping.
func generic(change func(*v1alpha1.GenericMapping)) func(*v1alpha1.Store) {
	made := &v1alpha1.GenericMapping{
		Auth: v1alpha1.GenericAuth{Type: "Bearer"}, Event: "$.event", Purchase: []string{"paid"},
		Fields: v1alpha1.GenericFields{Email: "$.data.email", ProductID: "$.data.product"},
	}
	change(made)
	secrets := []v1alpha1.SecretKeyReference{{Name: "credentials", Key: "hottok"}}
	return func(s *v1alpha1.Store) {
		s.Spec.Platforms = []v1alpha1.StorePlatform{
			{Name: v1alpha1.PlatformHotmart, SecretRefs: secrets}, {Name: v1alpha1.PlatformGeneric, SecretRefs: secrets,
				Generic: made},
		}
	}
}

func TestPlan(t *testing.T) {
	for name, test := range map[string]struct {
		store  func(*v1alpha1.Store)
		change func(*snapshot)
		ready  bool
		reason string
		says   string
	}{
		"all well": {nil, nil, true, v1alpha1.ReasonReady, ""},
		"a younger claims it": {nil, func(s *snapshot) {
			s.claimants = append(s.claimants, claimant("other", time.Minute))
		}, true, v1alpha1.ReasonReady, ""},
		"an older claims it": {nil, func(s *snapshot) {
			s.claimants = append(s.claimants, claimant("other", 2*time.Hour))
		}, false, v1alpha1.ReasonClientIDTaken, "other/acme"},
		"another namespace has it": {nil, func(s *snapshot) { s.claimedBy = "other" }, false,
			v1alpha1.ReasonClientIDTaken, "namespace other has it"},
		"another has it, whose Store is back": {nil, func(s *snapshot) {
			s.claimants, s.claimedBy = append(s.claimants, claimant("other", time.Minute)), "other"
		}, false, v1alpha1.ReasonClientIDTaken, "other/acme"},
		"its namespace has it, an older claims it": {nil, func(s *snapshot) {
			s.claimants, s.claimedBy = append(s.claimants, claimant("other", 2*time.Hour)), s.store.Namespace
		}, true, v1alpha1.ReasonReady, ""},
		"of the same age": {nil, func(s *snapshot) {
			s.claimants = append(s.claimants, claimant("aaa", time.Hour))
		}, false, v1alpha1.ReasonClientIDTaken, "aaa/acme"},
		"no such time zone": {func(s *v1alpha1.Store) { s.Spec.TimeZone = "Brazil/Nowhere" }, nil, false,
			v1alpha1.ReasonInvalidTimeZone, "Brazil/Nowhere"},
		"no such region": {func(s *v1alpha1.Store) { s.Spec.Region = "UK" }, nil, false,
			v1alpha1.ReasonInvalidRegion, "UK"},
		"the machine's zone": {func(s *v1alpha1.Store) { s.Spec.TimeZone = "Local" }, nil, false,
			v1alpha1.ReasonInvalidTimeZone, "Local"},
		"UTC": {func(s *v1alpha1.Store) { s.Spec.TimeZone = "UTC" }, nil, true, v1alpha1.ReasonReady,
			""},
		"a Secret is missing": {nil, func(s *snapshot) { s.missing = "spec.x: Secret" }, false,
			v1alpha1.ReasonSecretNotFound, "spec.x: Secret"},
		"nobody can tell who opted out": {nil, func(s *snapshot) { s.keyMissing, s.missing = true, "spec.x: Secret" },
			false, v1alpha1.ReasonSuppressionKeyMissing, "SUPPRESSION_KEYS"},
		"a path is wrong": {generic(func(m *v1alpha1.GenericMapping) { m.Fields.Email = "data.email" }), nil, false,
			v1alpha1.ReasonInvalidMapping,
			"spec.platforms[generic].generic.fields.email: expected a path such as $.data.buyer.email"},
		"a value means two": {generic(func(m *v1alpha1.GenericMapping) { m.Reversal = []string{"PAID"} }), nil, false,
			v1alpha1.ReasonInvalidMapping,
			"spec.platforms[generic].generic.reversal: expected no value that generic.purchase has too"},
		"no mapping": {func(s *v1alpha1.Store) { s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: "generic"}} }, nil,
			false, v1alpha1.ReasonInvalidMapping, "spec.platforms[generic].generic: expected"},
		"a mapping": {generic(func(*v1alpha1.GenericMapping) {}), nil, true, v1alpha1.ReasonReady, ""},
		"a key that may not be sent": {nil, func(s *snapshot) {
			s.refused = &failure.Error{Code: failure.Misconfigured, Reason: v1alpha1.ReasonSecretNotAllowed,
				Detail: "annotate it"}
		}, false, v1alpha1.ReasonSecretNotAllowed, "annotate it"},
		"a path and a Secret": {generic(func(m *v1alpha1.GenericMapping) { m.Event = "$" }), func(s *snapshot) {
			s.missing = "spec.x: Secret"
		}, false, v1alpha1.ReasonInvalidMapping, "generic.event"},
		"a zone and a path": {func(s *v1alpha1.Store) {
			generic(func(m *v1alpha1.GenericMapping) { m.Event = "$" })(s)
			s.Spec.TimeZone = "Local"
		}, nil, false, v1alpha1.ReasonInvalidTimeZone, "spec.timeZone"},
		"the prompt is broken": {func(s *v1alpha1.Store) { s.Spec.AI.SystemPrompt = "{{.Nope}}" }, nil, false,
			v1alpha1.ReasonInvalidTemplate, "spec.ai.systemPrompt"},
		"the fallback is broken": {func(s *v1alpha1.Store) { s.Spec.Recovery.FallbackText = "{{" }, nil, false,
			v1alpha1.ReasonInvalidTemplate, "spec.recovery.fallbackText"},
		"a keyword is none": {func(s *v1alpha1.Store) { s.Spec.Recovery.OptOutKeywords = []string{"!!"} }, nil, false,
			v1alpha1.ReasonInvalidPolicy, "spec.recovery.optOutKeywords[0]"},
		"a host is a URL": {func(s *v1alpha1.Store) { s.Spec.Recovery.AllowedLinkHosts = []string{"https://wa.me"} },
			nil, false, v1alpha1.ReasonInvalidPolicy, "spec.recovery.allowedLinkHosts[0]"},
		"keywords are alike": {func(s *v1alpha1.Store) { s.Spec.Recovery.OptOutKeywords = []string{"chega", "Chega!"} },
			nil, true, v1alpha1.ReasonReady, ""},
		"it can never send": {func(s *v1alpha1.Store) {
			s.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: time.Minute}
		}, nil, false, v1alpha1.ReasonInvalidPolicy, "spec.recovery.expireAfter"},
		"a text and a policy": {func(s *v1alpha1.Store) {
			s.Spec.Recovery.FallbackText, s.Spec.Recovery.OptOutKeywords = "{{", []string{"!!"}
		}, nil, false, v1alpha1.ReasonInvalidTemplate, "fallbackText"},
		"nobody has an AI key": {nil, func(s *snapshot) { s.hasAIKey = false }, false, v1alpha1.ReasonNoCredentials,
			"OPENAI_API_KEY"},
		"it has its own AI key": {func(s *v1alpha1.Store) {
			s.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: "openai", Key: "key"}
		}, func(s *snapshot) { s.hasAIKey = false }, true, v1alpha1.ReasonReady, ""},
		"it was restored": {nil, func(s *snapshot) { s.restored = 12 }, false, v1alpha1.ReasonRestoredFromBackup,
			"12 leads wait"},
		"one lead was": {nil, func(s *snapshot) { s.restored = 1 }, false, v1alpha1.ReasonRestoredFromBackup,
			"1 lead waits"},
		"suspended": {func(s *v1alpha1.Store) { s.Spec.Suspend = true }, nil, false,
			v1alpha1.ReasonSuspended, "spec.suspend"},
		"suspended and broken": {func(s *v1alpha1.Store) { s.Spec.Suspend = true }, func(s *snapshot) {
			s.missing = "Secret"
		}, false, v1alpha1.ReasonSecretNotFound, "Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			store := gen.StoreObject(func(s *v1alpha1.Store) {
				s.CreationTimestamp = metav1.NewTime(now.Add(-time.Hour))
			})
			if test.store != nil {
				test.store(store)
			}
			s := &snapshot{
				store: store, claimants: []v1alpha1.Store{*store}, hasAIKey: true,
				publicURL: "https://hooks.example.com/", policy: policy.Resolve(store, nil),
			}
			if test.change != nil {
				test.change(s)
			}
			got := plan(s)
			if !reflect.DeepEqual(got.effective, s.policy.Effective()) {
				t.Errorf("effective policy %+v", got.effective)
			}
			if (got.Status == metav1.ConditionTrue) != test.ready || got.Reason != test.reason ||
				!strings.Contains(got.Message, test.says) {
				t.Errorf("%s/%s: %s; want %t/%s naming %q", got.Status, got.Reason, got.Message, test.ready,
					test.reason,
					test.says)
			}
		})
	}
}

func TestWebhooks(t *testing.T) {
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart}, {Name: v1alpha1.PlatformKiwify}}
	})
	want := []v1alpha1.StoreWebhook{
		{Platform: v1alpha1.PlatformHotmart, URL: "https://hooks.example.com/api/webhooks/hotmart/acme"},
		{Platform: v1alpha1.PlatformKiwify, URL: "https://hooks.example.com/api/webhooks/kiwify/acme"},
	}
	if got := webhooks(store, "https://hooks.example.com/"); !reflect.DeepEqual(got, want) {
		t.Errorf("webhooks = %v, want %v", got, want)
	}
	if got := webhooks(store, ""); got != nil {
		t.Errorf("webhooks without a public URL = %v", got)
	}
	taken := plan(&snapshot{store: store, claimants: []v1alpha1.Store{claimant("other", time.Hour)},
		publicURL: "https://hooks.example.com"})
	if taken.webhooks != nil {
		t.Error("a Store without traffic shows URLs that are another's")
	}
}

func TestAfter(t *testing.T) {
	r := &Reconciler{Rand: func() float64 { return 0.999 }, Pace: Pace{Count: 30 * time.Second, Recheck: time.Minute,
		RecheckMissing: 15 * time.Second}}
	for name, test := range map[string]struct {
		found findings
		least time.Duration
	}{
		"nothing": {findings{}, time.Minute},
		"leads":   {findings{leads: &v1alpha1.LeadCounts{Closed: 1}}, 30 * time.Second},
		"missing Secret": {findings{
			Finding: status.Finding{Reason: v1alpha1.ReasonSecretNotFound}, leads: &v1alpha1.LeadCounts{}},
			15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.after(test.found); got <= test.least || got > test.least*7/6 {
				t.Errorf("after %s, want between %s and a sixth more", got, test.least)
			}
		})
	}
}

func TestSetupRejectsMissingDependencies(t *testing.T) {
	if err := (&Reconciler{}).SetupWithManager(nil); err == nil || !strings.Contains(err.Error(), "is needed") {
		t.Errorf("SetupWithManager = %v, want it to name what is missing", err)
	}
}

// TestClaims: a clientID is kept for who works with it, and for nobody who only names it.
func TestClaims(t *testing.T) {
	for name, row := range map[string]struct {
		hasKey bool
		leads  *v1alpha1.LeadCounts
		want   bool
	}{
		"a Store that is ready":                {true, nil, true},
		"one that never was":                   {false, &v1alpha1.LeadCounts{}, false},
		"one that has leads and is not, today": {false, &v1alpha1.LeadCounts{Closed: 1}, true},
	} {
		store := gen.StoreObject()
		found := plan(&snapshot{
			store: store, claimants: []v1alpha1.Store{*store}, hasAIKey: row.hasKey, leads: row.leads,
			policy: policy.Resolve(store, nil),
		})
		if found.claims != row.want {
			t.Errorf("%s: claims %t (%s)", name, found.claims, found.Reason)
		}
	}
}

func TestPlanWarns(t *testing.T) {
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Platforms = nil
		s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{Start: "00:00", End: "23:59"}
	})
	found := plan(&snapshot{store: store, claimants: []v1alpha1.Store{*store}, hasAIKey: true,
		policy: policy.Resolve(store, nil)})
	if found.Status != metav1.ConditionTrue {
		t.Errorf("%s: %s; a warning must stop nothing", found.Reason, found.Message)
	}
	if all := strings.Join(found.Warnings, "; "); !strings.Contains(all, "quietHours") ||
		!strings.Contains(all, "spec.platforms") {
		t.Errorf("warned of %q, want the quiet hours and the platforms", all)
	}
}
