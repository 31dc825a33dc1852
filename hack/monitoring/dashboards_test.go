package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// dashboard is what is read of a dashboard.
type dashboard struct {
	UID        string  `json:"uid"`
	Title      string  `json:"title"`
	Panels     []panel `json:"panels"`
	Templating struct {
		List []struct {
			Name  string          `json:"name"`
			Type  string          `json:"type"`
			Query json.RawMessage `json:"query"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID          int    `json:"id"`
	Title       string `json:"title"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Targets     []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

// variables are what Grafana puts in the place of its variables.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$namespace", ".*", "$store", ".*",
	"$topk", "5")

var (
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

// TestDashboards: Prometheus reads every query, and what it asks for is exported.
func TestDashboards(t *testing.T) {
	known, err := readExported()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"operator.json", "business.json"} {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(folder, "dashboards", name))
			if err != nil {
				t.Fatal(err)
			}
			var shown dashboard
			if err := json.Unmarshal(content, &shown); err != nil {
				t.Fatal(err)
			}
			if shown.UID == "" || shown.Title == "" || len(shown.Panels) < 5 {
				t.Errorf("uid %q, title %q, %d panels", shown.UID, shown.Title, len(shown.Panels))
			}
			seen := map[int]bool{}
			for _, each := range shown.Panels {
				if seen[each.ID] || each.Title == "" {
					t.Errorf("the id %d is there twice, or has no title", each.ID)
				}
				seen[each.ID] = true
				if each.Type != "row" && len(each.Targets) == 0 {
					t.Errorf("%s asks for nothing", each.Title)
				}
				for _, target := range each.Targets {
					checkQuery(t, known, each.Title, target.Expr, target.LegendFormat)
				}
			}
			for _, variable := range shown.Templating.List {
				if variable.Type == "query" {
					checkVariable(t, known, variable.Name, variable.Query)
				}
			}
		})
	}
}

func checkQuery(t *testing.T, known exported, where, query, legend string) {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(query))
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	for _, problem := range known.check(expr) {
		t.Errorf("%s: %s", where, problem)
	}
	var wanted []string
	for _, found := range legendLabel.FindAllStringSubmatch(legend, -1) {
		wanted = append(wanted, found[1])
	}
	for _, problem := range known.checkGrouping(wanted, expr) {
		t.Errorf("%s: legend: %s", where, problem)
	}
}

func checkVariable(t *testing.T, known exported, name string, query json.RawMessage) {
	t.Helper()
	var said struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(query, &said); err != nil {
		t.Fatal(err)
	}
	parts := labelValues.FindStringSubmatch(said.Query)
	if parts == nil {
		t.Fatalf("variable %s: %q", name, said.Query)
	}
	checkQuery(t, known, "variable "+name, parts[1], "{{"+parts[2]+"}}")
}
