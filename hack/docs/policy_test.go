package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// TestPolicyIsDocumented: docs/policy.md has a row for every field of RecoveryPolicy and for
// every reason of the Blocked condition.
func TestPolicyIsDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	content, err := os.ReadFile(filepath.Join(root, "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{
		v1alpha1.ReasonSuspended, v1alpha1.ReasonStoreNotFound, v1alpha1.ReasonInvalidTemplate,
		v1alpha1.ReasonNoCredentials,
	}
	blocked := blockedReasons(t, filepath.Join(root, "api", "v1alpha1", "cartrecovery_types.go"))
	if len(blocked) < 10 {
		t.Errorf("only the reasons %q were found: the comment of their constants has changed", blocked)
	}
	rows = append(rows, blocked...)
	fields := reflect.TypeFor[v1alpha1.RecoveryPolicy]()
	for field := range fields.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		rows = append(rows, name)
	}
	for _, row := range rows {
		if !strings.Contains(string(content), "\n| `"+row+"` |") {
			t.Errorf("docs/policy.md has no row for %s", row)
		}
	}
}

// blockedReasons are the values of the constants that the comment of their group says are
// the Blocked condition's.
func blockedReasons(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, declared := range file.Decls {
		group, ok := declared.(*ast.GenDecl)
		if !ok || !strings.HasPrefix(group.Doc.Text(), "Reasons of a CartRecovery's Blocked condition") {
			continue
		}
		for _, spec := range group.Specs {
			if constant, ok := spec.(*ast.ValueSpec); ok {
				if value, ok := constant.Values[0].(*ast.BasicLit); ok {
					reasons = append(reasons, strings.Trim(value.Value, `"`))
				}
			}
		}
	}
	return reasons
}
