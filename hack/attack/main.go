// Command attack does to the operator what strangers would, and shows what those notice who do nothing
// wrong. It starts a control plane and bin/manager, posts good deliveries at a steady rate, and beside them
// each attack in turn: quiet, under attack, and after.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/testenv"
)

// settings say how long and how hard to attack.
type settings struct {
	// phase is how long each of quiet, under attack and after lasts; pause is between two attacks.
	phase, pause time.Duration
	// rate of good deliveries a second.
	rate int
	// ingress has the manager take this machine for its Ingress: one source that has no share.
	ingress bool
	// only names the attacks; all of them when empty.
	only string
	// as and at are for the process of the strangers: the attack, and the URL of the webhook server.
	as, at string
}

func main() {
	var s settings
	flag.DurationVar(&s.phase, "phase", 10*time.Second, "how long quiet, attack and after last each")
	flag.DurationVar(&s.pause, "pause", 2*time.Second, "time between an attack and what comes after it")
	flag.IntVar(&s.rate, "rate", 20, "good deliveries a second")
	flag.BoolVar(&s.ingress, "ingress", false, "all come through one trusted address, as behind an Ingress")
	flag.StringVar(&s.only, "only", "", "attacks to run, separated by commas; all when empty")
	flag.StringVar(&s.as, "as", "", "be the strangers of this attack, on the webhook server of -at")
	flag.StringVar(&s.at, "at", "", "URL of the webhook server for -as")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	do := run
	if s.as != "" {
		do = beStranger
	}
	err := do(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (failed error) {
	chosen, err := choose(attacks, s.only)
	if err != nil {
		return err
	}
	cluster, err := sandbox.StartCluster(ctx, filepath.Join(testenv.Root(), ".demo", "attack"))
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, cluster.Stop()) }()
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true})
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, services.Stop()) }()
	// A leader that loses its lease on a busy machine ends; taking deliveries needs none.
	args := []string{"--leader-elect=false"}
	if s.ingress {
		args = append(args, "--trusted-proxies=127.0.0.0/8")
	}
	manager, err := sandbox.StartManager(ctx, cluster, services, args...)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, manager.Stop()) }()
	target, err := prepare(ctx, cluster, manager, s)
	if err != nil {
		return err
	}
	return rounds(ctx, target, s, chosen)
}

// rounds runs the attacks one after the other and prints a line for each.
func rounds(ctx context.Context, target *target, s settings, chosen []attack) error {
	sayf("%-32s %22s %22s %22s   %s", "", "quiet", "under attack", "after", "")
	sayf("%-32s %22s %22s %22s   %s", "attack", "p50/p99 ms, refused", "p50/p99 ms, refused", "p50/p99 ms, refused",
		"p99")
	var worse []string
	for _, each := range chosen {
		quiet := target.good(ctx, s.phase)
		attackCtx, stop := context.WithCancel(ctx)
		done := make(chan string, 1)
		go func() { done <- strangers(attackCtx, each, target) }()
		under := target.good(ctx, s.phase)
		stop()
		told := <-done
		if err := sleep(ctx, s.pause); err != nil {
			return err
		}
		after := target.good(ctx, s.phase)
		times := float64(under.p99()) / float64(quiet.p99())
		sayf("%-32s %22s %22s %22s   %.1f×   %s", each.name, quiet, under, after, times, told)
		if times > 3 || under.refused > 0 || quiet.refused+after.refused > 0 {
			worse = append(worse, each.name)
		}
	}
	if len(worse) > 0 {
		return fmt.Errorf("noticed by those who do nothing wrong (p99 over 3 times of quiet, or one refused): %s",
			strings.Join(worse, ", "))
	}
	return nil
}

func choose(all []attack, only string) ([]attack, error) {
	if only == "" {
		return all, nil
	}
	var chosen []attack
	for name := range strings.SplitSeq(only, ",") {
		at := slices.IndexFunc(all, func(each attack) bool { return each.name == strings.TrimSpace(name) })
		if at < 0 {
			return nil, fmt.Errorf("there is no attack named %q", name)
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func sayf(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }
