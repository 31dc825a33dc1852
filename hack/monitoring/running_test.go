package monitoring

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
)

// quiet are the queries that need not find anything where all goes well, each with why.
var quiet = map[string]string{
	"Overdue by namespace":             "shows what is overdue, and nothing is",
	"Overdue":                          "shows what is overdue, and nothing is",
	"Oldest overdue":                   "shows what is overdue, and nothing is",
	"Failures by method":               "no call fails",
	"Panics and dropped receipts":      "nothing panics",
	"Texts and refusals":               "the guard refuses no text of the demo",
	"Reviews":                          "no Store of the demo has its texts reviewed",
	"How long reviews take":            "no Store of the demo has its texts reviewed",
	"Unusable deliveries":              "no delivery of a platform is unusable",
	"Hours since an unusable delivery": "no delivery of a platform is unusable",
	"AI tokens, of the budget":         "the demo's Store has no budget",
}

// TestDashboardsOfARunningDemo evaluates every query of the dashboards on what the demo's manager answered to a
// scraper, every second from its start to the end of the story.
func TestDashboardsOfARunningDemo(t *testing.T) {
	folderOfMetrics := os.Getenv("METRICS")
	if folderOfMetrics == "" {
		t.Skip("needs METRICS, a folder that the demo has written with --metrics; make test-monitoring has it written")
	}
	stored := teststorage.New(t)
	last := scrapedInto(t, stored, folderOfMetrics)
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	asked := map[string]bool{}
	for _, name := range []string{"operator.json", "business.json"} {
		content, err := os.ReadFile(filepath.Join(folder, "dashboards", name))
		if err != nil {
			t.Fatal(err)
		}
		var shown dashboard
		if err := json.Unmarshal(content, &shown); err != nil {
			t.Fatal(err)
		}
		for _, each := range shown.Panels {
			asked[each.Title] = true
			for _, target := range each.Targets {
				found := samples(t, engine, stored, variables.Replace(target.Expr), last)
				if _, may := quiet[each.Title]; found == 0 && !may {
					t.Errorf("%s, %s: no sample for %s", name, each.Title, target.Expr)
				}
			}
		}
	}
	for title := range quiet {
		if !asked[title] {
			t.Errorf("no panel is called %q: take the exception away", title)
		}
	}
}

// samples counts what a query finds at a time, without what is no number.
func samples(t *testing.T, engine *promql.Engine, stored storage.Queryable, query string, at time.Time) int {
	t.Helper()
	asked, err := engine.NewInstantQuery(t.Context(), stored, nil, query, at)
	if err != nil {
		t.Fatal(err)
	}
	defer asked.Close()
	vector, err := asked.Exec(t.Context()).Vector()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return len(slices.DeleteFunc(vector, func(s promql.Sample) bool { return math.IsNaN(s.F) }))
}

// scrapedInto stores the files of a folder as Prometheus stores what it scrapes, and returns the time of the last one.
func scrapedInto(t *testing.T, stored storage.Appendable, from string) time.Time {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(from, "*.txt"))
	if err != nil || len(paths) < 5 {
		t.Fatalf("%s has %d scrapes, %v", from, len(paths), err)
	}
	slices.SortFunc(paths, func(a, b string) int { return int(instant(t, a) - instant(t, b)) })
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		appendTo(t, stored, content, instant(t, path))
	}
	return time.UnixMilli(instant(t, paths[len(paths)-1]))
}

// instant is the time by which a file is called.
func instant(t *testing.T, path string) int64 {
	t.Helper()
	at, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), ".txt"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// appendTo stores one scrape, with the labels that the ServiceMonitor has Prometheus add.
func appendTo(t *testing.T, stored storage.Appendable, content []byte, at int64) {
	t.Helper()
	parsed, err := textparse.New(content, "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	appender := stored.Appender(context.WithoutCancel(t.Context()))
	for {
		entry, err := parsed.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, value := parsed.Series()
		var own labels.Labels
		parsed.Labels(&own)
		with := labels.NewBuilder(own).Set("job", "cart-recovery-metrics").Set("instance", "10.0.0.1:8443").
			Set("pod", "cart-recovery-controller-manager-0")
		if own.Get("namespace") == "" {
			with.Set("namespace", "cart-recovery-system")
		}
		if _, err := appender.Append(0, with.Labels(), at, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := appender.Commit(); err != nil {
		t.Fatal(err)
	}
}
