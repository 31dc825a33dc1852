package webhookserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/metrics"
)

func goodCart() string {
	body := strings.Replace(benchmarkCart, "1767366245123", fmt.Sprint(time.Now().UnixMilli()), 1)
	return request(toHotmart, "Host: x", "X-HOTMART-HOTTOK: a-secret", fmt.Sprintf("Content-Length: %d", len(body))) +
		body
}

// responseHead is the head of an answer.
type responseHead struct {
	StatusCode int
	Header     http.Header
}

// answerTo sends a request over a new connection and returns the answer.
func answerTo(t *testing.T, address, sent string) responseHead {
	t.Helper()
	return answerOn(t, dial(t, address), sent)
}

func answerOn(t *testing.T, conn net.Conn, sent string) responseHead {
	t.Helper()
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return responseHead{answer.StatusCode, answer.Header}
}

// TestCrowdsDoNotShutTheDoor has five times as many connections as there may be do nothing, or hardly
// anything, and good deliveries come all the same.
func TestCrowdsDoNotShutTheDoor(t *testing.T) {
	t.Parallel()
	const room = 20
	for name, test := range map[string]struct {
		sent    string
		proxies string
	}{
		"silent":                         {"", ""},
		"silent, behind an Ingress":      {"", "127.0.0.0/8"},
		"in a header":                    {"POST / HTTP/1.1\r\nX: ", ""},
		"in a header, behind an Ingress": {"POST / HTTP/1.1\r\nX: ", "127.0.0.0/8"},
		"in a body":                      {request("POST / HTTP/1.1", "Host: x", "Content-Length: 100") + "{", ""},
		"in a large body": {request("POST / HTTP/1.1", "Host: x", "Content-Length: 1000000") + "{",
			""},
		"in chunks": {request("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") +
			"5\r\n", "127.0.0.1"},
		"idle after requests without sense": {smuggled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := stubOptions(t)
			options.MaxConnections, options.MaxConnectionsPerSource = room, room
			var err error
			if options.TrustedProxies, err = ParseProxies(test.proxies); err != nil {
				t.Fatal(err)
			}
			address := serveStub(t, options)
			for at := range 5 * room {
				if _, err := io.WriteString(dial(t, address), test.sent); err != nil {
					t.Fatal(err)
				}
				if at%room != 0 {
					continue
				}
				if got := answerTo(t, address, goodCart()).StatusCode; got != http.StatusOK {
					t.Errorf("a good delivery over a new connection was answered %d after %d others", got, at)
				}
			}
			gone := testutil.ToFloat64(options.Metrics.RefusedConnection(refusedSilent)) +
				testutil.ToFloat64(options.Metrics.RefusedConnection(refusedMemory))
			if gone < 3*room {
				t.Errorf("%v connections were counted as closed, want at least %d", gone, 3*room)
			}
		})
	}
}

// TestKnownSendersAreKept: the connection that a proxy keeps for authentic deliveries outlives a crowd.
func TestKnownSendersAreKept(t *testing.T) {
	const room = 10
	options := stubOptions(t)
	options.MaxConnections, options.MaxConnectionsPerSource = room, room
	now := clocktesting.NewFakePassiveClock(time.Now())
	options.Clock = now
	address := serveStub(t, options)
	kept := dial(t, address)
	if got := answerOn(t, kept, goodCart()).StatusCode; got != http.StatusOK {
		t.Fatalf("answered %d", got)
	}
	for range 3 * room {
		now.SetTime(now.Now().Add(2 * waitGrace))
		answerTo(t, address, smuggled)
	}
	if got := answerOn(t, kept, goodCart()).StatusCode; got != http.StatusOK {
		t.Errorf("the second delivery was answered %d", got)
	}
}

// unread is a connection whose other side does not read: to write to it takes until it is closed.
type unread struct {
	fromAddress
	writing chan struct{}
	closed  chan struct{}
}

func (c unread) Write([]byte) (int, error) {
	close(c.writing)
	<-c.closed
	return 0, net.ErrClosed
}

func (c unread) Close() error {
	close(c.closed)
	return nil
}

