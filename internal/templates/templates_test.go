package templates

import (
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestProblem(t *testing.T) {
	step := func(text string) *v1alpha1.RecoveryPolicy {
		return &v1alpha1.RecoveryPolicy{Sequences: []v1alpha1.Sequence{{
			Trigger: v1alpha1.TriggerPixPending, Steps: []v1alpha1.Step{{Name: "first"}, {Name: "second", Text: text}},
		}}}
	}
	for name, test := range map[string]struct {
		prompt string
		policy *v1alpha1.RecoveryPolicy
		field  string
	}{
		"nothing set":         {"", &v1alpha1.RecoveryPolicy{}, ""},
		"all well":            {"Olá {{.Customer.FirstName}}", step("Oi, {{.Customer.FirstName}}!"), ""},
		"prompt does not end": {"{{if .IsReply}}", step("Oi"), "spec.ai.systemPrompt: "},
		"unknown variable":    {"{{.Customer.Password}}", &v1alpha1.RecoveryPolicy{}, "spec.ai.systemPrompt: "},
		"text of a step":      {"", step("{{.Nope}}"), "spec.recovery.sequences[PixPending].steps[second].text: "},
		"fallback text":       {"", &v1alpha1.RecoveryPolicy{FallbackText: "{{"}, "spec.recovery.fallbackText: "},
		"opt-out confirmation": {"", &v1alpha1.RecoveryPolicy{OptOutConfirmation: new("{{.Customer.Card}}")},
			"spec.recovery.optOutConfirmation: "},
		"no confirmation": {"", &v1alpha1.RecoveryPolicy{OptOutConfirmation: new("")}, ""},
		"hand-off text":   {"", &v1alpha1.RecoveryPolicy{HandOffText: "{{end}}"}, "spec.recovery.handOffText: "},
		"texts that are well": {"",
			&v1alpha1.RecoveryPolicy{OptOutConfirmation: new("Ok, {{.Customer.FirstName}}"),
				HandOffText: "{{.Store.Name}}"}, ""},
		"first problem is told": {"{{", step("{{"), "spec.ai.systemPrompt: "},
	} {
		t.Run(name, func(t *testing.T) {
			problem := Problem("spec.ai.systemPrompt", test.prompt, test.policy)
			if (problem == "") != (test.field == "") || !strings.HasPrefix(problem, test.field) {
				t.Errorf("problem = %q, want one of %q", problem, test.field)
			}
			if len(problem) == len(test.field) && problem != "" {
				t.Error("the problem is not explained")
			}
		})
	}
}
