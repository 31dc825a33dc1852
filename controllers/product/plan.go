package product

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/templates"
)

// situation is everything plan decides on.
type situation struct {
	product *v1alpha1.Product
	// storeFound: the Store exists.
	storeFound bool
	// rivals are the other Products of the Store that claim one of the same ids.
	rivals []v1alpha1.Product
}

// findings are what there is to say of a Product.
type findings struct {
	ready           metav1.ConditionStatus
	reason, message string
}

// plan judges a Product. Of several problems the one is told that keeps most from working.
func plan(s *situation) findings {
	reason, message := s.problem()
	if reason == "" {
		return findings{metav1.ConditionTrue, v1alpha1.ReasonReady, "everything that is needed is there"}
	}
	return findings{metav1.ConditionFalse, reason, message}
}

func (s *situation) problem() (reason, message string) {
	if !s.storeFound {
		return v1alpha1.ReasonStoreNotFound, "spec.storeRef: there is no such Store in this namespace"
	}
	if problem := s.taken(); problem != "" {
		return v1alpha1.ReasonPlatformIDTaken, problem
	}
	if problem := templates.Problem("spec.systemPrompt", s.product.Spec.SystemPrompt, &s.product.Spec.Recovery); problem != "" {
		return v1alpha1.ReasonInvalidTemplate, problem
	}
	return "", ""
}

// taken says which id an older Product has, "" for none.
func (s *situation) taken() string {
	for _, id := range s.product.Spec.PlatformIDs {
		for i := range s.rivals {
			if owner.Older(&s.rivals[i], s.product) && claims(&s.rivals[i], id) {
				return fmt.Sprintf("spec.platformIDs: %s of %s belongs to the older Product %s", id.ID, id.Platform, s.rivals[i].Name)
			}
		}
	}
	return ""
}

func claims(product *v1alpha1.Product, id v1alpha1.PlatformID) bool {
	for _, each := range product.Spec.PlatformIDs {
		if each == id {
			return true
		}
	}
	return false
}
