package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// politeness is how far strangers stand back for a processor: theirs are elsewhere.
const politeness = 10

// strangers have a process of their own, so that good deliveries do not wait for them at home. It attacks
// until ctx ends, and says how it went.
func strangers(ctx context.Context, each attack, t *target) string {
	program, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	ingress := "-ingress=" + strconv.FormatBool(t.ingress)
	//nolint:gosec // it is this program
	command := exec.CommandContext(ctx, program, "-as", each.name, "-at", t.url, ingress)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	var told bytes.Buffer
	command.Stdout, command.Stderr = &told, &told
	if err := command.Run(); err != nil && ctx.Err() == nil {
		return fmt.Sprintf("%s (%v)", strings.TrimSpace(told.String()), err)
	}
	return strings.TrimSpace(told.String())
}

// beStranger is what that process does.
func beStranger(ctx context.Context, s settings) error {
	chosen, err := choose(attacks, s.as)
	if err != nil {
		return err
	}
	parsed, err := url.Parse(s.at)
	if err != nil {
		return fmt.Errorf("read the URL of the webhook server: %w", err)
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, politeness); err != nil {
		return fmt.Errorf("stand back: %w", err)
	}
	say("%s", chosen[0].run(ctx, &target{url: s.at, address: parsed.Host, ingress: s.ingress}))
	return nil
}
