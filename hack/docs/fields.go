package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"

	"cartrecovery.dev/operator/hack/docs/sections"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/registry"
	"cartrecovery.dev/operator/internal/policy"
)

// policyTypes is where the fields of the policy are declared.
const policyTypes = "api/v1alpha1/shared_types.go"

// policyFields is the table of the policy's fields: their names and defaults by internal/policy,
// what they are by the comments of their types.
func policyFields(root string) (string, error) {
	comments, err := commentsOf(filepath.Join(root, filepath.FromSlash(policyTypes)), "RecoveryPolicy")
	if err != nil {
		return "", err
	}
	var rows [][]string
	var problems []error
	for _, field := range policy.Fields() {
		said, ok := comments[field.Name]
		if !ok {
			problems = append(problems, fmt.Errorf("%s: RecoveryPolicy has no field %s", policyTypes, field.Name))
			continue
		}
		standard := field.Default
		if standard == "" {
			standard = "none"
		}
		if words := saidDefault(said.text); words != "" && strings.ContainsAny(words, "0123456789") &&
			words != strings.Trim(standard, "`") && !strings.Contains(words, " ") {
			problems = append(problems, fmt.Errorf("%s: %s says that its default is %s; internal/policy has %s",
				policyTypes, field.Name, words, standard))
		}
		what := withoutDefault(said.text)
		if field.See != "" {
			what += "; see [" + field.See + "](#" + anchor(field.See) + ")"
		}
		rows = append(rows, []string{"`" + field.Name + "`", standard + said.bounds, code(field.Example), what})
	}
	return sections.Table([]string{"field", "default", "example", "what it is"}, rows), errors.Join(problems...)
}

// comment is what a field's declaration says.
type comment struct {
	text string
	// bounds are its least and largest value, in words.
	bounds string
}

// commentsOf are the comments of a struct's fields, by their names in JSON.
func commentsOf(path, name string) (map[string]comment, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	comments := map[string]comment{}
	ast.Inspect(file, func(node ast.Node) bool {
		declared, ok := node.(*ast.TypeSpec)
		if !ok || declared.Name.Name != name {
			return true
		}
		structure, ok := declared.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, field := range structure.Fields.List {
			if tag := jsonTag.FindStringSubmatch(field.Tag.Value); tag != nil {
				comments[tag[1]] = commentOf(field.Names[0].Name, field.Doc)
			}
		}
		return false
	})
	return comments, nil
}

var (
	jsonTag  = regexp.MustCompile(`json:"([^,"]+)`)
	standard = regexp.MustCompile(`\s*Default:? ([^.]*)\.`)
	least    = regexp.MustCompile(`validation:Minimum=(\d+)`)
	largest  = regexp.MustCompile(`validation:Maximum=(\d+)`)
)

// commentOf is the comment of a field without its name and markers, as the end of a sentence that
// the name begins.
func commentOf(name string, group *ast.CommentGroup) comment {
	var text []string
	var said comment
	for _, line := range group.List {
		written := strings.TrimSpace(strings.TrimPrefix(line.Text, "//"))
		if !strings.HasPrefix(written, "+") {
			text = append(text, written)
			continue
		}
		if from, to := least.FindStringSubmatch(written), largest.FindStringSubmatch(written); from != nil {
			said.bounds = ", from " + from[1]
		} else if to != nil {
			said.bounds += " to " + to[1]
		}
	}
	said.text = strings.Join(text, " ")
	for _, verb := range []string{" is ", " are ", " says "} {
		if rest, ok := strings.CutPrefix(said.text, name+verb); ok {
			said.text = rest
			break
		}
	}
	return said
}

// saidDefault is the default that a comment names, "" for none.
func saidDefault(text string) string {
	if found := standard.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// withoutDefault is a comment without the sentence about its default, which has a column of its own.
func withoutDefault(text string) string {
	return strings.TrimSuffix(strings.TrimSpace(standard.ReplaceAllString(text, "")), ".")
}

// anchor is the name of a heading in links.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(heading), ",", ""), " ", "-")
}

// code sets a value in code, unless it is words or is set already.
func code(value string) string {
	if value == "above" || strings.Contains(value, "`") {
		return value
	}
	if sample, rest, ok := strings.Cut(value, `, "" `); ok {
		return "`" + sample + "`, `\"\"` " + rest
	}
	return "`" + value + "`"
}

// gatewayTypes is the table of gateway types and dialects, and what they can.
func gatewayTypes() string {
	var rows [][]string
	for _, each := range registry.Types() {
		for i, dialect := range each.Dialects {
			name := ""
			if dialect.Name != "" {
				name = "`" + string(dialect.Name) + "`"
			}
			if i == 0 && len(each.Dialects) > 1 {
				name += " (default)"
			}
			rows = append(rows, []string{"`" + string(each.Name) + "`", name, dialect.For, strings.Join(can(dialect.Can), ", ")})
		}
	}
	return sections.Table([]string{"`type`", "`dialect`", "for", "can"}, rows)
}

// can are a gateway's capabilities in words.
func can(of gateway.Capabilities) []string {
	var words []string
	for _, each := range []struct {
		has  bool
		says string
	}{
		{of.FindSent, "find a sent message again"}, {of.CheckNumber, "look numbers up"}, {of.Restart, "restart"},
		{of.Logout, "log a phone out"}, {of.Posts, "post what comes in"}, {of.Templates, "send approved templates"},
	} {
		if each.has {
			words = append(words, each.says)
		}
	}
	if of.FreeTextWindow > 0 {
		words = append(words, "send free text for "+of.FreeTextWindow.String()+" after the customer's last message")
	}
	return words
}
