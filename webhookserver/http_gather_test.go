package webhookserver

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// largeCart is a good cart whose body is of so many bytes, framed by its length or in chunks, with further
// headers.
func largeCart(size int, chunked bool, headers ...string) string {
	_, body, _ := strings.Cut(goodCart(), "\r\n\r\n")
	body += strings.Repeat(" ", size-len(body))
	headers = append(headers, "Host: x", "X-HOTMART-HOTTOK: a-secret")
	if !chunked {
		return request(toHotmart, append(headers, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
	}
	var framed strings.Builder
	for part := range strings.SplitSeq(body, ",") {
		fmt.Fprintf(&framed, "%x\r\n%s\r\n1\r\n,\r\n", len(part), part)
	}
	whole := strings.TrimSuffix(framed.String(), "1\r\n,\r\n")
	return request(toHotmart, append(headers, "Transfer-Encoding: chunked")...) + whole + "0\r\n\r\n"
}

func TestLargeBodiesAreGathered(t *testing.T) {
	for name, sent := range map[string]string{
		"by length":           largeCart(200<<10, false),
		"as large as may be":  largeCart(bodyLimit, false),
		"in chunks":           largeCart(200<<10, true),
		"in chunks, but less": largeCart(3000, true),
	} {
		t.Run(name, func(t *testing.T) {
			address := serveStub(t, stubOptions(t))
			conn := dial(t, address)
			// What follows on the connection is a request of its own.
			for range 2 {
				if got := answerOn(t, conn, sent); got.StatusCode != http.StatusOK {
					t.Errorf("answered %d", got.StatusCode)
				}
			}
		})
	}
}

// TestWhoExpectsIsToldToGoOn: a sender that waits before it sends a large body gets its word, once.
func TestWhoExpectsIsToldToGoOn(t *testing.T) {
	head, body, _ := strings.Cut(largeCart(100<<10, false, "Expect: 100-continue"), "\r\n\r\n")
	conn := dial(t, serveStub(t, stubOptions(t)))
	received := bufio.NewReader(conn)
	next := func() int {
		answer, err := http.ReadResponse(received, nil)
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if _, err := io.WriteString(conn, head+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != http.StatusContinue {
		t.Fatalf("answered %d, want to be told to go on", got)
	}
	// The body comes when the sender has heard that, which takes the way there and back.
	<-time.After(2 * refusalTime)
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != http.StatusOK {
		t.Errorf("answered %d", got)
	}
}

// TestWhoAnnouncesMuchHoldsLittle: large bodies that hardly come take no memory from those that do.
func TestWhoAnnouncesMuchHoldsLittle(t *testing.T) {
	options := stubOptions(t)
	options.MaxConnectionsPerSource = 500
	address := serveStub(t, options)
	for range 300 {
		conn := dial(t, address)
		if _, err := io.WriteString(conn, request(toHotmart, "Host: x", "Content-Length: 1000000")+"{"); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if got := answerTo(t, address, largeCart(500<<10, false)); got.StatusCode != http.StatusOK {
			t.Errorf("answered %d", got.StatusCode)
		}
	}
	if refused := testutil.ToFloat64(options.Metrics.RefusedConnection(refusedMemory)); refused != 0 {
		t.Errorf("%v were refused for their memory", refused)
	}
}

// TestLargeBodiesShareBandwidth: who sends much waits, who is far behind is told so, and others wait little.
func TestLargeBodiesShareBandwidth(t *testing.T) {
	d, clock := testDoor(t, doorLimits{
		connections: 9, perSource: 9, bandwidth: 4 * bandwidthBurst, bandwidthPerSource: bandwidthBurst,
	})
	d.proxies = Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	now := clock.Now()
	flood, other, known, proxied := d.comes(t, "192.0.2.1"), d.comes(t, "192.0.2.2"), d.comes(t,
		"192.0.2.3"), d.comes(t, "10.0.0.1")
	known.prove()
	proxied.prove()
	for _, each := range []struct {
		name string
		of   *clientConn
		want []time.Duration
	}{
		{"the first of a flood", flood, []time.Duration{0, 0}},
		{"the second, which its source has no room for", flood, []time.Duration{time.Second, 250 * time.Millisecond}},
		{"another's", other, []time.Duration{0, 500 * time.Millisecond}},
		{"a known sender's", known, nil},
		{"a proxy's, which others are behind", proxied, []time.Duration{750 * time.Millisecond}},
	} {
		var got []time.Duration
		for _, limit := range d.bandwidthOf(each.of) {
			wait, _ := owed(limit, bandwidthBurst, now)
			got = append(got, wait)
		}
		if !slices.Equal(got, each.want) {
			t.Errorf("%s waits %v, want %v", each.name, got, each.want)
		}
	}
}

// TestNobodyWaitsForNothing: not once the server ends, not a connection that made room for another, and not who is
// so far behind that the body would be too late; what they do not take is there for others.
func TestNobodyWaitsForNothing(t *testing.T) {
	limits := doorLimits{connections: 9, perSource: 9, bandwidth: bandwidthBurst, bandwidthPerSource: bandwidthBurst}
	d, _ := testDoor(t, limits)
	first := d.comes(t, "192.0.2.1")
	d.mu.Lock()
	d.release(first, refusedSilent)
	d.mu.Unlock()
	for range 9 {
		d.pace(first, bandwidthBurst)
	}
	limits.bandwidth, limits.bandwidthPerSource = 1, 1
	d, _ = testDoor(t, limits)
	behind := d.comes(t, "192.0.2.1")
	if !d.pace(behind, bandwidthBurst) || d.pace(behind, bandwidthBurst) {
		t.Error("the second would wait for a day, and is not told")
	}
	limits.bandwidth, limits.bandwidthPerSource = bandwidthBurst, bandwidthBurst
	d, _ = testDoor(t, limits)
	underWay := d.comes(t, "192.0.2.1")
	close(d.closing)
	for range 2 {
		if !d.pace(underWay, bandwidthBurst) {
			t.Error("what is under way is refused when the server ends")
		}
	}
}
