package lead_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// TestEndsOfPayments: an end that names no sale, or is of a payment that names none, counts from the
// instant at which the payment was made; one that cannot be read counts for nothing.
func TestEndsOfPayments(t *testing.T) {
	garbled := func(sale, annotation string) lead.Facts {
		return lead.FactsOf(gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.Spec.Payment = paying(0, sale).Payment
			l.Annotations = map[string]string{v1alpha1.AnnotationExpiredPayments: annotation}
		})).Join(lead.Facts{})
	}
	for name, row := range map[string]struct {
		facts lead.Facts
		want  int
	}{
		"neither names a sale, before it was made": {paying(40, "").Join(lead.Expired("", after(30))), -1},
		"neither names a sale, as it was made":     {paying(30, "").Join(lead.Expired("", after(30))), 30},
		"neither names a sale, after it was made":  {paying(30, "").Join(lead.Expired("", after(31))), 31},
		"the sale cannot be read":                  {garbled("", "2026-03-02T12:05:00.000000Z short"), -1},
		"the time cannot be read":                  {garbled("", "yesterday 0123456789abcdef"), -1},
	} {
		t.Run(name, func(t *testing.T) {
			got := -1
			if end := row.facts.Payment.ExpiresAt; end != nil {
				got = minute(end.Time)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("it ends in minute (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNothingIsMadeOfNothing: facts that name no payment, sale, number or address leave nothing of them.
func TestNothingIsMadeOfNothing(t *testing.T) {
	for name, row := range map[string]struct {
		facts lead.Facts
		spec  v1alpha1.LeadCustomer
	}{
		"a name":                {lead.Facts{Name: "Ana"}, v1alpha1.LeadCustomer{Name: "Ana"}},
		"a number of no digits": {lead.Facts{Phones: "-"}, v1alpha1.LeadCustomer{Phone: "-"}},
	} {
		t.Run(name, func(t *testing.T) {
			recovery, want := unknown(), unknown()
			lead.Add(recovery, row.facts)
			want.Spec.Customer = row.spec
			if diff := cmp.Diff(want, recovery); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := lead.SalesOf(unknown()); got != nil {
		t.Errorf("of no sales: %v", got)
	}
}

// TestLabelsOfSales: a lead has the labels of those sales that there is room for, and of no others.
func TestLabelsOfSales(t *testing.T) {
	sales := many(0, 17, "%016d")
	labels := func(sales []string) map[string]string {
		all := lead.Labels(gen.Store, gen.Lead(noon).Spec.Customer)
		for _, each := range sales {
			all[v1alpha1.LabelSalePrefix+each] = ""
		}
		return all
	}
	recovery := gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.Labels = labels(sales[1:]) })
	lead.Add(recovery, salesOf(sales[0]))
	if diff := cmp.Diff(labels(sales[:16]), recovery.Labels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPurchaseThatCounts is about a purchase on a lead and one on another lead of the customer.
func TestPurchaseThatCounts(t *testing.T) {
	sale := func(minutes int, id string, mods ...func(*v1alpha1.Purchase)) *v1alpha1.Purchase {
		purchase := &v1alpha1.Purchase{EventID: "e" + id, TransactionID: id, At: after(minutes)}
		for _, mod := range mods {
			mod(purchase)
		}
		return purchase
	}
	renewal := func(p *v1alpha1.Purchase) { p.Unattributed = true }
	nameless := func(p *v1alpha1.Purchase) { p.TransactionID = "" }
	for name, row := range map[string]struct {
		own, sibling, want *v1alpha1.Purchase
		// refunded is the sale that was taken back.
		refunded string
	}{
		"none":                          {},
		"its own":                       {own: sale(1, "a"), want: sale(1, "a")},
		"the other's":                   {sibling: sale(1, "a"), want: sale(1, "a")},
		"the earlier, its own":          {own: sale(1, "a"), sibling: sale(2, "b"), want: sale(1, "a")},
		"the earlier, the other's":      {own: sale(2, "a"), sibling: sale(1, "b"), want: sale(1, "b")},
		"the one that stands":           {own: sale(1, "a"), sibling: sale(2, "b"), refunded: "a", want: sale(2, "b")},
		"its own, the other taken back": {own: sale(2, "a"), sibling: sale(1, "b"), refunded: "b", want: sale(2, "a")},
		"a renewal does not": {
			own: sale(1, "a"), sibling: sale(2, "b", renewal), refunded: "a", want: sale(1, "a"),
		},
		"the earlier, of no sale": {own: sale(1, "a", nameless), sibling: sale(2, "b"), want: sale(1, "a", nameless)},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.Spec.Purchase = row.own })
			if row.refunded != "" {
				recovery.Spec.Reversal = &v1alpha1.Reversal{TransactionID: row.refunded, At: after(50)}
			}
			if diff := cmp.Diff(row.want, lead.PurchaseThatCounts(recovery, row.sibling)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestResultAtItsEdges: which step a purchase is credited to, and that only what we sent counts.
func TestResultAtItsEdges(t *testing.T) {
	first, second := said(time.Hour, ofStep("first")), said(time.Hour, ofStep("second"))
	others := said(time.Minute, ofStep("other"), func(m *v1alpha1.Message) { m.Role = v1alpha1.RolePerson })
	for name, row := range map[string]struct {
		conversation []v1alpha1.Message
		mods         []mod
		want         *worth
	}{
		"two steps of one instant": {talk(first, second), nil, &worth{"second", 2, "2h0m0s", "59m58s"}},
		"what others sent":         {talk(first, others), nil, &worth{"first", 1, "2h0m0s", "59m58s"}},
		"the next cycle was asked for": {
			talk(first), []mod{completed(90), previous(90)}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(leftAt, row.mods...)
			recovery.Status.Conversation = row.conversation
			got := worthOf(lead.Result(recovery, boughtAfter(2*time.Hour)))
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(worth{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatACharacterTakes: ten of each fit into exactly ten times its bytes.
func TestWhatACharacterTakes(t *testing.T) {
	for character, size := range map[string]int{
		"a": 1, "é": 2, "€": 3, "👍": 4, "\n": 2, "\t": 2, "\r": 2, `"`: 2, `\`: 2, "[": 1, "]": 1, "!": 1, "#": 1,
		"\x00": 6, "\x01": 6, "\x1f": 6, "\b": 6, "\f": 6, " ": 1, "\x7f": 1, "\xff": 6, "\uFFFD": 6,
		"<": 6, ">": 6, "&": 6, "=": 1, "%": 1, "'": 1, ";": 1, "?": 1,
		"\u2027": 3, "\u2028": 6, "\u2029": 6, "\u202a": 3,
	} {
		t.Run(strings.ToValidUTF8(character, "?"), func(t *testing.T) {
			text := strings.Repeat(character, 10)
			if got, shortened := lead.Clip(text, 100, 10*size); shortened {
				t.Errorf("ten of %q take more than %d bytes: %q is left", character, 10*size, got)
			}
			if got, shortened := lead.Clip(text, 100, 10*size-1); !shortened {
				t.Errorf("ten of %q take less than %d bytes: %q is left", character, 10*size, got)
			}
		})
	}
}
