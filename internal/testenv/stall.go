package testenv

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// Stall holds back what the watches of one resource tell a client: its cache stands still while
// its other reads, and its writes, go on. It is how a test has a cache that is behind.
type Stall struct {
	resource string

	mu sync.Mutex
	// open is closed while nothing is held.
	open chan struct{}
	held bool
}

// Stalling returns the environment with a Config of its own, and the Stall of its clients' watches of a resource, by
// its plural name ("cartrecoveries"). Nothing is held at first.
func (e *Environment) Stalling(resource string) (*Environment, *Stall) {
	stall := &Stall{resource: resource, open: make(chan struct{})}
	close(stall.open)
	wrapped := rest.CopyConfig(e.Config)
	wrapped.Wrap(func(next http.RoundTripper) http.RoundTripper { return stalling{next, stall} })
	return &Environment{Config: wrapped, Client: e.Client, Envtest: e.Envtest}, stall
}

// Hold holds back whatever comes from now on, until Release.
func (s *Stall) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.held {
		s.held, s.open = true, make(chan struct{})
	}
}

// Release lets go of what was held, in order. It may be called more than once.
func (s *Stall) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held {
		s.held = false
		close(s.open)
	}
}

// gate is closed while nothing is held.
func (s *Stall) gate() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

type stalling struct {
	next  http.RoundTripper
	stall *Stall
}

// RoundTrip holds the bodies of watches.
func (t stalling) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err != nil || request.URL.Query().Get("watch") == "" || !strings.HasSuffix(request.URL.Path,
		"/"+t.stall.resource) {
		return response, err
	}
	response.Body = &stalledBody{ReadCloser: response.Body, stall: t.stall, closed: make(chan struct{})}
	return response, nil
}

// stalledBody reads what came and hands it on once nothing is held.
type stalledBody struct {
	io.ReadCloser
	stall  *Stall
	once   sync.Once
	closed chan struct{}
}

func (b *stalledBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	select {
	case <-b.stall.gate():
		return n, err
	case <-b.closed:
		return 0, io.ErrClosedPipe
	}
}

func (b *stalledBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
