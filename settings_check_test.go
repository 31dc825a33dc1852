package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/serving"
	"cartrecovery.dev/operator/internal/testenv"
)

// checkRow is what a process is started with, and what the check says of it.
type checkRow struct {
	args []string
	env  map[string]string
	// wants are what the error says, none for no error at all.
	wants []string
}

// run checks the settings.
func (r checkRow) run(t *testing.T) {
	t.Helper()
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	s, _ := parseFlags(flags, r.args, func(name string) string { return r.env[name] })
	err := s.check()
	if (err == nil) != (len(r.wants) == 0) {
		t.Fatalf("got %v, want an error that says %q", err, r.wants)
	}
	for _, want := range r.wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), secretOfRows) {
		t.Errorf("%q tells a secret", err)
	}
}

// secretOfRows is the secret that environments of rows hold, and no error tells.
const secretOfRows = "geheim"

func TestCheck(t *testing.T) {
	for name, row := range map[string]checkRow{
		"nothing is set": {nil, nil, nil},
		"all is set": {[]string{"--leader-elect", "--metrics-bind-address=0"},
			map[string]string{"PUBLIC_URL": "https://hooks.example.com/base/", "WATCH_NAMESPACES": "a,b",
				"UAZAPI_BASE_URL": "https://x.uazapi.com", "UAZAPI_ADMIN_TOKEN": "t", "OPENAI_API_KEY": "k\n"}, nil},
		"a flag without its dashes": {[]string{"leader-elect"}, nil, []string{"command line", "leader-elect"}},
		"a boolean with a blank":    {[]string{"--leader-elect", "false"}, nil, []string{"--flag=false"}},
		"namespaces with semicolons": {nil, map[string]string{"WATCH_NAMESPACES": "a;b"},
			[]string{"--watch-namespaces", "commas"}},
		"a flag that is none": {[]string{"--nonsense"}, nil, []string{"nonsense", "--help"}},
		"a number that is none": {[]string{"--concurrent-leads=many"}, nil,
			[]string{"concurrent-leads", "many"}},
		"a role that is none": {[]string{"--roles=webhook"}, nil, []string{"roles", "webhook"}},
		"namespaces that are none": {nil, map[string]string{"WATCH_NAMESPACES": " , "}, []string{"--watch-namespaces",
			"at least one"}},
		"no rights in the cluster, and no namespaces": {[]string{"--namespaced"}, nil,
			[]string{"--watch-namespaces", "--namespaced"}},
		"no rights in the cluster": {[]string{"--namespaced", "--metrics-auth=none"},
			map[string]string{"WATCH_NAMESPACES": "a"}, nil},
		"no state directory": {[]string{"--state-dir=/nonexistent/x"}, nil, []string{"--state-dir", "exists"}},
		"several at once": {[]string{"--drain-timeout=-1s"}, map[string]string{"PUBLIC_URL": "x",
			"OPENAI_BASE_URL": "y"}, []string{"PUBLIC_URL", "OPENAI_BASE_URL", "--drain-timeout"}},
	} {
		t.Run(name, row.run)
	}
}

