package store

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/lead"
)

// maxCurrencies bounds status.leads.revenue. A mapping that reads something else as the
// currency must not have the whole status refused.
const maxCurrencies = 16

// tally is what the leads of a Store add up to. Every count starts from zero, so that neither a restart nor a change of
// the leader makes it wrong.
type tally struct {
	// leads is nil when there are none.
	leads *v1alpha1.LeadCounts
	// tokens that the leads' messages of the day cost, as far as they are kept.
	tokens int64
	// restored is how many open leads wait until it is known what was sent before a restore.
	restored int
}

// count adds leads up. It reads them where they are, in the cache, and changes nothing.
func count(leads []v1alpha1.CartRecovery, today day) tally {
	if len(leads) == 0 {
		return tally{}
	}
	counts := &v1alpha1.LeadCounts{}
	revenue := map[string]*sum{}
	paid := payers(leads)
	var tokens int64
	restored := 0
	for i := range leads {
		countPhase(counts, &leads[i])
		if of, ok := saleOf(&leads[i]); !ok || paid[of] == leads[i].Name {
			countRevenue(revenue, &leads[i])
		}
		tokens = budget.Sum(tokens, tokensOn(today, &leads[i]))
		if awaitsRestore(&leads[i]) {
			restored++
		}
	}
	counts.Revenue = revenueOf(revenue)
	return tally{counts, tokens, restored}
}

// awaitsRestore says whether an open lead waits until it is known what was sent before a
// restore.
func awaitsRestore(recovery *v1alpha1.CartRecovery) bool {
	waits := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionBlocked)
	return waits != nil && waits.Reason == v1alpha1.ReasonRestoredFromBackup && recovery.Status.CompletionTime == nil
}

func countPhase(counts *v1alpha1.LeadCounts, recovery *v1alpha1.CartRecovery) {
	open := false
	switch recovery.Status.Phase {
	case v1alpha1.PhaseContacted, v1alpha1.PhaseEngaged:
		counts.Active++
		open = true
	case v1alpha1.PhaseRecovered:
		counts.Recovered++
	case v1alpha1.PhaseConverted:
		counts.Converted++
	case v1alpha1.PhaseOptedOut:
		counts.Closed++
		counts.OptedOut++
	case v1alpha1.PhaseFailed, v1alpha1.PhaseExpired:
		counts.Closed++
	default:
		counts.Pending++
		open = true
	}
	if !open {
		if lead.SucceededReason(recovery) == v1alpha1.ReasonReversed {
			counts.Reversed++
		}
		return
	}
	if apimeta.IsStatusConditionTrue(recovery.Status.Conditions, v1alpha1.ConditionBlocked) {
		counts.Blocked++
	}
	if apimeta.IsStatusConditionTrue(recovery.Status.Conditions, v1alpha1.ConditionHandedOff) {
		counts.HandedOff++
	}
}

// sale is a product's part of a transaction of a platform.
type sale struct {
	platform        v1alpha1.PlatformName
	product, number string
}

// saleOf is the sale that recovered a lead; false when it has no number.
func saleOf(recovery *v1alpha1.CartRecovery) (sale, bool) {
	if recovery.Spec.Purchase == nil || recovery.Spec.Purchase.TransactionID == "" {
		return sale{}, false
	}
	return sale{recovery.Spec.Platform, recovery.Spec.Product.ID, recovery.Spec.Purchase.TransactionID}, true
}

// payers names, for each sale that brought money, the first lead by name. One purchase can recover several leads of a
// customer and was paid once; each of the leads still counts as a recovery.
func payers(leads []v1alpha1.CartRecovery) map[sale]string {
	first := map[sale]string{}
	for i := range leads {
		of, ok := saleOf(&leads[i])
		if !ok || !hasRevenue(&leads[i]) {
			continue
		}
		if name, known := first[of]; !known || leads[i].Name < name {
			first[of] = leads[i].Name
		}
	}
	return first
}

// hasRevenue says whether a lead was recovered, the purchase was not taken back, and it had an
// amount in a currency.
func hasRevenue(recovery *v1alpha1.CartRecovery) bool {
	result := recovery.Status.Result
	if result == nil || result.ReversedAt != nil || result.Currency == "" ||
		lead.SucceededReason(recovery) != v1alpha1.ReasonBoughtAfterContact {
		return false
	}
	_, ok := parseDecimal(result.Amount)
	return ok
}

