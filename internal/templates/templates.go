// Package templates checks the templates that Stores and Products hold.
package templates

import (
	"fmt"

	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
)

// Problem says in one sentence which field holds a template that cannot be used, and
// why; "" when all can. promptField is the path of the system prompt.
func Problem(promptField, prompt string, policy *v1alpha1.RecoveryPolicy) string {
	if problem := check(promptField, prompt); problem != "" {
		return problem
	}
	for i := range policy.Sequences {
		sequence := &policy.Sequences[i]
		for j := range sequence.Steps {
			field := fmt.Sprintf("spec.recovery.sequences[%s].steps[%s].text", sequence.Trigger, sequence.Steps[j].Name)
			if problem := check(field, sequence.Steps[j].Text); problem != "" {
				return problem
			}
		}
	}
	for _, text := range []struct{ field, text string }{
		{"spec.recovery.firstMessageNotice", ptr.Deref(policy.FirstMessageNotice, "")},
		{"spec.recovery.optOutConfirmation", ptr.Deref(policy.OptOutConfirmation, "")},
		{"spec.recovery.handOffText", policy.HandOffText},
		{"spec.recovery.fallbackText", policy.FallbackText},
	} {
		if problem := check(text.field, text.text); problem != "" {
			return problem
		}
	}
	return ""
}

func check(field, text string) string {
	if text == "" {
		return ""
	}
	_, err := ai.ParsePrompt(text)
	if err == nil {
		return ""
	}
	if failed, ok := failure.As(err); ok {
		return field + ": " + failed.Detail
	}
	return field + ": the template does not parse"
}
