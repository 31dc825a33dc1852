package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// apiTypes is the folder of the API's types. heartbeat has the annotations of the heartbeat, which is no object of
// the API.
const (
	apiTypes  = "api/v1alpha1"
	heartbeat = "internal/heartbeat/heartbeat.go"
)

// declared is what the sources of the API declare, and say of it.
type declared struct {
	// types are the comments of types, by their names.
	types map[string]string
	// groups of constants, in the order of the files.
	groups []group
	// values of the constants, by their names.
	values map[string]string
}

// group is a declaration of constants.
type group struct {
	says      string
	constants []constant
}

// constant is a text with a name.
type constant struct{ name, kind, value, says string }

// readDeclared reads the sources of the API.
func readDeclared(root string) (*declared, error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(apiTypes), "*.go"))
	if err != nil {
		return nil, err
	}
	said := &declared{types: map[string]string{}, values: map[string]string{}}
	for _, path := range append(paths, filepath.Join(root, filepath.FromSlash(heartbeat))) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			if general, ok := declaration.(*ast.GenDecl); ok {
				said.add(general)
			}
		}
	}
	return said, nil
}

// add notes a declaration of types or constants.
func (d *declared) add(declaration *ast.GenDecl) {
	made := group{says: spoken(declaration.Doc)}
	for _, spec := range declaration.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			d.types[spec.Name.Name] = spoken(declaration.Doc)
		case *ast.ValueSpec:
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if declaration.Tok != token.CONST || !ok || literal.Kind != token.STRING {
				continue
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				continue
			}
			one := constant{name: spec.Names[0].Name, value: value, says: spoken(spec.Doc)}
			if named, ok := spec.Type.(*ast.Ident); ok {
				one.kind = named.Name
			}
			if one.says == "" {
				one.says = made.says
			}
			made.constants, d.values[one.name] = append(made.constants, one), value
		}
	}
	if len(made.constants) > 0 {
		d.groups = append(d.groups, made)
	}
}

// spoken is a comment without its markers.
func spoken(comment *ast.CommentGroup) string {
	var lines []string
	for line := range strings.Lines(comment.Text()) {
		if !strings.HasPrefix(line, "+") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return flat(strings.Join(lines, " "))
}

// constants are the constants whose names begin with a word, with what they are.
func (d *declared) constants(word string) [][2]string {
	var found [][2]string
	for _, each := range d.groups {
		for _, one := range each.constants {
			if strings.HasPrefix(one.name, word) {
				found = append(found, [2]string{"`" + one.value + "`", d.meaning(one)})
			}
		}
	}
	return found
}

// reasons are the groups of reasons, each with what its comment says.
func (d *declared) reasons() string {
	var text strings.Builder
	for _, each := range d.groups {
		first := each.constants[0].name
		if !regexp.MustCompile(`^(Reason|Rejected|Unusable)`).MatchString(first) {
			continue
		}
		title := "Reason of " + d.values["ConditionPolicyWarning"]
		if len(each.constants) > 1 {
			title, _, _ = strings.Cut(strings.TrimSuffix(each.says, "."), ",")
		}
		var lines [][2]string
		for _, one := range each.constants {
			lines = append(lines, [2]string{"`" + one.value + "`", d.meaning(one)})
		}
		text.WriteString("### " + title + "\n\n")
		if says := d.prose(each.says); len(each.constants) > 1 && says != title+"." {
			text.WriteString(d.paragraph(each.says) + "\n")
		}
		text.WriteString(table([2]string{"reason", "what it means"}, lines) + "\n")
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// valuesOf are the values of a type.
func (d *declared) valuesOf(kind string) [][2]string {
	var found [][2]string
	for _, each := range d.groups {
		for _, one := range each.constants {
			if one.kind == kind {
				found = append(found, [2]string{"`" + one.value + "`", d.meaning(one)})
			}
		}
	}
	return found
}

// meaning is what a constant's comment says, without its name.
func (d *declared) meaning(of constant) string {
	said := strings.TrimPrefix(of.says, of.name)
	for _, link := range []string{":", " is ", " are "} {
		if rest, ok := strings.CutPrefix(said, link); ok {
			said = rest
			break
		}
	}
	return d.prose(strings.TrimSuffix(strings.TrimLeft(said, ", "), "."))
}

// paragraph is a comment as a paragraph of Markdown.
func (d *declared) paragraph(text string) string {
	return wrapped(strings.ReplaceAll(d.prose(text), `\|`, "|"), "")
}

var (
	constantName = regexp.MustCompile(`\b(?:Annotation|Condition|Label|Reason)[A-Z]\w+`)
	docsPage     = regexp.MustCompile(`docs/([a-z-]+\.md)`)
	inCode       = regexp.MustCompile("`[^`]*`")
)

// prose is a comment as Markdown: constants by their values, pages as links, and nothing that Markdown reads as its
// own.
func (d *declared) prose(text string) string {
	text = constantName.ReplaceAllStringFunc(flat(text), func(name string) string {
		if value, ok := d.values[name]; ok {
			return "`" + value + "`"
		}
		return name
	})
	var made strings.Builder
	end := 0
	for _, code := range inCode.FindAllStringIndex(text, -1) {
		made.WriteString(escaped(text[end:code[0]]) + strings.ReplaceAll(text[code[0]:code[1]], "|", `\|`))
		end = code[1]
	}
	made.WriteString(escaped(text[end:]))
	return docsPage.ReplaceAllString(made.String(), "[$1]($1)")
}

// escaped is a text with what Markdown would read as its own.
func escaped(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", "_", `\_`).Replace(text)
}

// escapedCode is a pattern in code, in a cell of a table.
func escapedCode(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

// codesOf are values, each in code.
func codesOf(values []string) []string {
	set := make([]string, 0, len(values))
	for _, value := range values {
		set = append(set, "`"+value+"`")
	}
	return set
}

// flat is a text in one line.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// sourcesOf are the Go files of folders of the module, without tests and what is generated.
func sourcesOf(root string, folders ...string) ([]string, error) {
	var paths []string
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") &&
				!strings.HasPrefix(entry.Name(), "zz_generated") {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return paths, nil
}
