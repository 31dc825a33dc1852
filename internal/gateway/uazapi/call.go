package uazapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// call is one request to the server, and what follows from its failing.
type call struct {
	// op names the call in errors.
	op     string
	method string
	path   string
	// body is encoded as JSON; nil for none.
	body any
	// admin: authorised by the account's token instead of the instance's.
	admin bool
	// once: repeating the call would have its effect twice, so a call whose effect
	// is unknown is failure.Ambiguous.
	once bool
	// send: the call sends a message, so the server may refuse its recipient.
	send bool
	// limit bounds the answer in bytes; 0 is gateway.MaxAnswer.
	limit int64
}

// invalid is the failure of a call that is not worth making.
func (r call) invalid(detail string) *failure.Error {
	return &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput, Op: r.op, Detail: detail}
}

// junk is the failure of an answer that is not the server's protocol; a call that
// must not be repeated may still have had its effect.
func (r call) junk(status int, detail string) *failure.Error {
	return &failure.Error{
		Class: r.lost(failure.Terminal), Code: failure.InvalidAnswer, Op: r.op, Status: status, Detail: detail,
	}
}

// lost is the class of a call whose effect is unknown: Ambiguous where that
// matters, else the given class.
func (r call) lost(otherwise failure.Class) failure.Class {
	if r.once {
		return failure.Ambiguous
	}
	return otherwise
}

// do makes the call within gateway.Timeout and returns the body of a 2xx answer.
// Every failure is a *failure.Error.
func (c *client) do(ctx context.Context, r call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, gateway.Timeout)
	defer cancel()
	// Set from the moment a connection is at hand, before which nothing can have
	// been written. The transport takes another connection only where it knows that
	// the first carried nothing, so each new attempt clears it.
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { begun.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { begun.Store(true) },
	})
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, r.broken(begun.Load(), err)
	}
	defer func() { _ = response.Body.Close() }()
	return c.read(r, response)
}

// request builds the HTTP request with the credentials the call needs.
func (c *client) request(ctx context.Context, r call) (*http.Request, error) {
	header, token := "token", c.endpoint.Token
	if r.admin {
		header, token = "admintoken", c.endpoint.AdminToken
	}
	if token == "" {
		return nil, &failure.Error{
			Class: failure.Terminal, Code: failure.Misconfigured, Op: r.op, Detail: "there is no " + header + " for this call",
		}
	}
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, r.invalid("the request cannot be encoded")
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return nil, r.invalid("the request cannot be built")
	}
	request.Header.Set(header, token)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", TrackSource)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// read takes in the answer, bounded, and classes every one that is not a 2xx.
func (c *client) read(r call, response *http.Response) ([]byte, error) {
	limit := r.limit
	if limit == 0 {
		limit = gateway.MaxAnswer
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, c.refused(r, response.StatusCode, response.Header, body)
	}
	if err != nil {
		failed := r.broken(true, err)
		failed.Status = response.StatusCode
		return nil, failed
	}
	if int64(len(body)) > limit {
		return nil, r.junk(response.StatusCode, "the answer is too large")
	}
	return body, nil
}

// broken classes a call that got no answer. Nothing of the error's own text is
// kept: it holds the URL.
func (r call) broken(begun bool, err error) *failure.Error {
	failed := &failure.Error{Class: failure.Transient, Code: failure.Unavailable, Op: r.op, Detail: cause(err)}
	if begun {
		failed.Class = r.lost(failure.Transient)
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()) {
		failed.Code = failure.TimedOut
	}
	return failed
}

// cause says in fixed words why there was no answer.
func cause(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was cancelled"
	case errors.As(err, &dns):
		return "the host name could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted"
	case errors.As(err, &record), errors.As(err, &alert):
		return "the TLS handshake failed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return "the connection failed"
}
