// Command bench measures the operator from outside: how late messages reach the gateway,
// and what a lead costs in writes at the API server. It starts a control plane, the
// simulated services and bin/manager, posts abandoned carts as a platform does, and reads
// the arrivals at the gateway and the API server's own counters. Beside it, in the same
// run, a minimal client that only claims, sends and confirms: what the machine allows.
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
	"strconv"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/testenv"
)

// plan is what is measured.
type plan struct {
	leads  int
	window time.Duration
	delay  time.Duration
	ai     time.Duration
}

func main() {
	var p plan
	flag.IntVar(&p.leads, "leads", 1000, "how many leads")
	flag.DurationVar(&p.window, "window", 30*time.Second, "time over which they fall due")
	flag.DurationVar(&p.delay, "delay", 20*time.Second, "time from the abandonment to the message")
	flag.DurationVar(&p.ai, "ai", time.Second, "how long the AI takes")
	mode := flag.String("mode", "lateness",
		"what to measure: lateness; purchases, with the numbers of leads as arguments; "+
			"memory, likewise; tenants, nine of which are served while one attacks, as the arguments say or in every "+
			"way; failover; or freezes")
	rounds := flag.Int("rounds", 3, "how often a leader is ended by each signal, or frozen")
	ended := flag.Bool("ended", false, "for memory: leads that have ended, not such that wait")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	switch *mode {
	case "lateness":
		err = run(ctx, p)
	case "purchases":
		err = withSizes(ctx, flag.Args(), []string{"1000", "10000", "50000"}, runPurchases)
	case "memory":
		err = withSizes(ctx, flag.Args(), []string{"1000", "20000"}, memoryOf(*ended))
	case "tenants":
		err = runTenants(ctx, flag.Args())
	case "attacker":
		err = beAttacker(ctx, flag.Args())
	case "failover":
		err = runFailover(ctx, p, *rounds)
	case "freezes":
		err = runFreezes(ctx, p, *rounds)
	default:
		err = fmt.Errorf("-mode is %q, want lateness, purchases, memory, tenants, failover or freezes", *mode)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// withSizes reads the numbers of leads, and measures with them.
func withSizes(ctx context.Context, args, standard []string, measure func(context.Context, []int) error) error {
	if len(args) == 0 {
		args = standard
	}
	sizes := make([]int, 0, len(args))
	for _, arg := range args {
		size, err := strconv.Atoi(arg)
		if err != nil || size < 1 {
			return fmt.Errorf("%q is no number of leads", arg)
		}
		sizes = append(sizes, size)
	}
	return measure(ctx, sizes)
}

func run(ctx context.Context, p plan) (failed error) {
	sayf("%d leads due over %s, message %s after the abandonment, AI takes %s", p.leads, p.window, p.delay, p.ai)
	cluster, err := sandbox.StartCluster(ctx, filepath.Join(testenv.Root(), ".demo", "bench"))
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, cluster.Stop()) }()
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true, AILatency: func() time.Duration {
		return p.ai
	}})
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, services.Stop()) }()

	sayf("minimal client: claim, send, confirm")
	minimal, err := runMinimal(ctx, cluster, services, p)
	if err != nil {
		return err
	}
	minimal.print("minimal client")

	manager, err := sandbox.StartManager(ctx, cluster, services)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, manager.Stop()) }()
	sayf("operator: webhook, generate, claim, send, confirm")
	operator, writes, err := runOperator(ctx, cluster, services, manager, p)
	if err != nil {
		return fmt.Errorf("%w (the manager's log is in %s)", err, manager.Log)
	}
	operator.print("operator")
	printWrites(writes, p.leads)
	return nil
}

// lateness is how late each message arrived.
type lateness []time.Duration

func (l lateness) print(who string) {
	slices.Sort(l)
	at := func(share float64) float64 { return float64(l[int(share*float64(len(l)-1))].Microseconds()) / 1000 }
	sayf("%-15s %d messages; late by p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, at most %.1f ms", who, len(l), at(.5),
		at(.9), at(.99), at(1))
}

func printWrites(writes map[string]float64, leads int) {
	names := make([]string, 0, len(writes))
	total := 0.0
	for name, count := range writes {
		names = append(names, name)
		total += count
	}
	slices.Sort(names)
	for _, name := range names {
		sayf("  %-42s %6.0f", name, writes[name])
	}
	sayf("writes of leads at the API server: %.3f a lead", total/float64(leads))
}

func sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...)
}
