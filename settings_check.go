package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/leaderelection"

	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/gateway/registry"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/serving"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/webhookserver"
)

// The bounds of what can be set by number.
const (
	maxConcurrency  = 1024
	maxConnections  = 1 << 20
	minRetryPeriod  = 100 * time.Millisecond
	maxLease        = 5 * time.Minute
	maxSettingShown = 80
	// maxLogLevel is the last level at which client-go logs no requests: from 6 on it logs their URLs, from 8 on what
	// is in them.
	maxLogLevel = 5
	// maxRestoreHold is longer than any lead waits.
	maxRestoreHold = 30 * 24 * time.Hour
)

// wrong is the error of a setting that cannot be used. It names the flag or variable, what was expected and, where that
// is no secret, what was given.
func wrong(name, expected, got string) error {
	if got == "" {
		return fmt.Errorf("%s: expected %s", name, expected)
	}
	return fmt.Errorf("%s: expected %s; got %q", name, expected, clip.Marked(got, maxSettingShown))
}

// check says everything that is wrong with the settings, nil for nothing: a person who deploys
// should not have to try again for each.
func (s *settings) check() error {
	if s.flagError != nil {
		return fmt.Errorf("%w; --help lists the flags", s.flagError)
	}
	return errors.Join(
		checkArguments(s.arguments),
		checkPublicURL("--public-url (environment: PUBLIC_URL)", s.publicURL),
		s.checkGateways(),
		checkAIBase("OPENAI_BASE_URL", s.ai.BaseURL),
		checkCredential("OPENAI_API_KEY", s.ai.APIKey, "", ""),
		s.checkAddresses(),
		s.checkServing(),
		s.checkNamespaces(),
		s.checkElection(),
		s.checkNumbers(),
		s.checkOutside(),
		checkStateDir(s.stateDir),
		s.checkLog(),
		s.checkSuppressionKeys(),
	)
}

// checkGateways is about the operator's own gateways.
func (s *settings) checkGateways() error {
	var found []error
	for _, each := range registry.Types() {
		if own := s.gateways[each.Name]; !each.BuiltIn() {
			found = append(found, checkURL(each.BaseURLVariable, own.BaseURL),
				checkCredential(each.AdminTokenVariable, own.AdminToken, each.BaseURLVariable, own.BaseURL))
		}
	}
	return errors.Join(found...)
}

func checkArguments(arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	return wrong("command line", "flags alone, such as --leader-elect, and booleans as --flag=false",
		strings.Join(arguments, " "))
}

// checkURL accepts nothing, or the address of a server.
func checkURL(name, address string) error {
	if address == "" {
		return nil
	}
	parsed, err := url.Parse(address)
	switch {
	case err != nil:
		// The address is not shown: it may hold a password.
		return wrong(name, "a URL such as https://hooks.example.com", "")
	case parsed.User != nil:
		return wrong(name, "a URL without user name and password", "")
	case parsed.Scheme != "https" && parsed.Scheme != "http":
		return wrong(name, "a URL that begins with https:// (or http://)", address)
	case parsed.Hostname() == "":
		return wrong(name, "a URL with a host, such as https://hooks.example.com", address)
	case parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return wrong(name, "a URL without query and fragment", parsed.Scheme+"://"+parsed.Host+parsed.Path)
	case strings.ContainsAny(address, " \t\r\n"):
		return wrong(name, "a URL without blanks", address)
	case !isServer(parsed):
		return wrong(name, "a URL with the name or address of one server, and a port from 1 to 65535 if any", address)
	}
	return nil
}

// isServer says whether a URL's host can be a server's.
func isServer(of *url.URL) bool {
	name, port := of.Hostname(), of.Port()
	number, err := strconv.ParseUint(port, 10, 16)
	if strings.HasSuffix(of.Host, ":") || port != "" && (err != nil || number == 0) {
		return false
	}
	_, notIP := netip.ParseAddr(name)
	// Resolvers take the dot of the root, and underscores, as names of services in containers have them.
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(name, ".")), "_", "-")
	return notIP == nil || len(validation.IsDNS1123Subdomain(name)) == 0
}

