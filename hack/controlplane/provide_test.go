//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lab is a provider with a store of its own and builds that only pretend.
type lab struct {
	*provider
	output *transcript
	mu     sync.Mutex
	built  []string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{output: &transcript{}}
	l.provider = &provider{
		store: &store{dir: filepath.Join(t.TempDir(), "k8s"), version: "1.37.2", platform: "linux-amd64"},
		programs: []program{
			{name: "etcd", essential: true}, {name: "kube-apiserver", essential: true},
			{name: "cluster-controllers"}, {name: "kubectl"},
		},
		progress: l.output,
		build: func(_ context.Context, p program, into string) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.built = append(l.built, p.name)
			return os.WriteFile(filepath.Join(into, p.name), []byte("built"), 0o700)
		},
		reuse:    func(context.Context, program) string { return "" },
		download: func(context.Context, string, string) (string, error) { return "", errors.New("no access") },
	}
	return l
}

// transcript is a buffer that several goroutines may write.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// content reads a program of a directory.
func content(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// leftovers lists what the store holds apart from its lock.
func (l *lab) leftovers(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(l.store.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.Name() != ".control-plane.lock" {
			names = append(names, entry.Name())
		}
	}
	return names
}

func TestACompleteStoreEntryIsUsedAsItIs(t *testing.T) {
	l := newLab(t)
	for _, version := range []string{"1.36.9", "1.37.0", "1.37.10", "1.37.9", "1.38.0"} {
		put(t, filepath.Join(l.store.dir, version+"-linux-amd64"), "etcd", "kube-apiserver", "cluster-controllers",
			"kubectl")
	}
	put(t, filepath.Join(l.store.dir, "1.37.11-linux-amd64"), "etcd", "kube-apiserver", "kubectl")
	put(t, filepath.Join(l.store.dir, "1.37.12-linux-arm64"), "etcd", "kube-apiserver", "cluster-controllers",
		"kubectl")

	dir, err := l.provide(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(l.store.dir, "1.37.10-linux-amd64"); dir != want {
		t.Errorf("got %s, want the newest complete one of this minor version and platform, %s", dir, want)
	}
	if l.output.String() != "" || len(l.built) != 0 {
		t.Errorf("built %v and said %q; want neither", l.built, l.output)
	}
}

func TestWhatADownloadedStoreEntryLacksIsAdded(t *testing.T) {
	l := newLab(t)
	entry := filepath.Join(l.store.dir, "1.37.1-linux-amd64")
	put(t, entry, "etcd", "kube-apiserver", "kubectl")
	if err := os.Chmod(entry, 0o500); err != nil {
		t.Fatal(err)
	}
	dir, err := l.provide(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if dir != entry || content(t, dir, "cluster-controllers") != "built" || content(t, dir, "etcd") != "there" {
		t.Errorf("%s was not completed", dir)
	}
	info, err := os.Stat(entry)
	if err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("the entry is left as %v (%v), want it read-only as it was", info.Mode(), err)
	}
	if len(l.built) != 1 {
		t.Errorf("built %v, want cluster-controllers alone", l.built)
	}
}

func TestADownloadIsCompletedAndInstalledUnderItsOwnVersion(t *testing.T) {
	l := newLab(t)
	l.download = func(_ context.Context, version, into string) (string, error) {
		if version != "1.37.x" {
			t.Errorf("asked for %s, want 1.37.x", version)
		}
		dir := filepath.Join(into, "k8s", "1.37.0-linux-amd64")
		put(t, dir, "etcd", "kube-apiserver", "kubectl")
		return dir, os.Chmod(dir, 0o500)
	}
	dir, err := l.provide(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(l.store.dir, "1.37.0-linux-amd64"); dir != want || len(missingFrom(dir, l.programs)) > 0 {
		t.Errorf("got %s, which lacks %v; want %s", dir, missingFrom(dir, l.programs), want)
	}
	if got := l.leftovers(t); len(got) != 1 {
		t.Errorf("the store holds %v, want the entry alone", got)
	}
}

func TestWithoutADownloadAllIsBuilt(t *testing.T) {
	l := newLab(t)
	put(t, filepath.Join(l.store.dir, tempPrefix+"by-a-killed-run"), "etcd")
	dir, err := l.provide(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(l.store.dir, "1.37.2-linux-amd64"); dir != want || len(missingFrom(dir, l.programs)) > 0 {
		t.Errorf("got %s, which lacks %v; want %s", dir, missingFrom(dir, l.programs), want)
	}
	if got := l.leftovers(t); len(got) != 1 {
		t.Errorf("the store holds %v, want the entry alone", got)
	}
	if !strings.Contains(l.output.String(), "no download: no access") {
		t.Errorf("said %q, which does not tell why there was no download", l.output)
	}
}

func TestAFailedOrInterruptedBuildInstallsNothing(t *testing.T) {
	for name, put := range map[string]func(*testing.T, *lab, string){
		"into an empty store": func(*testing.T, *lab, string) {},
		"into an entry":       func(t *testing.T, _ *lab, entry string) { put(t, entry, "etcd", "kubectl") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			entry := l.store.entry()
			put(t, l, entry)
			ctx, cancel := context.WithCancel(t.Context())
			pretend := l.build
			l.build = func(ctx context.Context, p program, into string) error {
				if p.name == "cluster-controllers" {
					cancel()
					return ctx.Err()
				}
				return pretend(ctx, p, into)
			}
			if _, err := l.provide(ctx, ""); !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v, want that of the interruption", err)
			}
			if _, err := os.Stat(filepath.Join(entry, "kube-apiserver")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("kube-apiserver was installed by a run that did not end well")
			}
			for _, left := range l.leftovers(t) {
				if left != filepath.Base(entry) {
					t.Errorf("%s is left in the store", left)
				}
			}
			if l.complete() != "" {
				t.Error("an incomplete entry passes as complete")
			}
		})
	}
}

func TestTwoRunsAtOnceBuildOnce(t *testing.T) {
	l := newLab(t)
	building, goOn := make(chan struct{}), make(chan struct{})
	pretend := l.build
	l.build = func(ctx context.Context, p program, into string) error {
		if p.name == "etcd" {
			close(building) // a second build of etcd panics here
			<-goOn
		}
		return pretend(ctx, p, into)
	}
	dirs := make(chan string, 2)
	provide := func() {
		dir, err := l.provide(t.Context(), "")
		if err != nil {
			t.Error(err)
		}
		dirs <- dir
	}
	go provide()
	<-building
	go provide()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(l.output.String(), "another run"); {
		if time.Now().After(deadline) {
			t.Fatalf("the second run does not say that it waits, only %q", l.output)
		}
		<-time.After(time.Millisecond)
	}
	close(goOn)
	if first, second := <-dirs, <-dirs; first != second || first == "" {
		t.Errorf("the runs got %q and %q", first, second)
	}
	if len(l.built) != len(l.programs) {
		t.Errorf("built %v", l.built)
	}
}

func TestWaitingForAnotherRunCanBeInterrupted(t *testing.T) {
	l := newLab(t)
	unlock, err := l.store.lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.provide(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that of the context", err)
	}
}

func TestKubebuilderAssetsComeFirst(t *testing.T) {
	l := newLab(t)
	put(t, l.store.entry(), "etcd", "kube-apiserver", "cluster-controllers", "kubectl")
	t.Chdir(t.TempDir())
	put(t, "assets", "etcd", "kube-apiserver", "cluster-controllers", "kubectl")
	want, err := filepath.Abs("assets")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := l.provide(t.Context(), "assets")
	if err != nil || dir != want {
		t.Errorf("got %s, %v; want %s", dir, err, want)
	}
}

func TestKubebuilderAssetsWithoutAnEssentialProgramIsAnError(t *testing.T) {
	l := newLab(t)
	assets := t.TempDir()
	put(t, assets, "etcd")
	_, err := l.provide(t.Context(), assets)
	if err == nil || !strings.Contains(err.Error(), "has no kube-apiserver: ") || !strings.Contains(err.Error(),
		assets) {
		t.Errorf("got error %v, want one that names the directory and kube-apiserver", err)
	}
}

func TestKubebuilderAssetsIsCompletedElsewhere(t *testing.T) {
	l := newLab(t)
	assets := t.TempDir()
	put(t, assets, "etcd", "kube-apiserver", "kubectl")
	for range 2 {
		dir, err := l.provide(t.Context(), assets)
		if err != nil {
			t.Fatal(err)
		}
		if content(t, dir, "etcd") != "there" || content(t, dir, "cluster-controllers") != "built" {
			t.Errorf("%s does not link to what was there and hold what was built", dir)
		}
		if len(missingFrom(assets, l.programs)) != 1 || len(l.built) != 1 {
			t.Errorf("built %v; want cluster-controllers once, and not into %s", l.built, assets)
		}
	}
}
