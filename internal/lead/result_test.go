package lead_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

var leftAt = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// said makes a message that was claimed some time after the cart was left, and confirmed
// two seconds later.
func said(after time.Duration, mods ...func(*v1alpha1.Message)) v1alpha1.Message {
	sent := v1alpha1.NewTimestamp(leftAt.Add(after + 2*time.Second))
	m := v1alpha1.Message{
		ID: after.String(), Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent,
		At: v1alpha1.NewTimestamp(leftAt.Add(after)), SentAt: &sent,
	}
	for _, mod := range mods {
		mod(&m)
	}
	return m
}

func ofStep(name string) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.Step = name }
}

func inState(state v1alpha1.MessageState) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.State, m.SentAt = state, nil }
}

func by(role v1alpha1.Role) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.Role, m.State, m.SentAt = role, "", nil }
}

func sentIn(cycle int32) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.Cycle = cycle }
}

func boughtAfter(after time.Duration, mods ...func(*v1alpha1.Purchase)) *v1alpha1.Purchase {
	purchase := &v1alpha1.Purchase{
		EventID: "e", Amount: "197.90", Currency: "BRL", At: v1alpha1.NewTimestamp(leftAt.Add(after)),
	}
	for _, mod := range mods {
		mod(purchase)
	}
	return purchase
}

// worth is a result as a row of a table shows it.
type worth struct {
	step              string
	messages          int32
	recovery, message string
}

func worthOf(result *v1alpha1.RecoveryResult) *worth {
	if result == nil {
		return nil
	}
	w := &worth{step: result.Step, messages: result.Messages, recovery: result.TimeToRecovery.String()}
	if result.TimeFromMessage != nil {
		w.message = result.TimeFromMessage.String()
	}
	return w
}

func TestResult(t *testing.T) {
	unattributed := func(p *v1alpha1.Purchase) { p.Unattributed = true }
	first, second := said(15*time.Minute, ofStep("first")), said(24*time.Hour, ofStep("second"))
	for name, row := range map[string]struct {
		conversation []v1alpha1.Message
		purchase     *v1alpha1.Purchase
		lead         func(*v1alpha1.CartRecovery)
		want         *worth
	}{
		"no purchase":          {[]v1alpha1.Message{first}, nil, nil, nil},
		"a purchase of others": {[]v1alpha1.Message{first}, boughtAfter(time.Hour, unattributed), nil, nil},
		"no message":           {nil, boughtAfter(time.Hour), nil, nil},
		"bought before":        {[]v1alpha1.Message{first}, boughtAfter(10 * time.Minute), nil, nil},
		"one step": {[]v1alpha1.Message{first}, boughtAfter(time.Hour), nil,
			&worth{"first", 1, "1h0m0s", "44m58s"}},
		"two steps": {[]v1alpha1.Message{first, second}, boughtAfter(25 * time.Hour), nil,
			&worth{"second", 2, "25h0m0s", "59m58s"}},
		"the second came late": {[]v1alpha1.Message{first, second}, boughtAfter(2 * time.Hour), nil,
			&worth{"first", 1, "2h0m0s", "1h44m58s"}},
		"at the claim's instant": {[]v1alpha1.Message{first}, boughtAfter(15 * time.Minute), nil,
			&worth{"first", 1, "15m0s", "0s"}},
		"while it was sent": {[]v1alpha1.Message{first}, boughtAfter(15*time.Minute + time.Second), nil,
			&worth{"first", 1, "15m1s", "0s"}},
		"an answer wins nothing": {[]v1alpha1.Message{first, said(time.Hour, by(v1alpha1.RoleCustomer)),
			said(time.Hour + time.Second)},
			boughtAfter(2 * time.Hour), nil, &worth{"first", 2, "2h0m0s", "1h44m58s"}},
		"only an answer": {[]v1alpha1.Message{said(time.Minute, by(v1alpha1.RoleCustomer)), said(2 * time.Minute)},
			boughtAfter(time.Hour), nil, &worth{"", 1, "1h0m0s", ""}},
		"a person is not ours": {[]v1alpha1.Message{first, said(time.Hour, by(v1alpha1.RolePerson))},
			boughtAfter(2 * time.Hour), nil, &worth{"first", 1, "2h0m0s", "1h44m58s"}},
		"what nobody knows went": {[]v1alpha1.Message{first, said(24*time.Hour, ofStep("second"),
			inState(v1alpha1.MessageUnknown))},
			boughtAfter(25 * time.Hour), nil, &worth{"first", 1, "25h0m0s", "24h44m58s"}},
		"only what did not go": {[]v1alpha1.Message{said(time.Minute, ofStep("first"), inState(v1alpha1.MessageFailed)),
			said(2*time.Minute, inState(v1alpha1.MessageCancelled)),
			said(3*time.Minute, inState(v1alpha1.MessageClaimed))},
			boughtAfter(time.Hour), nil, nil},
		"an earlier cycle": {[]v1alpha1.Message{first}, boughtAfter(time.Hour),
			func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }, nil},
		"a later cycle": {[]v1alpha1.Message{first, said(time.Hour, ofStep("again"), sentIn(1))},
			boughtAfter(2 * time.Hour),
			func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }, &worth{"again", 1, "2h0m0s", "59m58s"}},
		"a step that was claimed anew": {[]v1alpha1.Message{said(3*time.Hour, ofStep("late")),
			said(time.Hour, ofStep("early"))},
			boughtAfter(4 * time.Hour), nil, &worth{"late", 2, "4h0m0s", "59m58s"}},
		"no time of sending": {[]v1alpha1.Message{said(time.Hour, ofStep("first"), func(m *v1alpha1.Message) {
			m.SentAt = nil
		})},
			boughtAfter(2 * time.Hour), nil, &worth{"first", 1, "2h0m0s", "1h0m0s"}},
		"no abandonment": {[]v1alpha1.Message{first}, boughtAfter(time.Hour), func(l *v1alpha1.CartRecovery) {
			l.Spec.AbandonedAt, l.CreationTimestamp = nil, metav1.NewTime(leftAt.Add(30*time.Minute))
		}, &worth{"first", 1, "30m0s", "44m58s"}},
		"an abandonment from the future": {[]v1alpha1.Message{first}, boughtAfter(time.Hour),
			func(l *v1alpha1.CartRecovery) {
				later := v1alpha1.NewTimestamp(leftAt.Add(48 * time.Hour))
				l.Spec.AbandonedAt = &later
			}, &worth{"first", 1, "0s", "44m58s"}},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(leftAt, func(l *v1alpha1.CartRecovery) { l.Status.Conversation = row.conversation })
			if row.lead != nil {
				row.lead(recovery)
			}
			before := recovery.DeepCopy()
			result := lead.Result(recovery, row.purchase)
			if got := worthOf(result); !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
			if lead.Recovered(recovery, row.purchase) != (result != nil) {
				t.Error("Recovered says otherwise")
			}
			if !reflect.DeepEqual(before, recovery) {
				t.Error("the lead was changed")
			}
		})
	}
}

