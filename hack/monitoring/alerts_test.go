package monitoring

import (
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// prometheusRule is what is read of a resource of that kind.
type prometheusRule struct {
	Spec struct {
		Groups []struct {
			Name  string  `json:"name"`
			Rules []alert `json:"rules"`
		} `json:"groups"`
	} `json:"spec"`
}

// alert is one of its rules.
type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// hold is how long the expression has to be true.
func (a *alert) hold(t *testing.T) time.Duration {
	t.Helper()
	if a.For == "" {
		return 0
	}
	parsed, err := model.ParseDuration(a.For)
	if err != nil {
		t.Fatalf("%s: for: %v", a.Alert, err)
	}
	return time.Duration(parsed)
}

func readAlerts(t *testing.T) []alert {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var rule prometheusRule
	if err := yaml.Unmarshal(content, &rule); err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := yaml.Unmarshal(content, &whole); err != nil {
		t.Fatal(err)
	}
	groups, err := yaml.Marshal(whole["spec"])
	if err != nil {
		t.Fatal(err)
	}
	_, problems := rulefmt.Parse(groups, false, model.UTF8Validation, parser.NewParser(parser.Options{}),
		slog.New(slog.DiscardHandler))
	if len(problems) > 0 {
		t.Fatalf("Prometheus does not take the rules: %v", problems)
	}
	var alerts []alert
	for _, group := range rule.Spec.Groups {
		alerts = append(alerts, group.Rules...)
	}
	return alerts
}

// sections of a runbook.
var sections = []string{
	"\n## What it means\n", "\n## What customers notice\n", "\n## What to look at\n\n```sh\n", "\n## What to do\n",
}

// TestAlerts: every alert says how severe it is, what it is about and what to do, and asks for nothing that the program
// does not export.
func TestAlerts(t *testing.T) {
	known, err := readExported()
	if err != nil {
		t.Fatal(err)
	}
	books := map[string]bool{"README.md": true}
	overview, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range readAlerts(t) {
		t.Run(each.Alert, func(t *testing.T) {
			if severity := each.Labels["severity"]; severity != "critical" && severity != "warning" {
				t.Errorf("severity is %q", severity)
			}
			for _, name := range []string{"summary", "description", "runbook_url"} {
				if each.Annotations[name] == "" {
					t.Errorf("it has no %s", name)
				}
			}
			book := path.Base(each.Annotations["runbook_url"])
			books[book] = true
			checkRunbook(t, &each, book)
			if row := "| [" + each.Alert + "](" + book + ") | " + each.Labels["severity"] + " |"; !strings.Contains(
				string(overview), row) {
				t.Errorf("docs/runbooks/README.md has no row that begins with: %s", row)
			}
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(each.Expr)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range known.check(expr) {
				t.Error(problem)
			}
		})
	}
	pages, err := os.ReadDir(runbooks)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !books[page.Name()] {
			t.Errorf("docs/runbooks/%s is of no alert", page.Name())
		}
	}
}

var runbooks = filepath.Join("..", "..", "docs", "runbooks")

func checkRunbook(t *testing.T, of *alert, book string) {
	t.Helper()
	if book != of.Alert+".md" {
		t.Errorf("runbook_url names %s", book)
	}
	page, err := os.ReadFile(filepath.Join(runbooks, book))
	if err != nil {
		t.Error(err)
		return
	}
	if !strings.HasPrefix(string(page), "# "+of.Alert+"\n\nSeverity: "+of.Labels["severity"]+".\n") {
		t.Errorf("%s begins with another name or severity", book)
	}
	for _, section := range sections {
		if !strings.Contains(string(page), section) {
			t.Errorf("%s has no section %q", book, strings.TrimSpace(section))
		}
	}
}

// TestCheckFindsWhatIsNotThere: the comparison with what is exported can fail.
func TestCheckFindsWhatIsNotThere(t *testing.T) {
	known, err := readExported()
	if err != nil {
		t.Fatal(err)
	}
	for query, wrong := range map[string]bool{
		`cartrecovery_leads{phase="Contacted"}`:                                     false,
		`cartrecovery_leads{phase="Gone"}`:                                          true,
		`cartrecovery_leads{phase=~"Contacted|Gone"}`:                               true,
		`cartrecovery_leads{phase!="Gone"}`:                                         true,
		`cartrecovery_leads{customer="x"}`:                                          true,
		`cartrecovery_lead`:                                                         true,
		`sum by (phase) (cartrecovery_leads)`:                                       false,
		`sum by (route) (cartrecovery_leads)`:                                       true,
		`sum by (le) (rate(cartrecovery_ai_call_seconds_bucket[5m]))`:               false,
		`rate(cartrecovery_ai_call_seconds[5m])`:                                    true,
		`cartrecovery_panics_total{work="gateway call"}`:                            false,
		`cartrecovery_leads == on (route) cartrecovery_leads`:                       true,
		`rate(cartrecovery_webhook_request_seconds_count{code=~"5.."}[5m])`:         false,
		`rate(cartrecovery_webhook_request_seconds_count{code=~"6.."}[5m])`:         true,
		`cartrecovery_leads_blocked{namespace="anything",reason="TextRefused"} > 0`: false,
	} {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Fatal(err)
		}
		if problems := known.check(expr); len(problems) > 0 != wrong {
			t.Errorf("%s: %q", query, problems)
		}
	}
}
