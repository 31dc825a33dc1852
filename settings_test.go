package main

import (
	"flag"
	"testing"

	"cartrecovery.dev/operator/webhookserver"
)

func TestSettings(t *testing.T) {
	environment := map[string]string{
		"PUBLIC_URL": "https://hooks.example.com/", "WATCH_NAMESPACES": "a, b,",
		"UAZAPI_BASE_URL": "https://x.uazapi.com", "UAZAPI_ADMIN_TOKEN": "t", "OPENAI_API_KEY": "k",
		"EVOLUTION_BASE_URL": "https://evolution.example.com", "EVOLUTION_API_KEY": "e",
	}
	got, _ := parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError), []string{"--leader-elect", "--state-dir=/state"}, func(name string) string { return environment[name] })
	if got.publicURL != "https://hooks.example.com" || len(got.namespaces) != 2 || got.namespaces[1] != "b" || !got.leaderElection || got.stateDir != "/state" {
		t.Errorf("got %+v", got)
	}
	if got.gateway.AdminToken != "t" || got.ai.APIKey != "k" || got.webhookAddress != webhookserver.DefaultBindAddress {
		t.Error("the credentials of the environment, or a default, are missing")
	}
	if got.evolution.BaseURL != "https://evolution.example.com" || got.evolution.AdminToken != "e" {
		t.Error("Evolution's credentials of the environment are missing")
	}
	if again, _ := parseFlags(flag.NewFlagSet("manager", flag.ContinueOnError), []string{"--public-url=https://other"}, func(name string) string { return environment[name] }); again.publicURL != "https://other" {
		t.Errorf("a flag must go before the environment, got %q", again.publicURL)
	}
}
