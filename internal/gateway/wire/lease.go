package wire

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// errLeaseLost ends the writing of a request whose lease is over.
var errLeaseLost = errors.New("the lease of the call is over")

// lease guards a request by its context's lease: the body, without which the server cannot understand the request, is
// held back until the connection takes it. None of the operator's code runs between that moment and the system call
// that writes it.
type lease struct {
	holds func() bool
	// lost says that a body was held back, sent that a whole one was let through.
	lost, sent atomic.Bool
}

// guard puts the lease of a request's context before its body; nil when it has none.
func guard(request *http.Request) *lease {
	holds := gateway.LeaseOf(request.Context())
	if holds == nil || request.Body == nil {
		return nil
	}
	l := &lease{holds: holds}
	request.Body = &guarded{ReadCloser: request.Body, lease: l, left: request.ContentLength}
	if fresh := request.GetBody; fresh != nil {
		request.GetBody = func() (io.ReadCloser, error) {
			body, err := fresh()
			return &guarded{ReadCloser: body, lease: l, left: request.ContentLength}, err
		}
	}
	return l
}

// guarded is a body that is read only while its lease holds.
type guarded struct {
	io.ReadCloser
	lease *lease
	// left is how many bytes the server still needs.
	left int64
}

// Read asks for the lease each time: a body that is larger than the connection's buffer is
// written in parts, and one that breaks off is no message.
func (g *guarded) Read(into []byte) (int, error) {
	if g.left > 0 && !g.lease.holds() {
		g.lease.lost.Store(true)
		return 0, errLeaseLost
	}
	read, err := g.ReadCloser.Read(into)
	if g.left -= int64(read); g.left <= 0 {
		g.lease.sent.Store(true)
	}
	return read, err
}

// refusal is the failure of a call whose body was held back, nil for any other.
func (l *lease) refusal(r Call) *failure.Error {
	if l == nil || !l.lost.Load() || l.sent.Load() {
		return nil
	}
	return &failure.Error{
		Class: failure.Transient, Code: failure.LeaseLost, Op: r.Op,
		Detail: "the call was not begun: its time was over when the request was to be written",
	}
}
