package webhookserver

import (
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// withOther gives a lead's customer another number.
func withOther(l *v1alpha1.CartRecovery) {
	l.Spec.Customer.OtherPhones = append(l.Spec.Customer.OtherPhones, "+5521911112222")
}

func copies(leads []*v1alpha1.CartRecovery) []v1alpha1.CartRecovery {
	made := make([]v1alpha1.CartRecovery, 0, len(leads))
	for _, each := range leads {
		made = append(made, *each)
	}
	return made
}

// TestWhoseMessage has what ties a message to a customer beside the number that is written to.
func TestWhoseMessage(t *testing.T) {
	const lid, other = "182736455463728@lid", "+5521911112222"
	sent := contacted(noon, v1alpha1.MessageSent)
	whatsAppID := func(id string) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) { l.Status.WhatsAppID = id }
	}
	hidden := formats.Message{ID: "m-1", ChatIDs: []string{lid}}
	quoting := formats.Message{ID: "m-1", Phone: "5531933334444", Quotes: "g-1"}
	for _, row := range []struct {
		name    string
		message formats.Message
		leads   []*v1alpha1.CartRecovery
		want    string
	}{
		{"Mexico", formats.Message{ID: "m-1", Phone: "5215512345678"},
			leads(gen.Lead(noon, named("a"), withPhone("+525512345678"), sent)), "a"},
		{"Argentina", formats.Message{ID: "m-1", Phone: "5491123456789"},
			leads(gen.Lead(noon, named("a"), withPhone("+541123456789"), sent)), "a"},
		{"Ivory Coast", formats.Message{ID: "m-1", Phone: "22507123456"},
			leads(gen.Lead(noon, named("a"), withPhone("+2250707123456"), sent)), "a"},
		{"Ivory Coast, another operator's", formats.Message{ID: "m-1", Phone: "22507123456"},
			leads(gen.Lead(noon, named("a"), withPhone("+2250507123456"), sent)), ignoredNoOpenLead},
		{
			"a number in a form that nobody knows, which the gateway found",
			formats.Message{ID: "m-1", Phone: "9991234", ChatIDs: []string{"9991234@s.whatsapp.net"}},
			leads(gen.Lead(noon, named("a"), withPhone("+99912345"), sent, whatsAppID("9991234"))), "a",
		},
		{"a hidden id that was seen", hidden, leads(gen.Lead(noon, named("a"), sent, inChats("1@lid", lid))), "a"},
		{"a hidden id that was not", hidden, leads(gen.Lead(noon, named("a"), sent, inChats("1@lid"))),
			formats.ReasonNoPhone},
		{"a hidden id of a lead that ended", hidden, leads(gen.Lead(noon, named("a"), sent, inChats(lid), isFinished)),
			"a"},
		{"a hidden id that quotes us", formats.Message{ID: "m-1", ChatIDs: []string{lid}, Quotes: "g-1"},
			leads(gen.Lead(noon, named("a"), sent, atTheGateway("g-1", "oi"))), "a"},
		{"a hidden id that quotes the customer", formats.Message{ID: "m-1", ChatIDs: []string{lid}, Quotes: "m-0"},
			leads(gen.Lead(noon, named("a"), sent, heard("m-0"))), formats.ReasonNoPhone},
		{"another number that quotes an id of our own", formats.Message{ID: "m-1", Phone: "5531933334444",
			Quotes: "c0-step-first"}, leads(gen.Lead(noon, named("a"), sent)), ignoredNoOpenLead},
		{"another number that quotes us", quoting, leads(gen.Lead(noon, named("a"), sent, atTheGateway("g-1", "oi"))),
			"a"},
		{"a quote decides between two conversations", formats.Message{ID: "m-1", Phone: "5511987654321",
			Quotes: "g-1"}, leads(
			gen.Lead(noon, named("a"), sent, atTheGateway("g-1", "oi")),
			gen.Lead(noon, named("b"), contacted(noon.Add(time.Hour), v1alpha1.MessageSent))), "a"},
		{"a quote of what ended does not, where one is open", formats.Message{ID: "m-1", Phone: "5511987654321",
			Quotes: "g-1"}, leads(
			gen.Lead(noon, named("a"), sent, atTheGateway("g-1", "oi"), isFinished), gen.Lead(noon, named("b"), sent)),
			"b"},
		{"one of the customer's other numbers", formats.Message{ID: "m-1", Phone: "5521911112222"},
			leads(gen.Lead(noon, named("a"), sent, withOther)), "a"},
		{"the number that is written to goes before", formats.Message{ID: "m-1", Phone: "5521911112222"}, leads(
			gen.Lead(noon, named("a"), contacted(noon.Add(time.Hour), v1alpha1.MessageSent), withOther),
			gen.Lead(noon, named("b"), withPhone(other), sent)), "b"},
		{"another number of two people", formats.Message{ID: "m-1", Phone: "5521911112222"}, leads(
			gen.Lead(noon, named("a"), sent, withOther),
			gen.Lead(noon, named("b"), withPhone("+5531933334444"), withEmail("ana@example.com"), sent,
				func(l *v1alpha1.CartRecovery) {
					l.Spec.Customer.OtherPhones = []string{"+552111112222"}
				})), "a"},
		{"a chat and a new lead of its number", formats.Message{ID: "m-1", Phone: "5511987654321",
			ChatIDs: []string{lid}}, leads(
			gen.Lead(noon, named("a"), sent, inChats(lid)),
			gen.Lead(noon, named("b"), contacted(noon.Add(time.Hour), v1alpha1.MessageSent))), "b"},
		{"a chat tells two phones of one key apart", formats.Message{ID: "m-1", Phone: "551132345678",
			ChatIDs: []string{"551132345678@s.whatsapp.net"}}, leads(
			gen.Lead(noon, named("a"), withPhone("+551132345678"), sent, inChats("551132345678@s.whatsapp.net")),
			gen.Lead(noon, named("b"), withPhone("+5511932345678"), contacted(noon.Add(time.Hour),
				v1alpha1.MessageSent))), "a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			chosen, settled := matchLead(copies(row.leads), gen.Instance, &row.message)
			got := settled.Reason
			if chosen != nil {
				got = chosen.Name
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestOldMessages: a gateway that connects again tells of what was written long ago.
func TestOldMessages(t *testing.T) {
	full := func(l *v1alpha1.CartRecovery) {
		for i := range v1alpha1.MaxConversation {
			heard("h-" + strconv.Itoa(i))(l)
		}
	}
	again := func(l *v1alpha1.CartRecovery) {
		l.Status.Cycle = 1
		l.Annotations = map[string]string{v1alpha1.AnnotationPreviousCompleted: noon.Add(-time.Hour).Format(
			time.RFC3339)}
	}
	unknown := func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt, l.CreationTimestamp = nil, metav1.Time{Time: noon} }
	for _, row := range []struct {
		name string
		lead *v1alpha1.CartRecovery
		at   time.Time
		old  bool
	}{
		{"no time", gen.Lead(noon), time.Time{}, false},
		{"since", gen.Lead(noon), noon.Add(time.Second), false},
		{"as the customer left", gen.Lead(noon), noon.Add(-10 * time.Minute), false},
		{"three days before", gen.Lead(noon), noon.Add(-72 * time.Hour), true},
		{"an hour before", gen.Lead(noon), noon.Add(-time.Hour), true},
		{"before a lead without a cart was made", gen.Lead(noon, unknown), noon.Add(-time.Hour), true},
		{"after it", gen.Lead(noon, unknown), noon, false},
		{"of the cycle before", gen.Lead(noon, again), noon.Add(-2 * time.Hour), true},
		{"before what the conversation still has", gen.Lead(noon.Add(-24*time.Hour), full), noon.Add(-time.Hour), true},
		{"while it is not full", gen.Lead(noon.Add(-24*time.Hour), heard("h")), noon.Add(-time.Hour), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := formats.Message{ID: "m-1", Phone: "5511987654321", Text: "oi", At: row.at}
			if isOld(row.lead, &message) != row.old {
				t.Fatalf("old is %v", !row.old)
			}
			chosen, settled := matchLead(copies(leads(row.lead)), gen.Instance, &message)
			if (chosen == nil) != row.old || row.old && settled.Reason != ignoredOldMessage {
				t.Errorf("the reason is %q", settled.Reason)
			}
			own := formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Phone: "5511987654321", Text: "oi",
				At: row.at}
			if taken, settled := planHandOver(copies(leads(row.lead)), &own, noon); (len(taken) == 0) != row.old {
				t.Errorf("a person's message: the reason is %q", settled.Reason)
			}
		})
	}
	// An older lead that has ended is what an old message belongs to.
	both := copies(leads(gen.Lead(noon, named("new")), gen.Lead(noon.Add(-100*time.Hour), named("of-then"),
		finishedAt(-60))))
	chosen, _ := matchLead(both, gen.Instance, &formats.Message{ID: "m-1", Phone: "5511987654321",
		At: noon.Add(-72 * time.Hour)})
	if chosen == nil || chosen.Name != "of-then" {
		t.Errorf("an old message is not of the lead that ended: chosen is nil: %t", chosen == nil)
	}
}

func TestLearnChats(t *testing.T) {
	recovery := gen.Lead(noon)
	if !learnChats(recovery, []string{"1@lid", "", string(make([]byte, 65)), "1@lid"}) ||
		len(recovery.Status.ChatIDs) != 1 {
		t.Fatalf("learned %v", recovery.Status.ChatIDs)
	}
	if learnChats(recovery, []string{"1@lid"}) {
		t.Error("it was learned twice")
	}
	for i := range 20 {
		learnChats(recovery, []string{strconv.Itoa(i+2) + "@lid"})
	}
	if ids := recovery.Status.ChatIDs; len(ids) != maxChatIDs || ids[maxChatIDs-1] != "21@lid" {
		t.Errorf("kept %v", ids)
	}
}