func TestCheckOfURLs(t *testing.T) {
	for name, row := range map[string]checkRow{
		"a URL without a scheme": {nil, map[string]string{"PUBLIC_URL": "hooks.example.com"},
			[]string{"PUBLIC_URL", "https://"}},
		"a scheme of another kind": {[]string{"--public-url=ftp://hooks.example.com"}, nil,
			[]string{"--public-url", "https://"}},
		"a URL with a port alone": {nil, map[string]string{"PUBLIC_URL": "hooks.example.com:443"},
			[]string{"PUBLIC_URL", "https://"}},
		"a URL without a host": {nil, map[string]string{"PUBLIC_URL": "https:///api"},
			[]string{"PUBLIC_URL", "host"}},
		"a URL with a query": {nil,
			map[string]string{"PUBLIC_URL": "https://hooks.example.com/?token=geheim"}, []string{"query"}},
		"a URL with a password": {nil,
			map[string]string{"OPENAI_BASE_URL": "https://me:geheim@api.example.com"},
			[]string{"OPENAI_BASE_URL", "password"}},
		"no URL at all": {nil, map[string]string{"UAZAPI_BASE_URL": "https://%zz:geheim@"},
			[]string{"UAZAPI_BASE_URL"}},
		"a gateway without a scheme": {nil, map[string]string{"EVOLUTION_BASE_URL": "evolution.example.com",
			"EVOLUTION_API_KEY": "e"}, []string{"EVOLUTION_BASE_URL"}},
		"a URL of a URL": {nil, map[string]string{"PUBLIC_URL": "https://https://hooks.example.com"},
			[]string{"PUBLIC_URL", "one server"}},
		"a port that is none": {nil, map[string]string{"PUBLIC_URL": "https://hooks.example.com:99999"},
			[]string{"PUBLIC_URL", "65535"}},
		"a port that is nothing": {nil, map[string]string{"PUBLIC_URL": "https://hooks.example.com:"},
			[]string{"PUBLIC_URL", "65535"}},
		"two dots": {nil, map[string]string{"PUBLIC_URL": "https://hooks..example.com"},
			[]string{"PUBLIC_URL", "one server"}},
		"two URLs": {nil,
			map[string]string{"PUBLIC_URL": "https://a.example.com,https://b.example.com"},
			[]string{"PUBLIC_URL", "one server"}},
		"a placeholder": {nil, map[string]string{"PUBLIC_URL": "https://<your-host>"},
			[]string{"PUBLIC_URL"}},
		"the URL with its path": {nil, map[string]string{"PUBLIC_URL": "https://hooks.example.com/api/webhooks"},
			[]string{"PUBLIC_URL", "in front of /api/"}},
		"a service and the root": {nil, map[string]string{"EVOLUTION_BASE_URL": "http://evolution_api:8080",
			"OPENAI_BASE_URL": "https://api.openai.com./v1"}, nil},
		"an Ingress's own prefix": {nil, map[string]string{"PUBLIC_URL": "https://shop.example.com/api/recovery"},
			nil},
		"an address and a path": {nil, map[string]string{"PUBLIC_URL": "https://[2001:db8::1]:8443/cart"}, nil},
		"the URL of a call": {nil,
			map[string]string{"OPENAI_BASE_URL": "https://api.openai.com/v1/chat/completions"},
			[]string{"OPENAI_BASE_URL", "without /chat/completions"}},
	} {
		t.Run(name, row.run)
	}
}

func TestCheckOfCredentials(t *testing.T) {
	for name, row := range map[string]checkRow{
		"a token for nowhere": {nil, map[string]string{"UAZAPI_ADMIN_TOKEN": "geheim"},
			[]string{"UAZAPI_ADMIN_TOKEN", "UAZAPI_BASE_URL"}},
		"a key in two lines": {nil, map[string]string{"OPENAI_API_KEY": "geheim\ngeheim"},
			[]string{"OPENAI_API_KEY", "line break"}},
		"a key in quotation marks": {nil, map[string]string{"OPENAI_API_KEY": `"geheim"`},
			[]string{"OPENAI_API_KEY", "quotation marks"}},
		"a log of much": {[]string{"--zap-log-level=5"}, nil, nil},
		"a log of requests, with customers and Secrets": {[]string{"--zap-log-level=6"}, nil,
			[]string{"--zap-log-level", "up to 5"}},
		"keys for Suppressions": {nil, map[string]string{
			"SUPPRESSION_KEYS": testenv.SuppressionKey('a') + "," + testenv.SuppressionKey('b') + "\n"}, nil},
		"a key for Suppressions in words": {nil, map[string]string{"SUPPRESSION_KEYS": "geheim"},
			[]string{"SUPPRESSION_KEYS", "openssl rand -base64 32"}},
		"a short key for Suppressions": {nil, map[string]string{"SUPPRESSION_KEYS": "Z2VoZWlt"},
			[]string{"SUPPRESSION_KEYS", "key 1 has 6 bytes"}},
		"a wrong key where none is read": {[]string{"--roles=webhooks"},
			map[string]string{"SUPPRESSION_KEYS": "geheim"}, nil},
	} {
		t.Run(name, row.run)
	}
}

