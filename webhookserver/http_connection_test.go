package webhookserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/secrets"
)

// stubOptions are those of a server without an API server, that knows one Store.
func stubOptions(t testing.TB) Options {
	t.Helper()
	configured := []v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformHotmart, "hotmart")}
	stub := &stubClient{store: *gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Platforms = configured })}
	counted, err := metrics.New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Client: stub, Live: stub, Fence: seeing{}, Clock: clock.RealClock{}, Metrics: counted,
		BindAddress: "127.0.0.1:0", Connector: &gateway.Connector{}, Secrets: secrets.NewReader(stub, time.Now),
		DrainTimeout: time.Second,
	}
}

// serveStub starts a server until the test ends and returns its address.
func serveStub(t testing.TB, options Options) string {
	t.Helper()
	_, address := serveOptions(t, options, func(*doorLimits) {})
	return address
}

// serveWith is serveStub with other limits.
func serveWith(t testing.TB, change func(*doorLimits)) (*Server, string) {
	t.Helper()
	return serveOptions(t, stubOptions(t), change)
}

func serveOptions(t testing.TB, options Options, change func(*doorLimits)) (*Server, string) {
	t.Helper()
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	change(&s.limits)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for s.Addr() == nil {
		select {
		case err := <-done:
			t.Fatalf("the server did not start: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	return s, s.Addr().String()
}

// dial opens a connection that ends with the test.
func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// statuses sends bytes and returns the status of every answer until the server closes the connection, and
// whether it did.
func statuses(t testing.TB, address, sent string) (answers []int, closed bool) {
	t.Helper()
	conn := dial(t, address)
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return answers, !errors.Is(err, os.ErrDeadlineExceeded)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		answers = append(answers, answer.StatusCode)
		if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
}

// request writes a request with a body that is not authentic.
func request(line string, headers ...string) string {
	return line + "\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
}

const (
	toHotmart = "POST /api/webhooks/hotmart/" + gen.Store + " HTTP/1.1"
	smuggled  = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
)

// malformedRequests are what programs understand differently, or not at all.
var malformedRequests = map[string]string{
	"length and chunks": request(toHotmart, "Host: x", "Content-Length: 5", "Transfer-Encoding: chunked") +
		"0\r\n\r\n" + smuggled,
	"chunks and length": request(toHotmart, "Host: x", "Transfer-Encoding: chunked", "Content-Length: 5") +
		"0\r\n\r\n" + smuggled,
	"two lengths": request(toHotmart, "Host: x", "Content-Length: 2", "Content-Length: 40") + "{}" +
		smuggled,
	"two lengths that agree": request(toHotmart, "Host: x", "Content-Length: 2", "Content-Length: 2") + "{}" +
		smuggled,
	"a list of lengths":          request(toHotmart, "Host: x", "Content-Length: 2, 2") + "{}" + smuggled,
	"a length with a sign":       request(toHotmart, "Host: x", "Content-Length: +2") + "{}",
	"a length below zero":        request(toHotmart, "Host: x", "Content-Length: -2") + "{}",
	"a length in hexadecimal":    request(toHotmart, "Host: x", "Content-Length: 0x2") + "{}",
	"an empty length":            request(toHotmart, "Host: x", "Content-Length:") + "{}",
	"a length with blanks in it": request(toHotmart, "Host: x", "Content-Length: 1 2") + "{}",
	"a length beyond all bounds": request(toHotmart, "Host: x", "Content-Length: 99999999999999999999") + "{}",
	"another coding":             request(toHotmart, "Host: x", "Transfer-Encoding: gzip") + "{}",
	"a coding and chunks":        request(toHotmart, "Host: x", "Transfer-Encoding: gzip, chunked") + "0\r\n\r\n",
	"chunks twice": request(toHotmart, "Host: x", "Transfer-Encoding: chunked",
		"Transfer-Encoding: chunked") + "0\r\n\r\n",
	"chunks with a vertical tab":  request(toHotmart, "Host: x", "Transfer-Encoding: \vchunked") + "0\r\n\r\n",
	"chunks in HTTP/1.0":          request("POST /x HTTP/1.0", "Transfer-Encoding: chunked") + "0\r\n\r\n",
	"lines that end in LF":        "GET /healthz HTTP/1.1\nHost: x\n\n",
	"one line that ends in LF":    "GET /healthz HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
	"a bare CR in a value":        request("GET /healthz HTTP/1.1", "Host: x", "X: a\rb"),
	"a NUL in a value":            request("GET /healthz HTTP/1.1", "Host: x", "X: a\x00b"),
	"an escape in a value":        request("GET /healthz HTTP/1.1", "Host: x", "X: a\x1bb"),
	"a DEL in a value":            request("GET /healthz HTTP/1.1", "Host: x", "X: a\x7fb"),
	"a NUL in a name":             request("GET /healthz HTTP/1.1", "Host: x", "X\x00: a"),
	"a NUL in the path":           request("GET /health\x00z HTTP/1.1", "Host: x"),
	"a header on two lines":       request("GET /healthz HTTP/1.1", "Host: x", "X: a", " b"),
	"a first header with a blank": request("GET /healthz HTTP/1.1", " Host: x"),
	"a blank before the colon":    request("GET /healthz HTTP/1.1", "Host: x", "X : a"),
	"a header without a colon":    request("GET /healthz HTTP/1.1", "Host: x", "X"),
	"a header without a name":     request("GET /healthz HTTP/1.1", "Host: x", ": a"),
	"no host":                     request("GET /healthz HTTP/1.1", "X: a"),
	"two hosts":                   request("GET /healthz HTTP/1.1", "Host: x", "Host: y"),
	"too many headers": request("GET /healthz HTTP/1.1",
		append([]string{"Host: x"}, strings.Split(strings.Repeat("X: a,", maxHeaders), ",")[:maxHeaders]...)...),
	"the URL of a proxy":    request("GET http://x/healthz HTTP/1.1", "Host: x"),
	"the target of CONNECT": request("CONNECT x:443 HTTP/1.1", "Host: x"),
	"the target of OPTIONS": request("OPTIONS * HTTP/1.1", "Host: x"),
	"two blanks":            request("GET  /healthz HTTP/1.1", "Host: x"),
	"a tab":                 request("GET\t/healthz HTTP/1.1", "Host: x"),
	"a blank at the end":    request("GET /healthz HTTP/1.1 ", "Host: x"),
	"an empty line first":   "\r\n" + request("GET /healthz HTTP/1.1", "Host: x"),
	"no version":            request("GET /healthz", "Host: x"),
	"an old version":        request("GET /healthz HTTP/0.9", "Host: x"),
	"a newer version":       request("GET /healthz HTTP/1.2", "Host: x"),
	"HTTP/2":                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"a method that is none": request("G(T /healthz HTTP/1.1", "Host: x"),
	"a GET with a body":     request("GET /healthz HTTP/1.1", "Host: x", "Content-Length: 40") + smuggled,
	"a HEAD with chunks": request("HEAD /healthz HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") +
		"0\r\n\r\n",
	"a chunk extension": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") +
		"2;a=b\r\n{}\r\n0\r\n\r\n",
	"a chunk extension with LF": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") + "2;\n{}\r\n0\r\n\r\n",
	"a blank after a chunk's size": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") +
		"2 \r\n{}\r\n0\r\n\r\n",
	"a chunk's size with LF": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") + "2\n{}\r\n0\r\n\r\n",
	"a chunk longer than it says": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") +
		"2\r\n{}}\r\n0\r\n\r\n",
	"a chunk of a negative size": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") + "-2\r\n{}\r\n0\r\n\r\n",
	"a chunk of a huge size": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") +
		"ffffffffffffffff2\r\n{}\r\n0\r\n\r\n",
	"a trailer": request(toHotmart, "Host: x", "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\nHost: y\r\n\r\n",
	"TLS":       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	address := serveStub(t, stubOptions(t))
	for name, sent := range malformedRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers, closed := statuses(t, address, sent)
			if len(answers) != 1 || answers[0] != http.StatusBadRequest || !closed {
				t.Errorf("answered %v, closed: %t; want one 400, and the end", answers, closed)
			}
		})
	}
}

func TestWellFormedRequestsAreRead(t *testing.T) {
	t.Parallel()
	address := serveStub(t, stubOptions(t))
	small := "POST /api/webhooks/hotmart/" + gen.Store + " HTTP/1.1\r\nHost: x\r\n"
	large := strings.Repeat(" ", 100_000)
	for name, test := range map[string]struct {
		sent   string
		want   []int
		closed bool
	}{
		"one":              {smuggled, []int{200}, false},
		"several at once":  {strings.Repeat(smuggled, 5), []int{200, 200, 200, 200, 200}, false},
		"a body, then one": {small + "Content-Length: 2\r\n\r\n{}" + smuggled, []int{401, 200}, false},
		"chunks, then one": {
			small + "transfer-encoding: Chunked\r\n\r\n1\r\n{\r\n001\r\n}\r\n0\r\n\r\n" + smuggled, []int{401, 200},
			false,
		},
		"a large body, then one": {small + "Content-Length: 100000\r\n\r\n" + large + smuggled, []int{401, 200},
			false},
		"a large chunk, then one": {small + "Transfer-Encoding: chunked\r\n\r\n186A0\r\n" + large + "\r\n0\r\n\r\n" +
			smuggled, []int{401, 200}, false},
		"HTTP/1.0": {"GET /healthz HTTP/1.0\r\n\r\n", []int{200}, true},
		"HTTP/1.0 kept alive": {"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + smuggled, []int{200},
			true},
		"the last one": {"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + smuggled,
			[]int{200}, true},
		"letters beyond ASCII":     {"GET /healthz HTTP/1.1\r\nHost: x\r\nX: José\r\n\r\n", []int{200}, false},
		"no blank after the colon": {"GET /healthz HTTP/1.1\r\nHost:x\r\n\r\n", []int{200}, false},
		"one, then nonsense":       {smuggled + "nonsense\r\n\r\n", []int{200, 400}, true},
		"too large, then one":      {small + "Content-Length: 1048577\r\n\r\n", []int{413}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers, closed := statuses(t, address, test.sent)
			if fmt.Sprint(answers) != fmt.Sprint(test.want) || closed != test.closed {
				t.Errorf("answered %v, closed: %t; want %v, %t", answers, closed, test.want, test.closed)
			}
		})
	}
}

