package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	// user is the one of distroless images that is nobody's; the manifests name the same.
	user = "65532:65532"
	// certificates is where Go looks for root certificates first.
	certificates = "/etc/ssl/certs/ca-certificates.crt"
)

// program is the manager for one platform.
type program struct {
	Platform v1.Platform
	Path     string
}

// about is what the image's annotations and labels say; see the OCI image specification.
type about struct {
	Version, Revision string
	Created           time.Time
}

func (a about) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "cart-recovery-operator",
		"org.opencontainers.image.description": "Wins back abandoned carts over WhatsApp",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     a.Version,
		"org.opencontainers.image.revision":    a.Revision,
		"org.opencontainers.image.created":     a.Created.Format(time.RFC3339),
	}
}

// indexOf is the image for all platforms.
func indexOf(programs []program, tells about) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, each := range programs {
		image, err := imageOf(each, tells)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &each.Platform},
		})
	}
	annotated, ok := mutate.Annotations(index, tells.labels()).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("annotate the index: got a %T", annotated)
	}
	return annotated, nil
}

// imageOf is the image for one platform.
func imageOf(of program, tells about) (v1.Image, error) {
	content, err := contents(of.Path, tells.Created)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("make the layer for %s: %w", of.Platform, err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: tells.Created}, CreatedBy: "make image"},
	})
	if err != nil {
		return nil, fmt.Errorf("add the layer for %s: %w", of.Platform, err)
	}
	image, err = mutate.ConfigFile(image, configOf(image, of.Platform, tells))
	if err != nil {
		return nil, fmt.Errorf("configure the image for %s: %w", of.Platform, err)
	}
	return image, nil
}

func configOf(image v1.Image, of v1.Platform, tells about) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		config = &v1.ConfigFile{} // cannot fail: the image was made in memory
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = of.OS, of.Architecture, of.Variant
	config.Created = v1.Time{Time: tells.Created}
	config.Config = v1.Config{
		Entrypoint: []string{"/manager"}, User: user, WorkingDir: "/", Labels: tells.labels(),
		Env: []string{"PATH=/", "SSL_CERT_FILE=" + certificates},
	}
	return config
}

// contents is the file system of the image as a tar archive: the program, the root certificates that browsers trust,
// and a user with a name.
func contents(programPath string, created time.Time) ([]byte, error) {
	manager, err := os.ReadFile(programPath) //nolint:gosec // the program that was just built
	if err != nil {
		return nil, fmt.Errorf("read the manager: %w", err)
	}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, file := range []struct {
		name    string
		mode    int64
		content []byte
	}{
		{name: "etc/", mode: 0o755},
		{name: "etc/passwd", mode: 0o444, content: []byte("nonroot:x:65532:65532:nonroot:/:/none\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: certificates[1:], mode: 0o444, content: roots()},
		{name: "manager", mode: 0o555, content: manager},
	} {
		header := &tar.Header{Name: file.name, Mode: file.mode, Size: int64(len(file.content)), ModTime: created,
			Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if file.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("add %s to the image: %w", file.name, err)
		}
		if _, err := archive.Write(file.content); err != nil {
			return nil, fmt.Errorf("add %s to the image: %w", file.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("end the image's file system: %w", err)
	}
	return out.Bytes(), nil
}

// roots are the certificates of Mozilla's program in PEM. Those that it trusts with constraints, which a file cannot
// express, are left out.
func roots() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return out.Bytes()
}
