// Package serving is how the process's own servers are protected: certificates that are read again when they change,
// and who may read metrics.
package serving

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// The files of a certificate, named as in a Secret of type kubernetes.io/tls.
const (
	CertificateFile = "tls.crt"
	KeyFile         = "tls.key"
)

// maxCAFile bounds a file of certificates, in bytes: the bundle of all public authorities has a quarter of a megabyte.
const maxCAFile = 1 << 20

// MetricsAuth is what somebody needs who reads metrics.
type MetricsAuth string

const (
	// MetricsByToken: a bearer token of Kubernetes whose owner may get the URL /metrics, over TLS. It takes the right
	// to create TokenReviews and SubjectAccessReviews.
	MetricsByToken MetricsAuth = "token"
	// MetricsByCertificate: a client certificate of a given authority.
	MetricsByCertificate MetricsAuth = "certificate"
	// MetricsByAnyone: nothing. Something else, such as a NetworkPolicy, has to decide who connects.
	MetricsByAnyone MetricsAuth = "none"
)

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// Metrics describe the server of metrics.
type Metrics struct {
	// Address to listen on; "0" for nowhere.
	Address string
	// Auth is what somebody needs who reads them.
	Auth MetricsAuth
	// CertDir has the server's certificate. "" is one that the server signs itself, or plain HTTP for MetricsByAnyone.
	CertDir string
	// ClientCAFile has the authorities of client certificates, for MetricsByCertificate.
	ClientCAFile string
}

// Options are the same for controller-runtime.
func (m Metrics) Options() metricsserver.Options {
	options := metricsserver.Options{
		BindAddress: m.Address, CertDir: m.CertDir, CertName: CertificateFile, KeyName: KeyFile,
		SecureServing: m.Auth != MetricsByAnyone || m.CertDir != "",
		TLSOpts:       []func(*tls.Config){overHTTP1},
	}
	switch m.Auth {
	case MetricsByToken:
		options.FilterProvider = byToken
	case MetricsByCertificate:
		options.TLSOpts = append(options.TLSOpts, requireClients(m.ClientCAFile))
	case MetricsByAnyone:
	}
	return options
}

// byToken is the library's filter, which logs an error with a stack for every wrong token: told once a minute, because
// a scraper that is set up wrong comes every few seconds.
func byToken(config *rest.Config, client *http.Client) (metricsserver.Filter, error) {
	filter, err := filters.WithAuthenticationAndAuthorization(config, client)
	if err != nil {
		return nil, fmt.Errorf("build the filter of metrics: %w", err)
	}
	return func(log logr.Logger, handler http.Handler) (http.Handler, error) {
		return filter(log.WithSink(&seldom{LogSink: log.GetSink(), limit: rate.NewLimiter(rate.Every(time.Minute), 1)}),
			handler)
	}, nil
}

// seldom passes an error on once in a while, as a line without a stack.
type seldom struct {
	logr.LogSink
	limit *rate.Limiter
}

// Error logs that somebody could not be asked about, or had a wrong token.
func (s *seldom) Error(err error, message string, pairs ...any) {
	if s.limit.Allow() {
		s.LogSink.Info(0, message, append(pairs, "error", err.Error())...)
	}
}

// overHTTP1 leaves HTTP/2 out, whose streams a client can open and cancel at no cost to itself.
func overHTTP1(config *tls.Config) { config.NextProtos = []string{"http/1.1"} }

// requireClients lets clients in whose certificate is of an authority in a file, which is read for every connection:
// scrapers are few, and an authority that was taken out is trusted no longer.
func requireClients(path string) func(*tls.Config) {
	return func(config *tls.Config) {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		// The certificate is set in the configuration only after this, so it is copied when it is needed.
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			authorities, err := Authorities(path)
			if err != nil {
				return nil, err
			}
			own := config.Clone()
			own.GetConfigForClient, own.ClientCAs = nil, authorities
			return own, nil
		}
	}
}

// Authorities reads a file of PEM certificates.
func Authorities(path string) (*x509.CertPool, error) {
	file, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("open the certificates of authorities: %w", err)
	}
	defer func() { _ = file.Close() }()
	read, err := io.ReadAll(io.LimitReader(file, maxCAFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the certificates of authorities: %w", err)
	}
	if len(read) > maxCAFile {
		return nil, errors.New("the file of authorities has more than 1 MiB")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(read) {
		return nil, errors.New("the file of authorities has no certificate in PEM")
	}
	return pool, nil
}

// Check says whether a directory has a certificate and its key, and when the certificate ends.
func Check(dir string) (ends time.Time, err error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, CertificateFile), filepath.Join(dir, KeyFile))
	if err != nil {
		return time.Time{}, fmt.Errorf("read the certificate: %w", err)
	}
	return pair.Leaf.NotAfter, nil
}

// Watch reads the certificate of a directory, again whenever it changes as long as the watcher runs.
func Watch(dir string) (*certwatcher.CertWatcher, *tls.Config, error) {
	watcher, err := certwatcher.New(filepath.Join(dir, CertificateFile), filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: watcher.GetCertificate}
	overHTTP1(config)
	return watcher, config, nil
}
