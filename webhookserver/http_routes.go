package webhookserver

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/internal/panics"
)

const (
	// bodyLimit bounds a request's body; headerLimit bounds its head.
	bodyLimit = 1 << 20
	// maxCallBody bounds the body of connect and status.
	maxCallBody = 4 << 10
	// writeTimeout bounds the departure of an answer. How long a request may take to arrive is decided by
	// clientConn.
	writeTimeout = 35 * time.Second
)

// routes are what can be asked for. The paths are labels of a metric, too.
var routes = []struct {
	method, path string
	serve        func(*Server) fiber.Handler
}{
	{fiber.MethodGet, "/healthz", func(s *Server) fiber.Handler { return s.serve(s.healthz) }},
	{fiber.MethodGet, "/readyz", func(s *Server) fiber.Handler { return s.serve(s.readyz) }},
	{fiber.MethodPost, "/api/whatsapp/connect/:clientId", func(s *Server) fiber.Handler {
		return s.serveSmall(s.RequestTimeout+s.ConnectWait, s.connect)
	}},
	{fiber.MethodGet, "/api/whatsapp/status/:clientId", func(s *Server) fiber.Handler {
		return s.serveSmall(s.RequestTimeout, s.status)
	}},
	{fiber.MethodPost, "/api/whatsapp/webhook", func(s *Server) fiber.Handler { return s.serve(s.inbound) }},
	{fiber.MethodPost, "/api/whatsapp/webhook/:namespace/:instance", func(s *Server) fiber.Handler {
		return s.serve(s.inboundHeader)
	}},
	{fiber.MethodPost, "/api/whatsapp/webhook/:namespace/:instance/:key", func(s *Server) fiber.Handler {
		return s.serve(s.inboundKeyed)
	}},
	// Gateways that add the name of the event, and of the kind of message, to the URL.
	{fiber.MethodPost, "/api/whatsapp/webhook/:namespace/:instance/:key/:event/:kind?", func(s *Server) fiber.Handler {
		return s.serve(s.inboundKeyed)
	}},
	{fiber.MethodPost, "/api/webhooks/:platform/:clientId", func(s *Server) fiber.Handler { return s.serve(s.sale) }},
	{fiber.MethodPost, "/api/webhooks/:clientId", func(s *Server) fiber.Handler { return s.serve(s.saleDetected) }},
}

// newApp builds the HTTP side: limits, routes, and what holds for every answer.
func (s *Server) newApp() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:               "cart-recovery-operator",
		DisableStartupMessage: true,
		CaseSensitive:         true,
		BodyLimit:             bodyLimit,
		// The door counts connections; those that it has closed are not gone at once.
		Concurrency:    2 * s.MaxConnections,
		ReadBufferSize: headerLimit + headBytes,
		WriteTimeout:   writeTimeout,
		// A connection that says nothing holds no buffers.
		ReduceMemoryUsage:            true,
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 s.onError,
	})
	// A request's first line can hold a secret: it must not get into error texts.
	app.Server().SecureErrorLogMessage = true
	app.Server().CloseOnShutdown = true

	app.Use(s.timed)
	app.Use(fiberrecover.New(fiberrecover.Config{EnableStackTrace: true, StackTraceHandler: s.onPanic}))
	for _, row := range routes {
		handler := row.serve(s)
		app.Add(row.method, row.path, handler)
		if row.method == fiber.MethodGet {
			// Load balancers and monitors ask with HEAD.
			app.Head(row.path, handler)
		}
	}
	return app
}

// handler answers one request. What it keeps of it longer than the call it must copy.
type handler func(ctx context.Context, c *fiber.Ctx) answer

func (s *Server) serve(handle handler) fiber.Handler {
	return s.serveFor(s.RequestTimeout, handle)
}

func (s *Server) serveFor(timeout time.Duration, handle handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(s.requests, timeout)
		defer cancel()
		if len(c.BodyRaw()) > largeBody {
			if !s.takeLargeSlot(ctx, c) {
				return s.write(c, busy().from("none"))
			}
			defer s.giveLargeSlot(c)
		}
		return s.write(c, handle(ctx, c))
	}
}

