package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	// listTimeout is how long the index of downloads may take. Where only a Go
	// module proxy can be reached, connections may hang rather than fail.
	listTimeout = 15 * time.Second
	// downloadTimeout is how long the download itself may take (some 100 MB).
	downloadTimeout = 5 * time.Minute
)

// cheaply has what only the control plane needs compiled in two thirds of the time: without what a debugger reads, and
// without inlining, which these packages of glue do not need. Packages that the operator has, too, are compiled as for
// the operator, and so once.
const cheaply = "k8s.io/kubernetes/...=-l -dwarf=false"

// goBuilder builds with the go command, in the modules of this repository.
type goBuilder struct {
	root      string
	progress  io.Writer
	heartbeat time.Duration
}

// build builds one program as into/NAME.
func (b *goBuilder) build(ctx context.Context, p program, into string) error {
	sayf(b.progress, "building %s %s (about %s)", p.name, p.version, p.usual)
	start := time.Now()
	cmd := b.goCommand(ctx, "build", "-mod=readonly", "-gcflags", cheaply, "-ldflags", p.ldflags,
		"-o", filepath.Join(into, p.name), p.pkg)
	cmd.Dir = filepath.Join(b.root, "hack", "controlplane", p.module)
	cmd.Stdout, cmd.Stderr = b.progress, b.progress
	stop := b.beat(func() {
		sayf(b.progress, "still building %s: %s so far, usually about %s", p.name, short(time.Since(start)), p.usual)
	})
	err := runGroup(cmd)
	stop()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf(
			"cannot build %s %s (%w; go's own message is above). If the Go module proxy cannot be reached, "+
				"set GOPROXY, or point KUBEBUILDER_ASSETS at a directory with all four programs", p.name, p.version,
			err)
	}
	sayf(b.progress, "built %s in %s", p.name, short(time.Since(start)))
	return nil
}

// download has setup-envtest unpack the newest control plane of a minor version
// in into, and returns where. It gives up quickly where there is no access.
func (b *goBuilder) download(ctx context.Context, version, into string) (string, error) {
	tool := filepath.Join(into, "setup-envtest")
	// Built before it is run, so that the time to build it is not taken for a
	// network that does not answer.
	cmd := b.goCommand(ctx, "build", "-modfile="+filepath.Join("hack", "tools", "go.mod"), "-mod=readonly",
		"-o", tool, "sigs.k8s.io/controller-runtime/tools/setup-envtest")
	cmd.Dir = b.root
	cmd.Stdout, cmd.Stderr = b.progress, b.progress
	if err := runGroup(cmd); err != nil {
		return "", fmt.Errorf("setup-envtest does not build: %w", err)
	}
	platform := []string{"--bin-dir", into, "--os", runtime.GOOS, "--arch", runtime.GOARCH}
	list, err := b.output(ctx, listTimeout, tool, append([]string{"list", version}, platform...)...)
	if err != nil {
		return "", fmt.Errorf("its index cannot be read: %w", err)
	}
	if !strings.Contains(list, "(available)") {
		return "", fmt.Errorf("its index has no %s for %s/%s", version, runtime.GOOS, runtime.GOARCH)
	}
	sayf(b.progress, "setup-envtest is downloading Kubernetes %s", version)
	dir, err := b.output(ctx, downloadTimeout, tool, append([]string{"use", "-p", "path", version}, platform...)...)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(dir), nil
}

// output runs a command for at most timeout and returns what it prints. Of a
// failure it tells the last line.
func (b *goBuilder) output(ctx context.Context, timeout time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start := time.Now()
	stop := b.beat(func() { sayf(b.progress, "still waiting for setup-envtest: %s so far", short(time.Since(start))) })
	defer stop()
	var stdout, stderr bytes.Buffer
	cmd := command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := runGroup(cmd)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("no answer within %s", timeout)
	case err != nil:
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return "", fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return stdout.String(), nil
}

// goCommand prepares a run of the go command for this very machine, whatever a
// workspace around this repository or the caller's environment say.
func (b *goBuilder) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := command(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	return cmd
}

// command prepares a command for runGroup. It is interrupted when ctx ends.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...) // #nosec G204 -- the go command, or what it built
	ownGroup(cmd)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// runGroup runs a command and leaves nothing behind that the command started.
func runGroup(cmd *exec.Cmd) error {
	err := cmd.Run()
	if err != nil && cmd.Process != nil {
		killGroup(cmd)
	}
	return err
}

// beat calls say at every heartbeat until the returned function is called.
func (b *goBuilder) beat(say func()) (stop func()) {
	ticker := time.NewTicker(b.heartbeat)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				say()
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended // so that nothing is written any more once this has returned
	}
}
