// Command docs writes the tables of the documentation that are made of the code: what
// stands between two markers of a file, of which the first names the table,
//
//	<!-- begin generated: hotmart -->
//	<!-- end generated -->
//
// is replaced; everything else is left as it is. Run it in the module's root. With -check
// it writes nothing and fails when a file is not up to date.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"cartrecovery.dev/operator/hack/docs/sections"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail when a file is not up to date")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// run brings every document of a module up to date, or says which are not.
func run(root string, check bool) error {
	list, err := documents(root)
	problems := []error{err}
	for _, document := range list {
		problems = append(problems, document.update(root, check))
	}
	return errors.Join(problems...)
}

// update rewrites a document, if it changes.
func (d document) update(root string, check bool) error {
	path := filepath.Join(root, filepath.FromSlash(d.path))
	content, err := os.ReadFile(path) //nolint:gosec // one of the paths in documents
	if err != nil {
		return err
	}
	fresh, err := sections.Rewrite(string(content), d.sections)
	if err != nil {
		return fmt.Errorf("%s: %w", d.path, err)
	}
	if fresh == string(content) {
		return nil
	}
	if check {
		return fmt.Errorf("%s is not up to date: run go run ./hack/docs", d.path)
	}
	return os.WriteFile(path, []byte(fresh), 0o644) //nolint:gosec // documentation is for everybody to read
}
