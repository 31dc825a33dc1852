package lead_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// many are so many texts in their order, from a number on.
func many(from, count int, format string) []string {
	texts := make([]string, 0, count)
	for n := range count {
		texts = append(texts, fmt.Sprintf(format, from+n))
	}
	return texts
}

func set(members ...string) string { return strings.Join(members, "\n") }

// TestWhatIsKeptOfMany: of more addresses, numbers, sales and events than there is room for exactly
// as many are kept as there is room for, whichever way they come.
func TestWhatIsKeptOfMany(t *testing.T) {
	const address, number, sale = "a%02d@example.com", "+55119000000%02d", "%016d"
	addresses, numbers, sales := many(0, 9, address), many(0, 9, number), many(0, 17, sale)
	with := func(mod func(*v1alpha1.CartRecovery)) lead.Facts { return lead.FactsOf(gen.Lead(noon, mod)) }
	reversedSales := func(count int) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			l.Annotations = map[string]string{v1alpha1.AnnotationReversals: strings.Join(many(0, count, sale), ",")}
		}
	}
	labelled := with(func(l *v1alpha1.CartRecovery) {
		for _, each := range sales {
			l.Labels[v1alpha1.LabelSalePrefix+each] = ""
		}
	})
	customer := with(func(l *v1alpha1.CartRecovery) {
		l.Spec.Customer = v1alpha1.LeadCustomer{
			Email: addresses[0], OtherEmails: addresses[1:], Phone: numbers[0], OtherPhones: numbers[1:],
		}
	})
	ownReversal := with(func(l *v1alpha1.CartRecovery) {
		reversedSales(16)(l)
		l.Spec.Reversal = &v1alpha1.Reversal{}
	})
	unreadable := with(func(l *v1alpha1.CartRecovery) {
		l.Spec.Purchase = bought(1, false, "e0").Purchase
		l.Annotations = map[string]string{
			v1alpha1.AnnotationPurchases: "2026-03-02T12:01:00.000000Z short,yesterday 0123456789abcdef",
		}
	})
	empty := with(func(l *v1alpha1.CartRecovery) { l.Spec.Customer.OtherEmails = []string{"", "a@example.com"} })
	for name, row := range map[string][2]string{
		"events that cannot be read":     {unreadable.Purchases, bought(1, false, "e0").Purchases},
		"an address that is none":        {empty.Emails, set("a@example.com", gen.Email)},
		"addresses of a lead":            {customer.Emails, set(addresses[:8]...)},
		"numbers of a lead":              {customer.Phones, set(numbers[:8]...)},
		"sales of a lead":                {labelled.Sales, set(sales[:16]...)},
		"reversals of a lead":            {with(reversedSales(17)).Reversals, set(sales[:16]...)},
		"reversals beside the lead's":    {ownReversal.Reversals, set(append([]string{"-"}, sales[:15]...)...)},
		"addresses that come together":   {joined(addresses, 5, emails).Emails, set(addresses[:8]...)},
		"numbers that come together":     {joined(numbers, 5, phones).Phones, set(numbers[:8]...)},
		"sales that come together":       {joined(sales, 9, salesOf).Sales, set(sales[:16]...)},
		"reversals that come together":   {joined(sales, 9, reversalsOf).Reversals, set(sales[:16]...)},
		"events, of which the last stay": {eventsOf(17), set(eventTexts(17)[1:]...)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row[1], row[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func emails(texts ...string) lead.Facts      { return lead.Facts{Emails: set(texts...)} }
func phones(texts ...string) lead.Facts      { return lead.Facts{Phones: set(texts...)} }
func salesOf(texts ...string) lead.Facts     { return lead.Facts{Sales: set(texts...)} }
func reversalsOf(texts ...string) lead.Facts { return lead.Facts{Reversals: set(texts...)} }

// joined joins the facts of the first texts and those of the others.
func joined(texts []string, first int, facts func(...string) lead.Facts) lead.Facts {
	return facts(texts[:first]...).Join(facts(texts[first:]...))
}

// eventTexts are so many events, one a minute.
func eventTexts(count int) []string {
	texts := make([]string, 0, count)
	for n := range count {
		texts = append(texts, lead.Bought(bought(n, true, fmt.Sprint("e", n)).Purchase).Purchases)
	}
	return texts
}

// eventsOf joins so many events one after the other.
func eventsOf(count int) string {
	var facts lead.Facts
	for n := range count {
		facts = facts.Join(bought(n, true, fmt.Sprint("e", n)))
	}
	return facts.Purchases
}

// TestPurchasesThatAreKept: eight more sales than the one that counts may count when that is taken back.
func TestPurchasesThatAreKept(t *testing.T) {
	recovery := gen.Lead(noon)
	for n := range 12 {
		lead.Add(recovery, bought(n, false, fmt.Sprintf("e%02d", n)))
	}
	var got []string
	for _, each := range recovery.Spec.OtherPurchases {
		got = append(got, each.EventID)
	}
	if diff := cmp.Diff(many(1, 8, "e%02d"), got); diff != "" {
		t.Errorf("spec.otherPurchases (-want +got):\n%s", diff)
	}
}

// TestSalesOfALeadThatHasNoMoreRoom: the sale of a purchase is told beside those that fill the room.
func TestSalesOfALeadThatHasNoMoreRoom(t *testing.T) {
	sales := many(0, 16, "%016d")
	recovery := gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
		for _, each := range sales {
			l.Labels[v1alpha1.LabelSalePrefix+each] = ""
		}
		l.Spec.Purchase = &v1alpha1.Purchase{TransactionID: "HP1"}
	})
	if diff := cmp.Diff(append(sales, lead.SaleHash("HP1")), lead.SalesOf(recovery)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswerTimes(t *testing.T) {
	day := 24 * time.Hour
	full := make([]time.Duration, 0, 241)
	for n := range 241 {
		full = append(full, time.Hour-time.Duration(n)*time.Second)
	}
	listed := func(ago ...time.Duration) v1alpha1.CartRecoveryStatus {
		return v1alpha1.CartRecoveryStatus{AnsweredAt: timesAt(ago...)}
	}
	conversation := []v1alpha1.Message{{Role: v1alpha1.RoleAssistant, At: timesAt(time.Minute)[0]}}
	for name, row := range map[string]struct {
		status v1alpha1.CartRecoveryStatus
		want   []v1alpha1.Timestamp
	}{
		"none": {},
		"a list, which tells all": {
			v1alpha1.CartRecoveryStatus{AnsweredAt: timesAt(time.Hour), Conversation: conversation}, timesAt(time.Hour),
		},
		"no list":                 {v1alpha1.CartRecoveryStatus{Conversation: conversation}, timesAt(time.Minute)},
		"as old as a day":         {listed(day, time.Hour), timesAt(time.Hour)},
		"almost as old as a day":  {listed(day - time.Second), timesAt(day - time.Second)},
		"in no order":             {listed(time.Hour, 2*time.Hour), timesAt(2*time.Hour, time.Hour)},
		"more than are kept":      {listed(full...), timesAt(full[1:]...)},
		"exactly as many as kept": {listed(full[1:]...), timesAt(full[1:]...)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, lead.AnswerTimes(&row.status, noon)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
