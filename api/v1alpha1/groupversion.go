package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every resource in this package.
var GroupVersion = schema.GroupVersion{Group: "cartrecovery.dev", Version: "v1alpha1"}

// AddToScheme adds the resources of this package to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Store{}, &StoreList{},
		&Product{}, &ProductList{},
		&WhatsAppInstance{}, &WhatsAppInstanceList{},
		&CartRecovery{}, &CartRecoveryList{},
		&Suppression{}, &SuppressionList{},
		&RecoveryLedger{}, &RecoveryLedgerList{},
		&ClientIDClaim{}, &ClientIDClaimList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
