package serving

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"cartrecovery.dev/operator/internal/testenv"
)

// serial is the serial number of the certificate that a server shows; 0 when it shows none.
func serial(ctx context.Context, address string, config *tls.Config) int64 {
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close() }()
	state := conn.(*tls.Conn).ConnectionState() //nolint:forcetypeassert // a tls.Dialer makes no other
	return state.PeerCertificates[0].SerialNumber.Int64()
}

// within waits until something is so.
func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		case <-tick.C:
		}
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	dir, authority := t.TempDir(), testenv.NewAuthority(t)
	authority.Issue(t, dir, 2)
	watcher, config, err := Watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Start(ctx) }()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})

	trusting := &tls.Config{RootCAs: authority.Pool()}
	if got := serial(ctx, listener.Addr().String(), trusting); got != 2 {
		t.Fatalf("the first certificate is %d", got)
	}
	authority.Issue(t, dir, 3)
	within(t, "the new certificate is shown", func() bool {
		return serial(ctx, listener.Addr().String(), trusting) == 3
	})
}

func TestWithoutACertificate(t *testing.T) {
	if _, _, err := Watch(t.TempDir()); err == nil {
		t.Error("a directory without a certificate is watched")
	}
	if _, err := Check(t.TempDir()); err == nil {
		t.Error("a directory without a certificate is accepted")
	}
}

// serveMetrics serves metrics until the test ends, and returns their address.
func serveMetrics(t *testing.T, metrics Metrics) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	metrics.Address = free.Addr().String()
	_ = free.Close()
	server, err := metricsserver.NewServer(metrics.Options(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	within(t, "the server listens", func() bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", metrics.Address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return metrics.Address
}

// status is what a server of metrics answers; 0 for no answer.
func status(ctx context.Context, url string, config *tls.Config) int {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return 0
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func TestMetricsByCertificate(t *testing.T) {
	dir, own, other := t.TempDir(), testenv.NewAuthority(t), testenv.NewAuthority(t)
	client := own.Issue(t, t.TempDir(), 7)
	stranger := other.Issue(t, t.TempDir(), 8)
	own.Issue(t, dir, 2)
	file := own.Write(t, dir)
	address := serveMetrics(t, Metrics{Auth: MetricsByCertificate, CertDir: dir, ClientCAFile: file})

	with := func(certificates ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: own.Pool(), Certificates: certificates}
	}
	for name, test := range map[string]struct {
		config *tls.Config
		want   int
	}{
		"no certificate":           {with(), 0},
		"one of another authority": {with(stranger), 0},
		"one of the authority":     {with(client), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if got := status(t.Context(), "https://"+address, test.config); got != test.want {
				t.Errorf("answered %d, want %d", got, test.want)
			}
		})
	}
	other.Write(t, dir)
	if got := status(t.Context(), "https://"+address, with(client)); got != 0 {
		t.Errorf("an authority that was taken out is trusted: %d", got)
	}
	if got := status(t.Context(), "https://"+address, with(stranger)); got != http.StatusOK {
		t.Errorf("an authority that was put in is not trusted: %d", got)
	}
}

func TestMetricsByAnyone(t *testing.T) {
	dir, own := t.TempDir(), testenv.NewAuthority(t)
	own.Issue(t, dir, 2)
	for name, test := range map[string]struct {
		metrics Metrics
		scheme  string
	}{
		"in plain HTTP": {Metrics{Auth: MetricsByAnyone}, "http://"},
		"over TLS":      {Metrics{Auth: MetricsByAnyone, CertDir: dir}, "https://"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serveMetrics(t, test.metrics)
			if got := status(t.Context(), test.scheme+address, &tls.Config{RootCAs: own.Pool()}); got != http.StatusOK {
				t.Errorf("answered %d", got)
			}
		})
	}
}

// TestWrongTokensAreToldSeldom: without a stack, and not for every scrape.
func TestWrongTokensAreToldSeldom(t *testing.T) {
	var lines []string
	log := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})
	quiet := log.WithSink(&seldom{LogSink: log.GetSink(), limit: rate.NewLimiter(rate.Every(time.Hour), 1)})
	for range 3 {
		quiet.Error(errors.New("no such token"), "Authentication failed")
	}
	quiet.Info("Serving metrics")
	want := []string{`"level"=0 "msg"="Authentication failed" "error"="no such token"`,
		`"level"=0 "msg"="Serving metrics"`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAuthoritiesAreBounded(t *testing.T) {
	dir := t.TempDir()
	path := testenv.NewAuthority(t).Write(t, dir)
	if _, err := Authorities(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, maxCAFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Authorities(path); err == nil {
		t.Error("a file that would be cut is accepted")
	}
}
