package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"cartrecovery.dev/operator/hack/sandbox"
)

// strangers runs an attack in a process of its own, so that it takes no processor from good deliveries. The process
// attacks until ctx ends, and says how it went.
func strangers(ctx context.Context, each attack, t *target) string {
	command, err := sandbox.Elsewhere(ctx, "-as", each.name, "-at", t.url,
		"-ingress="+strconv.FormatBool(t.ingress))
	if err != nil {
		return err.Error()
	}
	var told bytes.Buffer
	command.Stdout, command.Stderr = &told, &told
	if err := command.Run(); err != nil && ctx.Err() == nil {
		return fmt.Sprintf("%s (%v)", strings.TrimSpace(told.String()), err)
	}
	return strings.TrimSpace(told.String())
}

// beStranger is the work of that process.
func beStranger(ctx context.Context, s settings) error {
	chosen, err := choose(attacks, s.as)
	if err != nil {
		return err
	}
	parsed, err := url.Parse(s.at)
	if err != nil {
		return fmt.Errorf("read the URL of the webhook server: %w", err)
	}
	if err := sandbox.StandBack(); err != nil {
		return err
	}
	sayf("%s", chosen[0].run(ctx, &target{url: s.at, address: parsed.Host, ingress: s.ingress}))
	return nil
}
