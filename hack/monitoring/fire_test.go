package monitoring

import (
	"cmp"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"sigs.k8s.io/yaml"
)

// unitTests are a file of tests as "promtool test rules" reads it.
type unitTests struct {
	RuleFiles          []string `json:"rule_files"`
	EvaluationInterval string   `json:"evaluation_interval"`
	Tests              []struct {
		Name        string `json:"name"`
		Interval    string `json:"interval"`
		InputSeries []struct {
			Series string `json:"series"`
			Values string `json:"values"`
		} `json:"input_series"`
		AlertRuleTests []struct {
			EvalTime  string `json:"eval_time"`
			Alert     string `json:"alertname"`
			ExpAlerts []struct {
				Labels      map[string]string `json:"exp_labels"`
				Annotations map[string]string `json:"exp_annotations"`
			} `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

// fired is what is compared of an alert that fires.
type fired struct {
	Labels, Annotations map[string]string
}

// TestAlertsFireAndResolve runs the unit tests of config/monitoring with Prometheus' own rules and engine. Every alert
// has a test in which it fires, and one in which it does not any more.
func TestAlertsFireAndResolve(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no unit tests: %v", err)
	}
	alerts := readAlerts(t)
	fires, resolves := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tests unitTests
		if err := yaml.UnmarshalStrict(content, &tests, yaml.DisallowUnknownFields); err != nil {
			t.Fatal(err)
		}
		step := duration(t, tests.EvaluationInterval)
		for i := range tests.Tests {
			test := &tests.Tests[i]
			load := "load " + cmp.Or(test.Interval, "1m") + "\n"
			for _, series := range test.InputSeries {
				load += "  " + series.Series + " " + series.Values + "\n"
			}
			for _, expected := range test.AlertRuleTests {
				t.Run(test.Name+"/"+expected.Alert+"@"+expected.EvalTime, func(t *testing.T) {
					at := slices.IndexFunc(alerts, func(a alert) bool { return a.Alert == expected.Alert })
					if at < 0 {
						t.Fatal("there is no such alert")
					}
					var want []fired
					for _, each := range expected.ExpAlerts {
						want = append(want, fired{each.Labels, each.Annotations})
					}
					got := firing(t, &alerts[at], load, step, duration(t, expected.EvalTime))
					if diff := gocmp.Diff(want, got); diff != "" {
						t.Errorf("firing (-want +got):\n%s", diff)
					}
					if len(want) > 0 {
						fires[expected.Alert] = true
					} else if fires[expected.Alert] {
						resolves[expected.Alert] = true
					}
				})
			}
		}
	}
	for i := range alerts {
		if name := alerts[i].Alert; !fires[name] || !resolves[name] {
			t.Errorf("%s: tested to fire: %t, and after that to resolve: %t", name, fires[name], resolves[name])
		}
	}
}

// firing evaluates an alert from the beginning until a time, and returns what fires then, in the order of its labels.
func firing(t *testing.T, of *alert, load string, step, until time.Duration) []fired {
	t.Helper()
	loader, err := promqltest.NewLazyLoader(load, promqltest.LazyLoaderOpts{EnableAtModifier: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close() })
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(of.Expr)
	if err != nil {
		t.Fatal(err)
	}
	rule := rules.NewAlertingRule(of.Alert, expr, of.hold(t), 0, labels.FromMap(of.Labels),
		labels.FromMap(of.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	query := rules.EngineQueryFunc(loader.QueryEngine(), loader.Queryable())
	for passed := time.Duration(0); passed <= until; passed += step {
		now := time.Unix(0, 0).UTC().Add(passed)
		loader.WithSamplesTill(now, func(failed error) { err = failed })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rule.Eval(loader.Context(), 0, now, query, &url.URL{}, 0); err != nil {
			t.Fatal(err)
		}
	}
	var found []fired
	for _, active := range rule.ActiveAlerts() {
		if active.State != rules.StateFiring {
			continue
		}
		names := active.Labels.Map()
		delete(names, model.AlertNameLabel)
		found = append(found, fired{names, active.Annotations.Map()})
	}
	slices.SortFunc(found, func(a, b fired) int {
		return cmp.Compare(a.Annotations["summary"], b.Annotations["summary"])
	})
	return found
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	parsed, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(parsed)
}
