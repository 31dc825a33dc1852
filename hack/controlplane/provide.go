package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// provider finds the control plane or makes one.
type provider struct {
	store    *store
	programs []program
	progress io.Writer
	// build builds one program as into/NAME.
	build func(ctx context.Context, p program, into string) error
	// reuse returns a program of this machine that serves as well, "" without one.
	reuse func(ctx context.Context, p program) string
	// download has setup-envtest unpack the newest control plane of a minor
	// version ("1.37.x") somewhere in into, and returns where.
	download func(ctx context.Context, version, into string) (string, error)
}

// provide returns a directory that holds all programs. assets is the value of
// KUBEBUILDER_ASSETS.
func (p *provider) provide(ctx context.Context, assets string) (string, error) {
	if assets != "" {
		return p.fromAssets(ctx, assets)
	}
	if dir := p.complete(); dir != "" {
		return dir, nil
	}
	return p.locked(ctx, p.install)
}

// complete returns the newest entry of the store that lacks nothing.
func (p *provider) complete() string {
	for _, dir := range p.store.installed() {
		if len(missingFrom(dir, p.programs)) == 0 {
			return dir
		}
	}
	return ""
}

// locked calls prepare while no other run does, with a temporary directory that
// is gone afterwards.
func (p *provider) locked(ctx context.Context, prepare func(ctx context.Context, temp string) (string, error)) (string,
	error) {
	unlock, err := p.store.lock(ctx, func() {
		p.sayf("another run is preparing the control plane; waiting for it")
	})
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := p.store.removeStale(); err != nil {
		return "", err
	}
	temp, err := p.store.temp()
	if err != nil {
		return "", fmt.Errorf(
			"cannot write to the store of control planes (set XDG_DATA_HOME to a writable directory): %w", err)
	}
	dir, err := prepare(ctx, temp)
	if removal := removeTree(temp); err == nil && removal != nil {
		p.sayf("could not remove %s: %v", temp, removal)
	}
	return dir, err
}

// install puts a complete entry into the store.
func (p *provider) install(ctx context.Context, temp string) (string, error) {
	if dir := p.complete(); dir != "" {
		return dir, nil // the run we waited for did it
	}
	if installed := p.store.installed(); len(installed) > 0 {
		dir := installed[0]
		missing := missingFrom(dir, p.programs)
		p.sayf("%s has no %s", dir, namesOf(missing))
		if err := p.buildAll(ctx, missing, temp); err != nil {
			return "", err
		}
		return dir, moveInto(dir, temp, missing)
	}
	dir, err := p.fetch(ctx, temp)
	if err != nil {
		return "", err
	}
	if err := p.buildAll(ctx, missingFrom(dir, p.programs), dir); err != nil {
		return "", err
	}
	entry := p.store.entry()
	if name := filepath.Base(dir); strings.HasSuffix(name, "-"+p.store.platform) {
		entry = filepath.Join(p.store.dir, name) // a download keeps its own version
	}
	if err := os.Rename(dir, entry); err != nil {
		return "", fmt.Errorf("cannot install the control plane: %w", err)
	}
	p.sayf("installed in %s; the next run takes no time", entry)
	return entry, nil
}

// fetch returns a writable directory in temp with what could be downloaded,
// which may be nothing.
func (p *provider) fetch(ctx context.Context, temp string) (string, error) {
	major, minor := majorMinor(p.store.version)
	version := major + "." + minor + ".x"
	p.sayf("no Kubernetes %s in %s; trying setup-envtest's download (about a minute)", version, p.store.dir)
	dir, err := p.download(ctx, version, temp)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		p.sayf("no download: %v", err)
		dir = filepath.Join(temp, "built")
		return dir, os.Mkdir(dir, 0o755) // #nosec G301 -- programs for everybody, as in setup-envtest's own entries
	}
	return dir, os.Chmod(dir, 0o755) // #nosec G302 -- setup-envtest made it read-only; the rest still has to be added
}

// buildAll puts programs into a directory: links to those that the machine has, and built ones, one after the other, as
// each build uses all cores.
func (p *provider) buildAll(ctx context.Context, missing []program, into string) error {
	var programs []program
	for _, program := range missing {
		path := p.reuse(ctx, program)
		if path == "" {
			programs = append(programs, program)
			continue
		}
		p.sayf("using %s", path)
		if err := os.Symlink(path, filepath.Join(into, program.name)); err != nil {
			return err
		}
	}
	if len(programs) == 0 {
		return nil
	}
	p.sayf("building %s from source, once: about %s on 2 cores", namesOf(programs), usualTime(programs))
	for _, program := range programs {
		if err := p.build(ctx, program, into); err != nil {
			return err
		}
	}
	return nil
}

// fromAssets uses the directory that KUBEBUILDER_ASSETS names, completed in the
// store if it lacks something that envtest itself can do without.
func (p *provider) fromAssets(ctx context.Context, assets string) (string, error) {
	assets, err := filepath.Abs(assets) // the suites run in directories of their own
	if err != nil {
		return "", fmt.Errorf("KUBEBUILDER_ASSETS: %w", err)
	}
	missing := missingFrom(assets, p.programs)
	if essential := essentialOf(missing); len(essential) > 0 {
		return "", fmt.Errorf(
			"KUBEBUILDER_ASSETS=%s has no %s: point it at a directory that holds kube-apiserver and etcd, "+
				"or unset it to have them prepared", assets, namesOf(essential))
	}
	if len(missing) == 0 {
		return assets, nil
	}
	completed := p.store.completion(assets)
	if len(missingFrom(completed, p.programs)) == 0 {
		return completed, nil
	}
	return p.locked(ctx, func(ctx context.Context, temp string) (string, error) {
		if len(missingFrom(completed, p.programs)) == 0 {
			return completed, nil // the run we waited for did it
		}
		p.sayf("KUBEBUILDER_ASSETS=%s has no %s; completing it in %s", assets, namesOf(missing), completed)
		return completed, p.completeInto(ctx, completed, temp, assets)
	})
}

// completeInto makes completed a directory with all programs: links to those
// that assets holds, and built ones.
func (p *provider) completeInto(ctx context.Context, completed, temp, assets string) error {
	missing := missingFrom(assets, p.programs)
	if err := p.buildAll(ctx, missing, temp); err != nil {
		return err
	}
	for _, program := range p.programs {
		err := os.Symlink(filepath.Join(assets, program.name), filepath.Join(temp, program.name))
		if err != nil && !os.IsExist(err) { // those that exist were just built
			return err
		}
	}
	if err := removeTree(completed); err != nil {
		return err
	}
	return os.Rename(temp, completed)
}

// sayf tells people what is going on.
func (p *provider) sayf(format string, args ...any) { sayf(p.progress, format, args...) }

// sayf writes one line of progress. That it cannot be written is no reason to stop.
func sayf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "control-plane: "+format+"\n", args...)
}

// short rounds a duration to what people want to read.
func short(d time.Duration) string { return d.Round(time.Second).String() }
