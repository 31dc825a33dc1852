package plan

import (
	"reflect"
	"slices"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// elsewhere are the fields of the policy that other packages act on, and what these then decide.
var elsewhere = map[string]func(p policy.Policy) any{
	"killSwitchScope": func(p policy.Policy) any {
		bought := gen.Lead(gen.T0, gen.Bought(gen.T0), func(l *v1alpha1.CartRecovery) {
			l.Name, l.Spec.Product.ID = "other", "another-product"
		})
		return lead.StoppedByAny(gen.Lead(gen.T0), []v1alpha1.CartRecovery{*bought}, p.KillSwitchScope) != nil
	},
	"allowedLinkHosts": func(p policy.Policy) any {
		return guard.Check("Veja em https://example.com/oferta", guard.Facts{Hosts: p.AllowedLinkHosts})
	},
	"sequences.steps.instructions": func(p policy.Policy) any {
		s := Snapshot{Lead: gen.Lead(gen.T0), Store: gen.StoreObject(), Policy: p}
		return PromptData(s, Message{Step: &p.Sequences[0].Steps[0]})
	},
}

// TestEveryPolicyFieldHasAnEffect: for every field of the policy there is a row of the table, or a
// decision elsewhere, in which another value of this field alone changes what is decided.
func TestEveryPolicyFieldHasAnEffect(t *testing.T) {
	acts, rows := map[string]bool{}, allCases()
	var names []string
	for _, change := range gen.PolicyChanges() {
		if !slices.Contains(names, change.Field) {
			names = append(names, change.Field)
		}
		acts[change.Field] = acts[change.Field] || decidesOtherwise(rows, change)
	}
	for _, name := range names {
		if !acts[name] {
			t.Errorf("%s changes nothing in any row of the table: give its rule a row, or a decision in elsewhere",
				name)
		}
	}
}

// decidesOtherwise says whether a change of the policy changes what is decided in any of the rows, or elsewhere.
func decidesOtherwise(rows []planCase, change gen.PolicyChange) bool {
	if decide := elsewhere[change.Field]; decide != nil {
		before, after := policy.Resolve(nil, nil), policy.Resolve(nil, nil)
		before.Override(&change.Before)
		after.Override(&change.After)
		return !reflect.DeepEqual(decide(before), decide(after))
	}
	return slices.ContainsFunc(rows, func(row planCase) bool {
		before, after := row.snapshot(), row.snapshot()
		before.Policy.Override(&change.Before)
		after.Policy.Override(&change.After)
		return !reflect.DeepEqual(Next(before), Next(after))
	})
}
