// Package wire makes the HTTP calls of gateways that speak JSON, and classes what can go
// wrong with them where it is alike for all: the connection, redirects, answers without
// bounds, times to wait. What a gateway says in its own words is its package's to class.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/outbound"
)

// UserAgent tells the server who calls.
const UserAgent = "cart-recovery-operator"

// Call is one request to a gateway, and what follows from its failing.
type Call struct {
	// Op names the call in errors.
	Op string
	// Method and Path of the request; Path is appended to the client's base.
	Method, Path string
	// Body is encoded as JSON; nil for none.
	Body any
	// Header carries Token, which authorises the call. A call without a token is not made.
	Header, Token string
	// Once: repeating the call would have its effect twice, so a call whose effect is
	// unknown is failure.Ambiguous.
	Once bool
	// Limit bounds the answer in bytes; 0 is gateway.MaxAnswer.
	Limit int64
}

// Invalid is the failure of a call that is not worth making.
func (r Call) Invalid(detail string) *failure.Error {
	return &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput, Op: r.Op, Detail: detail}
}

// Junk is the failure of an answer that is not the server's protocol; a call that must
// not be repeated may still have had its effect.
func (r Call) Junk(status int, detail string) *failure.Error {
	return &failure.Error{
		Class: r.Lost(failure.Terminal), Code: failure.InvalidAnswer, Op: r.Op, Status: status, Detail: detail,
	}
}

// Lost is the class of a call whose effect is unknown: Ambiguous where that matters, else
// the given class.
func (r Call) Lost(otherwise failure.Class) failure.Class {
	if r.Once {
		return failure.Ambiguous
	}
	return otherwise
}

// Client calls one server.
type Client struct {
	http *http.Client
	base string
}

// Refuse classes an answer that is not a 2xx.
type Refuse func(status int, header http.Header, body []byte) *failure.Error

// NewClient returns a client of the server at an endpoint, and the endpoint with its tokens as
// they are sent. The HTTP client may be nil for gateway.NewHTTPClient; its redirect policy is
// not used: redirects are never followed. A base URL that cannot be called, or a token that
// cannot be sent, is failure.Misconfigured in op; the error says in fixed words what is wrong.
func NewClient(httpClient *http.Client, op string, endpoint gateway.Endpoint) (*Client, gateway.Endpoint, error) {
	base, err := outbound.ParseBase(endpoint.BaseURL)
	if err != nil {
		return nil, endpoint, Misconfigured(op, err.Error())
	}
	endpoint.Token = strings.TrimSpace(endpoint.Token)
	endpoint.AdminToken = strings.TrimSpace(endpoint.AdminToken)
	if !outbound.Sendable(endpoint.Token) || !outbound.Sendable(endpoint.AdminToken) {
		return nil, endpoint, Misconfigured(op, "a token holds characters that no HTTP header can carry")
	}
	if httpClient == nil {
		httpClient = gateway.NewHTTPClient()
	}
	return &Client{http: outbound.WithoutRedirects(httpClient), base: strings.TrimRight(base.String(), "/")}, endpoint,
		nil
}

// Misconfigured is the failure of a setting that a person has to change.
func Misconfigured(op, detail string) *failure.Error {
	return &failure.Error{Class: failure.Terminal, Code: failure.Misconfigured, Op: op, Detail: detail}
}

// Do makes the call within gateway.Timeout and returns the body of a 2xx answer. Every
// failure is a *failure.Error.
func (c *Client) Do(ctx context.Context, r Call, refuse Refuse) ([]byte, error) {
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
	held := guard(request)
	response, err := c.http.Do(request)
	if err != nil {
		if refused := held.refusal(r); refused != nil {
			return nil, refused
		}
		return nil, r.broken(begun.Load(), err)
	}
	defer func() { _ = response.Body.Close() }()
	return read(r, response, refuse)
}

// request builds the HTTP request with the credentials the call needs.
func (c *Client) request(ctx context.Context, r Call) (*http.Request, error) {
	if r.Token == "" {
		return nil, &failure.Error{
			Class: failure.Terminal, Code: failure.Misconfigured, Op: r.Op, Detail: "there is no " + r.Header +
				" for this call",
		}
	}
	var body io.Reader
	if r.Body != nil {
		encoded, err := json.Marshal(r.Body)
		if err != nil {
			return nil, r.Invalid("the request cannot be encoded")
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, c.base+r.Path, body)
	if err != nil {
		return nil, r.Invalid("the request cannot be built")
	}
	request.Header.Set(r.Header, r.Token)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", UserAgent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// read takes in the answer, bounded; one that is not a 2xx is for refuse to class.
func read(r Call, response *http.Response, refuse Refuse) ([]byte, error) {
	limit := r.Limit
	if limit == 0 {
		limit = gateway.MaxAnswer
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, refuse(response.StatusCode, response.Header, body)
	}
	if err != nil {
		failed := r.broken(true, err)
		failed.Status = response.StatusCode
		return nil, failed
	}
	if int64(len(body)) > limit {
		return nil, r.Junk(response.StatusCode, "the answer is too large")
	}
	return body, nil
}

// broken classes a call that got no answer. Nothing of the error's own text is
// kept: it holds the URL.
func (r Call) broken(begun bool, err error) *failure.Error {
	if refusal := outbound.Refusal(err); refusal != "" {
		failed := Misconfigured(r.Op, "the gateway's base URL: "+refusal)
		failed.Reason = v1alpha1.ReasonEndpointNotAllowed
		return failed
	}
	failed := &failure.Error{Class: failure.Transient, Code: failure.Unavailable, Op: r.Op, Detail: outbound.Cause(err)}
	if begun {
		failed.Class = r.Lost(failure.Transient)
	}
	if outbound.TimedOut(err) {
		failed.Code = failure.TimedOut
	}
	return failed
}

// StatusOf is the HTTP status of a failed call, 0 without one.
func StatusOf(err error) int {
	if failed, ok := errors.AsType[*failure.Error](err); ok {
		return failed.Status
	}
	return 0
}

// IsPhone tells whether phone is 8 to 15 digits (the longest number of E.164).
func IsPhone(phone string) bool {
	if len(phone) < 8 || len(phone) > 15 {
		return false
	}
	for i := range len(phone) {
		if phone[i] < '0' || phone[i] > '9' {
			return false
		}
	}
	return true
}

// UserOf cuts server and device off a WhatsApp id such as
// 5511900000000:12@s.whatsapp.net, and returns the server, "" when there is none.
func UserOf(id string) (user, server string) {
	user, server, _ = strings.Cut(id, "@")
	user, _, _ = strings.Cut(user, ":")
	return user, server
}
