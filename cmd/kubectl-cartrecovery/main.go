// Command kubectl-cartrecovery is a plugin of kubectl: what platform engineers do with cart-recovery-operator's
// resources that kubectl alone does not. As "kubectl cartrecovery" it acts with the rights of whoever calls it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // stores have time zones, and Windows has none

	"k8s.io/utils/clock"

	"cartrecovery.dev/operator/internal/cli"
)

func main() {
	os.Exit(run())
}

// run ends early when it is interrupted. A second interrupt ends it at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := cli.New(cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, clock.RealClock{})
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
	}
	return cli.ExitStatus(err)
}
