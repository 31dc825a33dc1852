package main

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// kubectl is the one program of the control plane that a machine may have already.
const kubectl = "kubectl"

// versionTimeout is how long a kubectl may take to say which one it is.
const versionTimeout = 15 * time.Second

// reuseKubectl returns the kubectl of the PATH if its version fits that of p.
func reuseKubectl(ctx context.Context, p program) string {
	if p.name != kubectl {
		return ""
	}
	path, err := exec.LookPath(kubectl)
	if err != nil {
		return ""
	}
	if path, err = filepath.Abs(path); err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	said, err := command(ctx, path, "version", "--client", "-o", "json").Output()
	if err != nil || !isWithinSkew(said, p.version) {
		return ""
	}
	return path
}

// isWithinSkew says whether a kubectl, by what it says of its version, is supported with an API server of a version:
// https://kubernetes.io/releases/version-skew-policy/#kubectl.
func isWithinSkew(said []byte, server string) bool {
	var version struct {
		ClientVersion struct {
			Major string `json:"major"`
			Minor string `json:"minor"`
		} `json:"clientVersion"`
	}
	if json.Unmarshal(said, &version) != nil {
		return false
	}
	major, minor := majorMinor(server)
	want, err := strconv.Atoi(minor)
	if err != nil || version.ClientVersion.Major != major {
		return false
	}
	got, err := strconv.Atoi(strings.TrimSuffix(version.ClientVersion.Minor, "+")) // "37+" is a build of one's own
	return err == nil && want-1 <= got && got <= want+1
}