// countRevenue adds what a recovered lead was worth. A lead without an amount or a currency adds nothing.
func countRevenue(revenue map[string]*sum, recovery *v1alpha1.CartRecovery) {
	if !hasRevenue(recovery) {
		return
	}
	result := recovery.Status.Result
	amount, _ := parseDecimal(result.Amount)
	total := revenue[result.Currency]
	if total == nil {
		total = &sum{}
		revenue[result.Currency] = total
	}
	total.add(amount)
}

// revenueOf lists the sums by currency; of too many, those with the most leads.
func revenueOf(sums map[string]*sum) []v1alpha1.Revenue {
	if len(sums) == 0 {
		return nil
	}
	all := make([]v1alpha1.Revenue, 0, len(sums))
	for currency, total := range sums {
		all = append(all, v1alpha1.Revenue{Currency: currency, Amount: total.String(), Leads: total.leads})
	}
	slices.SortFunc(all, func(a, b v1alpha1.Revenue) int {
		return cmp.Or(cmp.Compare(b.Leads, a.Leads), strings.Compare(a.Currency, b.Currency))
	})
	all = all[:min(len(all), maxCurrencies)]
	slices.SortFunc(all, func(a, b v1alpha1.Revenue) int { return strings.Compare(a.Currency, b.Currency) })
	return all
}

// The schema of an amount: at most 15 digits, and 6 after the point.
const (
	wholeDigits    = 15
	fractionDigits = 6
	millionths     = 1_000_000
)

// decimal is an amount of money in whole units and millionths of one, both exact.
type decimal struct {
	units, millionths uint64
	// digits it was written with after the point.
	digits int
}

// parseDecimal reads an amount as the schema takes it; false for anything else.
func parseDecimal(text string) (decimal, bool) {
	whole, fraction, hasPoint := strings.Cut(text, ".")
	if len(whole) > wholeDigits || len(fraction) > fractionDigits || hasPoint != (fraction != "") {
		return decimal{}, false
	}
	units, ok := digits(whole)
	if !ok || !hasPoint {
		return decimal{units: units}, ok
	}
	part, ok := digits(fraction)
	for range fractionDigits - len(fraction) {
		part *= 10
	}
	return decimal{units, part, len(fraction)}, ok
}

func digits(text string) (uint64, bool) {
	if strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	value, err := strconv.ParseUint(text, 10, 64)
	return value, err == nil
}

// sum adds decimals up exactly, in 128 bits of millionths: enough for two thousand million
// leads of the greatest amount.
type sum struct {
	high, low uint64
	digits    int
	leads     int32
}

func (s *sum) add(amount decimal) {
	high, low := bits.Mul64(amount.units, millionths)
	low, carry := bits.Add64(low, amount.millionths, 0)
	high += carry
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high, _ = bits.Add64(s.high, high, carry)
	s.digits = max(s.digits, amount.digits)
	s.leads++
}

// String is the sum with as many digits after the point as the amount that had most.
func (s *sum) String() string {
	total := new(big.Int).SetUint64(s.high)
	total.Lsh(total, 64).Or(total, new(big.Int).SetUint64(s.low))
	whole, part := new(big.Int).QuoRem(total, big.NewInt(millionths), new(big.Int))
	if s.digits == 0 {
		return whole.String()
	}
	fraction := strconv.FormatUint(millionths+part.Uint64(), 10)[1:]
	return whole.String() + "." + fraction[:s.digits]
}

// day is a day in a Store's time zone; the zero day has no moment.
type day struct {
	year  int
	month time.Month
	date  int
	// noon is about the middle of it.
	noon time.Time
	zone *time.Location
}

// dayOf is the day of a moment in a time zone.
func dayOf(now time.Time, zone *time.Location) day {
	year, month, date := now.In(zone).Date()
	return day{year, month, date, time.Date(year, month, date, 12, 0, 0, 0, zone), zone}
}

// String is the day as status.tokens names it.
func (d day) String() string { return d.noon.Format(time.DateOnly) }

// has says whether a moment is on the day.
func (d day) has(at time.Time) bool {
	// What is far away needs no calendar; no day is longer than 26 hours.
	if d.zone == nil || at.Sub(d.noon).Abs() > 14*time.Hour {
		return false
	}
	year, month, date := at.In(d.zone).Date()
	return year == d.year && month == d.month && date == d.date
}

// tokensOn is how many tokens the messages of a lead cost on a day.
func tokensOn(today day, recovery *v1alpha1.CartRecovery) int64 {
	var tokens int64
	for i := range recovery.Status.Conversation {
		if m := &recovery.Status.Conversation[i]; m.Tokens > 0 && today.has(m.At.Time) {
			tokens = budget.Sum(tokens, m.Tokens)
		}
	}
	return tokens
}