// TestWhoDoesNotReadMakesRoom: an answer that nobody reads holds no place.
func TestWhoDoesNotReadMakesRoom(t *testing.T) {
	d, now := testDoor(t, doorLimits{connections: 1, perSource: 1})
	remote := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.7:1"))
	deaf := unread{fromAddress{remote: remote}, make(chan struct{}), make(chan struct{})}
	c := d.admit(deaf)
	if !d.arrived(c) {
		t.Fatal("it is gone")
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write([]byte("HTTP/1.1 200 OK"))
		wrote <- err
	}()
	<-deaf.writing
	now.SetTime(now.Now().Add(2 * waitGrace))
	if d.comes(t, "198.51.100.8") == nil {
		t.Fatal("who comes next has no place")
	}
	if err := <-wrote; err == nil {
		t.Error("the answer was written")
	}
}

// TestNoRoomAtAll: where every connection is being served, another one is told to come again.
func TestNoRoomAtAll(t *testing.T) {
	for name, test := range map[string]struct {
		connections, perSource int
		reason                 string
	}{
		"everybody": {2, 10, refusedFull},
		"a source":  {10, 2, refusedShare},
	} {
		t.Run(name, func(t *testing.T) {
			options := stubOptions(t)
			options.MaxConnections, options.MaxConnectionsPerSource = test.connections, test.perSource
			held, release := make(chan struct{}, 10), make(chan struct{})
			options.Client.(*stubClient).created = func(client.Object) {
				held <- struct{}{}
				<-release
			} //nolint:forcetypeassert // it is one
			address := serveStub(t, options)
			for range 2 {
				if _, err := io.WriteString(dial(t, address), goodCart()); err != nil {
					t.Fatal(err)
				}
				<-held
			}
			answer := answerTo(t, address, goodCart())
			if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
				t.Errorf("answered %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
			}
			if counted := testutil.ToFloat64(options.Metrics.RefusedConnection(test.reason)); counted != 1 {
				t.Errorf("counted %v, want 1", counted)
			}
			close(release)
		})
	}
}

func TestSlowRequestsEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent string
		want []int
	}{
		"nothing":        {"", []int{408}},
		"half a head":    {"POST / HTTP/1.1\r\n", []int{408}},
		"half a body":    {request("POST / HTTP/1.1", "Host: x", "Content-Length: 9") + "{", []int{408}},
		"half a chunk":   {request("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + "9\r\n{", []int{408}},
		"one, then not":  {smuggled, []int{200}},
		"one and a half": {smuggled + "POST /", []int{200, 408}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, address := serveWith(t, func(l *doorLimits) {
				l.head, l.idle, l.body = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
			})
			answers, closed := statuses(t, address, test.sent)
			if fmt.Sprint(answers) != fmt.Sprint(test.want) || !closed {
				t.Errorf("answered %v, closed: %t; want %v", answers, closed, test.want)
			}
			slow := testutil.ToFloat64(s.Metrics.RefusedConnection(refusedSlow))
			if (slow == 1) != (test.want[len(test.want)-1] == 408) {
				t.Errorf("%v were counted as slow", slow)
			}
		})
	}
}

// testDoor is a door that nobody comes to but the test's own connections.
func testDoor(t *testing.T, limits doorLimits) (*door, *clocktesting.FakePassiveClock) {
	t.Helper()
	counted, err := metrics.New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	now := clocktesting.NewFakePassiveClock(time.UnixMilli(1767366245123))
	return newDoor(nil, limits, nil, now, counted), now
}

// from is a connection from an address; what it would be read from is not there.
type fromAddress struct {
	net.Conn
	remote net.Addr
	// said keeps what is written, where there is one.
	said *strings.Builder
}

func (c fromAddress) RemoteAddr() net.Addr            { return c.remote }
func (c fromAddress) Read([]byte) (int, error)        { return 0, io.EOF }
func (c fromAddress) SetReadDeadline(time.Time) error { return nil }
func (c fromAddress) Close() error                    { return nil }
func (c fromAddress) Write(p []byte) (int, error) {
	if c.said != nil {
		return c.said.Write(p)
	}
	return len(p), nil
}

func (c fromAddress) SetWriteDeadline(time.Time) error { return nil }

func (d *door) comes(t *testing.T, address string) *clientConn {
	t.Helper()
	return d.admit(fromAddress{remote: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 1))})
}

