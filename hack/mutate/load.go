package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// loaded is a package with what the compiler knows of it.
type loaded struct {
	// dir holds the package, name is what its files call it.
	dir, name string
	fileSet   *token.FileSet
	sources   []source
	info      *types.Info
}

// source is one file of a package, without those of its tests.
type source struct {
	path string
	text []byte
	tree *ast.File
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
	DepOnly                       bool
}

// load reads and checks the package of a folder.
func load(ctx context.Context, folder string) (*loaded, error) {
	pkg, exports, err := list(ctx, folder)
	if err != nil {
		return nil, err
	}
	l := &loaded{dir: pkg.Dir, name: pkg.Name, fileSet: token.NewFileSet()}
	for _, name := range pkg.GoFiles {
		if err := l.parse(filepath.Join(pkg.Dir, name)); err != nil {
			return nil, err
		}
	}
	if err := l.check(pkg.ImportPath, exports); err != nil {
		return nil, err
	}
	return l, nil
}

// list asks go list for a package, and for the files with the types of all that it imports.
func list(ctx context.Context, folder string) (listed, map[string]string, error) {
	const fields = "-json=ImportPath,Name,Dir,Export,GoFiles,DepOnly"
	//nolint:gosec // the developer's own package
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-export", fields, folder)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return listed{}, nil, fmt.Errorf("go list %s: %w: make the package build first\n%s", folder, err,
			problems.Bytes())
	}
	var pkg listed
	exports := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var each listed
		if err := decoder.Decode(&each); errors.Is(err, io.EOF) {
			return pkg, exports, nil
		} else if err != nil {
			return listed{}, nil, fmt.Errorf("go list %s: %w", folder, err)
		}
		exports[each.ImportPath] = each.Export
		if !each.DepOnly {
			pkg = each
		}
	}
}

func (l *loaded) parse(path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // the developer's own sources
	if err != nil {
		return err
	}
	tree, err := parser.ParseFile(l.fileSet, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	l.sources = append(l.sources, source{path: path, text: text, tree: tree})
	return nil
}

// check finds the type of every expression.
func (l *loaded) check(importPath string, exports map[string]string) error {
	l.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	open := func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	}
	config := types.Config{Importer: importer.ForCompiler(l.fileSet, "gc", open)}
	trees := make([]*ast.File, 0, len(l.sources))
	for _, each := range l.sources {
		trees = append(trees, each.tree)
	}
	_, err := config.Check(importPath, l.fileSet, trees, l.info)
	return err
}