func TestCheckOfAddresses(t *testing.T) {
	for name, row := range map[string]checkRow{
		"two servers on one port": {[]string{"--metrics-bind-address=:9090"}, nil,
			[]string{"--metrics-bind-address", "--webhook-bind-address"}},
		"an address without a port": {[]string{"--webhook-bind-address=9090"}, nil,
			[]string{"--webhook-bind-address", ":9090"}},
		"a port out of range": {[]string{"--webhook-bind-address=:99999"}, nil,
			[]string{"--webhook-bind-address"}},
		"a webhook server on nothing": {[]string{"--webhook-bind-address=0"}, nil,
			[]string{"--webhook-bind-address"}},
		"an allowed host with a scheme": {[]string{"--allowed-hosts=a.example.com,https://b.example.com"}, nil,
			[]string{"--allowed-hosts", "https://b.example.com"}},
		"proxies that are none": {nil, map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8;::1"},
			[]string{"--trusted-proxies", "commas"}},
		"ranges that are none": {[]string{"--allow-endpoint-cidrs=10.0.0.0/33"}, nil,
			[]string{"allow-endpoint-cidrs", "10.0.0.0/33"}},
	} {
		t.Run(name, row.run)
	}
}

func TestCheckOfNumbers(t *testing.T) {
	for name, row := range map[string]checkRow{
		"no workers": {[]string{"--concurrent-leads=0", "--concurrent-writes=-1"}, nil,
			[]string{"--concurrent-leads", "--concurrent-writes"}},
		"too many workers": {[]string{"--concurrent-leads=100000"}, nil, []string{"--concurrent-leads",
			"1024"}},
		"no time to drain":            {[]string{"--drain-timeout=0s"}, nil, []string{"--drain-timeout"}},
		"more than there is to drain": {[]string{"--drain-timeout=5m"}, nil, []string{"--drain-timeout", "45s"}},
		"a lease in parts": {[]string{"--leader-election-lease-duration=10500ms"}, nil,
			[]string{"--leader-election-lease-duration", "whole seconds"}},
		"renewed after it is over": {[]string{"--leader-election-lease-duration=5s"}, nil,
			[]string{"--leader-election-renew-deadline", "less than"}},
		"retried too seldom": {[]string{"--leader-election-retry-period=6s"}, nil,
			[]string{"--leader-election-renew-deadline", "--leader-election-retry-period"}},
		"retried all the time": {[]string{"--leader-election-retry-period=1ms"}, nil,
			[]string{"--leader-election-retry-period"}},
		"no connections at all": {[]string{"--max-connections=0"}, nil, []string{"--max-connections"}},
		"a negative hold":       {[]string{"--restore-hold=-5m"}, nil, []string{"--restore-hold"}},
		"a hold for years":      {[]string{"--restore-hold=99999h"}, nil, []string{"--restore-hold"}},
		"no writes at all":      {[]string{"--namespace-writes=0"}, nil, []string{"--namespace-writes"}},
	} {
		t.Run(name, row.run)
	}
}