// serveSmall is serveFor for calls of persons and backends, none of which has a large body: connect waits
// long, and would keep it for all that time.
func (s *Server) serveSmall(timeout time.Duration, handle handler) fiber.Handler {
	serve := s.serveFor(timeout, s.slowly(handle))
	return func(c *fiber.Ctx) error {
		if len(c.BodyRaw()) > maxCallBody {
			return s.write(c, refused(fiber.StatusRequestEntityTooLarge))
		}
		return serve(c)
	}
}

// The answer to a call with a token that is not good, or not known yet, takes its time, so that who tries
// many one after the other tries few; for so many callers at once.
const (
	refusalPause = 500 * time.Millisecond
	maxPausing   = 256
)

// slowly has refusals of callers take their time.
func (s *Server) slowly(handle handler) handler {
	return func(ctx context.Context, c *fiber.Ctx) answer {
		a := handle(ctx, c)
		if a.status != fiber.StatusUnauthorized && a.status != fiber.StatusTooManyRequests {
			return a
		}
		select {
		case s.pausing <- struct{}{}:
			defer func() { <-s.pausing }()
			s.pause(ctx, refusalPause)
		default:
		}
		return a
	}
}

// pause waits, and no longer than the server goes on.
func (s *Server) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.draining:
	case <-ctx.Done():
	}
}

// largeBodies is how many large bodies are worked on at once: half of the processors are left to others.
func largeBodies() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// largeSlot is the name, among the locals of a request, of the right to read a large body.
const largeSlot = "large-slot"

// takeLargeSlot waits for the right to read a large body. It is given back once the body is read, so that
// those who wait for a store, or for others to be stored with, keep nobody from reading.
func (s *Server) takeLargeSlot(ctx context.Context, c *fiber.Ctx) bool {
	select {
	case s.largeSlots <- struct{}{}:
		c.Locals(largeSlot, true)
		return true
	case <-ctx.Done():
		return false
	}
}

// giveLargeSlot gives it back, where the request has it.
func (s *Server) giveLargeSlot(c *fiber.Ctx) {
	if held, _ := c.Locals(largeSlot).(bool); held {
		c.Locals(largeSlot, false)
		<-s.largeSlots
	}
}

// write sends an answer and counts it.
func (s *Server) write(c *fiber.Ctx, a answer) error {
	if a.source != "" {
		s.Metrics.Delivery(a.source, a.result).Inc()
	}
	if conn := connOf(c); conn != nil && a.isAuthentic() {
		conn.prove()
	}
	return a.write(c)
}

// onError answers what no handler answered: limits, unknown routes, panics. The error's
// own text can hold a path and is not used.
func (s *Server) onError(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	if failed, ok := errors.AsType[*fiber.Error](err); ok {
		status = failed.Code
	}
	return s.write(c, refused(status))
}

// onPanic counts a panic and logs it without its value, which can hold anything. It is answered 500,
// which has platforms and gateways deliver once more.
func (s *Server) onPanic(c *fiber.Ctx, value any) {
	logger := s.Logger.WithValues("route", strings.Clone(c.Route().Path))
	panics.Note(log.IntoContext(s.requests, logger), panics.Request, value)
}

// logInto has what is done apart from requests log as the server does.
func (s *Server) logInto(ctx context.Context) context.Context { return log.IntoContext(ctx, s.Logger) }

func (s *Server) healthz(context.Context, *fiber.Ctx) answer {
	return answer{status: fiber.StatusOK, body: map[string]string{"status": "ok"}}
}

// readyz says whether deliveries can be taken.
func (s *Server) readyz(ctx context.Context, _ *fiber.Ctx) answer {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if s.isDraining() || !s.Ready(ctx) {
		return answer{status: fiber.StatusServiceUnavailable, body: map[string]string{"status": "not ready"}}
	}
	return answer{status: fiber.StatusOK, body: map[string]string{"status": "ok"}}
}

// param copies a path parameter out of the request.
func param(c *fiber.Ctx, name string) string { return strings.Clone(c.Params(name)) }
