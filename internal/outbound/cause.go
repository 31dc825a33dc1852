package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
)

// TimedOut tells whether a call ended without an answer because its time was over.
func TimedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

// Cause says in fixed words why a call got no answer, or not a whole one. Nothing of the error's own text is
// kept: it holds the URL.
func Cause(err error) string {
	var (
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was cancelled"
	case errors.As(err, &lookup):
		return "the host name could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted"
	case errors.As(err, &record), errors.As(err, &alert):
		return "the TLS handshake failed"
	case TimedOut(err):
		return "no answer in time"
	}
	return "the connection failed"
}
