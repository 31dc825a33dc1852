package webhookserver

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
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
	if refused := testutil.ToFloat64(options.Metrics.RefusedConnections.WithLabelValues(refusedMemory)); refused != 0 {
		t.Errorf("%v were refused for their memory", refused)
	}
}
