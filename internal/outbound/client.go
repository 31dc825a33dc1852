package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	// maxHeader bounds the header of an answer in bytes.
	maxHeader = 64 << 10
	// connectTimeout bounds the making of a connection.
	connectTimeout = 10 * time.Second
	// idlePerHost is how many connections to one host are kept open: the messages of a busy
	// minute go to one.
	idlePerHost = 64
)

// NewClient returns an HTTP client for endpoints that the operator was configured with: a
// timeout on every call, bounded headers, and no redirects, which would carry a secret to a host
// that nobody configured.
func NewClient(timeout time.Duration) *http.Client {
	return client(timeout, newTransport(timeout, nil))
}

// NewGuardedClient is NewClient for endpoints that Stores and WhatsAppInstances name: it
// connects only to addresses that the rules allow. The address is checked when the connection is
// made and not when the name is looked up, so that a name which resolves to another one a moment
// later gains nothing. Where a proxy of the environment (HTTPS_PROXY) makes the connections it
// decides on addresses; only those that stand in a URL are checked here.
func NewGuardedClient(timeout time.Duration, rules Rules) *http.Client {
	proxied, direct := newTransport(timeout, nil), newTransport(timeout, rules.checkConnection)
	direct.Proxy = nil
	return client(timeout, guarded{rules: rules, proxyOf: proxied.Proxy, proxied: proxied, direct: direct})
}

func client(timeout time.Duration, transport http.RoundTripper) *http.Client {
	return WithoutRedirects(&http.Client{Timeout: timeout, Transport: answering{transport}})
}

// WithoutRedirects returns a copy of a client that follows no redirects.
func WithoutRedirects(client *http.Client) *http.Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Sendable tells whether a credential can be the value of an HTTP header.
func Sendable(credential string) bool {
	for i := range len(credential) {
		if credential[i] <= ' ' || credential[i] > '~' {
			return false
		}
	}
	return true
}

// ErrNoAnswer is the error of a call that was answered with a change of protocol, which no call asks for. The
// connection would be the caller's then, and no timeout and no context would end the reading of it.
var ErrNoAnswer = errors.New("the endpoint changed the protocol, which it was not asked to")

// answering makes calls that end with an answer.
type answering struct{ http.RoundTripper }

// RoundTrip makes one call.
func (a answering) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.RoundTripper.RoundTrip(request)
	if err == nil && response.StatusCode < http.StatusOK {
		_ = response.Body.Close()
		return nil, ErrNoAnswer
	}
	return response, err //nolint:wrapcheck // it is the client's
}

// CloseIdleConnections closes what is kept open.
func (a answering) CloseIdleConnections() {
	if closes, can := a.RoundTripper.(interface{ CloseIdleConnections() }); can {
		closes.CloseIdleConnections()
	}
}

// control is asked with the address just before a connection to it is made.
type control func(network, address string, connection syscall.RawConn) error

func newTransport(timeout time.Duration, check control) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, Control: check}
	transport.DialContext = dialer.DialContext
	transport.MaxIdleConnsPerHost = idlePerHost
	transport.MaxResponseHeaderBytes = maxHeader
	transport.ResponseHeaderTimeout = timeout
	return transport
}

// checkConnection refuses connections to addresses that are not allowed.
func (r Rules) checkConnection(network, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") {
		return fmt.Errorf("connect to an endpoint: %s address expected", "TCP")
	}
	if !r.Allows(parsed.Addr()) {
		return ErrNotPublic
	}
	return nil
}

// guarded makes the calls that rules allow.
type guarded struct {
	rules           Rules
	proxyOf         func(*http.Request) (*url.URL, error)
	proxied, direct *http.Transport
}

// RoundTrip makes one call.
func (g guarded) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := g.rules.Endpoint(request.URL); err != nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, &RefusedError{err}
	}
	proxy, err := g.proxyOf(request)
	if err != nil || proxy != nil {
		return g.proxied.RoundTrip(request)
	}
	return g.direct.RoundTrip(request)
}

// CloseIdleConnections closes what is kept open.
func (g guarded) CloseIdleConnections() {
	g.proxied.CloseIdleConnections()
	g.direct.CloseIdleConnections()
}

// RefusedError is the error of a call that the rules do not allow.
type RefusedError struct{ why error }

// Error says why, in words that are safe to show.
func (e *RefusedError) Error() string { return e.why.Error() }

// Unwrap returns why.
func (e *RefusedError) Unwrap() error { return e.why }

// Refusal is why the rules did not allow a call that failed, in words that are safe to show; ""
// when it failed for another reason.
func Refusal(err error) string {
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.Is(err, ErrNotPublic):
		return ErrNotPublic.Error()
	}
	return ""
}
