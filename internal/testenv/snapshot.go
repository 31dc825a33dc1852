package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Kept keeps the data and the certificates of the control plane in a folder, so that its data
// can be put back to a Snapshot while clients stay as they are.
func Kept(dir string) func(*envtest.Environment) {
	return func(environment *envtest.Environment) {
		environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(dir, "etcd")}
		environment.ControlPlane.GetAPIServer().CertDir = filepath.Join(dir, "certificates")
	}
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
	if err := errors.Join(plane.APIServer.Stop(), plane.Etcd.Stop()); err != nil {
		return fmt.Errorf("stop the control plane: %w", err)
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
