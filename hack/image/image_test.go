package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// machines are what the programs of the image run on.
var machines = map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}

// small is a module whose program is built in no time, in place of the operator.
func small(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.com/small\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
}

func wanted(t *testing.T) options {
	t.Helper()
	return options{
		archive: filepath.Join(t.TempDir(), "image.tar"), tag: "1.2.3", platforms: "linux/amd64,linux/arm64",
		ldflags: "-s -w", version: "1.2.3", revision: "abc", created: 1_790_000_000,
	}
}

// TestArchive opens the archive as a container engine does.
func TestArchive(t *testing.T) {
	small(t)
	o := wanted(t)
	if err := run(t.Context(), o, io.Discard); err != nil {
		t.Fatal(err)
	}
	index := unpacked(t, o)
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Annotations["org.opencontainers.image.version"]; got != o.version {
		t.Errorf("version %q in the annotations, want %q", got, o.version)
	}
	var platforms []string
	for _, each := range manifest.Manifests {
		platforms = append(platforms, each.Platform.String())
		image, err := index.Image(each.Digest)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(each.Platform.String(), func(t *testing.T) { checkImage(t, image, each.Platform) })
	}
	if diff := cmp.Diff(strings.Split(o.platforms, ","), platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

// unpacked is the image that an archive names.
func unpacked(t *testing.T, o options) v1.ImageIndex {
	t.Helper()
	folder := t.TempDir()
	content, err := os.Open(o.archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	for path, file := range files(t, content) {
		path = filepath.Join(folder, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, file, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := root.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("got %v, %v, want one image", manifest, err)
	}
	if got := manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"]; got != o.tag {
		t.Errorf("the image is called %q, want %q", got, o.tag)
	}
	index, err := root.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// files are the files of a tar archive.
func files(t *testing.T, archive io.Reader) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for reader := tar.NewReader(archive); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = content
	}
}

func checkImage(t *testing.T, image v1.Image, of *v1.Platform) {
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/manager"}, config.Config.Entrypoint); diff != "" || config.Config.User != user ||
		config.Architecture != of.Architecture {
		t.Errorf("entrypoint, user %q, architecture %q (-want +got):\n%s", config.Config.User, config.Architecture,
			diff)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("got %d layers, %v, want one", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	found := files(t, content)
	program, err := elf.NewFile(bytes.NewReader(found["manager"]))
	if err != nil || program.Machine != machines[of.String()] {
		t.Errorf("the manager: got %v, %v, want a program for %s", program, err, of)
	}
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(found[certificates[1:]]) {
		t.Error("no root certificates")
	}
	if !strings.Contains(string(found["etc/passwd"]), ":65532:") {
		t.Errorf("no user 65532: %q", found["etc/passwd"])
	}
}

// TestTheSameCommitIsTheSameImage: who builds a release again gets the digest that was published.
func TestTheSameCommitIsTheSameImage(t *testing.T) {
	small(t)
	o := wanted(t)
	var digests []string
	for range 2 {
		var out strings.Builder
		if err := run(t.Context(), o, &out); err != nil {
			t.Fatal(err)
		}
		_, digest, _ := strings.Cut(out.String(), "sha256:")
		digests = append(digests, digest)
	}
	if diff := cmp.Diff(digests[0], digests[1]); diff != "" || digests[0] == "" {
		t.Errorf("digests (-first +second):\n%s", diff)
	}
}

func TestPush(t *testing.T) {
	small(t)
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	o := wanted(t)
	o.archive, o.push, o.platforms = "", strings.TrimPrefix(server.URL, "http://")+"/operator:1.2.3", "linux/amd64"
	o.digestFile = filepath.Join(t.TempDir(), "digest")
	if err := run(t.Context(), o, io.Discard); err != nil {
		t.Fatal(err)
	}
	reference, err := name.ParseReference(o.push)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	pushed, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if told, err := os.ReadFile(o.digestFile); err != nil || string(told) != pushed.String() {
		t.Errorf("the file has the digest %q, %v, want %s", told, err, pushed)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	small(t)
	for name, row := range map[string]struct {
		change func(*options)
		says   string
	}{
		"nowhere to":          {func(o *options) { o.archive = "" }, "set -archive or -push"},
		"both":                {func(o *options) { o.push = "example.com/x" }, "set -archive or -push"},
		"no platform":         {func(o *options) { o.platforms = "linux" }, `"linux" is no platform`},
		"an unknown platform": {func(o *options) { o.platforms = "linux/z80" }, "build the manager for linux/z80"},
		"a reference in capitals": {func(o *options) {
			o.archive, o.push, o.platforms = "", "example.com/UPPER:1", "linux/amd64"
		}, "-push: "},
	} {
		t.Run(name, func(t *testing.T) {
			o := wanted(t)
			row.change(&o)
			if err := run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want an error with %q", err, row.says)
			}
		})
	}
}

// TestRootsAreMany: an image without them calls nobody over TLS.
func TestRootsAreMany(t *testing.T) {
	if got := bytes.Count(roots(), []byte("BEGIN CERTIFICATE")); got < 80 {
		t.Errorf("got %d root certificates", got)
	}
	if created := (about{Created: time.Unix(0, 0).UTC()}).labels()["org.opencontainers.image.created"]; created !=
		"1970-01-01T00:00:00Z" {
		t.Errorf("created %q", created)
	}
}
