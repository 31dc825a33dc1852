//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeModule writes a module with one program under root's hack/controlplane.
func writeModule(t *testing.T, root, source string) program {
	t.Helper()
	dir := filepath.Join(root, "hack", "controlplane", "kubernetes")
	put(t, dir)
	for name, text := range map[string]string{"go.mod": "module example.org/m\n\ngo 1.26.0\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return program{name: "small", module: "kubernetes", pkg: "example.org/m", version: "v1", usual: time.Second}
}

func TestAProgramIsBuiltFromItsModule(t *testing.T) {
	output := &transcript{}
	b := &goBuilder{root: t.TempDir(), progress: output, heartbeat: time.Millisecond}
	p := writeModule(t, b.root, "package main\n\nvar who = \"nobody\"\n\nfunc main() { println(who) }\n")
	p.ldflags = "-X main.who=somebody"
	into := t.TempDir()
	if err := b.build(t.Context(), p, into); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(into, "small")).CombinedOutput()
	if err != nil || string(said) != "somebody\n" {
		t.Errorf("the program says %q (%v), want what its linker was told", said, err)
	}
	for _, want := range []string{"building small v1 (about 1s)", "still building small", "built small in "} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("%q is not in what was said: %s", want, output)
		}
	}
}

func TestABuildThatFailsShowsWhy(t *testing.T) {
	output := &transcript{}
	b := &goBuilder{root: t.TempDir(), progress: output, heartbeat: time.Hour}
	p := writeModule(t, b.root, "package main\n\nfunc main() { undefinedName() }\n")
	err := b.build(t.Context(), p, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "cannot build small v1") {
		t.Errorf("got error %v", err)
	}
	if !strings.Contains(output.String(), "undefinedName") {
		t.Errorf("the compiler's message is not in what was said: %s", output)
	}
}

func TestACommandEndsWithAllItStarted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	// The shell waits for a child that ignores interrupts, as background jobs of a script do.
	cmd := command(ctx, "sh", "-c", "sleep 300 & echo started; wait")
	cmd.Stdout = writer
	ended := make(chan error, 1)
	go func() { ended <- runGroup(cmd) }()
	if _, err := reader.Read(make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the command ended well although it was interrupted")
	}
	_ = writer.Close()
	if err := reader.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The child holds the other end of the pipe for as long as it lives.
	if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end of the output: the child still runs", err)
	}
}

func TestACommandThatDoesNotAnswerIsGivenUp(t *testing.T) {
	b := &goBuilder{progress: &transcript{}, heartbeat: time.Hour}
	_, err := b.output(t.Context(), 20*time.Millisecond, "sleep", "300")
	if err == nil || !strings.Contains(err.Error(), "no answer within 20ms") {
		t.Errorf("got error %v", err)
	}
	_, err = b.output(t.Context(), time.Minute, "sh", "-c", "echo first >&2; echo last >&2; exit 3")
	if err == nil || !strings.HasSuffix(err.Error(), ": last") {
		t.Errorf("got error %v, want the last line the command wrote", err)
	}
}
