package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// stopTimeout is how long kube-apiserver is waited for before it is killed: it waits for the
	// watches of clients that go on.
	stopTimeout = 3 * time.Second
	// startTimeout is how long each of the two is waited for when it starts again, on a machine
	// that does much else.
	startTimeout = 3 * time.Minute
)

// Kept keeps the data and the certificates of the control plane in a folder, so that its data
// can be put back to a Snapshot while clients stay as they are.
func Kept(dir string) (func(*envtest.Environment), error) {
	data, certificates := filepath.Join(dir, "etcd"), filepath.Join(dir, "certificates")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Mkdir(certificates, 0o700)); err != nil {
		return nil, fmt.Errorf("make a folder for the control plane: %w", err)
	}
	return func(environment *envtest.Environment) {
		environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: data, StartTimeout: startTimeout}
		server := environment.ControlPlane.GetAPIServer()
		server.CertDir, server.StopTimeout, server.StartTimeout = certificates, stopTimeout, startTimeout
	}, nil
}

// Snapshot copies the data of a control plane that was started with Kept. It is down
// meanwhile.
func (e *Environment) Snapshot(to string) error {
	return e.whileDown(func(data string) error { return os.CopyFS(to, os.DirFS(data)) })
}

// Restore puts the data back to what it was at a Snapshot, resourceVersions and all. The
// control plane is down meanwhile.
func (e *Environment) Restore(from string) error {
	return e.whileDown(func(data string) error {
		if err := os.RemoveAll(data); err != nil {
			return fmt.Errorf("remove etcd's data: %w", err)
		}
		return os.CopyFS(data, os.DirFS(from))
	})
}

// whileDown does something with etcd's data while nothing runs on it.
func (e *Environment) whileDown(do func(data string) error) error {
	plane := &e.Envtest.ControlPlane
	// One that had to be killed is stopped as well.
	_ = plane.APIServer.Stop()
	if err := plane.Etcd.Stop(); err != nil {
		return fmt.Errorf("stop etcd: %w", err)
	}
	if err := do(plane.Etcd.DataDir); err != nil {
		return fmt.Errorf("copy etcd's data: %w", err)
	}
	if err := plane.Etcd.Start(); err != nil {
		return fmt.Errorf("start etcd again: %w", err)
	}
	if err := plane.APIServer.Start(); err != nil {
		return fmt.Errorf("start kube-apiserver again: %w", err)
	}
	return nil
}
