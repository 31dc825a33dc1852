package platforms

import (
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
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
func consentOf(value any, source string, place Place) *v1alpha1.Consent {
	if object, ok := value.(map[string]any); ok {
		state := fields(object)
		for _, name := range []string{"state", "marketingState", "status", "value", "accepted"} {
			if made := consentOf(state.plain(name), source, place); made != nil {
				made.At = timestampOf(state["consent_updated_at"], place)
				return made
			}
		}
		return nil
	}
	word := ""
	switch value := value.(type) {
	case bool:
		word = map[bool]string{true: "true", false: "false"}[value]
	case json.Number, string:
		word = strings.ToLower(textOf(value, maxEvent))
	}
	basis, found := consentWords[word]
	if !found {
		return nil
	}
	return &v1alpha1.Consent{Basis: basis, Source: source}
}

// plain returns a field that is no object.
func (f fields) plain(name string) any {
	if _, ok := f[name].(map[string]any); ok {
		return nil
	}
	return f[name]
}
