package heartbeat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// This file keeps what a process has seen of the Lease outside of the API server. A restore
// takes back what the API server has, and not this: a process that starts after a restore knows
// by it that the data went back, however young the backup is.

const (
	// markName is the file in the state directory.
	markName = "heartbeat.json"
	// maxMark bounds what is read of the file; a mark has some 150 bytes.
	maxMark = 4 << 10
	// markTolerance is how much older than the mark a Lease of another UID may be: it may have
	// been written by a node whose clock is behind.
	markTolerance = time.Minute
)

// mark is a sighting as it stands in the file.
type mark struct {
	UID     types.UID `json:"uid"`
	Version uint64    `json:"resourceVersion"`
	Beats   int32     `json:"transitions"`
	Renewed time.Time `json:"renewTime"`
}

// readMark reads what an earlier process of this directory saw of the Lease; the zero sighting
// when there was none.
func readMark(dir string) (sighting, error) {
	path := filepath.Join(dir, markName)
	file, err := os.Open(path) //nolint:gosec // the directory is a setting of the operator
	if errors.Is(err, fs.ErrNotExist) {
		return sighting{}, nil
	}
	if err != nil {
		return sighting{}, fmt.Errorf("read the mark of the heartbeat: %w", err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxMark+1))
	if err != nil {
		return sighting{}, fmt.Errorf("read the mark of the heartbeat: %w", err)
	}
	if len(content) > maxMark {
		return sighting{}, fmt.Errorf("read the mark of the heartbeat: %s has more than %d bytes", path, maxMark)
	}
	var read mark
	if err := json.Unmarshal(content, &read); err != nil {
		return sighting{}, fmt.Errorf("read the mark of the heartbeat: %s is no JSON of a mark", path)
	}
	if read.UID == "" || read.Version == 0 || read.Beats < 0 {
		return sighting{}, fmt.Errorf("read the mark of the heartbeat: %s lacks uid, resourceVersion or transitions",
			path)
	}
	return sighting{uid: read.UID, version: read.Version, beats: read.Beats, renewed: read.Renewed}, nil
}

// writeMark replaces the file as a whole: a process that dies meanwhile leaves the one before.
func writeMark(dir string, seen sighting) error {
	content, err := json.Marshal(mark{UID: seen.uid, Version: seen.version, Beats: seen.beats, Renewed: seen.renewed})
	if err != nil {
		return fmt.Errorf("write the mark of the heartbeat: %w", err)
	}
	path := filepath.Join(dir, markName)
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("write the mark of the heartbeat: %w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write the mark of the heartbeat: %w", err)
	}
	return nil
}