func TestWarnings(t *testing.T) {
	for name, row := range map[string]struct {
		public  string
		environ []string
		want    string
	}{
		"https": {"https://hooks.example.com", []string{"OPENAI_API_KEY=k", "HOME=/",
			"OPENAI_BASE_URL=x"}, ""},
		"http on this machine":    {"http://127.0.0.1:9090", nil, ""},
		"http on the Internet":    {"http://hooks.example.com", nil, "unencrypted"},
		"no public URL":           {"", nil, "PUBLIC_URL"},
		"a variable of the shell": {"https://hooks.example.com", []string{"_=/bin/manager"}, ""},
		"a variable of another": {"https://hooks.example.com", []string{"OPENAI_KEY=geheim"},
			"OPENAI_KEY is not read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := everything
			s.publicURL = row.public
			got := strings.Join(s.warnings(row.environ, time.Now()), "; ")
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) ||
				strings.Contains(got, secretOfRows) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestWarningsOfSettings(t *testing.T) {
	for name, row := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"no public URL, and no controllers": {[]string{"--roles=webhooks"}, map[string]string{"PUBLIC_URL": ""}, ""},
		"a key in the open": {nil, map[string]string{"OPENAI_BASE_URL": "http://ai.example.com/v1"},
			"OPENAI_BASE_URL begins with http://"},
		"an AI on this machine":    {nil, map[string]string{"OPENAI_BASE_URL": "http://localhost:11434/v1"}, ""},
		"a share of more than all": {[]string{"--max-connections=10"}, nil, "--max-connections-per-source is more"},
		"everybody is a proxy": {[]string{"--trusted-proxies=10.0.0.0/8,::/0"}, nil,
			"--trusted-proxies trusts every address"},
	} {
		t.Run(name, func(t *testing.T) {
			flags := flag.NewFlagSet("manager", flag.ContinueOnError)
			s, _ := parseFlags(flags, row.args, func(name string) string {
				if value, ok := row.env[name]; ok || name != "PUBLIC_URL" {
					return value
				}
				return "https://hooks.example.com"
			})
			got := strings.Join(s.warnings(nil, time.Now()), "; ")
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestCheckOfServing(t *testing.T) {
	authority, dir := testenv.NewAuthority(t), t.TempDir()
	authority.Issue(t, dir, 2)
	ca, mixed := authority.Write(t, t.TempDir()), t.TempDir()
	authority.Issue(t, mixed, 3)
	copyFile(t, filepath.Join(dir, serving.KeyFile), filepath.Join(mixed, serving.KeyFile))
	alone := map[string]string{"WATCH_NAMESPACES": "a"}
	for name, row := range map[string]checkRow{
		"certificates": {[]string{"--webhook-cert-dir=" + dir, "--metrics-cert-dir=" + dir}, nil, nil},
		"a directory without one": {[]string{"--webhook-cert-dir=" + t.TempDir()}, nil,
			[]string{"--webhook-cert-dir", "tls.crt", "tls.key"}},
		"a key of another certificate": {[]string{"--webhook-cert-dir=" + mixed}, nil,
			[]string{"--webhook-cert-dir", "private key does not match"}},
		"a word that is none": {[]string{"--metrics-auth=mtls"}, nil,
			[]string{"--metrics-auth", "token, certificate or none", "mtls"}},
		"certificates of nobody": {[]string{"--metrics-auth=certificate"}, nil,
			[]string{"--metrics-client-ca-file", "PEM"}},
		"certificates of an authority": {[]string{"--metrics-auth=certificate", "--metrics-client-ca-file=" + ca},
			alone, nil},
		"an authority that nobody asks": {[]string{"--metrics-client-ca-file=" + ca}, nil,
			[]string{"--metrics-client-ca-file", "--metrics-auth=certificate"}},
		"tokens without rights in the cluster": {[]string{"--namespaced"}, alone,
			[]string{"--metrics-auth", "certificate or none", "--namespaced"}},
		"no metrics without rights in the cluster": {[]string{"--namespaced", "--metrics-bind-address=0"}, alone, nil},
	} {
		t.Run(name, row.run)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestExpiredCertificates warns of those that have ended, with the flag and the time.
func TestExpiredCertificates(t *testing.T) {
	dir := t.TempDir()
	testenv.NewAuthority(t).Issue(t, dir, 2)
	s := settings{webhookCertDir: dir}
	if got := s.expired(time.Now()); len(got) > 0 {
		t.Errorf("a certificate that holds is warned of: %q", got)
	}
	got := s.expired(time.Now().Add(2 * time.Hour))
	if len(got) != 1 || !strings.Contains(got[0], "--webhook-cert-dir: the certificate ended at 2") {
		t.Errorf("got %q", got)
	}
}
