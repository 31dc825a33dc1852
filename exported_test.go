package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
)

var update = flag.Bool("update", false, "write the list of what is exported anew")

// exportedFile lists what a manager exports after a short run. The alerts and dashboards are compared with it.
var exportedFile = filepath.Join("config", "monitoring", "exported.txt")

// exportedOthers are the metrics of controller-runtime that alerts and dashboards may use.
var exportedOthers = regexp.MustCompile(
	`^(controller_runtime_reconcile_(errors_)?total|controller_runtime_active_workers|workqueue_depth|` +
		`controller_runtime_reconcile_time_seconds|process_(resident_memory_bytes|cpu_seconds_total)|go_goroutines)$`)

// free are the labels whose values depend on the machine, the Stores or the build.
var free = []string{"currency", "namespace", "store", "version", "revision", "goversion"}

// testExported compares what the process exports with the list, and with its documentation.
func testExported(t *testing.T) {
	families, err := ctrlmetrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	documented, err := os.ReadFile(filepath.Join("docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		isOwn := strings.HasPrefix(family.GetName(), "cartrecovery_")
		if !isOwn && !exportedOthers.MatchString(family.GetName()) {
			continue
		}
		labels := labelsOf(family)
		lines = append(lines, lineOf(family, labels))
		if row := documentedRow(family.GetName(), labels); isOwn && !strings.Contains(string(documented), row) {
			t.Errorf("docs/configuration.md has no row that begins with: %s", row)
		}
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(exportedFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(exportedFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what is exported has changed (-want +got); write it anew with: go test . -run TestCluster -args "+
			"-update\n%s", diff)
	}
	rows := regexp.MustCompile("(?m)^\\| `(cartrecovery_[a-z_]+)` \\|")
	for _, name := range rows.FindAllStringSubmatch(string(documented), -1) {
		if !strings.Contains("\n"+got, "\n"+name[1]+" ") {
			t.Errorf("docs/configuration.md names %s, which is not exported", name[1])
		}
	}
}

// labelsOf are the labels of a metric with their values.
func labelsOf(family *dto.MetricFamily) map[string][]string {
	labels := map[string][]string{}
	for _, metric := range family.GetMetric() {
		for _, label := range metric.GetLabel() {
			values := labels[label.GetName()]
			if at, known := slices.BinarySearch(values, label.GetValue()); !known {
				labels[label.GetName()] = slices.Insert(values, at, label.GetValue())
			}
		}
	}
	return labels
}

// lineOf is a metric as the list has it: its name, its type, and its labels with the values that are known.
func lineOf(family *dto.MetricFamily, labels map[string][]string) string {
	line := family.GetName() + " " + strings.ToLower(family.GetType().String())
	for _, name := range sortedKeys(labels) {
		values := strings.Join(labels[name], "|")
		switch {
		case !strings.HasPrefix(family.GetName(), "cartrecovery_"), slices.Contains(free, name):
			values = "*"
		case family.GetName() == "cartrecovery_leads_blocked" && name == "reason":
			values = strings.Join(plan.BlockedReasons(), "|")
		}
		line += fmt.Sprintf(" %s=%s", name, values)
	}
	return line
}

// documentedRow is how the row of a metric begins in the documentation.
func documentedRow(name string, labels map[string][]string) string {
	var shown []string
	for _, label := range sortedKeys(labels) {
		shown = append(shown, "`"+label+"`")
	}
	return strings.TrimRight("| `"+name+"` | "+strings.Join(shown, ", "), " ") + " |"
}

func sortedKeys(labels map[string][]string) []string {
	names := make([]string, 0, len(labels))
	for name := range labels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
