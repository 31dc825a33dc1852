package gatewaytest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// now is the time that servers and clients have.
func now() time.Time { return time.Now() }

// proxy stands between a client and its server. It can answer in the server's place, and sees what
// the client asks.
type proxy struct {
	url      string
	upstream *url.URL
	client   http.RoundTripper

	mu sync.Mutex
	// instead answers in the server's place, where it is set.
	instead func(p *proxy, w http.ResponseWriter, r *http.Request)
	// asked counts the requests that came in, written the bytes of the last flood that were taken.
	asked   int
	written int
	// deadlines are those of the requests that the client made, the zero time for none.
	deadlines []time.Time
}

// newProxy starts a proxy of the server at base.
func newProxy(t *testing.T, base string) *proxy {
	t.Helper()
	upstream, err := url.Parse(base)
	if err != nil || upstream.Host == "" {
		t.Fatalf("Server.BaseURL %q is no URL: %v", base, err)
	}
	transport := &http.Transport{DisableCompression: true}
	p := &proxy{upstream: upstream, client: transport}
	server := httptest.NewServer(p)
	p.url = server.URL
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return p
}

// RoundTrip is the client's way out: it notes the deadline of each request.
func (p *proxy) RoundTrip(request *http.Request) (*http.Response, error) {
	deadline, _ := request.Context().Deadline()
	p.mu.Lock()
	p.deadlines = append(p.deadlines, deadline)
	p.mu.Unlock()
	return http.DefaultTransport.RoundTrip(request)
}

// ServeHTTP answers one request.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked++
	instead := p.instead
	p.mu.Unlock()
	if instead != nil {
		instead(p, w, r)
		return
	}
	p.forward(r, func(response *http.Response, body []byte) { reply(w, response, body) })
}

// forward asks the server, and hands its answer on.
func (p *proxy) forward(r *http.Request, then func(*http.Response, []byte)) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	target := *p.upstream
	target.Path, target.RawPath, target.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
	// The server has the request, whoever waits for its answer.
	request, err := http.NewRequest(r.Method, target.String(), bytes.NewReader(body)) //nolint:noctx // see above
	if err != nil {
		return
	}
	request.Header = r.Header.Clone()
	response, err := p.client.RoundTrip(request)
	if err != nil {
		return
	}
	defer func() { _ = response.Body.Close() }()
	if body, err = io.ReadAll(response.Body); err == nil {
		then(response, body)
	}
}

// reply writes an answer.
func reply(w http.ResponseWriter, response *http.Response, body []byte) {
	for name, values := range response.Header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body)
}

// set has the proxy answer in the server's place, until it is set again.
func (p *proxy) set(instead func(p *proxy, w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instead, p.asked, p.written, p.deadlines = instead, 0, 0, nil
}

// count is how many requests came in since the last set.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// answers returns an answer in the server's place.
func answers(status int, header http.Header, body string) func(*proxy, http.ResponseWriter, *http.Request) {
	return func(_ *proxy, w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// drops closes the connection without an answer.
func drops(_ *proxy, w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	hangUp(w)
}

// loses has the server do what is asked, and closes the connection without an answer.
func loses(p *proxy, w http.ResponseWriter, r *http.Request) {
	p.forward(r, func(*http.Response, []byte) {})
	hangUp(w)
}

// holds answers nothing for as long as the client waits.
func holds(_ *proxy, _ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// breaksOff closes the connection in the middle of an answer.
func breaksOff(_ *proxy, w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"id":"`)
	hangUp(w)
}

// floods answers without end, and counts what was taken.
func floods(p *proxy, w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	blank := bytes.Repeat([]byte(" "), 64<<10)
	for r.Context().Err() == nil {
		n, err := w.Write(blank)
		p.mu.Lock()
		p.written += n
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// hangUp closes a request's connection.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}
