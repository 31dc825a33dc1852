package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/pace"
)

// TestOwed: a message that could leave, or that an outage keeps, is owed from when it was first due; one that the
// policy, a person or the pace holds back is not.
func TestOwed(t *testing.T) {
	const late = gen.FirstDue + time.Hour
	away := []v1alpha1.WhatsAppInstance{numberWith(gen.Instance, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, 0)}
	refused := []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(late),
		attempts(1, gen.T0.Add(late+time.Minute)))}
	for _, row := range []struct {
		planCase
		turn *pace.Turn
		owed time.Duration
	}{
		{planCase: planCase{name: "no number is connected", now: late, instances: away}, owed: gen.FirstDue},
		{planCase: planCase{name: "it is due later", now: time.Minute}, owed: gen.FirstDue},
		{planCase: planCase{name: "it is being sent", now: late, text: ready()}, owed: gen.FirstDue},
		{planCase: planCase{name: "its text is written", now: late, text: Draft{State: DraftPending}},
			owed: gen.FirstDue},
		{planCase: planCase{name: "a refusal does not put it off", now: late + time.Second, lead: refused},
			owed: gen.FirstDue},
		{planCase: planCase{name: "a person wants nothing sent", now: late, suspended: true}},
		{planCase: planCase{name: "the customer was sent everything", now: late,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))}}},
		{planCase: planCase{name: "the pace of its number", now: late, text: ready()},
			turn: &pace.Turn{At: gen.T0.Add(late + time.Hour), Ahead: 3}},
		{planCase: planCase{name: "a gateway that takes nothing", now: late, text: ready()},
			turn: &pace.Turn{At: gen.T0.Add(late + time.Minute), Ahead: 3, Held: true}, owed: gen.FirstDue},
		{planCase: planCase{name: "the first behind a gateway that takes nothing", now: late, text: ready()},
			turn: &pace.Turn{At: gen.T0.Add(late + time.Minute), Held: true}, owed: gen.FirstDue},
		{planCase: planCase{name: "an hour of quiet", now: late, with: func(s *Snapshot) {
			s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "00:00", End: "23:59", Spread: &v1alpha1.Duration{}}
		}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := row.snapshot()
			planned := Next(s)
			if row.turn != nil {
				planned = Paced(&s, planned, *row.turn)
			}
			want := time.Time{}
			if row.owed != 0 {
				want = gen.T0.Add(row.owed)
			}
			if diff := cmp.Diff(want, planned.Owed()); diff != "" {
				t.Errorf("owed by %s, %q (-want +got):\n%s", planned.Rule, planned.Blocked, diff)
			}
		})
	}
}
