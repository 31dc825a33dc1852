//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestAKubectlOfThePathIsUsedWithinTheSupportedSkew(t *testing.T) {
	for name, row := range map[string]struct {
		says string
		fits bool
	}{
		"the same":           {`{"clientVersion":{"major":"1","minor":"37"}}`, true},
		"one older":          {`{"clientVersion":{"major":"1","minor":"36"}}`, true},
		"one newer":          {`{"clientVersion":{"major":"1","minor":"38"}}`, true},
		"somebody's own":     {`{"clientVersion":{"major":"1","minor":"37+"}}`, true},
		"two older":          {`{"clientVersion":{"major":"1","minor":"35"}}`, false},
		"two newer":          {`{"clientVersion":{"major":"1","minor":"39"}}`, false},
		"another major":      {`{"clientVersion":{"major":"2","minor":"37"}}`, false},
		"no version":         {`{}`, false},
		"something else":     {`Client Version: v1.37.2`, false},
		"nothing, and fails": {``, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			script := "#!/bin/sh\n[ \"$*\" = 'version --client -o json' ] || exit 2\necho '" + row.says + "'\n"
			path := filepath.Join(dir, "kubectl")
			if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			want := ""
			if row.fits {
				want = path
			}
			if got := reuseKubectl(t.Context(), program{name: "kubectl", version: "v1.37.2"}); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := reuseKubectl(t.Context(), program{name: "etcd", version: "v3.7.0"}); got != "" {
				t.Errorf("got %q for etcd, want it built", got)
			}
		})
	}
}

func TestWhatTheMachineHasIsNotBuilt(t *testing.T) {
	l := newLab(t)
	mine := t.TempDir()
	put(t, mine, "kubectl")
	l.reuse = func(_ context.Context, p program) string {
		if p.name == "kubectl" {
			return filepath.Join(mine, "kubectl")
		}
		return ""
	}
	dir, err := l.provide(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if content(t, dir, "kubectl") != "there" || len(l.built) != 3 {
		t.Errorf("built %v, want all but kubectl, which is linked to", l.built)
	}
	// It goes from the machine: the next run builds one.
	if err := os.Remove(filepath.Join(mine, "kubectl")); err != nil {
		t.Fatal(err)
	}
	l.reuse = func(context.Context, program) string { return "" }
	if dir, err = l.provide(t.Context(), ""); err != nil || content(t, dir, "kubectl") != "built" {
		t.Errorf("got %v; want kubectl built, once the linked one is gone", err)
	}
}
