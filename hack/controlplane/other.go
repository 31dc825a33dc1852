//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

// tryLock is where preparing a control plane ends on systems on which
// Kubernetes' servers do not run.
func tryLock(*os.File) (bool, error) {
	return false, errors.New("a control plane can be prepared on Linux and macOS only: use one of them, or WSL")
}

// ownGroup does nothing: no command is ever run here.
func ownGroup(*exec.Cmd) {}

// killGroup does nothing, for the same reason.
func killGroup(*exec.Cmd) {}
