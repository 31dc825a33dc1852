package platforms

import (
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
			rows, file := Table(name), "webhookserver/platforms/"+string(name)+".go"
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
			for _, meaning := range []string{stopsAndCounts, reversesRefund, isIgnored} {
				if !meanings[meaning] {
					t.Errorf("%s: its samples have no event that %q: add the least delivery of one", file, meaning)
				}
			}
			for _, trigger := range everyTrigger {
				starts := slices.Contains(defined(name).starts, trigger)
				if told := meanings[startsRecovery+string(trigger)+")"]; told != starts {
					t.Errorf("%s: starts %s: the row says %t, its samples %t: change one", file, trigger, starts, told)
				}
			}
			if len(rows) == 0 || rows[len(rows)-1] != (Row{anythingElse, isIgnored}) {
				t.Errorf("%s: its samples have to end with jsonSample(anythingElse, …)", file)
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
		v1alpha1.PlatformGeneric: {{"a value of `purchase`", stopsAndCounts}},
	} {
		rows := Table(name)
		for _, row := range want {
			if !slices.Contains(rows, row) {
				t.Errorf("%s: no row %q %q", name, row.Event, row.Meaning)
			}
		}
	}
}

// testWords: every word of a platform's maps has a row in its table.
func testWords(t *testing.T, name v1alpha1.PlatformName, maps ...[]string) {
	t.Helper()
	var rows strings.Builder
	for _, row := range Table(name) {
		rows.WriteString(strings.ToLower(row.Event) + "\n")
	}
	for _, word := range slices.Concat(maps...) {
		if !strings.Contains(rows.String(), strings.ToLower(word)) {
			t.Errorf("%s: no row of %s", name, word)
		}
	}
}
