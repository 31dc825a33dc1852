package simulator

import (
	"context"
	"sync"
	"sync/atomic"
)

const (
	// queueWorkers is how many webhooks are posted at once.
	queueWorkers = 8
	// queueLength is how many wait; more are lost.
	queueLength = 10_000
)

// queue runs what the server does on its own, in goroutines that it owns: started
// with the first job, ended by close.
type queue struct {
	ctx     context.Context
	cancel  context.CancelFunc
	jobs    chan func(context.Context)
	workers sync.WaitGroup
	dropped atomic.Uint64

	mu      sync.Mutex
	started bool
	closed  bool
}

// newQueue returns an empty queue.
func newQueue() *queue {
	ctx, cancel := context.WithCancel(context.Background())
	return &queue{ctx: ctx, cancel: cancel, jobs: make(chan func(context.Context), queueLength)}
}

// put queues a job; it is dropped when the queue is full or closed.
func (q *queue) put(job func(context.Context)) {
	q.start()
	if q.ctx.Err() != nil {
		q.dropped.Add(1)
		return
	}
	select {
	case q.jobs <- job:
	default:
		q.dropped.Add(1)
	}
}

// start starts the workers, once.
func (q *queue) start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started || q.closed {
		return
	}
	q.started = true
	for range queueWorkers {
		q.workers.Go(q.work)
	}
}

// work runs jobs until close.
func (q *queue) work() {
	for {
		select {
		case <-q.ctx.Done():
			return
		case job := <-q.jobs:
			job(q.ctx)
		}
	}
}

// close ends the workers, and what they are at, and waits for them.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cancel()
	q.workers.Wait()
}
