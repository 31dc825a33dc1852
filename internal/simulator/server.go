package simulator

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server serves a handler over HTTP on this machine.
type Server struct {
	http   *http.Server
	url    string
	cancel context.CancelFunc
	ended  chan struct{}
	once   sync.Once
	err    error
}

// Serve serves handler on a free port of 127.0.0.1, until Close.
func Serve(handler http.Handler) (*Server, error) { return ServeAt("127.0.0.1:0", handler) }

// ServeAt serves handler on addr (host:port), until Close. Close and a second ServeAt
// on the same address, with the same handler, are an outage.
func ServeAt(addr string, handler http.Handler) (*Server, error) {
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("simulator: listen: %w", err)
	}
	s := &Server{
		url: "http://" + listener.Addr().String(), cancel: cancel, ended: make(chan struct{}),
		http: &http.Server{
			Handler:           handler,
			BaseContext:       func(net.Listener) context.Context { return ctx },
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      10 * time.Minute,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          log.New(io.Discard, "", 0),
		},
	}
	go func() {
		defer close(s.ended)
		_ = s.http.Serve(listener)
	}()
	return s, nil
}

// URL is the server's address, without a slash at its end.
func (s *Server) URL() string { return s.url }

// Close stops listening and breaks every connection, also those of calls that are
// being held. It does not close the handler. Only its first call does something.
func (s *Server) Close() error {
	s.once.Do(func() {
		// The connections first: a held call that ends must find no one to answer.
		s.err = s.http.Close()
		s.cancel()
		<-s.ended
	})
	return s.err
}
