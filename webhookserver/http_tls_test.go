package webhookserver

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/testenv"
)

// serveTLS starts a server that speaks TLS, and returns how a client trusts it.
func serveTLS(t *testing.T, options Options, change func(*doorLimits)) (*Server, string, *tls.Config) {
	t.Helper()
	authority := testenv.NewAuthority(t)
	own := authority.Issue(t, t.TempDir(), 2)
	options.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	s, address := serveOptions(t, options, change)
	return s, address, &tls.Config{RootCAs: authority.Pool(), ServerName: "127.0.0.1"}
}

func TestDeliveriesOverTLS(t *testing.T) {
	t.Parallel()
	_, address, trusting := serveTLS(t, stubOptions(t), func(*doorLimits) {})
	conn := tls.Client(dial(t, address), trusting)
	for range 2 {
		if answer := answerOn(t, conn, goodCart()); answer.StatusCode != http.StatusOK {
			t.Fatalf("a delivery was answered %d", answer.StatusCode)
		}
	}
	plain := dial(t, address)
	if _, err := io.WriteString(plain, goodCart()); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(plain)
	if !strings.HasPrefix(string(said), "HTTP/1.1 400 ") || !strings.Contains(string(said), "TLS") {
		t.Errorf("a delivery in plain HTTP was answered %q (%v), want 400 that names TLS", said, err)
	}
}

// TestHandshakesThatDoNotEnd has them end, and take no connection from others for longer than half a head does.
func TestHandshakesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{"nothing": "", "half a hello": "\x16\x03\x01\x02\x00\x01"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, address, _ := serveTLS(t, stubOptions(t), func(l *doorLimits) { l.head = 50 * time.Millisecond })
			conn := dial(t, address)
			if _, err := io.WriteString(conn, sent); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection stays open")
			}
			if slow := testutil.ToFloat64(s.Metrics.RefusedConnection(refusedSlow)); slow != 1 {
				t.Errorf("%v were counted as slow", slow)
			}
		})
	}
}

// TestNoRoomOverTLS closes a connection at once where there is no room: to tell would take a handshake.
func TestNoRoomOverTLS(t *testing.T) {
	t.Parallel()
	options := stubOptions(t)
	options.MaxConnections, options.MaxConnectionsPerSource = 1, 1
	held, release := make(chan struct{}), make(chan struct{})
	options.Client.(*stubClient).created = func(client.Object) { //nolint:forcetypeassert // it is one
		held <- struct{}{}
		<-release
	}
	_, address, trusting := serveTLS(t, options, func(*doorLimits) {})
	if _, err := io.WriteString(tls.Client(dial(t, address), trusting), goodCart()); err != nil {
		t.Fatal(err)
	}
	<-held
	if read, err := io.ReadAll(dial(t, address)); len(read) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes were sent, and the connection ended with %v", len(read), err)
	}
	close(release)
}
