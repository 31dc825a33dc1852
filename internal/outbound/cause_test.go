package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
)

func TestCause(t *testing.T) {
	inCall := func(err error) error {
		return &url.Error{Op: "Post", URL: "https://host.example/token", Err: &net.OpError{Op: "dial", Err: err}}
	}
	for _, row := range []struct {
		name     string
		err      error
		want     string
		timedOut bool
	}{
		{"cancelled", fmt.Errorf("call: %w", context.Canceled), "the call was cancelled", false},
		{"no such host", inCall(&net.DNSError{Name: "host.example", IsNotFound: true}),
			"the host name could not be resolved", false},
		{"a look-up that took too long", inCall(&net.DNSError{Name: "host.example", IsTimeout: true}),
			"the host name could not be resolved", true},
		{"refused", inCall(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "the connection was refused", false},
		{"a certificate of somebody else", inCall(&tls.CertificateVerificationError{Err: errors.New("unknown")}),
			"the server's certificate is not trusted", false},
		{"no TLS", inCall(tls.RecordHeaderError{Msg: "HTTP"}), "the TLS handshake failed", false},
		{"an alert", inCall(tls.AlertError(40)), "the TLS handshake failed", false},
		{"too late", fmt.Errorf("call: %w", context.DeadlineExceeded), "no answer in time", true},
		{"too slow", inCall(os.ErrDeadlineExceeded), "no answer in time", true},
		{"reset", inCall(os.NewSyscallError("read", syscall.ECONNRESET)), "the connection failed", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Cause(row.err); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if got := TimedOut(row.err); got != row.timedOut {
				t.Errorf("timed out: %t, want %t", got, row.timedOut)
			}
		})
	}
}
