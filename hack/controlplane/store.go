package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tempPrefix begins the name of every directory in which something is being
// prepared. setup-envtest overlooks names that do not begin with a version.
const tempPrefix = ".preparing-"

// store is the part of setup-envtest's store that holds the unpacked programs,
// one directory for each version and platform.
type store struct {
	dir      string
	version  string // the pinned version of Kubernetes, "1.37.2"
	platform string // "linux-amd64"
}

// storeEntries returns the directory of the store's entries, by setup-envtest's
// own rules (store.DefaultStoreDir in its sources).
func storeEntries(goos string, getenv func(string) string) (string, error) {
	base, name := getenv("XDG_DATA_HOME"), "kubebuilder-envtest"
	home := getenv("HOME")
	switch {
	case goos == "darwin" && home != "":
		base, name = filepath.Join(home, "Library", "Application Support"), "io.kubebuilder.envtest"
	case goos == "darwin":
		return "", errors.New("HOME is not set, so there is no place to keep the control plane: " +
			"set it, or point KUBEBUILDER_ASSETS at a directory with all four programs")
	case base == "" && home != "":
		base = filepath.Join(home, ".local", "share")
	case base == "":
		return "", errors.New(
			"neither XDG_DATA_HOME nor HOME is set, so there is no place to keep the control plane: " +
				"set one, or point KUBEBUILDER_ASSETS at a directory with all four programs")
	}
	return filepath.Abs(filepath.Join(base, name, "k8s"))
}

// entry is the directory of the pinned version.
func (s *store) entry() string {
	return filepath.Join(s.dir, s.version+"-"+s.platform)
}

// installed lists the store's entries for this platform in the pinned minor
// version of Kubernetes, the newest first.
func (s *store) installed() []string {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil // no store yet; a store that cannot be read fails when it is written
	}
	major, minor := majorMinor(s.version)
	patches := map[string]int{}
	var dirs []string
	for _, entry := range entries {
		version, isPlatform := strings.CutSuffix(entry.Name(), "-"+s.platform)
		patch, isMinor := strings.CutPrefix(version, major+"."+minor+".")
		number, err := strconv.Atoi(patch)
		if !entry.IsDir() || !isPlatform || !isMinor || err != nil {
			continue
		}
		dir := filepath.Join(s.dir, entry.Name())
		patches[dir] = number
		dirs = append(dirs, dir)
	}
	slices.SortFunc(dirs, func(a, b string) int { return patches[b] - patches[a] })
	return dirs
}

// completion is the directory of the store that completes a directory outside of it.
func (s *store) completion(of string) string {
	sum := sha256.Sum256([]byte(of))
	return filepath.Join(s.dir, ".completed-"+hex.EncodeToString(sum[:6]))
}

// lock waits until no other process prepares anything in the store. waiting is
// called once, if there is something to wait for.
func (s *store) lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil { // #nosec G301 -- as setup-envtest makes it
		return nil, fmt.Errorf(
			"cannot make the store of control planes (set XDG_DATA_HOME to a writable directory): %w", err)
	}
	path := filepath.Join(s.dir, ".control-plane.lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- a file of the store
	if err != nil {
		return nil, fmt.Errorf(
			"cannot write to the store of control planes (set XDG_DATA_HOME to a writable directory): %w", err)
	}
	release := func() { _ = file.Close() } // closing the file lets go of the lock
	retry := time.NewTicker(200 * time.Millisecond)
	defer retry.Stop()
	for {
		locked, err := tryLock(file)
		if err != nil {
			release()
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		if locked {
			return release, nil
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		select {
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		case <-retry.C:
		}
	}
}

// temp makes a directory on the store's file system, from which a finished
// result can be renamed into place. The caller holds the lock and removes it.
func (s *store) temp() (string, error) {
	return os.MkdirTemp(s.dir, tempPrefix)
}

// removeStale removes what killed runs left behind. The caller holds the lock, so
// that nobody is at work in any of these directories.
func (s *store) removeStale() error {
	stale, err := filepath.Glob(filepath.Join(s.dir, tempPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range stale {
		if err := removeTree(dir); err != nil {
			return fmt.Errorf("cannot remove what an interrupted run left (remove it yourself): %w", err)
		}
	}
	return nil
}

// moveInto moves the programs from one directory into an existing one, each at
// once and whole. setup-envtest makes its directories read-only, so the mode is
// opened and restored.
func moveInto(dir, from string, programs []program) (err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, info.Mode().Perm()|0o200); err != nil {
		return fmt.Errorf("cannot add %s (make it writable, or set XDG_DATA_HOME to a store of your own): %w",
			namesOf(programs), err)
	}
	defer func() { err = errors.Join(err, os.Chmod(dir, info.Mode().Perm())) }()
	for _, p := range programs {
		if err := os.Rename(filepath.Join(from, p.name), filepath.Join(dir, p.name)); err != nil {
			return fmt.Errorf("cannot add %s to %s: %w", p.name, dir, err)
		}
	}
	return nil
}

// removeTree is os.RemoveAll for trees with read-only directories, such as
// setup-envtest makes.
func removeTree(dir string) error {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o700) // #nosec G122 G302 -- a directory of the store
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}
