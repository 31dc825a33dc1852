// Package v1alpha1 holds the resources of the API group cartrecovery.dev: Store, Product,
// WhatsAppInstance, CartRecovery, Suppression, RecoveryLedger and ClientIDClaim. Types, markers and
// the constants of conditions, reasons and labels; no I/O.
//
// +kubebuilder:object:generate=true
// +groupName=cartrecovery.dev
package v1alpha1
