package lead_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// ours is a message of the store in a state, some minutes after noon.
func ours(cycle int32, minutes int, state v1alpha1.MessageState, mods ...func(*v1alpha1.Message)) v1alpha1.Message {
	m := v1alpha1.Message{Role: v1alpha1.RoleAssistant, Cycle: cycle, State: state, At: after(minutes)}
	for _, mod := range mods {
		mod(&m)
	}
	return m
}

func onNumber(name string) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.Instance = name }
}

func theirs(m *v1alpha1.Message) { m.Role, m.State = v1alpha1.RoleCustomer, "" }

func talk(messages ...v1alpha1.Message) []v1alpha1.Message { return messages }

// minute is a time as minutes after noon, -1 for none.
func minute(at time.Time) int {
	if at.IsZero() {
		return -1
	}
	return int(at.Sub(noon).Minutes())
}

func TestMayHaveGone(t *testing.T) {
	for name, row := range map[string]struct {
		message v1alpha1.Message
		want    bool
	}{
		"sent":           {ours(0, 1, v1alpha1.MessageSent), true},
		"nobody knows":   {ours(0, 1, v1alpha1.MessageUnknown), true},
		"claimed":        {ours(0, 1, v1alpha1.MessageClaimed), true},
		"failed":         {ours(0, 1, v1alpha1.MessageFailed), false},
		"cancelled":      {ours(0, 1, v1alpha1.MessageCancelled), false},
		"the customer's": {ours(0, 1, "", theirs), false},
		"the customer's, in a state": {v1alpha1.Message{Role: v1alpha1.RoleCustomer, State: v1alpha1.MessageSent},
			false},
		"a person's, in a state": {v1alpha1.Message{Role: v1alpha1.RolePerson, State: v1alpha1.MessageSent},
			false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lead.MayHaveGone(&row.message); got != row.want {
				t.Errorf("may have gone: %t, want %t", got, row.want)
			}
		})
	}
}

// TestOurMessages: when and from which number a customer was written to.
func TestOurMessages(t *testing.T) {
	const sent, failed = v1alpha1.MessageSent, v1alpha1.MessageFailed
	type told struct {
		// Before1 and Before2 are when a conversation was last opened before those cycles, Contact
		// when the customer was last written to: in minutes, -1 for never.
		Before1, Before2, Contact int
		Number                    string
	}
	for name, row := range map[string]struct {
		conversation []v1alpha1.Message
		ref          string
		want         told
	}{
		"nobody was":         {nil, "main", told{-1, -1, -1, ""}},
		"once":               {talk(ours(0, 1, sent, onNumber("a"))), "main", told{1, 1, 1, "a"}},
		"twice in one cycle": {talk(ours(0, 1, sent), ours(0, 2, sent, onNumber("a"))), "main", told{1, 1, 2, "a"}},
		"in two cycles": {talk(ours(0, 1, sent), ours(1, 9, sent), ours(1, 10, sent)), "main",
			told{1, 9, 10, "main"}},
		"in the second cycle":  {talk(ours(1, 9, sent)), "main", told{-1, 9, 9, "main"}},
		"the first did not go": {talk(ours(0, 1, failed), ours(0, 2, sent)), "", told{2, 2, 2, ""}},
		"the last did not go": {
			talk(ours(0, 1, sent, onNumber("a")), ours(0, 2, failed, onNumber("b"))), "", told{1, 1, 1, "a"},
		},
		"none went": {talk(ours(0, 1, failed, onNumber("a"))), "main", told{-1, -1, -1, ""}},
		"the customer wrote as well": {
			talk(ours(0, 1, "", theirs), ours(0, 2, sent), ours(0, 3, "", theirs, onNumber("b"))), "main",
			told{2, 2, 2, "main"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation = row.conversation
				if row.ref != "" {
					l.Status.InstanceRef = &v1alpha1.ObjectReference{Name: row.ref}
				}
			})
			got := told{
				Before1: minute(lead.LastFirstContact(l, 1)), Before2: minute(lead.LastFirstContact(l, 2)),
				Contact: minute(lead.LastContact(l)), Number: lead.NumberOf(l),
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStoredForms: what is stored in leads, labels and gateways is found again by the versions to
// come, so it keeps its form.
func TestStoredForms(t *testing.T) {
	for name, row := range map[string][2]string{
		"the id of a step":          {lead.StepID(2, "first"), "c2-step-first"},
		"the id of a reply":         {lead.ReplyID(2, "3EB0"), "c2-reply-c9e5f9a8044eb40f"},
		"the id of a hand-off":      {lead.HandOffID(2, "3EB0"), "c2-handoff-c9e5f9a8044eb40f"},
		"the id of thanks":          {lead.PaidID(2, "3EB0"), "c2-paid-c9e5f9a8044eb40f"},
		"the id of an apology":      {lead.WrongNumberID(2), "c2-wrongnumber"},
		"the id of an opt-out":      {lead.OptOutID(2), "c2-optout"},
		"a track id":                {lead.TrackID("hotmart-a", "c2-step-first"), "hotmart-a.c2-step-first"},
		"a former track id":         {lead.FormerTrackID("uid", "c2-step-first"), "uid.c2-step-first"},
		"a place after the night":   {lead.PlanKey("hotmart-a", "c2-step-first"), "hotmart-a.c2-step-first"},
		"the hash of a phone":       {lead.PhoneHash(gen.Phone), "3197d7a8572be369c473afb24b31c71e"},
		"the hash of an address":    {lead.EmailHash("Maria@Example.com"), "d9ab5bdafccfdb52d50e852ffb8c75df"},
		"the hash of a sale":        {lead.SaleHash("HP1"), "ae6603c8d54e605a"},
		"the key of a sale":         {lead.SaleKey("HP1"), "sale.cartrecovery.dev/ae6603c8d54e605a"},
		"the name of a suppression": {lead.SuppressionName("loja", "3197"), "optout-dfddfcd7d6da3c503072bbe61a27665f"},
		"the name of a lead": {lead.Name(lead.Identity{
			ClientID: "u1", Platform: v1alpha1.PlatformHotmart, ProductID: "1001", Email: "maria@example.com",
		}), "hotmart-hyq3mwzszci6iavqleepixjw"},
		"the name of a lead without an address": {lead.Name(lead.Identity{
			ClientID: "u1", Platform: v1alpha1.PlatformHotmart, ProductID: "1001", Phone: gen.Phone,
		}), "hotmart-zymlnqthlsicbtw7ltpa6hx2"},
		"no event": {lead.Bought(&v1alpha1.Purchase{At: after(1)}).Purchases, ""},
		"no sale":  {lead.SaleHash(""), ""},
		"an event": {lead.Bought(&v1alpha1.Purchase{EventID: "e1", At: after(1)}).Purchases,
			"2026-03-02T12:01:00.000000Z 83a3912078c5ac2b"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row[1], row[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
