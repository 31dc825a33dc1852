package webhookserver

import (
	"context"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// A report of a sent message waits while the message is young: the process that makes the call has the answer sooner
// almost always, and writes it. Where it was killed in between, the message is confirmed here once nobody can wait for
// the answer any more.

// maxSentLater bounds how many deliveries wait; for one more the gateway is asked to tell again.
const maxSentLater = 5000

// sentLater are the deliveries that wait, the first due first.
type sentLater struct {
	// begun has a value when the first one waits.
	begun chan struct{}

	mu      sync.Mutex
	waiting []waitingSent
}

// waitingSent is a delivery that waits.
type waitingSent struct {
	instance *v1alpha1.WhatsAppInstance
	message  formats.Message
	due      time.Time
}

func newSentLater() *sentLater { return &sentLater{begun: make(chan struct{}, 1)} }

// add lets a delivery wait; false when there is no room.
func (l *sentLater) add(more waitingSent) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxSentLater {
		return false
	}
	at := len(l.waiting)
	for at > 0 && l.waiting[at-1].due.After(more.due) {
		at--
	}
	l.waiting = append(l.waiting, waitingSent{})
	copy(l.waiting[at+1:], l.waiting[at:])
	l.waiting[at] = more
	if at == 0 {
		select {
		case l.begun <- struct{}{}:
		default:
		}
	}
	return true
}

// next is when the first delivery is due; false when none waits.
func (l *sentLater) next() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return time.Time{}, false
	}
	return l.waiting[0].due, true
}

// take takes the first delivery out if it is due.
func (l *sentLater) take(now time.Time) (waitingSent, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 || l.waiting[0].due.After(now) {
		return waitingSent{}, false
	}
	first := l.waiting[0]
	l.waiting[0] = waitingSent{}
	l.waiting = l.waiting[1:]
	return first, true
}

// confirmLater confirms messages as they fall due, until stop is closed. Those that wait then stay as they are, and are
// not sent again.
func (s *Server) confirmLater(ctx context.Context, stop <-chan struct{}) {
	for {
		var timer <-chan time.Time
		if due, waiting := s.sent.next(); waiting {
			timer = time.After(due.Sub(s.Clock.Now()))
		}
		select {
		case <-stop:
			return
		case <-s.sent.begun:
		case <-timer:
			s.confirmDue(ctx)
		}
	}
}

// confirmDue looks at the leads of what is due again. Most were confirmed by their sender.
func (s *Server) confirmDue(ctx context.Context) {
	for {
		told, due := s.sent.take(s.Clock.Now())
		if !due {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
		if _, err := s.takeSent(ctx, told.instance, &told.message); err != nil {
			s.logFailure("Cannot confirm a message that the gateway says it has sent", err,
				"instance", client.ObjectKeyFromObject(told.instance).String())
		}
		cancel()
	}
}
