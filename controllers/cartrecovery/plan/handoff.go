package plan

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

// leaveToPerson keeps the AI silent while a person of the store has the conversation.
func leaveToPerson(s *Snapshot) (Action, bool) {
	switch {
	case lead.HandedOff(s.Lead):
		return withPerson(s), true
	case apimeta.IsStatusConditionTrue(s.Lead.Status.Conditions, v1alpha1.ConditionHandedOff):
		return Action{Kind: Resume}, true
	default:
		return Action{}, false
	}
}

// withPerson waits for the person who has the conversation: until the lead expires, or until the policy gives the
// conversation back.
func withPerson(s *Snapshot) Action {
	until, why := expiry(s), "a person of the store has the conversation; the lead expires then"
	if back := goesBackAt(s); !back.IsZero() && back.Before(until) {
		if !s.Now.Before(back) {
			return Action{Kind: Resume, Outcome: v1alpha1.ReasonResumedByTime}
		}
		until, why = back, "a person of the store has the conversation; it goes back to the AI then"
	}
	return Action{Kind: Wait, Until: until, HandedOff: true, Why: why}
}

// goesBackAt is when the policy gives a conversation back that a person took over by writing; zero for never. A
// conversation in which the customer asked for a person is never given back by itself.
func goesBackAt(s *Snapshot) time.Time {
	condition := apimeta.FindStatusCondition(s.Lead.Status.Conditions, v1alpha1.ConditionHandedOff)
	after := s.Policy.HandOffResumeAfter
	if after == 0 || condition == nil || condition.Reason != v1alpha1.ReasonPersonWrote || askedForPerson(s) {
		return time.Time{}
	}
	return instant.Later(condition.LastTransitionTime.Time, lead.LastOperator(s.Lead)).Add(after)
}

// askedForPerson says whether the customer asked for a person in this cycle since the last
// request to give the conversation back, also where one has written since.
func askedForPerson(s *Snapshot) bool {
	given, _ := time.Parse(time.RFC3339, s.Lead.Status.HandledResumeRequest) // what is no time is before all
	for i := range s.Lead.Status.Conversation {
		m := &s.Lead.Status.Conversation[i]
		asks := m.Cycle == s.Lead.Status.Cycle && m.Role == v1alpha1.RoleCustomer && m.At.After(given)
		if asks && (s.means(m.Text).asksForHuman || wasTold(s.Lead, m)) {
			return true
		}
	}
	return false
}

// AnsweredByPerson says whether a person of the store wrote after the customer's last
// message, by the order in which the messages came in.
func AnsweredByPerson(recovery *v1alpha1.CartRecovery) bool {
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		m := &recovery.Status.Conversation[i]
		if m.Cycle == recovery.Status.Cycle && (m.Role == v1alpha1.RoleCustomer || lead.ByPerson(m)) {
			return lead.ByPerson(m)
		}
	}
	return false
}
