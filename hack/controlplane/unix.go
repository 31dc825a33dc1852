//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// tryLock takes the lock of an open file, unless another process has it. The
// kernel lets go of it when its holder ends, in whichever way.
func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// ownGroup makes a command the leader of a process group and interrupts the
// whole group when the command's context ends: compilers must not go on alone.
// An interrupt, because at that go removes its work directory.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}

// killGroup kills what is left of the process group of a command that has ended:
// what it started may ignore interrupts. Usually nothing is left, an error.
func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
