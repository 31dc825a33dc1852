package main

import (
	"fmt"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/docs/sections"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/policy"
)

// What was measured of this version, on 2026-11-29; docs/sizing.md says how.
const (
	// storedBytes are those of a lead in etcd: one message, no answer, ended.
	storedBytes = 3_900
	// residentBytes is what a lead adds to the resident memory of the leader, and of each other replica.
	residentBytes = 13_400
	// baseBytes is the resident memory without leads.
	baseBytes = 65 << 20
	// writesOfALead are those of a lead that gets one message and does not answer: create, claim, confirm, end, delete.
	writesOfALead = 5
	// writesOfAnAnswer are the customer's message, claim, confirm, and the receipts.
	writesOfAnAnswer = 4
	// answersOfALead and busiest are assumptions: answers to a lead on average, and how much of a day's leads come in
	// the busiest hour.
	answersOfALead = 1
	busiest        = 0.15
)

// sizes is the table of docs/sizing.md, with leads kept for so long after their end.
func sizes(kept time.Duration) string {
	limits := pace.LimitsOf(v1alpha1.InstanceLimits{})
	var lines [][]string
	for _, daily := range []int{100, 1_000, 10_000, 50_000} {
		all := float64(daily) * (kept + policy.DefaultExpireAfter).Hours() / 24
		writes := float64(daily * (writesOfALead + answersOfALead*writesOfAnAnswer))
		lines = append(lines, []string{
			thousands(int64(daily)), thousands(int64(all)), size(all * storedBytes),
			size(baseBytes + all*residentBytes), fmt.Sprintf("%.2g", writes/24/3600),
			fmt.Sprintf("%.2g", writes*busiest/3600), fmt.Sprint((daily + limits.NewPerDay - 1) / limits.NewPerDay),
		})
	}
	return sections.Table([]string{"leads a day", "leads kept", "in etcd", "memory of each replica",
		"API writes a second, mean", "in the busiest hour", "numbers"}, lines)
}

// size is a number of bytes in words.
func size(bytes float64) string {
	if bytes >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", bytes/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", bytes/(1<<20))
}
