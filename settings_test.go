package main

import (
	"flag"
	"io"
	"net/netip"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/webhookserver"
)

func TestSettings(t *testing.T) {
	environment := map[string]string{
		"PUBLIC_URL": "https://hooks.example.com/", "WATCH_NAMESPACES": "a, b,",
		"UAZAPI_BASE_URL": "https://x.uazapi.com", "UAZAPI_ADMIN_TOKEN": "t", "OPENAI_API_KEY": "k",
		"EVOLUTION_BASE_URL": "https://evolution.example.com", "EVOLUTION_API_KEY": "e",
	}
	got, _ := parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError),
		[]string{"--leader-elect", "--state-dir=/state"}, func(name string) string { return environment[name] })
	if got.publicURL != "https://hooks.example.com" || len(got.namespaces) != 2 || got.namespaces[1] != "b" ||
		!got.leaderElection || got.stateDir != "/state" {
		t.Errorf("got %+v", got)
	}
	if got.gateways[v1alpha1.GatewayUAZAPI].AdminToken != "t" || got.ai.APIKey != "k" ||
		got.webhookAddress != webhookserver.DefaultBindAddress {
		t.Error("the credentials of the environment, or a default, are missing")
	}
	evolution := got.gateways[v1alpha1.GatewayEvolution]
	if evolution.BaseURL != "https://evolution.example.com" || evolution.AdminToken != "e" {
		t.Error("Evolution's credentials of the environment are missing")
	}
	if again, _ := parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError), []string{"--public-url=https://other"},
		func(name string) string { return environment[name] }); again.publicURL != "https://other" {
		t.Errorf("a flag must go before the environment, got %q", again.publicURL)
	}
}

// TestOnlyControllersHaveSuppressionKeys: a process that faces the Internet alone could undo no erasure.
func TestOnlyControllersHaveSuppressionKeys(t *testing.T) {
	for role, want := range map[string]int{"webhooks": 0, "controllers": 2, "webhooks,controllers": 2} {
		got, _ := parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError), []string{"--roles=" + role},
			func(name string) string {
				return map[string]string{
					"SUPPRESSION_KEYS": testenv.SuppressionKey('a') + "," + testenv.SuppressionKey('b'),
				}[name]
			})
		if got.suppressionKeys.Count() != want || got.keysError != nil {
			t.Errorf("%s: %d keys, %v; want %d", role, got.suppressionKeys.Count(), got.keysError, want)
		}
	}
}

func TestMetricsNameTheStoreUnlessToldNotTo(t *testing.T) {
	for argument, want := range map[string]bool{
		"--leader-elect": true, "--metrics-store-label": true, "--metrics-store-label=false": false,
	} {
		got, _ := parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError), []string{argument},
			func(string) string { return "" })
		if got.flagError != nil || got.metricsStoreLabel != want || got.version {
			t.Errorf("%s: %t, %v", argument, got.metricsStoreLabel, got.flagError)
		}
	}
}

func TestSettingsOfEndpoints(t *testing.T) {
	environment := map[string]string{"EVOLUTION_BASE_URL": "http://evolution:8080", "ALLOWED_HOSTS": "a.example.com"}
	getenv := func(name string) string { return environment[name] }
	flags := func() *flag.FlagSet {
		set := flag.NewFlagSet("manager", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		return set
	}
	got, _ := parseFlags(flags(), nil, getenv)
	if got.outbound.AllowHTTP || len(got.outbound.AllowCIDRs) > 0 {
		t.Error("something is allowed that nobody asked for")
	}
	for host, want := range map[string]bool{
		"https://api.openai.com/v1": true, "http://evolution:8080": true, "https://a.example.com": true,
		"https://b.example.com": false,
	} {
		if base, err := outbound.ParseBase(host); err != nil || got.outbound.Hosts.Allow(base) != want {
			t.Errorf("a Secret may be sent to %s: %t, %v", host, !want, err)
		}
	}
	got, _ = parseFlags(flags(), []string{"--allow-http-endpoints", "--allow-endpoint-cidrs=10.0.0.0/8"}, getenv)
	if !got.outbound.AllowHTTP || !got.outbound.Allows(netip.MustParseAddr("10.1.2.3")) ||
		got.outbound.Allows(netip.MustParseAddr("172.16.0.1")) {
		t.Errorf("got %+v", got.outbound)
	}
}

func TestRoles(t *testing.T) {
	for list, want := range map[string]roles{
		"webhooks": {webhooks: true}, "controllers": {controllers: true}, "webhooks, controllers": {true, true},
	} {
		var got roles
		if err := got.Set(list); err != nil || got != want || got.Set(got.String()) != nil || got != want {
			t.Errorf("%q: got %+v, %v", list, got, err)
		}
	}
	for _, list := range []string{"", "webhook", "webhooks,", "console"} {
		if err := new(roles).Set(list); err == nil {
			t.Errorf("%q is read", list)
		}
	}
}