func TestResultHasThePurchase(t *testing.T) {
	recovery := gen.Lead(leftAt, func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = []v1alpha1.Message{said(time.Minute, ofStep("first"))}
	})
	purchase := boughtAfter(time.Hour)
	result := lead.Result(recovery, purchase)
	if result.Amount != "197.90" || result.Currency != "BRL" || !result.BoughtAt.Equal(purchase.At.Time) {
		t.Errorf("got %+v", result)
	}
	purchase.At = v1alpha1.NewTimestamp(leftAt)
	if result.BoughtAt.Equal(leftAt) {
		t.Error("the result shares the purchase's time")
	}
	if bare := lead.Result(recovery, boughtAfter(time.Hour, func(p *v1alpha1.Purchase) {
		p.Amount, p.Currency = "", ""
	})); bare == nil || bare.Amount != "" {
		t.Errorf("without an amount: %+v", bare)
	}
}

// The schema takes a duration in ms, s, m and h: a µs would have the whole status refused.
func TestResultFitsTheSchema(t *testing.T) {
	schema := regexp.MustCompile(`^"([0-9]+(\.[0-9]+)?(ms|s|m|h))+"$`)
	recovery := gen.Lead(leftAt, func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = []v1alpha1.Message{said(0, ofStep("first"), func(m *v1alpha1.Message) {
			m.SentAt = nil
		})}
	})
	for _, after := range []time.Duration{0, time.Microsecond, 999 * time.Microsecond, 1500 * time.Microsecond,
		time.Second + time.Microsecond, 290 * 365 * 24 * time.Hour} {
		result := lead.Result(recovery, &v1alpha1.Purchase{At: v1alpha1.Timestamp{Time: leftAt.Add(after)}})
		for _, length := range []*v1alpha1.Duration{result.TimeToRecovery, result.TimeFromMessage} {
			text, err := json.Marshal(length)
			if err != nil || !schema.Match(text) || len(text) > 34 {
				t.Errorf("bought %s later: %s, %v", after, text, err)
			}
		}
	}
}

func TestWithReversal(t *testing.T) {
	at := v1alpha1.NewTimestamp(leftAt.Add(time.Hour))
	reversal := &v1alpha1.Reversal{Kind: v1alpha1.ReversalRefund, At: at}
	plain := &v1alpha1.RecoveryResult{Step: "first", Amount: "1.00"}
	reversed := lead.WithReversal(plain, reversal)
	if want := (&v1alpha1.RecoveryResult{Step: "first", Amount: "1.00", ReversedAt: &at}); !reflect.DeepEqual(reversed,
		want) {
		t.Errorf("got %+v, want %+v", reversed, want)
	}
	if plain.ReversedAt != nil {
		t.Error("the result that was given is changed")
	}
	if again := lead.WithReversal(reversed, nil); !reflect.DeepEqual(again, plain) {
		t.Errorf("without a reversal: %+v", again)
	}
	if got := lead.WithReversal(nil, reversal); got != nil {
		t.Errorf("of nothing: %+v", got)
	}
}
