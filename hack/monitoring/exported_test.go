package monitoring

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// folder is where alerts and dashboards are.
var folder = filepath.Join("..", "..", "config", "monitoring")

// exported are the labels of what the program exports, with their known values, by the name of the metric. A test of
// the program writes and compares the list.
type exported map[string]map[string][]string

// anyValue stands in the list for a value that depends on Stores, machine or build.
const anyValue = "*"

// readExported reads the list of what is exported.
func readExported() (exported, error) {
	content, err := os.ReadFile(filepath.Join(folder, "exported.txt"))
	if err != nil {
		return nil, err
	}
	found := exported{}
	for line := range strings.Lines(string(content)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		kind, rest, _ := strings.Cut(rest, " ")
		known := map[string][]string{}
		for rest != "" {
			label, values, _ := strings.Cut(rest, "=")
			// A value can have blanks: the next label begins at the last one before the next =.
			values, rest = untilNextLabel(values)
			known[label] = strings.Split(values, "|")
		}
		names := []string{name}
		if kind == "histogram" {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, each := range names {
			found[each] = known
		}
	}
	return found, nil
}

func untilNextLabel(values string) (own, rest string) {
	before, _, more := strings.Cut(values, "=")
	if !more {
		return values, ""
	}
	at := strings.LastIndex(before, " ")
	return values[:at], values[at+1:]
}

// check says what of a query is not exported.
func (e exported) check(expr parser.Expr) []string {
	var problems []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch of := node.(type) {
		case *parser.VectorSelector:
			problems = append(problems, e.checkSelector(of)...)
		case *parser.AggregateExpr:
			problems = append(problems, e.checkGrouping(of.Grouping, of.Expr)...)
		case *parser.BinaryExpr:
			if of.VectorMatching != nil {
				problems = append(problems, e.checkGrouping(of.VectorMatching.MatchingLabels, of.LHS)...)
				problems = append(problems, e.checkGrouping(of.VectorMatching.MatchingLabels, of.RHS)...)
			}
		}
		return nil
	})
	return problems
}

func (e exported) checkSelector(selector *parser.VectorSelector) []string {
	known, ok := e[selector.Name]
	if !ok {
		return []string{selector.Name + " is not exported"}
	}
	var problems []string
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == model.MetricNameLabel {
			continue
		}
		values, ok := known[matcher.Name]
		if matcher.Name == "le" && strings.HasSuffix(selector.Name, "_bucket") {
			continue
		}
		if !ok {
			problems = append(problems, fmt.Sprintf("%s has no label %s", selector.Name, matcher.Name))
			continue
		}
		for _, wanted := range alternatives(matcher) {
			if !slices.Contains(values, anyValue) && !slices.ContainsFunc(values, wanted.Matches) {
				problems = append(problems, fmt.Sprintf("%s never has %s=%q", selector.Name, matcher.Name,
					wanted.Value))
			}
		}
	}
	return problems
}

// alternatives are what a matcher asks for, each alone: a|b has to exist as a and as b. What is excluded has to exist,
// too, or nothing is.
func alternatives(matcher *labels.Matcher) []*labels.Matcher {
	values := []string{matcher.Value}
	isRegexp := matcher.Type == labels.MatchRegexp || matcher.Type == labels.MatchNotRegexp
	if isRegexp && !strings.ContainsAny(matcher.Value, "()[]") {
		values = strings.Split(matcher.Value, "|")
	}
	kind := labels.MatchEqual
	if isRegexp {
		kind = labels.MatchRegexp
	}
	matchers := make([]*labels.Matcher, 0, len(values))
	for _, value := range values {
		matchers = append(matchers, labels.MustNewMatcher(kind, matcher.Name, value))
	}
	return matchers
}

// checkGrouping says which labels none of the metrics below has.
func (e exported) checkGrouping(names []string, below parser.Expr) []string {
	// Where the process itself has no such label, Prometheus has them of its target: which operator it is.
	has := map[string]bool{"le": true, "job": true}
	parser.Inspect(below, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			for name := range e[selector.Name] {
				has[name] = true
			}
			has["namespace"] = has["namespace"] || selector.Name == "cartrecovery_leader"
		}
		return nil
	})
	var problems []string
	for _, name := range names {
		if !has[name] {
			problems = append(problems, "no metric of "+below.String()+" has a label "+name)
		}
	}
	return problems
}
