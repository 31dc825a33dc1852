package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// TestBlockedReasons: each reason of the Blocked condition has a row, and each row is a reason that the API documents.
func TestBlockedReasons(t *testing.T) {
	const source = "../../../api/v1alpha1/cartrecovery_types.go"
	parsed, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	documented, doc := map[string]bool{}, ""
	for _, each := range parsed.Decls {
		group, ok := each.(*ast.GenDecl)
		if !ok || !strings.HasPrefix(group.Doc.Text(), "Reasons of a CartRecovery's Blocked condition") {
			continue
		}
		doc = group.Doc.Text()
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value
			reason, err := strconv.Unquote(value)
			if err != nil {
				t.Fatal(err)
			}
			documented[reason] = true
			if _, has := blockedReasons[reason]; !has {
				t.Errorf("reason %s has no row", reason)
			}
		}
	}
	if len(documented) == 0 {
		t.Fatalf("%s: no reasons of the Blocked condition", source)
	}
	for reason := range blockedReasons {
		if !documented[reason] && !strings.Contains(doc, reason) {
			t.Errorf("%s: the comment on the reasons of the Blocked condition does not name %s", source, reason)
		}
	}
}

// TestCasesBlockForKnownReasons: nothing is decided to wait for a reason that has no row.
func TestCasesBlockForKnownReasons(t *testing.T) {
	for _, c := range allCases() {
		if got := Next(c.snapshot()).Blocked; got != "" {
			if _, has := blockedReasons[got]; !has {
				t.Errorf("%s: reason %s has no row", c.name, got)
			}
		}
	}
}

// TestHowReasonsBehave: of which reasons no event tells, which are shown until the next attempt, and which tell no
// time because nobody knows one.
func TestHowReasonsBehave(t *testing.T) {
	with := func(has func(blockedReason) bool) []string {
		var found []string
		for reason, behaves := range blockedReasons {
			if has(behaves) {
				found = append(found, reason)
			}
		}
		slices.Sort(found)
		return found
	}
	for name, row := range map[string]struct{ got, want []string }{
		"no event tells of": {with(func(r blockedReason) bool { return r.isQuiet }), []string{v1alpha1.ReasonCooldown,
			v1alpha1.ReasonInConversation, v1alpha1.ReasonPaced, v1alpha1.ReasonQuietHours,
			v1alpha1.ReasonRestoredFromBackup}},
		"are shown until the next attempt": {with(func(r blockedReason) bool { return r.isSticky }), []string{
			v1alpha1.ReasonGatewayUnavailable, v1alpha1.ReasonRestricted, v1alpha1.ReasonThrottled}},
		"tell no time": {with(func(r blockedReason) bool { return r.isTimeless }), []string{v1alpha1.ReasonAIRefused,
			v1alpha1.ReasonAIUnavailable, v1alpha1.ReasonEndpointNotAllowed, v1alpha1.ReasonGatewayUnavailable,
			v1alpha1.ReasonInternalError, v1alpha1.ReasonNoCredentials, v1alpha1.ReasonPaced,
			v1alpha1.ReasonRestoredFromBackup, v1alpha1.ReasonSecretNotAllowed}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, row.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIsTold(t *testing.T) {
	for name, row := range map[string]struct {
		reason string
		want   bool
	}{
		"nothing in the way":        {"", false},
		"the policy's own doing":    {v1alpha1.ReasonQuietHours, false},
		"what a person can do away": {v1alpha1.ReasonSuspended, true},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, IsTold(row.reason)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
