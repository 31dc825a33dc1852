package product

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// rival makes another Product that claims these ids at Hotmart.
func rival(age time.Duration, ids ...string) v1alpha1.Product {
	return *gen.ProductObject(func(p *v1alpha1.Product) {
		p.Name, p.UID, p.CreationTimestamp, p.Spec.PlatformIDs = "rival", "uid-rival", metav1.NewTime(now.Add(-age)),
			nil
		for _, id := range ids {
			p.Spec.PlatformIDs = append(p.Spec.PlatformIDs, v1alpha1.PlatformID{Platform: v1alpha1.PlatformHotmart,
				ID: id})
		}
	})
}

func TestPlan(t *testing.T) {
	for name, test := range map[string]struct {
		product func(*v1alpha1.Product)
		change  func(*snapshot)
		ready   bool
		reason  string
		says    string
	}{
		"all well": {nil, nil, true, v1alpha1.ReasonReady, ""},
		"no Store": {nil, func(s *snapshot) { s.storeFound = false }, false,
			v1alpha1.ReasonStoreNotFound, "spec.storeRef"},
		"an older claims its id": {nil, func(s *snapshot) {
			s.rivals = []v1alpha1.Product{rival(2*time.Hour, "7", gen.ProductID)}
		}, false, v1alpha1.ReasonPlatformIDTaken, "1001 of hotmart belongs to the older Product rival"},
		"a younger claims its id": {nil, func(s *snapshot) {
			s.rivals = []v1alpha1.Product{rival(time.Minute, gen.ProductID)}
		}, true, v1alpha1.ReasonReady, ""},
		"an older has let it go": {nil, func(s *snapshot) { s.rivals = []v1alpha1.Product{rival(2*time.Hour, "7")} },
			true, v1alpha1.ReasonReady, ""},
		"the same id elsewhere": {func(p *v1alpha1.Product) {
			p.Spec.PlatformIDs[0].Platform = v1alpha1.PlatformKiwify
		},
			func(s *snapshot) { s.rivals = []v1alpha1.Product{rival(2*time.Hour, gen.ProductID)} }, true,
			v1alpha1.ReasonReady, ""},
		"its prompt is broken": {func(p *v1alpha1.Product) { p.Spec.SystemPrompt = "{{range .Store}}" }, nil, false,
			v1alpha1.ReasonInvalidTemplate, "spec.systemPrompt"},
		"a keyword is none": {func(p *v1alpha1.Product) { p.Spec.Recovery.HandOffKeywords = []string{"..."} }, nil,
			false, v1alpha1.ReasonInvalidPolicy, "spec.recovery.handOffKeywords[0]"},
		"its Store never sends": {nil, func(s *snapshot) { s.policy.ExpireAfter = time.Minute }, false,
			v1alpha1.ReasonInvalidPolicy, "the Store's spec.recovery.expireAfter"},
		"a text is broken": {func(p *v1alpha1.Product) {
			p.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart,
				Steps: []v1alpha1.Step{{Name: "first", Text: "{{.Nope}}"}}}}
		}, nil, false, v1alpha1.ReasonInvalidTemplate, "steps[first].text"},
	} {
		t.Run(name, func(t *testing.T) {
			product := gen.ProductObject(func(p *v1alpha1.Product) {
				p.CreationTimestamp = metav1.NewTime(now.Add(-time.Hour))
			})
			if test.product != nil {
				test.product(product)
			}
			s := &snapshot{product: product, storeFound: true, policy: policy.Resolve(gen.StoreObject(), product)}
			if test.change != nil {
				test.change(s)
			}
			got := plan(s)
			if (got.effective != nil) != s.storeFound {
				t.Errorf("effective policy %v, with a Store: %t", got.effective, s.storeFound)
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

func TestSetupRejectsMissingDependencies(t *testing.T) {
	if err := (&Reconciler{}).SetupWithManager(nil); err == nil || !strings.Contains(err.Error(), "is needed") {
		t.Errorf("SetupWithManager = %v, want it to name what is missing", err)
	}
}

// A Product is warned of what it brings in, and not of what its Store says anyway.
func TestPlanWarns(t *testing.T) {
	late := v1alpha1.Sequence{Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{
		{Name: "first", After: v1alpha1.Duration{Duration: time.Hour}},
		{Name: "late", After: v1alpha1.Duration{Duration: 100 * time.Hour}},
	}}
	quiet := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{Start: "00:00", End: "23:59"}
	})
	product := gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.Recovery.Sequences = []v1alpha1.Sequence{late}
		p.Spec.PlatformIDs = append(p.Spec.PlatformIDs, v1alpha1.PlatformID{Platform: v1alpha1.PlatformTicto, ID: "9"})
	})
	found := plan(&snapshot{
		product: product, storeFound: true, policy: policy.Resolve(quiet, product), ofStore: policy.Resolve(quiet, nil),
		platforms: []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart}},
	})
	if found.Status != metav1.ConditionTrue || len(found.Warnings) != 2 ||
		!strings.Contains(found.Warnings[0], "steps[late]") || !strings.Contains(found.Warnings[1],
		"no platform ticto") {
		t.Errorf("%s, warned of %q; want the late step and the platform", found.Reason, found.Warnings)
	}
}
