// Package version says which program this is.
package version

import (
	"cmp"
	"runtime/debug"
)

// version and revision are set by the linker: Makefile and Dockerfile name them with -ldflags -X.
var version, revision string

// unknown is what nobody told.
const unknown = "unknown"

// Info is which program this is.
type Info struct {
	// Version is the release, or what git describes.
	Version string
	// Revision is the commit.
	Revision string
	// Go is the version of Go that built it.
	Go string
}

// Get tells what the linker was told and, where it was told nothing, what Go has recorded.
func Get() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	return from(version, revision, build)
}

func from(version, revision string, build *debug.BuildInfo) Info {
	recorded := build.Main.Version
	if recorded == "(devel)" {
		recorded = ""
	}
	var commit string
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			commit = setting.Value
		}
	}
	return Info{
		Version: cmp.Or(version, recorded, unknown), Revision: cmp.Or(revision, commit, unknown),
		Go: cmp.Or(build.GoVersion, unknown),
	}
}

// String is the line that --version prints.
func (i Info) String() string { return i.Of("cart-recovery-operator") }

// Of is the line in which a program says which version it is.
func (i Info) Of(program string) string {
	return program + " " + i.Version + " (revision " + i.Revision + ", " + i.Go + ")"
}
