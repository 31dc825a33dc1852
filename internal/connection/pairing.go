package connection

import (
	"regexp"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// e164 is what spec.pairing.phone allows.
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Pairing is how a number is to be paired: as the spec says, or by code for the phone that the
// last request for an attempt named.
func Pairing(instance *v1alpha1.WhatsAppInstance) v1alpha1.PairingSpec {
	pairing := instance.Spec.Pairing
	request, phone, named := strings.Cut(instance.Annotations[v1alpha1.AnnotationPairPhone], " ")
	if named && request != "" && request == instance.Annotations[v1alpha1.AnnotationPairRequested] &&
		e164.MatchString(phone) {
		pairing.Method, pairing.Phone = v1alpha1.PairingPairCode, phone
	}
	return pairing
}

// AskToPair asks for a pairing attempt in the annotations of an instance: by code for a phone,
// or, without one, as the spec says.
func AskToPair(instance *v1alpha1.WhatsAppInstance, request, phone string) {
	if instance.Annotations == nil {
		instance.Annotations = map[string]string{}
	}
	instance.Annotations[v1alpha1.AnnotationPairRequested] = request
	delete(instance.Annotations, v1alpha1.AnnotationPairPhone)
	if spec := instance.Spec.Pairing; phone != "" && (spec.Method != v1alpha1.PairingPairCode || spec.Phone != phone) {
		instance.Annotations[v1alpha1.AnnotationPairPhone] = request + " " + phone
	}
}
