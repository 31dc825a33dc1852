package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put makes a directory with the named programs.
func put(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("there"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheVersionsAreThoseOfTheModules(t *testing.T) {
	root := t.TempDir()
	for module, requirement := range map[string]string{
		"kubernetes": "require (\n\tk8s.io/api v0.40.1\n\tk8s.io/kubernetes v1.40.1 // indirect\n)\n",
		"etcd":       "require go.etcd.io/etcd/server/v3 v3.9.0\n",
	} {
		dir := filepath.Join(root, "hack", "controlplane", module)
		put(t, dir)
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\n"+requirement), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	programs, err := pinnedPrograms(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		want := "v1.40.1"
		if p.name == "etcd" {
			want = "v3.9.0"
		}
		if p.version != want {
			t.Errorf("%s is pinned to %s, want %s", p.name, p.version, want)
		}
		if p.module == "kubernetes" && !strings.Contains(p.ldflags, "gitVersion=v1.40.1") {
			t.Errorf("%s would call itself something else: %s", p.name, p.ldflags)
		}
	}
	if got := kubernetesVersion(programs); got != "1.40.1" {
		t.Errorf("the store's entry would be for %s, want 1.40.1", got)
	}
}

func TestAModuleThatPinsNothingIsAnError(t *testing.T) {
	root := t.TempDir()
	if _, err := pinnedPrograms(root); err == nil {
		t.Error("no error without go.mod")
	}
	dir := filepath.Join(root, "hack", "controlplane", "kubernetes")
	put(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pinnedPrograms(root); err == nil || !strings.Contains(err.Error(), "k8s.io/kubernetes") {
		t.Errorf("got error %v, want one that names k8s.io/kubernetes", err)
	}
}

func TestThisRepositoryPinsAllPrograms(t *testing.T) {
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := findRoot(cwd)
	if err != nil {
		t.Fatal(err)
	}
	programs, err := pinnedPrograms(root)
	if err != nil {
		t.Fatal(err)
	}
	if got := namesOf(programs); got != "etcd, kube-apiserver, cluster-controllers, kubectl" {
		t.Errorf("the programs are %s", got)
	}
	if _, err := findRoot(t.TempDir()); err == nil {
		t.Error("a directory outside the repository passes as inside")
	}
}

func TestTheStoreIsWhereSetupEnvtestKeepsIt(t *testing.T) {
	for name, c := range map[string]struct {
		goos string
		env  map[string]string
		want string
	}{
		"linux": {"linux", map[string]string{"HOME": "/home/me"},
			"/home/me/.local/share/kubebuilder-envtest/k8s"},
		"XDG_DATA_HOME": {"linux", map[string]string{"HOME": "/home/me", "XDG_DATA_HOME": "/data"},
			"/data/kubebuilder-envtest/k8s"},
		"macOS": {"darwin", map[string]string{"HOME": "/me", "XDG_DATA_HOME": "/data"},
			"/me/Library/Application Support/io.kubebuilder.envtest/k8s"},
		"linux, nowhere":   {"linux", nil, ""},
		"macOS, no home":   {"darwin", map[string]string{"XDG_DATA_HOME": "/data"}, ""},
		"linux, only data": {"linux", map[string]string{"XDG_DATA_HOME": "/data"}, "/data/kubebuilder-envtest/k8s"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := storeEntries(c.goos, func(key string) string { return c.env[key] })
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
