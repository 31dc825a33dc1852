package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// What the plugin exits with, besides 0.
const (
	// StatusFailed: what was asked for was not done, or not all of it.
	StatusFailed = 1
	// StatusUsage: what was asked for cannot be understood. Nothing was done.
	StatusUsage = 2
	// StatusForbidden: a right is missing.
	StatusForbidden = 3
)

// usage is a mistake in how a command was called.
type usage struct {
	command string
	err     error
}

func (u *usage) Error() string { return u.err.Error() + "\nSee '" + u.command + " --help'." }

func (u *usage) Unwrap() error { return u.err }

func usageError(command *cobra.Command, err error) error {
	return &usage{command: command.CommandPath(), err: err}
}

func usageErrorf(command *cobra.Command, format string, args ...any) error {
	return usageError(command, fmt.Errorf(format, args...))
}

// ExitStatus is what the plugin exits with after an error, or none.
func ExitStatus(err error) int {
	var misused *usage
	var denied *forbidden
	switch {
	case err == nil:
		return 0
	case errors.As(err, &misused):
		return StatusUsage
	case errors.As(err, &denied):
		return StatusForbidden
	}
	return StatusFailed
}
