package product

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/status"
	"cartrecovery.dev/operator/internal/templates"
)

// snapshot is everything plan decides on.
type snapshot struct {
	product *v1alpha1.Product
	// storeFound: the Store exists.
	storeFound bool
	// rivals are the other Products of the Store that claim one of the same ids.
	rivals []v1alpha1.Product
	// policy that holds for the Product's leads; it means nothing without a Store.
	policy policy.Policy
	// ofStore is the policy that the Store alone says.
	ofStore policy.Policy
	// platforms are the Store's.
	platforms []v1alpha1.StorePlatform
}

// findings are what there is to say of a Product.
type findings struct {
	// Finding is whether the Product is ready.
	status.Finding
	effective *v1alpha1.EffectivePolicy
}

// plan judges a Product. Of several problems it tells the one that keeps most from working.
func plan(s *snapshot) findings {
	found := findings{Finding: status.Finding{
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "everything that is needed is there",
	}}
	if reason, message := s.problem(); reason != "" {
		found.Finding = status.Finding{Status: metav1.ConditionFalse, Reason: reason, Message: message}
	}
	if s.storeFound {
		found.effective = s.policy.Effective()
		found.Warnings = s.warnings()
	}
	return found
}

// warnings are what can never act because of the Product. What the Store says is on the Store.
func (s *snapshot) warnings() []string {
	ofStore := s.ofStore.Warnings()
	found := slices.DeleteFunc(s.policy.Warnings(), func(warning string) bool {
		return slices.Contains(ofStore, warning)
	})
	for _, id := range s.product.Spec.PlatformIDs {
		if !slices.ContainsFunc(s.platforms, func(p v1alpha1.StorePlatform) bool { return p.Name == id.Platform }) {
			found = append(found, fmt.Sprintf("spec.platformIDs: the Store has no platform %s, so %s is never told of",
				id.Platform, id.ID))
		}
	}
	return found
}

func (s *snapshot) problem() (reason, message string) {
	if !s.storeFound {
		return v1alpha1.ReasonStoreNotFound, "spec.storeRef: there is no such Store in this namespace"
	}
	if problem := s.taken(); problem != "" {
		return v1alpha1.ReasonPlatformIDTaken, problem
	}
	if problem := templates.Problem("spec.systemPrompt", s.product.Spec.SystemPrompt,
		&s.product.Spec.Recovery); problem != "" {
		return v1alpha1.ReasonInvalidTemplate, problem
	}
	if problem := policy.Problem(&s.product.Spec.Recovery, &s.policy); problem != "" {
		return v1alpha1.ReasonInvalidPolicy, problem
	}
	return "", ""
}

// taken says which id an older Product has, "" for none.
func (s *snapshot) taken() string {
	for _, id := range s.product.Spec.PlatformIDs {
		for i := range s.rivals {
			if owner.Older(&s.rivals[i], s.product) && claims(&s.rivals[i], id) {
				return fmt.Sprintf("spec.platformIDs: %s of %s belongs to the older Product %s", id.ID, id.Platform,
					s.rivals[i].Name)
			}
		}
	}
	return ""
}

func claims(product *v1alpha1.Product, id v1alpha1.PlatformID) bool {
	return slices.Contains(product.Spec.PlatformIDs, id)
}