func TestWhoMakesRoom(t *testing.T) {
	limits := doorLimits{connections: 4, perSource: 4, memory: 100, memoryPerSource: 100}
	type step struct {
		as    rank
		waits time.Duration
		known bool
	}
	for name, test := range map[string]struct {
		steps []step
		want  int
	}{
		"the longest of those that are silent": {[]step{{as: rankBody, waits: 9 * time.Second},
			{as: rankSilent, waits: 5 * time.Second}, {as: rankSilent, waits: 3 * time.Second},
			{as: rankIdle, waits: 20 * time.Second}}, 1},
		"idle before a body": {[]step{{as: rankBody, waits: 9 * time.Second},
			{as: rankBody, waits: 8 * time.Second}, {as: rankIdle, waits: 2 * time.Second},
			{as: rankBody, waits: 2 * time.Second}}, 2},
		"a body before one who is known": {[]step{{as: rankIdle, known: true, waits: 30 * time.Second},
			{as: rankBody, waits: 2 * time.Second}, {as: rankIdle, known: true, waits: 20 * time.Second},
			{as: rankIdle, known: true, waits: 20 * time.Second}}, 1},
		"not who has just come": {[]step{{as: rankSilent, waits: 100 * time.Millisecond},
			{as: rankBody, waits: 2 * time.Second}, {as: rankBody, waits: 3 * time.Second},
			{as: rankBody, waits: 2500 * time.Millisecond}}, 2},
		"all have just come: the longest wait": {[]step{{as: rankSilent, waits: 100 * time.Millisecond},
			{as: rankBody, waits: 300 * time.Millisecond}, {as: rankSilent, waits: 200 * time.Millisecond},
			{as: rankIdle, waits: 50 * time.Millisecond}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, now := testDoor(t, limits)
			start := now.Now()
			conns := make([]*clientConn, len(test.steps))
			order := make([]int, 0, len(test.steps))
			for len(order) < len(test.steps) { // the longest wait begins first
				longest := -1
				for at, step := range test.steps {
					if conns[at] == nil && (longest < 0 || step.waits > test.steps[longest].waits) {
						longest = at
					}
				}
				now.SetTime(start.Add(time.Minute - test.steps[longest].waits))
				conns[longest] = d.comes(t, "198.51.100.7")
				conns[longest].proven = test.steps[longest].known
				d.waitFor(conns[longest], test.steps[longest].as)
				order = append(order, longest)
			}
			now.SetTime(start.Add(time.Minute))
			if d.comes(t, "198.51.100.8") == nil {
				t.Fatal("turned away")
			}
			for at, c := range conns {
				if c.gone != (at == test.want) {
					t.Errorf("connection %d: gone is %t", at, c.gone)
				}
			}
			d.turning.Wait()
		})
	}
}

// TestNobodyIsAnsweredUnasked: who made room without having begun a request is told nothing, who had is told
// to come again.
func TestNobodyIsAnsweredUnasked(t *testing.T) {
	for name, test := range map[string]struct {
		as    rank
		begun bool
		told  bool
	}{
		"silent":      {rankSilent, false, false},
		"in a header": {rankSilent, true, true},
		"in a body":   {rankBody, false, true},
		"idle":        {rankIdle, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := testDoor(t, doorLimits{connections: 1, perSource: 1})
			var said strings.Builder
			remote := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.7:1"))
			c := d.admit(fromAddress{remote: remote, said: &said})
			d.waitFor(c, test.as)
			if test.begun {
				d.begins(c)
			}
			if d.comes(t, "198.51.100.8") == nil || !c.gone {
				t.Fatal("it did not make room")
			}
			if told := strings.HasPrefix(said.String(), "HTTP/1.1 503 Service Unavailable\r\n"); told != test.told ||
				!told && said.Len() > 0 {
				t.Errorf("it was told %q", said.String())
			}
		})
	}
}

func TestSourcesHaveShares(t *testing.T) {
	d, _ := testDoor(t, doorLimits{connections: 10, perSource: 2})
	first, second := d.comes(t, "198.51.100.7"), d.comes(t, "198.51.100.7")
	other := d.comes(t, "198.51.100.8")
	for _, c := range []*clientConn{first, second, other} {
		d.waitFor(c, rankSilent)
	}
	third := d.comes(t, "198.51.100.7")
	if third == nil || !first.gone || second.gone || other.gone {
		t.Errorf("the first of the source has to go: %t %t %t", first.gone, second.gone, other.gone)
	}
	// One network of IPv6 is one source.
	d.arrived(d.comes(t, "2001:db8::1"))
	d.arrived(d.comes(t, "2001:db8::2"))
	if d.comes(t, "2001:db8::3") != nil {
		t.Error("a third of a network was let in")
	}
	if d.comes(t, "2001:db8:0:1::3") == nil {
		t.Error("one of another network was turned away")
	}
	for _, c := range []*clientConn{second, third, other} {
		_ = c.Close()
		_ = c.Close()
	}
	if d.all.open != 3 || len(d.sources) != 2 {
		t.Errorf("%d are open, of %d sources; want 3 of 2", d.all.open, len(d.sources))
	}
	d.turning.Wait()
}

