package platforms

import (
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// consentWords are what platforms write for an answer to the question whether a customer may
// be written to. What stands for no answer (pending, redacted) is not among them.
var consentWords = map[string]v1alpha1.ConsentBasis{
	"true": v1alpha1.ConsentOptedIn, "1": v1alpha1.ConsentOptedIn, "yes": v1alpha1.ConsentOptedIn, "y": v1alpha1.ConsentOptedIn,
	"sim": v1alpha1.ConsentOptedIn, "s": v1alpha1.ConsentOptedIn, "si": v1alpha1.ConsentOptedIn, "sí": v1alpha1.ConsentOptedIn,
	"on": v1alpha1.ConsentOptedIn, "subscribed": v1alpha1.ConsentOptedIn, "opted_in": v1alpha1.ConsentOptedIn,
	"opt_in": v1alpha1.ConsentOptedIn, "optin": v1alpha1.ConsentOptedIn, "accepted": v1alpha1.ConsentOptedIn,
	"granted": v1alpha1.ConsentOptedIn, "aceito": v1alpha1.ConsentOptedIn,
	"false": v1alpha1.ConsentOptedOut, "0": v1alpha1.ConsentOptedOut, "no": v1alpha1.ConsentOptedOut, "n": v1alpha1.ConsentOptedOut,
	"não": v1alpha1.ConsentOptedOut, "nao": v1alpha1.ConsentOptedOut, "off": v1alpha1.ConsentOptedOut,
	"unsubscribed": v1alpha1.ConsentOptedOut, "not_subscribed": v1alpha1.ConsentOptedOut, "opted_out": v1alpha1.ConsentOptedOut,
	"opt_out": v1alpha1.ConsentOptedOut, "optout": v1alpha1.ConsentOptedOut, "denied": v1alpha1.ConsentOptedOut,
	"refused": v1alpha1.ConsentOptedOut, "recusado": v1alpha1.ConsentOptedOut,
}

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
