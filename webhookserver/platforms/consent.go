package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// consentWords are what platforms write for an answer to the question whether a customer may
// be written to. What stands for no answer (pending, redacted) is not among them.
var consentWords = func() map[string]v1alpha1.ConsentBasis {
	made := map[string]v1alpha1.ConsentBasis{}
	for word := range strings.FieldsSeq(
		"true 1 yes y sim s si sí on subscribed opted_in opt_in optin accepted granted aceito") {
		made[word] = v1alpha1.ConsentOptedIn
	}
	for word := range strings.FieldsSeq(
		"false 0 no n não nao off unsubscribed not_subscribed opted_out opt_out optout denied " +
			"refused recusado") {
		made[word] = v1alpha1.ConsentOptedOut
	}
	return made
}()

// consentOf reads a consent: a truth value, a word, or an object of its state and time as
// Shopify has it; nil when nothing is told. source is the field's path.
func consentOf(value lax.Value, source string, place Place) *v1alpha1.Consent {
	if state := value.Object(); state != nil {
		for _, name := range []string{"state", "marketingState", "status", "value", "accepted"} {
			if state.At(name).Kind() == lax.Object {
				continue
			}
			if made := consentOf(state.At(name), source, place); made != nil {
				made.At = timestampOf(state.At("consent_updated_at"), place)
				return made
			}
		}
		return nil
	}
	basis, found := consentWords[strings.ToLower(genericWord(value))]
	if !found {
		return nil
	}
	return &v1alpha1.Consent{Basis: basis, Source: source}
}
