package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
)

// emitted are the folders that make events.
var emitted = []string{"controllers", "webhookserver", "internal"}

// computed are the reasons of events that are not written as constants, by the folder and the expression.
func computed(t *testing.T, said *declared) map[string][]string {
	t.Helper()
	ended := slices.DeleteFunc(slices.Collect(maps.Keys(plan.OutcomeMessages)), func(outcome string) bool {
		return lead.PhaseOf(&v1alpha1.CartRecovery{}, outcome) != v1alpha1.PhaseFailed
	})
	told := slices.DeleteFunc(plan.BlockedReasons(), func(reason string) bool { return !plan.IsTold(reason) })
	return map[string][]string{
		"controllers/cartrecovery outcome":         ended,
		"controllers/cartrecovery planned.Blocked": told,
		"controllers/cartrecovery reason":          {v1alpha1.ReasonLeadTokenBudget},
		"controllers/cartrecovery plan.ResumeReason(reason)": {
			v1alpha1.ReasonResumed, v1alpha1.ReasonResumedByTime},
		"internal/status is.Reason": append(reasonsIn(t, said, "controllers/store", "controllers/product",
			"controllers/suppression", "internal/outbound", "internal/ai"), v1alpha1.ReasonInvalidTemplate),
		"controllers/whatsappinstance is.Reason": reasonsIn(t, said, "controllers/whatsappinstance",
			"internal/connection", "internal/outbound", "internal/gateway"),
	}
}

// notConditions are reasons that the Store's controller reads of leads, and does not write, and those of a condition
// that nobody is told of.
var notConditions = []string{
	v1alpha1.ReasonBoughtAfterContact,
	// The condition Erased makes no event.
	v1alpha1.ReasonNoKey, v1alpha1.ReasonAlreadyKeyed,
}

// reasonsIn are the reasons that the sources of folders name.
func reasonsIn(t *testing.T, said *declared, folders ...string) []string {
	t.Helper()
	paths, err := sourcesOf(filepath.Join("..", ".."), folders...)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`v1alpha1\.(Reason\w+)`).FindAllSubmatch(content, -1) {
			if value := said.values[string(name[1])]; !slices.Contains(notConditions, value) {
				reasons = append(reasons, value)
			}
		}
	}
	if len(reasons) == 0 {
		t.Fatalf("no reasons in %v", folders)
	}
	return reasons
}

// TestEventsAreDocumented: docs/events.md has every event that the operator makes, and no other.
func TestEventsAreDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	said, err := readDeclared(root)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?`) \\||^(`\\w+`[,.].*)$").FindAllStringSubmatch(string(page), -1) {
		for _, reason := range regexp.MustCompile("`([A-Z]\\w+)`").FindAllStringSubmatch(row[1]+row[2], -1) {
			documented[reason[1]] = false
		}
	}
	paths, err := sourcesOf(root, emitted...)
	if err != nil {
		t.Fatal(err)
	}
	derived, calls := computed(t, said), 0
	for _, path := range paths {
		folder, _ := filepath.Rel(root, filepath.Dir(path))
		for at, expression := range eventReasons(t, path) {
			calls++
			reasons := derived[filepath.ToSlash(folder)+" "+expression]
			if value, ok := said.value(expression); ok {
				reasons = []string{value}
			}
			if len(reasons) == 0 {
				t.Errorf("%s: the reason of the event is %s: say in computed which these are", at, expression)
			}
			for _, reason := range reasons {
				if _, ok := documented[reason]; !ok {
					t.Errorf("%s: docs/events.md has no row for the event %s", at, reason)
				}
				documented[reason] = true
			}
		}
	}
	for reason, made := range documented {
		if !made {
			t.Errorf("docs/events.md has the event %s, which nothing makes", reason)
		}
	}
	if calls < 15 {
		t.Errorf("only %d events were found: how they are made has changed", calls)
	}
}

// eventReasons are the reasons of the events that a file makes, as they are written there, by their places. A constant
// of the file stands as its value.
func eventReasons(t *testing.T, path string) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		called, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || called.Sel.Name != "Eventf" || len(call.Args) < 6 {
			return true
		}
		reason := types.ExprString(call.Args[3])
		if named, ok := call.Args[3].(*ast.Ident); ok && named.Obj != nil {
			if declared, ok := named.Obj.Decl.(*ast.ValueSpec); ok && len(declared.Values) > 0 {
				reason = types.ExprString(declared.Values[0])
			}
		}
		reasons[files.Position(call.Pos()).String()] = reason
		return true
	})
	return reasons
}

// value is the text that an expression stands for: a constant of the API, or a text itself.
func (d *declared) value(expression string) (string, bool) {
	if text, err := strconv.Unquote(expression); err == nil {
		return text, true
	}
	value, ok := d.values[strings.TrimPrefix(expression, "v1alpha1.")]
	return value, ok
}
