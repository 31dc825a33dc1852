package platforms

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// TestTables: every platform has a table, which says something of every event that is in
// the platform's maps.
func TestTables(t *testing.T) {
	for _, name := range Names() {
		t.Run(string(name), func(t *testing.T) {
			rows := Table(name)
			seen := map[string]bool{}
			meanings := map[string]bool{}
			for _, row := range rows {
				t.Logf("%-60s → %s", row.Event, row.Meaning)
				if row.Meaning == cannotBeRead || strings.ContainsAny(row.Event, "|\n") {
					t.Errorf("%s: %s", row.Event, row.Meaning)
				}
				if seen[row.Event] {
					t.Errorf("%s is there twice", row.Event)
				}
				seen[row.Event], meanings[row.Meaning] = true, true
			}
			for _, meaning := range []string{startsRecovery + "AbandonedCart)", startsRecovery + "PixPending)",
				startsRecovery + "BoletoPending)",
				startsRecovery + "PaymentRefused)", stopsAndCounts, reversesRefund, isIgnored} {
				if !meanings[meaning] {
					t.Errorf("no event %q", meaning)
				}
			}
			if len(rows) == 0 || rows[len(rows)-1] != (Row{anythingElse, isIgnored}) {
				t.Error("the last row is not about anything else")
			}
		})
	}
	if Table("unheard-of") != nil {
		t.Error("a platform that is not understood has a table")
	}
}

// TestTableSaysWhatIsTrue: some rows that must not change by accident.
func TestTableSaysWhatIsTrue(t *testing.T) {
	for name, want := range map[v1alpha1.PlatformName][]Row{
		v1alpha1.PlatformHotmart: {
			{"`PURCHASE_APPROVED`", stopsAndCounts}, {"`ORDER_APPROVED`", stopsAndCounts},
			{"`PURCHASE_APPROVED`, `recurrence_number` over 1", stopsUncounted},
			{"`PURCHASE_BILLET_PRINTED`, `payment.type` PIX", startsRecovery + "PixPending)"},
			{"version 1, `status` approved", stopsAndCounts},
		},
		v1alpha1.PlatformKiwify: {{"no event, `order_status` paid", stopsAndCounts},
			{"`subscription_canceled`, `order_status` paid", stopsUncounted}},
		v1alpha1.PlatformEduzz: {{"old format, `trans_status` 3", stopsAndCounts}, {"`myeduzz.invoice_chargeback`",
			reversesDispute}},
		v1alpha1.PlatformGeneric: {{"a value of `kill`", stopsAndCounts}},
	} {
		rows := Table(name)
		for _, row := range want {
			if !slices.Contains(rows, row) {
				t.Errorf("%s: no row %q %q", name, row.Event, row.Meaning)
			}
		}
	}
}

// TestDocumentedTables: docs/platforms.md says what the parsers do.
func TestDocumentedTables(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "platforms.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		_, section, found := strings.Cut(string(content), "<!-- begin generated: "+string(name)+" -->\n")
		section, _, closed := strings.Cut(section, "<!-- end generated -->")
		if !found || !closed {
			t.Errorf("docs/platforms.md has no table of %s", name)
			continue
		}
		var documented []Row
		for line := range strings.Lines(section) {
			if cells := strings.Split(line, " | "); len(cells) == 2 {
				documented = append(documented, Row{strings.TrimPrefix(cells[0], "| "),
					strings.TrimSuffix(cells[1], " |\n")})
			}
		}
		if len(documented) == 0 || !slices.Equal(documented[1:], Table(name)) {
			t.Errorf("the table of %s in docs/platforms.md is not up to date: run go run ./hack/docs", name)
		}
	}
}
