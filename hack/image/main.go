// Command image builds the operator's container image without a container engine: the program for each platform, root
// certificates and a user, and nothing else. It writes the image for all platforms as one OCI archive, which skopeo,
// crane, podman and containerd read, or pushes it to a registry. The same commit gives the same digest. Run it in the
// module's root; "make image" and "make image-push" do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// options are the flags.
type options struct {
	archive, push, tag, platforms, ldflags, version, revision, digestFile string
	created                                                               int64
}

func main() {
	var o options
	flag.StringVar(&o.archive, "archive", "", "the OCI archive to write")
	flag.StringVar(&o.push, "push", "", "the reference to push to, such as registry.example.com/operator:1.0.0; "+
		"credentials come from the configuration of Docker or Podman")
	flag.StringVar(&o.tag, "tag", "latest", "the image's name within the archive")
	flag.StringVar(&o.platforms, "platforms", "linux/amd64,linux/arm64", "the platforms, separated by commas")
	flag.StringVar(&o.ldflags, "ldflags", "-s -w", "what the linker is told")
	flag.StringVar(&o.version, "version", "", "the version in the image's annotations")
	flag.StringVar(&o.revision, "revision", "", "the commit in the image's annotations")
	flag.StringVar(&o.digestFile, "digest-file", "", "a file to write the digest to, for who signs it")
	flag.Int64Var(&o.created, "created", 0, "when the image was made, in seconds since 1970; the commit's time makes "+
		"the digest the commit's")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	if (o.archive == "") == (o.push == "") {
		return errors.New("set -archive or -push, and not both")
	}
	folder, err := os.MkdirTemp("", "image")
	if err != nil {
		return fmt.Errorf("make a folder for the programs: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	var programs []program
	for of := range strings.SplitSeq(o.platforms, ",") {
		_, _ = fmt.Fprintf(out, "building the manager for %s\n", of)
		built, err := build(ctx, of, o.ldflags, folder)
		if err != nil {
			return err
		}
		programs = append(programs, built)
	}
	made := time.Unix(o.created, 0).UTC()
	index, err := indexOf(programs, about{Version: o.version, Revision: o.revision, Created: made})
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return fmt.Errorf("hash the image: %w", err)
	}
	if err := deliver(ctx, index, o); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%s%s has the digest %s\n", o.archive, o.push, digest)
	if o.digestFile == "" {
		return nil
	}
	if err := os.WriteFile(o.digestFile, []byte(digest.String()), 0o600); err != nil {
		return fmt.Errorf("write the digest: %w", err)
	}
	return nil
}

func deliver(ctx context.Context, index v1.ImageIndex, o options) error {
	if o.archive != "" {
		return writeArchive(index, o.tag, o.archive)
	}
	reference, err := name.ParseReference(o.push)
	if err != nil {
		return fmt.Errorf("-push: %w", err)
	}
	err = remote.WriteIndex(reference, index, remote.WithContext(ctx),
		remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return fmt.Errorf("push to %s: %w", reference, err)
	}
	return nil
}

// build compiles the manager of the module in the working directory for a platform such as linux/arm64. It knows the
// time zones by itself, as the image has no database of them.
func build(ctx context.Context, of, ldflags, folder string) (program, error) {
	system, architecture, found := strings.Cut(of, "/")
	if !found {
		return program{}, fmt.Errorf("-platforms: %q is no platform such as linux/arm64", of)
	}
	path := filepath.Join(folder, system+"-"+architecture)
	//nolint:gosec // the go command, for a platform that was asked for
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "timetzdata", "-ldflags", ldflags,
		"-o", path, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture)
	if told, err := command.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("build the manager for %s: %w\n%s", of, err, told)
	}
	return program{Platform: v1.Platform{OS: system, Architecture: architecture}, Path: path}, nil
}
