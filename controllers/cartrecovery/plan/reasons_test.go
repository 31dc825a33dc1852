package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
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