// checkPublicURL accepts nothing, or the URL that all webhook URLs begin with.
func checkPublicURL(name, address string) error {
	if err := checkURL(name, address); err != nil {
		return err
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return wrong(name, "a URL such as https://hooks.example.com", "")
	}
	for _, added := range []string{"/api/webhooks", "/api/whatsapp"} {
		if parsed.Path == "/api" || strings.HasPrefix(parsed.Path+"/", added+"/") {
			return wrong(name, "the URL in front of /api/, which the operator adds", address)
		}
	}
	return nil
}

// checkAIBase accepts nothing, or a base URL: the library adds the path of the call.
func checkAIBase(name, address string) error {
	if strings.HasSuffix(strings.TrimRight(address, "/"), "/chat/completions") {
		return wrong(name, "the base of the API, without /chat/completions", address)
	}
	return checkURL(name, address)
}

// checkStateDir refuses a directory in which the mark cannot be kept: no restore would be noticed.
func checkStateDir(path string) error {
	if path == "" {
		return nil
	}
	found, err := os.Stat(path) //nolint:gosec // the path is the operator's own setting
	if err != nil || !found.IsDir() {
		return wrong("--state-dir", "a directory that exists", path)
	}
	return nil
}

// checkLog refuses a log of customers' data.
func (s *settings) checkLog() error {
	if !s.logsRequests {
		return nil
	}
	return wrong("--zap-log-level", fmt.Sprintf("error, info, debug or a number up to %d: above that the log has "+
		"every request to the API server, with customers' data and Secrets", maxLogLevel), "")
}

// checkSuppressionKeys never shows a key.
func (s *settings) checkSuppressionKeys() error {
	if s.keysError == nil {
		return nil
	}
	return fmt.Errorf("SUPPRESSION_KEYS: expected up to 8 keys of at least %d bytes in base64, with commas between "+
		"them, as openssl rand -base64 %d makes them; %w", suppressionkeys.MinBytes, suppressionkeys.MinBytes,
		s.keysError)
}

// checkCredential never shows the value.
func checkCredential(name, value, needs, given string) error {
	if value == "" {
		return nil
	}
	for i := range len(value) {
		if value[i] <= ' ' || value[i] > '~' {
			return wrong(name,
				"letters, digits and signs that an HTTP header can carry: there is a blank, a line break or another "+
					"sign in it", "")
		}
	}
	if first := value[0]; len(value) > 1 && (first == '"' || first == '\'') && value[len(value)-1] == first {
		return wrong(name, "the credential without quotation marks around it", "")
	}
	if needs != "" && given == "" {
		return wrong(name, "together with "+needs+": it says where the credential may be sent", "")
	}
	return nil
}

// checkAddresses checks that each server has an address with a port of its own.
func (s *settings) checkAddresses() error {
	var found []error
	ports := map[string]string{}
	for _, each := range []struct {
		flag, address string
		may           bool
	}{
		{"--webhook-bind-address", s.webhookAddress, false},
		{"--metrics-bind-address", s.metrics.Address, true},
		{"--health-probe-bind-address", s.probeAddress, true},
	} {
		if each.may && each.address == "0" {
			continue
		}
		host, port, err := net.SplitHostPort(each.address)
		number, notNumber := strconv.ParseUint(port, 10, 16)
		_, notIP := netip.ParseAddr(host)
		known := host == "" || host == "localhost" || notIP == nil
		if err != nil || notNumber != nil || !known {
			found = append(found, wrong(each.flag, "an address to listen on, such as :9090 or 127.0.0.1:9090",
				each.address))
			continue
		}
		if other := ports[port]; other != "" && number != 0 {
			found = append(found, wrong(each.flag, "another port than "+other, each.address))
		}
		ports[port] = each.flag
	}
	return errors.Join(found...)
}

// checkServing checks certificates, and who may read metrics.
func (s *settings) checkServing() error {
	found := []error{checkCertDir("--webhook-cert-dir", s.webhookCertDir),
		checkCertDir("--metrics-cert-dir", s.metrics.CertDir)}
	switch s.metrics.Auth {
	case serving.MetricsByToken:
		if s.namespaced && s.metrics.Address != "0" {
			found = append(found, wrong("--metrics-auth", "certificate or none with --namespaced, because who has no "+
				"rights in the whole cluster cannot have tokens looked at", string(s.metrics.Auth)))
		}
	case serving.MetricsByCertificate:
		if _, err := serving.Authorities(s.metrics.ClientCAFile); err != nil {
			found = append(found, wrong("--metrics-client-ca-file", "a file with certificates of authorities in PEM, "+
				"because of --metrics-auth=certificate", s.metrics.ClientCAFile))
		}
	case serving.MetricsByAnyone:
	default:
		found = append(found, wrong("--metrics-auth", "token, certificate or none", string(s.metrics.Auth)))
	}
	if s.metrics.ClientCAFile != "" && s.metrics.Auth != serving.MetricsByCertificate {
		found = append(found, wrong("--metrics-client-ca-file", "--metrics-auth=certificate beside it", ""))
	}
	return errors.Join(found...)
}

