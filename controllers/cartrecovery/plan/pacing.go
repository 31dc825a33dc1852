package plan

import (
	"fmt"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/pace"
)

// pacedAfter is how late a message must be for its wait to be shown.
const pacedAfter = time.Minute

// Paced turns an action into a wait until it is the turn of its message in its number's queue. A text is written
// only a little ahead of that turn.
func Paced(s *Snapshot, planned Action, turn pace.Turn) Action {
	until := turn.At
	if planned.Kind != Send {
		ahead := turn.Expected.Add(-PrepareAhead)
		// While the gateway takes nothing, only the text of the next message is paid for.
		soon := !ahead.After(s.Now) && (!turn.Held || turn.Ahead == 0)
		if soon {
			return planned
		}
		if !turn.Held {
			until = instant.Earlier(until, ahead)
		}
	}
	if turn.Now {
		return planned
	}
	waits := Action{Rule: planned.Rule, Gate: gatePace, Kind: Wait, Until: until, Message: planned.Message,
		Why: fmt.Sprintf("the pace of its number; %d messages are before this one", turn.Ahead)}
	if turn.Held {
		// The gateway takes nothing, which is not the pace: the message is owed all the same.
		waits.due = planned.due
	}
	if goneBy := planned.Message.goneBy; !goneBy.IsZero() {
		waits.Until = instant.Earlier(waits.Until, goneBy)
	}
	overdue := s.Now.Sub(planned.Message.Due)
	switch {
	case overdue >= 0 && turn.Held && turn.Ahead == 0:
		waits.Blocked, waits.Why = v1alpha1.ReasonGatewayUnavailable,
			"the gateway did not take the last message from the number; it is tried again"
	case overdue >= pacedAfter:
		waits.Blocked, waits.Why = v1alpha1.ReasonPaced,
			"the pace of its number; see spec.limits and status.pace of the WhatsAppInstance"
	case overdue >= 0:
		waits.Until = instant.Earlier(waits.Until, planned.Message.Due.Add(pacedAfter))
	}
	return withinLife(s, waits)
}