func TestLargeBodiesShareMemory(t *testing.T) {
	d, _ := testDoor(t, doorLimits{connections: 10, perSource: 10, memory: 100, memoryPerSource: 60})
	mine := []*clientConn{d.comes(t, "198.51.100.7"), d.comes(t, "198.51.100.7"), d.comes(t, "198.51.100.7")}
	other := d.comes(t, "198.51.100.8")
	if !d.reserve(mine[0], 30) || !d.reserve(mine[1], 30) {
		t.Fatal("a share was refused")
	}
	if d.reserve(mine[2], 30) {
		t.Error("more than a share was given, and nobody was waited for")
	}
	d.waitFor(mine[0], rankBody)
	if !d.reserve(mine[2], 30) || !mine[0].gone {
		t.Error("who is waited for gives its memory")
	}
	if !d.reserve(other, 40) || mine[1].gone {
		t.Error("there is enough for the other")
	}
	d.waitFor(mine[1], rankSilent)
	_ = other.Close()
	_ = mine[2].Close()
	if d.all.memory != 0 || d.all.waiting[rankBody].Len() != 0 {
		t.Errorf("%d bytes are taken, %d bodies are waited for", d.all.memory, d.all.waiting[rankBody].Len())
	}
}

// TestForwardedForIsOneList: a proxy that adds a line of its own to the caller's is believed, and not the caller.
func TestForwardedForIsOneList(t *testing.T) {
	app := fiber.New()
	ctx := app.AcquireCtx(&fasthttp.RequestCtx{})
	defer app.ReleaseCtx(ctx)
	for _, line := range []string{"203.0.113.9", "198.51.100.7, 192.0.2.1"} {
		ctx.Request().Header.Add(fiber.HeaderXForwardedFor, line)
	}
	if got := forwardedFor(ctx); got != "203.0.113.9,198.51.100.7, 192.0.2.1" {
		t.Errorf("got %q", got)
	}
}

func TestProxies(t *testing.T) {
	proxies, err := ParseProxies(" 10.0.0.0/8, 192.0.2.1 ,2001:db8::/32,")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"10.0.0.0/33", "ingress", "10.0.0.0-10.0.0.9"} {
		if _, err := ParseProxies(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
	for name, test := range map[string]struct{ remote, forwarded, want string }{
		"a stranger":                         {"198.51.100.7", "", "198.51.100.7/32"},
		"a stranger who says something else": {"198.51.100.7", "203.0.113.9", "198.51.100.7/32"},
		"a proxy that says nothing":          {"10.1.2.3", "", ""},
		"a proxy":                            {"10.1.2.3", "198.51.100.7", "198.51.100.7/32"},
		"a proxy behind a proxy":             {"10.1.2.3", "198.51.100.7, 192.0.2.1", "198.51.100.7/32"},
		"a proxy whose caller said more":     {"10.1.2.3", "203.0.113.9, 198.51.100.7", "198.51.100.7/32"},
		"a proxy whose caller said nonsense": {"10.1.2.3", "203.0.113.9, nonsense", ""},
		"a proxy that writes ports":          {"10.1.2.3", "198.51.100.7:1234", "198.51.100.7/32"},
		"a proxy that writes IPv6 ports":     {"10.1.2.3", "[2001:dead:beef:1::1]:1234", "2001:dead:beef:1::/64"},
		"a proxy that calls for itself":      {"10.1.2.3", "10.1.2.3", ""},
		"IPv4 within IPv6":                   {"::ffff:198.51.100.7", "", "198.51.100.7/32"},
		"a network":                          {"2001:dead:beef:1:2::3", "", "2001:dead:beef:1::/64"},
	} {
		t.Run(name, func(t *testing.T) {
			remote := net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(test.remote), 1))
			got := proxies.ofRequest(remote, test.forwarded)
			if test.want == "" && got.IsValid() || test.want != "" && got.String() != test.want {
				t.Errorf("got %v, want %q", got, test.want)
			}
		})
	}
}