// checkCertDir accepts nothing, or a directory with a certificate and its key.
func checkCertDir(name, dir string) error {
	if dir == "" {
		return nil
	}
	if _, err := serving.Check(dir); err != nil {
		return fmt.Errorf("%w: %w", wrong(name, "a directory with a certificate in "+serving.CertificateFile+
			" and its key in "+serving.KeyFile+", both in PEM", dir), err)
	}
	return nil
}

func (s *settings) checkNamespaces() error {
	var found []error
	if strings.TrimSpace(s.watchNamespaces) != "" && len(s.namespaces) == 0 {
		found = append(found, wrong("--watch-namespaces (environment: WATCH_NAMESPACES)",
			"at least one name, or nothing at all for all namespaces", s.watchNamespaces))
	}
	if s.namespaced && strings.TrimSpace(s.watchNamespaces) == "" {
		found = append(found, wrong("--watch-namespaces (environment: WATCH_NAMESPACES)",
			"the namespaces to work in, because of --namespaced", ""))
	}
	for _, name := range append(slices.Clone(s.namespaces), s.leaderElectionNamespace) {
		if name != "" && len(validation.IsDNS1123Label(name)) > 0 {
			found = append(found, wrong("--watch-namespaces and --leader-election-namespace",
				"names of namespaces (letters, digits and -), several with commas between them", name))
		}
	}
	return errors.Join(found...)
}

func (s *settings) checkElection() error {
	const lease, renew, retry = "--leader-election-lease-duration", "--leader-election-renew-deadline",
		"--leader-election-retry-period"
	var found []error
	if s.leaseDuration < time.Second || s.leaseDuration > maxLease || s.leaseDuration%time.Second != 0 {
		found = append(found, wrong(lease, "whole seconds, from 1s to "+maxLease.String(), s.leaseDuration.String()))
	}
	if s.renewDeadline >= s.leaseDuration {
		found = append(found, wrong(renew, "less than "+lease+", which is "+s.leaseDuration.String(),
			s.renewDeadline.String()))
	}
	if s.retryPeriod < minRetryPeriod {
		found = append(found, wrong(retry, "at least "+minRetryPeriod.String(), s.retryPeriod.String()))
	}
	if least := time.Duration(leaderelection.JitterFactor * float64(s.retryPeriod)); s.renewDeadline <= least {
		found = append(found, wrong(renew, "more than "+least.String()+", which is 1.2 times "+retry,
			s.renewDeadline.String()))
	}
	return errors.Join(found...)
}

func (s *settings) checkNumbers() error {
	var found []error
	for _, each := range []struct {
		flag  string
		value int
	}{{"--concurrent-leads", s.concurrency}, {"--concurrent-writes", s.writers},
		{"--namespace-writes", s.namespaceWrites}} {
		if each.value < 1 || each.value > maxConcurrency {
			found = append(found, wrong(each.flag, fmt.Sprintf("1 to %d", maxConcurrency), strconv.Itoa(each.value)))
		}
	}
	if s.restoreHold < 0 || s.restoreHold > maxRestoreHold {
		found = append(found, wrong("--restore-hold", "0s to "+maxRestoreHold.String(), s.restoreHold.String()))
	}
	if s.drain <= 0 || s.drain >= shutdownGrace {
		found = append(found, wrong("--drain-timeout", "more than 0s and less than "+shutdownGrace.String(),
			s.drain.String()))
	}
	return errors.Join(found...)
}

