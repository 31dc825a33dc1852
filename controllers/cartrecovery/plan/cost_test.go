package plan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// costCases are the rows about what a customer may cost.
func costCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	asks, answerAt := gen.FromCustomer("m1", gen.T0.Add(hour)), hour+policy.DefaultReplyDebounce
	answer := lead.ReplyID(0, "m1")
	used := func(tokens, before int64) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) { l.Status.TokensUsed, l.Status.TokensUsedBefore = tokens, before }
	}
	answered := func(times int, apart time.Duration) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			for n := times; n > 0; n-- {
				l.Status.AnsweredAt = append(l.Status.AnsweredAt,
					v1alpha1.NewTimestamp(gen.T0.Add(hour-time.Duration(n)*apart)))
			}
		}
	}
	fallback := func(s *Snapshot) { s.Policy.FallbackText = "Posso ajudar?" }
	return []planCase{
		{name: "as many answers go in an hour as the policy allows", now: answerAt, lead: []gen.LeadMod{sent, asks,
			answered(19, time.Minute)}, want: Prepare, message: answer},
		{name: "not one answer more goes, although the conversation has dropped them", now: answerAt, text: ready(),
			lead: []gen.LeadMod{sent, asks, answered(20, time.Minute)},
			want: Wait, until: 2*hour - 20*time.Minute, blocked: v1alpha1.ReasonTooManyAnswers},
		{name: "a day has its own limit", now: answerAt, text: ready(), lead: []gen.LeadMod{sent, asks,
			answered(60, 20*time.Minute)},
			want: Wait, until: 25*hour - 60*20*time.Minute, blocked: v1alpha1.ReasonTooManyAnswers},
		{name: "a policy with more room for answers lets one more go", now: answerAt, lead: []gen.LeadMod{sent, asks,
			answered(20, time.Minute)},
			with: func(s *Snapshot) { s.Policy.MaxAnswersPerHour = 21 }, want: Prepare, message: answer},
		{name: "a lead below its budget is answered", now: answerAt, lead: []gen.LeadMod{sent, asks,
			used(ai.DefaultTokensPerLead-1, 0)}, want: Prepare, message: answer},
		{name: "a lead that has used its budget is a person's", now: answerAt, lead: []gen.LeadMod{sent, asks,
			used(ai.DefaultTokensPerLead, 0)}, want: HandOver, outcome: v1alpha1.ReasonLeadTokenBudget},
		{name: "tokens that are not written down yet count", now: answerAt, lead: []gen.LeadMod{sent, asks,
			used(ai.DefaultTokensPerLead-1, 0)},
			with: func(s *Snapshot) { s.UnbookedTokens = 1 }, want: HandOver, outcome: v1alpha1.ReasonLeadTokenBudget},
		{name: "the budget counts from where it began anew", now: answerAt, lead: []gen.LeadMod{sent, asks,
			used(2*ai.DefaultTokensPerLead-1, ai.DefaultTokensPerLead)}, want: Prepare, message: answer},
		{name: "a text that was paid for is sent", now: answerAt, text: ready(), lead: []gen.LeadMod{sent, asks,
			used(ai.DefaultTokensPerLead, 0)}, want: Send, message: answer},
		{name: "a text that failed is not asked for again", now: answerAt, text: Draft{State: DraftFailed,
			RetryAt: gen.T0}, lead: []gen.LeadMod{sent, asks, used(ai.DefaultTokensPerLead, 0)},
			want: HandOver, outcome: v1alpha1.ReasonLeadTokenBudget},
		{name: "the Store decides how much it is", now: answerAt, lead: []gen.LeadMod{sent, asks, used(500, 0)},
			with: func(s *Snapshot) { s.Store.Spec.AI.LeadTokenBudget = ptr.To[int64](500) }, want: HandOver,
			outcome: v1alpha1.ReasonLeadTokenBudget},
		{name: "the fallback goes in place of a step that has no tokens left", now: gen.FirstDue,
			lead: []gen.LeadMod{used(ai.DefaultTokensPerLead, 0)}, with: fallback, want: Send, message: gen.FirstID,
			says: "Posso ajudar?"},
		{name: "a step that has no tokens left waits without a fallback", now: gen.FirstDue,
			lead: []gen.LeadMod{used(ai.DefaultTokensPerLead, 0)},
			want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonLeadTokenBudget},
		{name: "a budget that began with more than was used is full", now: answerAt, lead: []gen.LeadMod{sent, asks,
			used(0, 5)}, with: func(s *Snapshot) { s.UnbookedTokens = ai.DefaultTokensPerLead - 1 }, want: Prepare,
			message: answer},
		{name: "a budget that began with more than was used is no fuller than full", now: answerAt,
			lead: []gen.LeadMod{sent, asks, used(0, 5)},
			with: func(s *Snapshot) { s.UnbookedTokens = ai.DefaultTokensPerLead }, want: HandOver,
			outcome: v1alpha1.ReasonLeadTokenBudget},
		{name: "the limits of answers hold no step", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{answered(20, time.Minute)}, want: Send, message: gen.FirstID},
	}
}

func TestABudgetBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		change Change
		want   int64
	}{
		"with the next cycle":           {Reopened(1, time.Hour, gen.T0), 700},
		"when a person gives it back":   {ResumedFor(v1alpha1.ReasonResumed, "x", 1, gen.T0), 700},
		"not when only time has passed": {ResumedFor(v1alpha1.ReasonResumedByTime, "", 1, gen.T0), 100},
	} {
		t.Run(name, func(t *testing.T) {
			status := &v1alpha1.CartRecoveryStatus{TokensUsed: 700, TokensUsedBefore: 100}
			c.change(status)
			if status.TokensUsedBefore != c.want {
				t.Errorf("began at %d, want %d", status.TokensUsedBefore, c.want)
			}
		})
	}
}

func TestHandOverForTheBudgetSaysSo(t *testing.T) {
	status := &v1alpha1.CartRecoveryStatus{}
	HandedOverFor(v1alpha1.ReasonLeadTokenBudget, 1, gen.T0)(status)
	want := map[string]string{v1alpha1.ConditionHandedOff: "True " + v1alpha1.ReasonLeadTokenBudget + ": " +
		lead.LeadTokenBudgetMessage}
	if diff := cmp.Diff(want, told(status)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

// TestACustomerWhoNeverStops plays more than a day with a customer who writes one to six messages
// before each answer, with conflicts, and holds answers, tokens and bytes against their limits.
func TestACustomerWhoNeverStops(t *testing.T) {
	for most := 1; most <= 6; most++ {
		t.Run(fmt.Sprintf("up to %d messages an answer", most), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(most), 1))
			c := planCase{lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))},
				text: ready()}
			s := c.snapshot()
			s.Now, s.Meanings = gen.T0.Add(time.Hour), NewMeanings()
			var answers []time.Time
			for written := 0; s.Now.Before(gen.T0.Add(27 * time.Hour)); s.Now = s.Now.Add(time.Duration(10+
				random.IntN(200)) * time.Second) {
				for range 1 + random.IntN(most) {
					written++
					longer := 1 + random.IntN(4) + 170*(random.IntN(10)/9)
					gen.Says(fmt.Sprintf("m%d", written), strings.Repeat("conta mais ", longer), s.Now)(s.Lead)
					s.Lead.Status.Conversation = lead.Bounded(s.Lead.Status.Conversation)
				}
				s.Now = s.Now.Add(policy.DefaultReplyDebounce)
				if got := Next(s); got.Kind == Send {
					answers = append(answers, s.Now)
					answerOnce(&s, got.Message, random.IntN(5) == 0)
				}
				// What is confirmed adds its time and the gateway's id.
				if bytes := conversationBytes(t, s.Lead); bytes > v1alpha1.MaxConversationBytes+256 {
					t.Fatalf("the conversation takes %d bytes", bytes)
				}
			}
			if len(answers) < policy.DefaultMaxAnswersPerDay {
				t.Fatalf("%d answers in more than a day, want the limit of a day", len(answers))
			}
			holdsWithin(t, answers, policy.DefaultMaxAnswersPerHour, time.Hour)
			holdsWithin(t, answers, policy.DefaultMaxAnswersPerDay, 24*time.Hour)
		})
	}
}

// answerOnce claims and confirms a message; in a conflict the confirmation is written once more on
// the lead as it has become.
func answerOnce(s *Snapshot, wanted Message, conflict bool) {
	Claim(wanted, 1, s.Now)(&s.Lead.Status)
	if conflict {
		gen.FromCustomer("between-"+wanted.ID, s.Now)(s.Lead)
		s.Lead.Status.Conversation = lead.Bounded(s.Lead.Status.Conversation)
	}
	Confirm(wanted.ID, Receipt{GatewayID: "g-" + wanted.ID}, s.Now.Add(time.Second))(&s.Lead.Status)
}

func conversationBytes(t *testing.T, recovery *v1alpha1.CartRecovery) int {
	t.Helper()
	written, err := json.Marshal(recovery.Status.Conversation)
	if err != nil {
		t.Fatal(err)
	}
	return len(written)
}

func holdsWithin(t *testing.T, answers []time.Time, limit int, window time.Duration) {
	t.Helper()
	for i := limit; i < len(answers); i++ {
		if apart := answers[i].Sub(answers[i-limit]); apart < window {
			t.Fatalf("%d answers within %s, want %d at most within %s", limit+1, apart, limit, window)
		}
	}
}

// TestARefusedAnswerIsNotCounted: an answer counts once, by its last claim.
func TestARefusedAnswerIsNotCounted(t *testing.T) {
	wanted := Message{ID: lead.ReplyID(0, "m1"), ReplyTo: "m1", Text: "Claro!", Instance: &v1alpha1.WhatsAppInstance{}}
	later := gen.T0.Add(time.Minute)
	claim, again := Claim(wanted, 1, gen.T0), Claim(wanted, 1, later)
	for name, row := range map[string]struct {
		changes []Change
		want    []v1alpha1.Timestamp
	}{
		"claimed": {[]Change{claim}, []v1alpha1.Timestamp{v1alpha1.NewTimestamp(gen.T0)}},
		"refused": {[]Change{claim, Refused(wanted.ID, refusedOnce())}, []v1alpha1.Timestamp{}},
		"claimed once more": {[]Change{claim, NotSent(wanted.ID, true, gen.T0), again},
			[]v1alpha1.Timestamp{v1alpha1.NewTimestamp(later)}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, statusAfter(row.changes...).AnsweredAt); diff != "" {
				t.Errorf("answers that count (-want +got):\n%s", diff)
			}
		})
	}
}