// TestBytesComeOneByOne feeds a conversation byte by byte, as the slowest of networks would.
func TestBytesComeOneByOne(t *testing.T) {
	address := serveStub(t, stubOptions(t))
	conn := dial(t, address)
	sent := request(toHotmart, "Host: x", "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n" +
		request(toHotmart, "Host: x", "Content-Length: 2") + "{}" + smuggled
	go func() {
		for i := range len(sent) {
			if _, err := io.WriteString(conn, sent[i:i+1]); err != nil {
				return
			}
		}
	}()
	reader := bufio.NewReader(conn)
	for _, want := range []int{401, 401, 200} {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("answered %d, want %d", answer.StatusCode, want)
		}
	}
}

// FuzzReadHead holds readHead to net/http: what it takes, that takes too, and sees the same body.
func FuzzReadHead(f *testing.F) {
	for _, sent := range malformedRequests {
		f.Add([]byte(sent))
	}
	f.Add([]byte(smuggled))
	f.Add([]byte(request(toHotmart, "Host: x", "Content-Length: 2")))
	f.Fuzz(func(t *testing.T, received []byte) {
		end, ok := endOfHead(received, 0)
		if !ok || end == 0 {
			return
		}
		framed, status := readHead(received[:end])
		if status != 0 {
			return
		}
		other, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(received[:end])))
		if err != nil {
			if strings.Contains(err.Error(), "parse") || strings.Contains(err.Error(), "Host header") {
				return // it reads the URL, and what a host may be, too
			}
			t.Fatalf("%q: taken, and net/http says %v", received[:end], err)
		}
		chunked := len(other.TransferEncoding) > 0
		if chunked != framed.chunked || !chunked && other.ContentLength != framed.length {
			t.Errorf("%q: got %+v, net/http has %d, %v", received[:end], framed, other.ContentLength,
				other.TransferEncoding)
		}
	})
}

// FuzzChunks holds chunks to net/http's reader, in one piece and in two.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("2\r\n{}\r\n0\r\n\r\nGET"), 3)
	f.Add([]byte("0\r\n\r\n"), 1)
	f.Add([]byte("2;a\r\n{}\r\n0\r\n\r\n"), 0)
	f.Fuzz(func(t *testing.T, received []byte, cut int) {
		var whole, parts chunks
		used, done, status := whole.follow(received)
		at := min(max(cut, 0), len(received))
		first, early, failed := parts.follow(received[:at])
		if !early && failed == 0 {
			var more int
			more, early, failed = parts.follow(received[at:])
			first += more
		}
		if used != first || done != early || status != failed {
			t.Fatalf("in one piece %d %t %d, in two %d %t %d", used, done, status, first, early, failed)
		}
		if !done {
			return
		}
		head := request("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
		other, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head),
			bytes.NewReader(received[:used]))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, other.Body); err != nil {
			t.Errorf("%q: taken, and net/http says %v", received[:used], err)
		}
	})
}
