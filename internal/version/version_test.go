package version

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrom(t *testing.T) {
	build := func(version, commit string) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: version},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit}}}
	}
	for _, row := range []struct {
		name, version, revision string
		build                   *debug.BuildInfo
		want                    Info
	}{
		{"the linker was told", "v1.2.3", "abc", build("v0.0.1", "def"), Info{"v1.2.3", "abc", "go1.26.0"}},
		{"Go has recorded it", "", "", build("v0.0.1", "def"), Info{"v0.0.1", "def", "go1.26.0"}},
		{"a build of a work tree", "", "", build("(devel)", "def"), Info{"unknown", "def", "go1.26.0"}},
		{"nothing is known", "", "", &debug.BuildInfo{}, Info{"unknown", "unknown", "unknown"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, from(row.version, row.revision, row.build)); diff != "" {
				t.Errorf("info (-want +got):\n%s", diff)
			}
		})
	}
	want := "cart-recovery-operator v1 (revision abc, go1.26.0)"
	if got := (Info{"v1", "abc", "go1.26.0"}).String(); got != want {
		t.Errorf("String() = %q; want %q", got, want)
	}
}
