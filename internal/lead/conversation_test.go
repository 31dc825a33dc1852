package lead_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

type mod = func(*v1alpha1.CartRecovery)

// handedOff has a person have the conversation, or not, since so many seconds after noon.
func handedOff(status metav1.ConditionStatus, seconds int) mod {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conditions = append(l.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: status,
			LastTransitionTime: metav1.NewTime(noon.Add(time.Duration(seconds) * time.Second)),
		})
	}
}

func wroteAt(seconds float64, role v1alpha1.Role, mods ...func(*v1alpha1.Message)) mod {
	return uttered(role, noon.Add(time.Duration(seconds*float64(time.Second))), mods...)
}

func resume(request string) mod {
	return func(l *v1alpha1.CartRecovery) {
		l.Annotations = map[string]string{v1alpha1.AnnotationResumeRequested: request}
	}
}

func resumeAt(seconds int) mod {
	return resume(noon.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339))
}

func nextCycle(l *v1alpha1.CartRecovery) { l.Status.Cycle++ }

// TestWhoHasTheConversation: a person has it from the condition, or what they wrote since, to a request
// that came later; requests are whole seconds.
func TestWhoHasTheConversation(t *testing.T) {
	const yes, no, person = metav1.ConditionTrue, metav1.ConditionFalse, v1alpha1.RolePerson
	handled := func(l *v1alpha1.CartRecovery) { l.Status.HandledResumeRequest = lead.ResumeRequest(l) }
	for name, row := range map[string]struct {
		mods []mod
		want bool
	}{
		"nobody ever took it":                   {nil, false},
		"nobody has it":                         {[]mod{handedOff(no, 0)}, false},
		"a person has it":                       {[]mod{handedOff(yes, 0)}, true},
		"it was given back":                     {[]mod{handedOff(yes, 0), resumeAt(5)}, false},
		"it was given back at that second":      {[]mod{handedOff(yes, 5), resumeAt(5)}, false},
		"it was given back before":              {[]mod{handedOff(yes, 6), resumeAt(5)}, true},
		"that was acted on, and it taken again": {[]mod{handedOff(yes, 0), resumeAt(5), handled}, true},
		"the request says no time":              {[]mod{handedOff(yes, 0), resume("please")}, true},
		"they wrote after it was given back":    {[]mod{handedOff(yes, 0), wroteAt(9, person), resumeAt(5)}, true},
		"they wrote before it was taken":        {[]mod{handedOff(yes, 9), wroteAt(1, person), resumeAt(5)}, true},
		"they wrote within that second":         {[]mod{handedOff(yes, 0), wroteAt(5.9, person), resumeAt(5)}, false},
		"they wrote within the next second":     {[]mod{handedOff(yes, 0), wroteAt(5.9, person), resumeAt(4)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lead.HandedOff(gen.Lead(noon, row.mods...)); got != row.want {
				t.Errorf("a person has it: %t, want %t", got, row.want)
			}
		})
	}
}

