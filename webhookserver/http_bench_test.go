package webhookserver

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/gen"
)

// BenchmarkGoodBeside is a good delivery over a connection of its own while strangers do what they can,
// without the API server: p50 and p99 in milliseconds. hack/attack does the same to the whole operator.
func BenchmarkGoodBeside(b *testing.B) {
	const crowd = 3000
	hostile := `{` + strings.Repeat(`"a":1,`, 170_000) + `"z":1}`
	bare := func(size string, body string) string {
		return request("POST /api/webhooks/hotmart/x HTTP/1.1", "Host: x", "Content-Length: "+size) + body
	}
	for _, beside := range []struct {
		name  string
		crowd int
		sent  string
		again bool
	}{
		{"nobody", 0, "", false},
		{"silent", crowd, "", false},
		{"dripping headers", crowd, "POST / HTTP/1.1\r\nX: ", false},
		{"dripping bodies", crowd, bare("1000000", "{"), false},
		{"forged", 64, strings.Replace(goodCart(), "a-secret", "a-guess", 1), true},
		{"large forged", 64, strings.Replace(bare("1020007", hostile), "/x ", "/"+gen.Store+" ", 1), true},
	} {
		b.Run(beside.name, func(b *testing.B) {
			address := serveStub(b, stubOptions(b))
			ctx, stop := context.WithCancel(b.Context())
			var group sync.WaitGroup
			for range beside.crowd {
				group.Go(func() { pester(ctx, address, beside.sent, beside.again) })
			}
			took := make([]time.Duration, 0, b.N)
			refused := 0
			for b.Loop() {
				start := time.Now()
				if !delivered(address) {
					refused++
				}
				took = append(took, time.Since(start))
			}
			stop()
			group.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(refused), "refused")
		})
	}
}

// delivered posts a good cart; false when it was not taken.
func delivered(address string) bool {
	conn, err := net.DialTimeout("tcp", address, 20*time.Second)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // it was only read
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, goodCart()); err != nil {
		return false
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// pester says the same over one connection after the other: once each, or for as long as it is answered.
func pester(ctx context.Context, address, sent string, again bool) {
	buffer := make([]byte, 4<<10)
	for ctx.Err() == nil {
		conn, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err != nil {
			continue
		}
		release := context.AfterFunc(ctx, func() { _ = conn.Close() })
		for {
			if _, err := io.WriteString(conn, sent); err != nil {
				break
			}
			if _, err := conn.Read(buffer); err != nil || !again {
				break
			}
		}
		release()
		_ = conn.Close()
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}
