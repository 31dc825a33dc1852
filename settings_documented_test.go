package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"cartrecovery.dev/operator/hack/docs/sections"
	"cartrecovery.dev/operator/internal/cli"
)

// configurationPage has the table of the flags.
var configurationPage = filepath.Join("docs", "configuration.md")

// namesVariable finds the environment variable in the description of a flag.
var namesVariable = regexp.MustCompile(` \(environment: (\w+)\)`)

// TestFlagsAreDocumented: docs/configuration.md has every flag, as --help tells of it. With -update it is written.
func TestFlagsAreDocumented(t *testing.T) {
	content, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := sections.Rewrite(string(content), map[string]string{"flags": flagTable()})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(configurationPage, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(content), fresh); diff != "" {
		t.Errorf("the flags have changed (-docs/configuration.md +--help); write them anew with make docs\n%s", diff)
	}
}

// TestVariablesAreDocumented: docs/configuration.md has a row for every environment variable that is read.
func TestVariablesAreDocumented(t *testing.T) {
	content, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError), nil, func(name string) string {
		read[name] = true
		return ""
	})
	for name := range read {
		if !regexp.MustCompile("(?m)^\\|.*`" + name + "`.*\\|").Match(content) {
			t.Errorf("docs/configuration.md has no row for the environment variable %s", name)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(read)), variables()); diff != "" {
		t.Errorf("what is read and what variables() tells (-read +told):\n%s", diff)
	}
}

// flagTable is the table of all flags.
func flagTable() string {
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	config.RegisterFlags(flags)
	parseFlags(flags, nil, func(string) string { return "" })
	var rows [][]string
	flags.VisitAll(func(each *flag.Flag) {
		variable := ""
		if found := namesVariable.FindStringSubmatch(each.Usage); found != nil {
			variable = "`" + found[1] + "`"
		}
		usage := strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(
			namesVariable.ReplaceAllString(each.Usage, ""))
		rows = append(rows, []string{"`--" + each.Name + "`", variable, defaultOf(each), usage})
	})
	return sections.Table([]string{"flag", "environment", "default", "meaning"}, rows)
}

// defaultOf is a flag's default.
func defaultOf(of *flag.Flag) string {
	switch of.DefValue {
	case "":
		return ""
	case "true":
		return "on"
	case "false":
		return "off"
	}
	return "`" + of.DefValue + "`"
}

// TestDocumentedFlagsExist: no page names a flag that neither the manager nor kubectl's plugin has. A few are of
// kubectl, Helm and the API server.
func TestDocumentedFlagsExist(t *testing.T) {
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	config.RegisterFlags(flags)
	parseFlags(flags, nil, func(string) string { return "" })
	others := append(pluginFlags(), "field-selector", "force-conflicts", "help", "event-ttl")
	pages, err := filepath.Glob(filepath.Join("docs", "*.md"))
	if err != nil || len(pages) < 10 {
		t.Fatal(pages, err)
	}
	runbooks, err := filepath.Glob(filepath.Join("docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages, runbooks...), "README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile("`--([a-z][a-z-]+)").FindAllStringSubmatch(string(content), -1) {
			if flags.Lookup(found[1]) == nil && !slices.Contains(others, found[1]) {
				t.Errorf("%s names the flag --%s, which nothing has", page, found[1])
			}
		}
	}
}

// pluginFlags are the flags of all commands of kubectl's plugin.
func pluginFlags() []string {
	var names []string
	for _, command := range cli.New(cli.Streams{}, nil).Commands() {
		command.Flags().VisitAll(func(each *pflag.Flag) { names = append(names, each.Name) })
	}
	return names
}
