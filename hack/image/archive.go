package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// writeArchive writes the image as an OCI archive: a tar file of an OCI image layout, in which the image has a name.
// See https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
func writeArchive(index v1.ImageIndex, tag, path string) (err error) {
	folder, err := os.MkdirTemp("", "layout")
	if err != nil {
		return fmt.Errorf("make a folder for the layout: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	within, err := layout.Write(folder, empty.Index)
	if err != nil {
		return fmt.Errorf("begin the layout: %w", err)
	}
	named := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})
	if err := within.AppendIndex(index, named); err != nil {
		return fmt.Errorf("write the layout: %w", err)
	}
	file, err := os.Create(path) //nolint:gosec // the archive that was asked for
	if err != nil {
		return fmt.Errorf("make the archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return pack(folder, file)
}

// pack writes the files of a folder in the order of their names, without owners and times.
func pack(folder string, to io.Writer) error {
	archive := tar.NewWriter(to)
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(folder, path)) //nolint:gosec // a file of the layout
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(path), Mode: 0o644, Size: int64(len(content)),
			Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("pack the archive: %w", err)
	}
	return archive.Close()
}
