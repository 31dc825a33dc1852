package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// TestOthersOf: what the other leads of a phone have to do with one.
func TestOthersOf(t *testing.T) {
	sent := gen.T0.Add(gen.FirstDue)
	other := func(mods ...gen.LeadMod) v1alpha1.CartRecovery {
		made := gen.Lead(gen.T0, mods...)
		made.Name, made.UID = "other", "other"
		return *made
	}
	contacted := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, sent)
	wrote := gen.FromCustomer("m1", sent.Add(time.Minute))
	over := func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = WholeSecond(sent.Add(time.Hour)) }
	claimsPaid := func(l *v1alpha1.CartRecovery) {
		l.Status.Conditions = append(l.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonClaimsPaid,
		})
	}
	stranger := func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = "+5521912345678" }
	talks := OtherLeads{opened: sent, instance: gen.Instance, talkingUntil: sent.Add(time.Minute + ConversationLasts)}
	third := func(mods ...gen.LeadMod) v1alpha1.CartRecovery {
		made := other(mods...)
		made.Name, made.UID = "third", "third"
		return made
	}
	from := func(number string, at time.Time) gen.LeadMod {
		return gen.FromUs(gen.FirstID, v1alpha1.MessageSent, at, atNumber(number))
	}
	ofCycleBefore := func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }
	machine := gen.Says("m1", "Esta é uma mensagem automática.", sent.Add(time.Minute))
	contactedThen := OtherLeads{opened: sent, instance: gen.Instance}
	for _, c := range []struct {
		name    string
		self    []gen.LeadMod
		leads   []v1alpha1.CartRecovery
		claimed FirstContact
		want    OtherLeads
	}{
		{name: "none"},
		{name: "one that nobody wrote in", leads: []v1alpha1.CartRecovery{other()}},
		{name: "one that was written to", leads: []v1alpha1.CartRecovery{other(contacted)},
			want: OtherLeads{opened: sent, instance: gen.Instance}},
		{name: "one that is about to be", leads: []v1alpha1.CartRecovery{other()}, claimed: FirstContact{Lead: "other",
			At: sent},
			want: OtherLeads{opened: sent}},
		{name: "one that the customer writes in", leads: []v1alpha1.CartRecovery{other(contacted, wrote)}, want: talks},
		{name: "one that a person has", leads: []v1alpha1.CartRecovery{other(gen.FromPerson("p1", sent))},
			want: OtherLeads{handedOff: true}},
		{name: "one in which they say that they paid", leads: []v1alpha1.CartRecovery{other(claimsPaid)},
			want: OtherLeads{claimsPaid: true}},
		{name: "one that is over", leads: []v1alpha1.CartRecovery{other(contacted, wrote, claimsPaid, over)},
			want: OtherLeads{opened: sent, instance: gen.Instance}},
		{name: "another phone's", leads: []v1alpha1.CartRecovery{other(contacted, wrote, stranger)}},
		{name: "a first message for another phone is about to be", leads: []v1alpha1.CartRecovery{other()},
			claimed: FirstContact{Lead: "third", At: sent}},
		{name: "two, the later first", leads: []v1alpha1.CartRecovery{third(from("b", sent)),
			other(from("a", sent.Add(-time.Minute)))}, want: OtherLeads{opened: sent, instance: "b"}},
		{name: "two, the later last", leads: []v1alpha1.CartRecovery{other(from("a", sent.Add(-time.Minute))),
			third(from("b", sent))}, want: OtherLeads{opened: sent, instance: "b"}},
		{name: "two at once: the first of them", leads: []v1alpha1.CartRecovery{other(from("a", sent)),
			third(from("b", sent))}, want: OtherLeads{opened: sent, instance: "a"}},
		{name: "one of two is with a person, and says that they paid", leads: []v1alpha1.CartRecovery{
			other(gen.FromPerson("p1", sent), claimsPaid), third()},
			want: OtherLeads{handedOff: true, claimsPaid: true}},
		{name: "it was itself written to in the cycle before", self: []gen.LeadMod{contacted, ofCycleBefore},
			want: OtherLeads{opened: sent}},
		{name: "it was itself written to in this cycle", self: []gen.LeadMod{contacted}},
		{name: "one that a machine of the customer's writes in", leads: []v1alpha1.CartRecovery{other(contacted, wrote,
			on(gen.Automatic))}, want: contactedThen},
		{name: "one that a machine seems to write in", leads: []v1alpha1.CartRecovery{other(contacted, machine)},
			want: contactedThen},
		{name: "one that the customer wrote in before its cycle", leads: []v1alpha1.CartRecovery{other(contacted, wrote,
			ofCycleBefore)}, want: contactedThen},
		{name: "itself", leads: []v1alpha1.CartRecovery{*gen.Lead(gen.T0, contacted, wrote)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := OthersOf(gen.Lead(gen.T0, c.self...), c.leads, c.claimed)
			if differs := cmp.Diff(c.want, got, cmp.AllowUnexported(OtherLeads{})); differs != "" {
				t.Errorf("(-want +got):\n%s", differs)
			}
		})
	}
}

func TestSameMessage(t *testing.T) {
	text := TextID{UID: "a", MessageID: gen.FirstID, Basis: "1"}
	for _, c := range []struct {
		name  string
		other TextID
		want  bool
	}{
		{"on another basis", TextID{UID: "a", MessageID: gen.FirstID, Basis: "2"}, true},
		{"of another lead", TextID{UID: "b", MessageID: gen.FirstID, Basis: "1"}, false},
		{"another message", TextID{UID: "a", MessageID: "c1-step-first", Basis: "1"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, text.SameMessage(c.other)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersLate(t *testing.T) {
	s := (&planCase{}).snapshot()
	if got := AnswersLate(&s.Policy); got != s.Policy.ExpireAfter {
		t.Errorf("answers for %s, want %s", got, s.Policy.ExpireAfter)
	}
	s.Policy.LateReplies = v1alpha1.LateRepliesIgnore
	if got := AnswersLate(&s.Policy); got != 0 {
		t.Errorf("answers for %s, want never", got)
	}
}
