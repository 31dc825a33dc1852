// Package panics keeps a panic in one piece of work from ending the process, and with it
// everybody else's work: it becomes that piece's failure, counted and logged with its stack.
package panics

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/internal/failure"
)

// The kinds of work, as the metric and the log name them.
const (
	// Reconcile is one pass of a controller over one object.
	Reconcile = "reconcile"
	// Call is a call that hands a message to a gateway.
	Call = "gateway call"
	// Text is the writing of one text.
	Text = "text"
	// Pauses is the waking of the writers of texts.
	Pauses = "pauses"
	// Index is the reading of one object for the indexes of the cache.
	Index = "index"
	// Watch is a look at one change of one object: what it concerns, and whether it matters.
	Watch = "watch"
	// Ledger is the writing of the ledger of one Store, or the clearing of one namespace's.
	Ledger = "ledger"
	// Heartbeat is one look at the heartbeat.
	Heartbeat = "heartbeat"
	// Receipts are what the webhook server writes later for one lead.
	Receipts = "receipts"
	// Rejection is what it writes later for one Store.
	Rejection = "rejection"
	// Connection is what it writes later for one number.
	Connection = "connection"
	// Request is one request to the webhook server.
	Request = "request"
)

// Works are all kinds of work.
var Works = []string{
	Reconcile, Call, Text, Pauses, Index, Watch, Ledger, Heartbeat, Receipts, Rejection, Connection, Request,
}

// Total counts the panics by kind of work. It belongs to the process: managers within it share it.
var Total = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "cartrecovery_panics_total",
	Help: "Pieces of work that panicked, by kind; each is one object's failure, and a fault of the operator.",
}, []string{"work"})

// Do does a piece of work and returns its error. A panic is returned as a *failure.Error with code
// Fault, which says nothing of its value: that can hold anything.
func Do(ctx context.Context, work string, do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = caught(ctx, work, value)
		}
	}()
	return do()
}

// Keep does a piece of work that returns a value, and returns another in its place if it panics.
func Keep[T any](ctx context.Context, work string, otherwise T, do func() T) T {
	result := otherwise
	// What went wrong is counted and logged; there is nobody to tell.
	_ = Do(ctx, work, func() error {
		result = do()
		return nil
	})
	return result
}

// Note counts and logs a panic that somebody else has recovered.
func Note(ctx context.Context, work string, value any) { _ = caught(ctx, work, value) }

func caught(ctx context.Context, work string, value any) error {
	Total.WithLabelValues(work).Inc()
	log.FromContext(ctx).Error(nil, "A piece of work panicked; everything else goes on",
		"work", work, "panic", shown(value), "stack", string(debug.Stack()))
	return &failure.Error{
		Class: failure.Transient, Code: failure.Fault, Op: work,
		Detail: "the operator has a fault that this object's data brings out; its log has the stack",
	}
}

// shown is what may be logged of a panic's value: the runtime's own words, which hold numbers and types,
// and of anything else its type.
func shown(value any) string {
	if failed, ok := value.(runtime.Error); ok {
		return failed.Error()
	}
	return fmt.Sprintf("%T", value)
}
