package ledger

import (
	"cmp"
	"slices"
	"strconv"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// Told is what entries say of a lead, in the words of its status.
type Told struct {
	// Cycle that the lead is in.
	Cycle int32
	// Messages that went, and one without a text for the customer, where they wrote. Texts are
	// not known.
	Messages []v1alpha1.Message
	// HandedOff is the entry of a hand-off that was not given back, nil for none.
	HandedOff *v1alpha1.LedgerEntry
	// Ended is the entry of the outcome of the cycle, nil while the lead is worked on.
	Ended *v1alpha1.LedgerEntry
}

// Tell reads the entries of one lead.
func Tell(entries []v1alpha1.LedgerEntry) Told {
	var told Told
	for i := range entries {
		told.Cycle = max(told.Cycle, entries[i].Cycle)
	}
	for i := range entries {
		entry := &entries[i]
		told.Messages = append(told.Messages, messagesOf(entry)...)
		if entry.Cycle != told.Cycle {
			continue
		}
		switch entry.Event {
		case v1alpha1.LedgerHandedOff:
			told.HandedOff = entry
		case v1alpha1.LedgerResumed:
			told.HandedOff = nil
		case v1alpha1.LedgerEnded:
			told.Ended = entry
		case v1alpha1.LedgerSent, v1alpha1.LedgerReplied, v1alpha1.LedgerClaimedPaid:
		}
	}
	slices.SortStableFunc(told.Messages, byTime)
	return told
}

func byTime(a, b v1alpha1.Message) int { return a.At.Compare(b.At.Time) }

// messagesOf are the messages of an entry. A customer who wrote counts as answered: what they
// said is not known any more.
func messagesOf(entry *v1alpha1.LedgerEntry) []v1alpha1.Message {
	at := entry.At
	switch entry.Event {
	case v1alpha1.LedgerSent:
		return []v1alpha1.Message{{
			ID: lead.StepID(entry.Cycle, entry.Step), Role: v1alpha1.RoleAssistant, Step: entry.Step,
			Cycle: entry.Cycle, State: v1alpha1.MessageSent, At: at, SentAt: &at, Instance: entry.Instance, Attempts: 1,
		}}
	case v1alpha1.LedgerReplied:
		said := heardID(entry.Cycle)
		return []v1alpha1.Message{
			{ID: said, Role: v1alpha1.RoleCustomer, Cycle: entry.Cycle, At: at},
			{
				ID: lead.ReplyID(entry.Cycle, said), Role: v1alpha1.RoleAssistant, Cycle: entry.Cycle,
				State: v1alpha1.MessageUnknown, At: at,
			},
		}
	case v1alpha1.LedgerClaimedPaid, v1alpha1.LedgerHandedOff, v1alpha1.LedgerResumed, v1alpha1.LedgerEnded:
	}
	return nil
}

// heardID is the id of the message that stands for what a customer wrote in a cycle.
func heardID(cycle int32) string { return "restored-c" + strconv.Itoa(int(cycle)) }

// ClaimsPaid says whether a customer's message stands for one that is not known any more, and its
// entries say that the customer said in that cycle that they have paid.
func ClaimsPaid(entries []v1alpha1.LedgerEntry, message *v1alpha1.Message) bool {
	if message.Text != "" || message.ID != heardID(message.Cycle) {
		return false
	}
	return slices.ContainsFunc(entries, func(e v1alpha1.LedgerEntry) bool {
		return e.Event == v1alpha1.LedgerClaimedPaid && e.Cycle == message.Cycle
	})
}

// Join adds the messages that entries tell of to a conversation that lacks them, in the order
// of their times, each once, and says whether there were any. A customer's message that is there stands
// for what they wrote.
func Join(conversation, told []v1alpha1.Message) (joined []v1alpha1.Message, changed bool) {
	joined = slices.Clone(conversation)
	for i := range told {
		m := &told[i]
		if lead.Find(joined, m.ID) != nil || m.Step == "" && heardIn(conversation, m.Cycle) {
			continue
		}
		joined, changed = append(joined, *m), true
	}
	if !changed {
		return conversation, false
	}
	slices.SortStableFunc(joined, func(a, b v1alpha1.Message) int {
		return cmp.Or(cmp.Compare(a.Cycle, b.Cycle), byTime(a, b))
	})
	return lead.Bounded(joined), true
}

// heardIn says whether a conversation has a message of the customer in a cycle.
func heardIn(conversation []v1alpha1.Message, cycle int32) bool {
	return slices.ContainsFunc(conversation, func(m v1alpha1.Message) bool {
		return m.Role == v1alpha1.RoleCustomer && m.Cycle == cycle
	})
}
