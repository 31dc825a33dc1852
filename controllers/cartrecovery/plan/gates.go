package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// kinds of messages, as a set.
type kinds int

const (
	steps kinds = 1 << iota
	answers
	notices
)

// gate holds a wanted message back, or lets it pass. What it finds out about the message stays on the candidate.
type gate struct {
	name string
	// of says which messages have to pass it.
	of     kinds
	decide func(*Snapshot, *candidate) (Action, bool)
}

// gates stand in the order in which a message that a rule wants has to pass them. Pace, the last one, is not among
// them: the controller asks the Pacer once all others are passed; see Paced.
var gates = []gate{
	{"AnswerLimits", answers, limitAnswers},
	{"AutomaticReplies", answers, leaveMachine},
	{"QuietHours", steps | answers | notices, holdQuiet},
	{"DueTime", steps | answers | notices, holdUntilDue},
	{"RestoreHold", steps | answers, holdAfterRestore},
	{"OtherRecovery", steps | answers, heldByOthers},
	{"Cooldown", steps | answers, coolDown},
	{"Sender", steps | answers | notices, chooseSender},
	{"ProveUnsent", steps | answers, proveUnsent},
	{"Text", steps | answers | notices, findText},
	{"CheckNumber", steps, checkNumber},
	{"WrittenAhead", steps | answers, holdWrittenAhead},
}

// gatePace is the gate of a message that waits for its turn in its number's line.
const gatePace = "Pace"

// candidate is a wanted message on its way through the gates.
type candidate struct {
	Message
	// ahead is how long before its due time its text is written.
	ahead time.Duration
	// unheld is when it would be due without quiet hours.
	unheld time.Time
	// text is how far its text is.
	text Draft
}

// kind of a message.
func (m *Message) kind() kinds {
	switch {
	case !m.goneBy.IsZero():
		return notices
	case m.Step != nil:
		return steps
	default:
		return answers
	}
}

// nextForMessage does what a message needs next: its text, from so long ahead of its due time on, then, at its due
// time, to be sent.
func nextForMessage(s *Snapshot, wanted Message, ahead time.Duration) Action {
	c := &candidate{Message: wanted, ahead: ahead, unheld: wanted.Due}
	for i := range gates {
		if gates[i].of&c.kind() == 0 {
			continue
		}
		if held, ok := gates[i].decide(s, c); ok {
			held.Gate, held.due = gates[i].name, c.owed()
			return held
		}
	}
	planned := withText(s, c.Message, c.text)
	planned.due = c.owed()
	return planned
}

// owed is since when the customer should have the message. A refusal does not put it off, quiet hours do.
func (c *candidate) owed() time.Time {
	if c.Due.After(c.unheld) || c.first.IsZero() {
		return c.Due
	}
	return c.first
}

// holdQuiet moves a message that is due in the quiet hours behind them.
func holdQuiet(s *Snapshot, c *candidate) (Action, bool) {
	key := lead.PlanKey(s.Lead.Name, c.ID)
	c.Due = s.Policy.Held(c.Due, s.Now, key, c.Class == pace.Answer)
	if !c.Due.After(c.unheld) {
		return Action{}, false
	}
	return holdUntilDue(s, c)
}

// holdUntilDue waits until the text of a message is to be written.
func holdUntilDue(s *Snapshot, c *candidate) (Action, bool) {
	from := c.Due.Add(-c.ahead)
	if !s.Now.Before(from) {
		return Action{}, false
	}
	return waitFor(s, c, from), true
}

// holdWrittenAhead waits with a text that was written ahead until the message is due.
func holdWrittenAhead(s *Snapshot, c *candidate) (Action, bool) {
	if !s.Now.Before(c.Due) || c.text.State != DraftReady {
		return Action{}, false
	}
	return waitFor(s, c, c.Due), true
}

// waitFor waits for a message's time. A wait for the end of the quiet hours is shown as one from when the message
// would have left without them.
func waitFor(s *Snapshot, c *candidate, until time.Time) Action {
	due := c.Due.UTC().Format(time.RFC3339)
	planned := Action{
		Kind: Wait, Until: until, Message: c.Message, Why: "message " + c.ID + " is due at " + due,
		// What is there and still wanted was refused.
		refused: lead.Find(s.Lead.Status.Conversation, c.ID) != nil,
	}
	if s.Now.Before(c.unheld) {
		planned.Until = instant.Earlier(until, c.unheld)
		return planned
	}
	planned.Blocked, planned.Why = v1alpha1.ReasonQuietHours, "quiet hours; message "+c.ID+" is sent at "+due
	return planned
}

// holdAfterRestore is holdRestored as a gate.
func holdAfterRestore(s *Snapshot, _ *candidate) (Action, bool) { return holdRestored(s) }

// heldByOthers waits for another recovery of the customer in the same Store. One that a person has, or that the
// customer writes in (they may just have said that they paid), holds back every step. A conversation that has begun
// goes on.
func heldByOthers(s *Snapshot, c *candidate) (Action, bool) {
	switch sells := c.Step != nil; {
	case s.Others.handedOff && sells:
		return blocked(s, v1alpha1.ReasonWithPerson,
			"a person of the store has another conversation with the customer"), true
	case s.Others.claimsPaid && sells:
		return blocked(s, v1alpha1.ReasonInConversation, "the customer says of another recovery that they have paid"),
			true
	case s.Now.Before(s.Others.talkingUntil) && sells:
		return BlockedUntil(s.Others.talkingUntil, v1alpha1.ReasonInConversation,
			"the customer is in a conversation about another recovery"), true
	default:
		return Action{}, false
	}
}

// coolDown waits with a first message while another recovery wrote to the customer a short time ago.
func coolDown(s *Snapshot, _ *candidate) (Action, bool) {
	until := s.Others.opened.Add(s.Policy.Cooldown)
	if !s.Now.Before(until) || HasBegun(s.Lead) {
		return Action{}, false
	}
	return BlockedUntil(until, v1alpha1.ReasonCooldown,
		"the customer was written to by another recovery; the policy's cooldown ends at "+
			until.UTC().Format(time.RFC3339)), true
}

// chooseSender finds the number to send from.
func chooseSender(s *Snapshot, c *candidate) (Action, bool) {
	if c.kind() == notices {
		c.Instance = noticeSender(s)
		if c.Instance == nil || !connection.CanSend(c.Instance, false, s.Now) {
			return withoutSender(s, s.all()), true
		}
		return Action{}, false
	}
	sender, missing := senderFor(s, c.Due)
	if sender == nil {
		return missing, true
	}
	c.Instance = sender
	if MovesTo(s, sender) {
		c.Class = pace.First
	}
	return Action{}, false
}

// findText finds the text of a message, or how far it is. A fixed text that cannot be rendered blocks the lead.
func findText(s *Snapshot, c *candidate) (Action, bool) {
	text, err := textOf(s, c.Message)
	if err != nil {
		return blocked(s, v1alpha1.ReasonInvalidTemplate, connection.Message(err)), true
	}
	c.text = text
	return Action{}, false
}
