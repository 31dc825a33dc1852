package simulator

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is a way in which calls fail. In order: Delay passes, HoldUntil is closed,
// and then the call is answered with Status, or dropped, or, when neither is set,
// handled as if nothing had been. A client that leaves in the meantime ends it all;
// without AfterAccept the call then has had no effect.
type Fault struct {
	// Path is that of the calls that fail, for example "/send/text"; empty for all.
	Path string
	// Times is how many calls fail; 0 is once, -1 is until ClearFaults.
	Times int
	// Delay holds the call for this long.
	Delay time.Duration
	// HoldUntil holds the call until the channel is closed.
	HoldUntil <-chan struct{}
	// KeepsOn handles the call when the hold has ended, also when its client has left by then:
	// a slow server that goes on with what it has begun.
	KeepsOn bool
	// Status answers the call; 0 does not.
	Status int
	// Body and Header go with Status. The type is JSON unless Header says another.
	Body   string
	Header http.Header
	// Drop closes the connection without an answer.
	Drop bool
	// AfterAccept handles the call first, so that it has its effect, and only then
	// does the above; without a Status the connection is closed without an answer: a
	// call that times out or breaks after having been accepted. A call that is not
	// accepted is answered as ever.
	AfterAccept bool
}

// faultList is the faults in force, in the order they were set.
type faultList struct {
	mu   sync.Mutex
	list []*Fault
}

// add puts a fault in force.
func (l *faultList) add(fault Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, &fault)
}

// clear ends all faults.
func (l *faultList) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// take returns the fault of a call to path, and counts it.
func (l *faultList) take(path string) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, fault := range l.list {
		if fault.Path != "" && fault.Path != path {
			continue
		}
		if fault.Times > 0 {
			fault.Times--
		}
		if fault.Times == 0 {
			l.list = slices.Delete(l.list, at, at+1)
		}
		return *fault, true
	}
	return Fault{}, false
}

// pass does what the fault says, and tells whether the call goes on to be handled.
func (f Fault) pass(w http.ResponseWriter, r *http.Request) bool {
	ctx := r.Context()
	if f.KeepsOn {
		ctx = context.WithoutCancel(ctx)
	}
	alive := wait(ctx, f.Delay, f.HoldUntil)
	switch {
	case !alive || (f.Drop && f.Status == 0):
		drop(w)
		return false
	case f.Status == 0:
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	return false
}

// drop closes the connection without an answer; where it cannot be had (HTTP/2, a
// recorder), the answer is 502.
func drop(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = connection.Close()
}
