package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// program is one program of the control plane and how it is built.
type program struct {
	name    string
	module  string        // directory of the module that pins it, under hack/controlplane
	pkg     string        // its main package
	ldflags string        // what its linker is told
	version string        // as pinned, with the v
	usual   time.Duration // what a first build takes on 2 cores
	// essential programs are what a directory must hold to be called a control
	// plane at all: envtest starts these two.
	essential bool
}

// pinnedPrograms lists the programs in the order in which they are built, in the
// versions that the go.mod files beside this file require.
func pinnedPrograms(root string) ([]program, error) {
	kubernetes, err := pinnedVersion(root, "kubernetes", "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	etcd, err := pinnedVersion(root, "etcd", "go.etcd.io/etcd/server/v3")
	if err != nil {
		return nil, err
	}
	major, minor := majorMinor(kubernetes)
	const variable = " -X k8s.io/component-base/version."
	ldflags := "-s -w" + variable + "gitVersion=" + kubernetes +
		variable + "gitMajor=" + major + variable + "gitMinor=" + minor
	kube := func(name, pkg string, usual time.Duration, essential bool) program {
		return program{
			name: name, module: "kubernetes", pkg: pkg,
			ldflags: ldflags, version: kubernetes, usual: usual, essential: essential,
		}
	}
	return []program{
		// The shortest first: where building cannot work at all, this shows within seconds.
		{
			name: "etcd", module: "etcd", pkg: "go.etcd.io/etcd/server/v3",
			ldflags: "-s -w", version: etcd, usual: 30 * time.Second, essential: true,
		},
		kube("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 5*time.Minute, true),
		kube("cluster-controllers", "./cluster-controllers", 15*time.Second, false),
		kube(kubectl, "k8s.io/kubernetes/cmd/kubectl", 45*time.Second, false),
	}, nil
}

// pinnedVersion reads the version of dependency that a module under
// hack/controlplane requires.
func pinnedVersion(root, module, dependency string) (string, error) {
	file := filepath.Join(root, "hack", "controlplane", module, "go.mod")
	content, err := os.ReadFile(file) // #nosec G304 -- a file of this repository
	if err != nil {
		return "", fmt.Errorf("cannot read the pinned version of %s: %w", dependency, err)
	}
	line := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(dependency) + `\s+(v\d+\.\d+\.\d+)\b`)
	match := line.FindSubmatch(content)
	if match == nil {
		return "", fmt.Errorf("%s requires no version of %s: restore that line", file, dependency)
	}
	return string(match[1]), nil
}

// kubernetesVersion is the pinned version of Kubernetes, without the v, as
// setup-envtest names the entries of its store.
func kubernetesVersion(programs []program) string {
	for _, p := range programs {
		if p.module == "kubernetes" {
			return strings.TrimPrefix(p.version, "v")
		}
	}
	return ""
}

// majorMinor splits "1" and "37" off "1.37.2" or "v1.37.2".
func majorMinor(version string) (major, minor string) {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(rest, ".")
	return major, minor
}

// missingFrom returns those of programs that dir does not hold.
func missingFrom(dir string, programs []program) []program {
	var missing []program
	for _, p := range programs {
		info, err := os.Stat(filepath.Join(dir, p.name))
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			missing = append(missing, p)
		}
	}
	return missing
}

// essentialOf returns the essential ones of programs.
func essentialOf(programs []program) []program {
	var essential []program
	for _, p := range programs {
		if p.essential {
			essential = append(essential, p)
		}
	}
	return essential
}

// namesOf lists programs for people.
func namesOf(programs []program) string {
	names := make([]string, 0, len(programs))
	for _, p := range programs {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// usualTime is what building all of programs takes on 2 cores.
func usualTime(programs []program) time.Duration {
	var sum time.Duration
	for _, p := range programs {
		sum += p.usual
	}
	return sum
}
