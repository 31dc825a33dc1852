package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"cartrecovery.dev/operator/internal/simulator"
)

// This file has the tenant that attacks, and its services.

const (
	// chatters are its customers who write without end, callers those who call connect at once.
	chatters = 20
	callers  = 16

	badAdminToken = "bad-admin-token"
	badAIKey      = "bad-ai-key"
)

// attack is what one tenant does.
type attack struct {
	name string
	// stores is how many Stores it has; begin has its services attack until held is closed.
	stores int
	begin  func(bad *attacker, held <-chan struct{})
	// beside is what it does meanwhile, until ctx ends; nil for nothing.
	beside func(ctx context.Context, bad *attacker)
	// foreign says that its Secret names no host, like one that is meant for other endpoints.
	foreign bool
}

var attacks = []attack{
	{name: "absurd tokens", stores: 1, begin: func(bad *attacker, _ <-chan struct{}) {
		bad.ai.Fail(http.StatusOK,
			`{"choices":[{"message":{"role":"assistant","content":"Oi!"},"finish_reason":"stop"}],`+
				`"usage":{"prompt_tokens":4611686018427387904,"completion_tokens":4611686018427387904}}`, nil, -1)
	}},
	{name: "gateway hangs", stores: 1, begin: func(bad *attacker, held <-chan struct{}) {
		for _, path := range []string{"/send/text", "/message/find"} {
			bad.gateway.Fail(simulator.Fault{Path: path, Times: -1, HoldUntil: held})
		}
	}},
	{name: "AI hangs", stores: badStores, begin: func(bad *attacker, held <-chan struct{}) { bad.ai.HoldUntil(held) }},
	{name: "echoed token", stores: 1, begin: func(bad *attacker, _ <-chan struct{}) {
		bad.gateway.Fail(simulator.Fault{
			Path: "/send/text", Times: -1, Status: http.StatusOK, Body: fmt.Sprintf(`{"messageid":%q}`, badAdminToken),
		})
	}},
	{name: "huge headers", stores: 1, begin: func(bad *attacker, _ <-chan struct{}) {
		bad.gateway.Fail(simulator.Fault{
			Path: "/send/text", Times: -1, Status: http.StatusOK, Body: `{"messageid":"A"}`,
			Header: http.Header{"X-Padding": {strings.Repeat("x", 3<<20)}},
		})
	}},
	{name: "another's Secret", stores: badStores, begin: nothing, foreign: true},
	{name: "chatty customers", stores: 1, begin: nothing, beside: chatter},
	{name: "connect calls", stores: 1, begin: nothing, beside: connectCalls},
}

func nothing(*attacker, <-chan struct{}) {}

// allOfIt is every attack at once. Of two faults of one call the first counts.
func allOfIt() attack {
	all := attack{name: "all of it", stores: badStores}
	all.begin = func(bad *attacker, held <-chan struct{}) {
		for _, each := range attacks {
			each.begin(bad, held)
		}
	}
	all.beside = func(ctx context.Context, bad *attacker) {
		var group sync.WaitGroup
		for _, each := range attacks {
			if each.beside != nil {
				group.Go(func() { each.beside(ctx, bad) })
			}
		}
		group.Wait()
	}
	return all
}

// chatter has customers who got their first message write 2 KB after 2 KB, as fast as each is taken.
func chatter(ctx context.Context, bad *attacker) {
	text := strings.Repeat("E se eu pagar depois, muda alguma coisa? ", 50)
	var group sync.WaitGroup
	for n := range chatters {
		group.Go(func() {
			for turn := 0; ctx.Err() == nil; turn++ {
				// Refused ones are part of it.
				_, _ = bad.gateway.Reply(bad.namespace+".acme", phoneOf(bad.firstCustomer+n),
					fmt.Sprint(turn, " ", text))
			}
		})
	}
	group.Wait()
}

// connectCalls asks for pairings with tokens that nobody gave out.
func connectCalls(ctx context.Context, bad *attacker) {
	encode := base64.RawURLEncoding.EncodeToString
	header, url := encode([]byte(`{"alg":"RS256","kid":"x"}`)), bad.manager+"/api/whatsapp/connect/bad.acme"
	var group sync.WaitGroup
	for worker := range callers {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				claims := fmt.Sprintf(`{"sub":"system:serviceaccount:a:%d-%d"}`, worker, n)
				token := header + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
				if err != nil {
					return
				}
				request.Header.Set("Authorization", "Bearer "+token)
				if answer, err := http.DefaultClient.Do(request); err == nil {
					_ = answer.Body.Close()
				}
			}
		})
	}
	group.Wait()
}

// attacker is a tenant with services of its own.
type attacker struct {
	attack, namespace string
	// firstCustomer numbers its customers.
	firstCustomer int
	// manager is the URL of the webhook server.
	manager string

	gateway *simulator.UAZAPI
	ai      *simulator.OpenAI
	servers []*simulator.Server
}

// open starts the services, and returns their URLs.
func (a *attacker) open() ([]string, error) {
	a.gateway = simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: badAdminToken})
	a.ai = simulator.NewOpenAI(simulator.OpenAIOptions{APIKey: badAIKey})
	var urls []string
	for _, handler := range []http.Handler{a.gateway, a.ai} {
		server, err := simulator.Serve(handler)
		if err != nil {
			return nil, err
		}
		a.servers, urls = append(a.servers, server), append(urls, server.URL())
	}
	return urls, nil
}

func (a *attacker) stop() error {
	failed := a.gateway.Close()
	for _, server := range a.servers {
		failed = errors.Join(failed, server.Close())
	}
	return failed
}
