package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// politeness is how far a process stands back for a processor.
const politeness = 10

// Elsewhere returns this program with other arguments, as a process for who is elsewhere in the world: strangers, and
// the customers and services of tenants. The process calls StandBack first. It is interrupted when ctx ends.
func Elsewhere(ctx context.Context, args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // it is this program
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	return command, nil
}

// StandBack has this process yield the processor to the operator, whose speed is measured.
func StandBack() error {
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, politeness); err != nil {
		return fmt.Errorf("stand back: %w", err)
	}
	return nil
}