func TestResumeRequest(t *testing.T) {
	for name, row := range map[string][2]string{
		"none":                      {"", ""},
		"as long as is kept":        {strings.Repeat("a", 64), strings.Repeat("a", 64)},
		"longer than that":          {strings.Repeat("a", 65), strings.Repeat("a", 64)},
		"cut within a character":    {"a" + strings.Repeat("ã", 64), "a" + strings.Repeat("ã", 31)},
		"something that is no text": {"a\xffb", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row[1], lead.ResumeRequest(gen.Lead(noon, resume(row[0])))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhoWroteLast has times in seconds after noon, -1 for never.
func TestWhoWroteLast(t *testing.T) {
	const customer, person, assistant = v1alpha1.RoleCustomer, v1alpha1.RolePerson, v1alpha1.RoleAssistant
	on := func(name string) func(*v1alpha1.Message) { return func(m *v1alpha1.Message) { m.Instance = name } }
	sent := func(m *v1alpha1.Message) { m.State = v1alpha1.MessageSent }
	claimed := func(m *v1alpha1.Message) { m.State = v1alpha1.MessageClaimed }
	type told struct {
		Person, Customer, Claimed, Contact, Activity int
		Heard                                        string
	}
	for name, row := range map[string]struct {
		mods []mod
		want told
	}{
		"nobody":   {nil, told{-1, -1, -1, -1, 0, ""}},
		"a person": {[]mod{wroteAt(1, person)}, told{1, -1, -1, -1, 1, ""}},
		"a person, then others": {
			[]mod{wroteAt(1, person), wroteAt(2, customer), wroteAt(3, customer)}, told{1, 3, -1, -1, 3, ""},
		},
		"a person twice": {[]mod{wroteAt(1, person), wroteAt(2, person)}, told{2, -1, -1, -1, 2, ""}},
		"the customer":   {[]mod{wroteAt(1, customer, on("a"))}, told{-1, 1, -1, -1, 1, "a"}},
		"the customer elsewhere": {
			[]mod{wroteAt(1, customer, on("a")), wroteAt(2, customer, on("b"))}, told{-1, 2, -1, -1, 2, "b"},
		},
		"we, from elsewhere": {
			[]mod{wroteAt(1, customer, on("a")), wroteAt(2, assistant, on("b"), sent)}, told{-1, 1, -1, 2, 2, "a"},
		},
		"we have claimed one": {
			[]mod{wroteAt(1, assistant, sent), wroteAt(2, assistant, claimed)}, told{-1, -1, 2, 1, 1, ""},
		},
		"all in the cycle before": {
			[]mod{wroteAt(1, customer, on("a")), wroteAt(2, person), wroteAt(3, assistant, sent), nextCycle},
			told{-1, -1, -1, -1, 0, ""},
		},
		"before the cart was left": {[]mod{wroteAt(-9, customer)}, told{-1, -9, -1, -1, 0, ""}},
		"in no order of time":      {[]mod{wroteAt(5, customer), wroteAt(2, customer)}, told{-1, 2, -1, -1, 5, ""}},
		"others, as if sent": {
			[]mod{wroteAt(1, customer, sent), wroteAt(2, v1alpha1.Role("System"), sent)}, told{-1, 1, -1, -1, 1, ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := gen.Lead(noon, row.mods...)
			got := told{
				Person: seconds(lead.LastOperator(l)), Customer: -1, Claimed: -1,
				Contact:  seconds(lead.FirstContact(l)),
				Activity: seconds(lead.LastActivity(l)), Heard: lead.HeardOn(l),
			}
			if m := lead.LastInbound(l); m != nil {
				got.Customer = seconds(m.At.Time)
			}
			if m := lead.Claimed(l); m != nil {
				got.Claimed = seconds(m.At.Time)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// seconds is a time as seconds after noon, -1 for none.
func seconds(at time.Time) int {
	if at.IsZero() {
		return -1
	}
	return int(at.Sub(noon).Seconds())
}

// TestWhatCountsFromTheAbandonment: a lead that was stored before the customer left counts from then.
func TestWhatCountsFromTheAbandonment(t *testing.T) {
	l := gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(noon.Add(-time.Hour)) })
	if diff := cmp.Diff(noon, lead.LastActivity(l)); diff != "" {
		t.Errorf("something last happened (-want +got):\n%s", diff)
	}
}

func TestWrittenTogether(t *testing.T) {
	says := func(text string, seconds int, mods ...func(*v1alpha1.Message)) v1alpha1.Message {
		at := noon.Add(time.Duration(seconds) * time.Second)
		m := v1alpha1.Message{Role: v1alpha1.RoleCustomer, Text: text, At: v1alpha1.NewTimestamp(at)}
		for _, mod := range mods {
			mod(&m)
		}
		return m
	}
	by := func(role v1alpha1.Role) func(*v1alpha1.Message) { return func(m *v1alpha1.Message) { m.Role = role } }
	next := func(m *v1alpha1.Message) { m.Cycle = 1 }
	three := talk(says("a", 0), says("b", 10), says("c", 20))
	for name, row := range map[string]struct {
		conversation []v1alpha1.Message
		last, most   int
		want         []string
	}{
		"all of them":                       {three, 2, 3, []string{"a", "b", "c"}},
		"all of them, though there is room": {three, 2, 9, []string{"a", "b", "c"}},
		"as many as are read":               {three, 2, 2, []string{"b", "c"}},
		"one is read":                       {three, 2, 1, nil},
		"one that is not the last":          {three, 1, 3, []string{"a", "b"}},
		"the first":                         {three, 0, 3, nil},
		"just soon enough":                  {talk(says("a", 0), says("b", 30)), 1, 3, []string{"a", "b"}},
		"not soon enough":                   {talk(says("a", 0), says("b", 31)), 1, 3, nil},
		"soon enough before the last": {
			talk(says("a", 0), says("b", 29), says("c", 30)), 2, 3, []string{"a", "b", "c"},
		},
		"somebody else between": {
			talk(says("a", 0), says("-", 1, by(v1alpha1.RoleAssistant)), says("b", 2), says("c", 3)), 3, 9,
			[]string{"b", "c"},
		},
		"of the cycle before": {
			talk(says("a", 0), says("b", 1, next), says("c", 2, next)), 2, 9, []string{"b", "c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, lead.WrittenTogether(row.conversation, row.last, row.most)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatGoesFirst fills a conversation and says which messages one more pushes out.
func TestWhatGoesFirst(t *testing.T) {
	const customer, assistant, paid = v1alpha1.RoleCustomer, v1alpha1.RoleAssistant, "já paguei"
	step := v1alpha1.Message{Role: assistant, Step: "s", State: v1alpha1.MessageSent}
	reply := v1alpha1.Message{Role: assistant, State: v1alpha1.MessageSent}
	claimed := v1alpha1.Message{Role: assistant, State: v1alpha1.MessageClaimed}
	plain := v1alpha1.Message{Role: customer, Text: "oi"}
	claims := v1alpha1.Message{Role: customer, Text: paid}
	stops, wrong := plain, plain
	stops.Text, wrong.Text = "não quero mais", "número errado"
	echo := v1alpha1.Message{Role: assistant, State: v1alpha1.MessageSent, Text: paid}
	for name, row := range map[string]struct {
		first []v1alpha1.Message
		then  v1alpha1.Message
		last  []v1alpha1.Message
		gone  string
	}{
		"what is plain":                           {talk(plain), step, nil, "0"},
		"steps, where there is nothing else":      {nil, step, talk(reply), "0"},
		"the last before the new one":             {nil, step, talk(reply, reply), "63"},
		"what the customer wrote before the last": {talk(step, plain), step, talk(plain, reply), "1"},
		"not what is claimed":                     {talk(claimed, reply), step, nil, "1"},
		"the oldest claim of having paid":         {talk(step), claims, nil, "1"},
		"what is plain, after three that are not": {talk(claims, claims, claims, plain), step, talk(plain), "3"},
		"no further is read than four that are not": {talk(claims, claims, claims, claims, plain), step,
			talk(plain), "0"},
		"what is plain, after who asks us to stop": {talk(stops, plain), step, talk(plain), "1"},
		"what is plain, after who is another":      {talk(wrong, plain), step, talk(plain), "1"},
		"the only one, though it claims":           {talk(step, claims), step, talk(plain), "1"},
		"what we wrote, whatever it says":          {talk(echo, plain), step, talk(plain), "0"},
	} {
		t.Run(name, func(t *testing.T) {
			all := slices.Clone(row.first)
			for len(all)+len(row.last) <= v1alpha1.MaxConversation {
				all = append(all, row.then)
			}
			all = append(all, row.last...)
			for i := range all {
				all[i].ID = fmt.Sprint(i)
			}
			kept := lead.Append(all[:len(all)-1], all[len(all)-1])
			var gone []string
			for i := range all {
				if lead.Find(kept, all[i].ID) == nil {
					gone = append(gone, all[i].ID)
				}
			}
			if diff := cmp.Diff([]string{row.gone}, gone); diff != "" {
				t.Errorf("pushed out (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandOffMessages(t *testing.T) {
	for reason, want := range map[string]string{
		v1alpha1.ReasonPaymentClaimed:  lead.PaymentClaimedMessage,
		v1alpha1.ReasonLateReply:       lead.LateReplyMessage,
		v1alpha1.ReasonLeadTokenBudget: lead.LeadTokenBudgetMessage,
		v1alpha1.ReasonCustomerAsked:   lead.CustomerAskedMessage,
	} {
		t.Run(reason, func(t *testing.T) {
			if diff := cmp.Diff(want, lead.HandOffMessage(reason)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