// checkOutside checks what is let in and out.
func (s *settings) checkOutside() error {
	var found []error
	if entry := outbound.UnusableHost(s.allowedHosts); entry != "" {
		found = append(found, wrong("--allowed-hosts (environment: ALLOWED_HOSTS)",
			"hosts such as api.example.com, api.example.com:8443 or *.example.com, at most 100, with commas between "+
				"them", entry))
	}
	if _, err := webhookserver.ParseProxies(s.trustedProxies); err != nil {
		found = append(found, wrong("--trusted-proxies (environment: TRUSTED_PROXIES)",
			"addresses and networks such as 10.0.0.0/8, with commas between them", s.trustedProxies))
	}
	for _, each := range []struct {
		flag  string
		value int
	}{{"--max-connections", s.connections}, {"--max-connections-per-source", s.perSource}} {
		if each.value < 1 || each.value > maxConnections {
			found = append(found, wrong(each.flag, fmt.Sprintf("1 to %d", maxConnections), strconv.Itoa(each.value)))
		}
	}
	return errors.Join(found...)
}

// warnings are what is allowed, and seldom meant; environ is the process's whole environment.
func (s *settings) warnings(environ []string, now time.Time) []string {
	found := s.expired(now)
	if public, err := url.Parse(s.publicURL); err == nil && public.Scheme == "http" && !isLoopback(public.Hostname()) {
		found = append(found,
			"PUBLIC_URL begins with http://: customers' data and webhook secrets cross the Internet unencrypted, "+
				"and most platforms refuse it")
	}
	if s.publicURL == "" && s.roles.controllers {
		found = append(found,
			"there is no PUBLIC_URL: gateways are not told where to post, so customers' answers do not come in")
	}
	bases := map[string]string{"OPENAI_BASE_URL": s.ai.BaseURL}
	for _, each := range registry.Types() {
		bases[each.BaseURLVariable] = s.gateways[each.Name].BaseURL
	}
	for name, base := range bases {
		if called, err := url.Parse(base); err == nil && called.Scheme == "http" && !isLoopback(called.Hostname()) {
			found = append(found, name+" begins with http://: credentials and customers' data are sent unencrypted")
		}
	}
	if s.perSource > s.connections {
		found = append(found,
			"--max-connections-per-source is more than --max-connections: one address can take all of them")
	}
	if proxies, err := webhookserver.ParseProxies(s.trustedProxies); err == nil &&
		slices.ContainsFunc(proxies, func(network netip.Prefix) bool { return network.Bits() == 0 }) {
		found = append(found,
			"--trusted-proxies trusts every address: whoever calls is who X-Forwarded-For says, and no address has "+
				"a share of its own")
	}
	return append(found, unread(environ)...)
}

// expired are the certificates that have ended. They are served all the same, because a new one is taken when it comes.
func (s *settings) expired(now time.Time) []string {
	var found []string
	for flag, dir := range map[string]string{"--webhook-cert-dir": s.webhookCertDir,
		"--metrics-cert-dir": s.metrics.CertDir} {
		if dir == "" {
			continue
		}
		if ends, err := serving.Check(dir); err == nil && now.After(ends) {
			found = append(found, flag+": the certificate ended at "+ends.UTC().Format(time.RFC3339)+
				"; whoever checks it refuses to connect until there is a new one")
		}
	}
	slices.Sort(found)
	return found
}

// unread are the variables of an environment that look like the operator's and are not read.
func unread(environ []string) []string {
	known := variables()
	prefixes := map[string]bool{"OPENAI": true, "PUBLIC": true, "WATCH": true, "SUPPRESSION": true}
	for _, each := range registry.Types() {
		if prefix, _, named := strings.Cut(each.BaseURLVariable, "_"); named {
			prefixes[prefix] = true
		}
	}
	var found []string
	for _, entry := range environ {
		variable, _, _ := strings.Cut(entry, "=")
		prefix, _, several := strings.Cut(variable, "_")
		if several && prefixes[prefix] && !slices.Contains(known, variable) {
			found = append(found, "environment variable "+variable+" is not read; those that are: "+
				strings.Join(known, ", "))
		}
	}
	return found
}

// variables are those of the environment that parseFlags reads.
func variables() []string {
	names := []string{"ALLOWED_HOSTS", "OPENAI_API_KEY", "OPENAI_BASE_URL", "PUBLIC_URL", "SUPPRESSION_KEYS",
		"TRUSTED_PROXIES", "WATCH_NAMESPACES"}
	for _, each := range registry.Types() {
		if !each.BuiltIn() {
			names = append(names, each.BaseURLVariable, each.AdminTokenVariable)
		}
	}
	slices.Sort(names)
	return names
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
