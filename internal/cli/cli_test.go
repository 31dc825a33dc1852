package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
)

// call runs the plugin with arguments, and tells what it printed and exits with.
func call(t *testing.T, args ...string) (out, said string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := New(Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr},
		clocktesting.NewFakeClock(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		stderr.WriteString(err.Error())
	}
	return stdout.String(), stderr.String(), ExitStatus(err)
}

func TestCalls(t *testing.T) {
	for name, row := range map[string]struct {
		args   []string
		status int
		out    string
		said   string
	}{
		"nothing":              {nil, 0, "kubectl cartrecovery [command]", ""},
		"the version":          {[]string{"version"}, 0, program + " ", ""},
		"completion":           {[]string{"completion", "bash"}, 0, "complete", ""},
		"a flag that is none":  {[]string{"version", "--nope"}, StatusUsage, "", "cartrecovery version --help'"},
		"an argument too much": {[]string{"version", "1"}, StatusUsage, "", "unknown command \"1\" for"},
		"no such command":      {[]string{"vers"}, StatusUsage, "", "no command vers; did you mean version?"},
	} {
		t.Run(name, func(t *testing.T) {
			out, said, status := call(t, row.args...)
			if status != row.status || !strings.Contains(out, row.out) || !strings.Contains(said, row.said) {
				t.Errorf("status %d, out %q, said %q; want %d, with %q and %q",
					status, out, said, row.status, row.out, row.said)
			}
		})
	}
}

// TestCommandsAreDocumented: every command says what it is for, and is listed once.
func TestCommandsAreDocumented(t *testing.T) {
	root := New(Streams{}, nil)
	var check func(*cobra.Command)
	check = func(command *cobra.Command) {
		if command.Short == "" || strings.HasSuffix(command.Short, ".") {
			t.Errorf("%s: what it is for is %q; want a line without a full stop", command.CommandPath(), command.Short)
		}
		for _, below := range command.Commands() {
			check(below)
		}
	}
	check(root)
	if got := len(root.Commands()); got != len(commands) {
		t.Errorf("%d commands of %d: two have one name", got, len(commands))
	}
}

func TestExplain(t *testing.T) {
	leads := schema.GroupResource{Group: "cartrecovery.dev", Resource: "cartrecoveries"}
	denied := func(reason string) error { return apierrors.NewForbidden(leads, "a", errors.New(reason)) }
	user := func(verb string) error {
		return denied(`User "eve" cannot ` + verb + ` resource "cartrecoveries" in API group "cartrecovery.dev"`)
	}
	for name, row := range map[string]struct {
		request request
		err     error
		want    string
		status  int
	}{
		"a right in a namespace": {request{verb: "create", namespace: "loja"}, user("create"),
			"you may not create cartrecoveries.cartrecovery.dev in the namespace loja. Ask for that right; this says " +
				"whether you have it:\n  kubectl auth can-i create cartrecoveries.cartrecovery.dev -n loja",
			StatusForbidden},
		"a right everywhere": {request{verb: "list"}, user("list"),
			"you may not list cartrecoveries.cartrecovery.dev in the whole cluster. Ask for that right; this says " +
				"whether you have it:\n  kubectl auth can-i list cartrecoveries.cartrecovery.dev --all-namespaces",
			StatusForbidden},
		"a right to the status": {request{verb: "patch", namespace: "loja", subresource: "status"}, user("patch"),
			"you may not patch cartrecoveries.cartrecovery.dev/status in the namespace loja. Ask for that right; " +
				"this says whether you have it:\n  kubectl auth can-i patch cartrecoveries.cartrecovery.dev " +
				"--subresource=status -n loja", StatusForbidden},
		"a quota": {request{verb: "create", namespace: "loja"}, denied("exceeded quota"),
			denied("exceeded quota").Error(), StatusFailed},
		"something else": {request{verb: "get"}, errors.New("broken"), "broken", StatusFailed},
		"no CRDs": {request{verb: "get"}, &apimeta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: "Store"}},
			"the cluster has not got the CRDs of cart-recovery-operator; docs/install.md says how to install it: " +
				`no matches for kind "Store" in group ""`, StatusFailed},
	} {
		t.Run(name, func(t *testing.T) {
			err := explain(row.request, row.err)
			if diff := cmp.Diff(row.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got := ExitStatus(err); got != row.status {
				t.Errorf("exits with %d, want %d", got, row.status)
			}
			if !errors.Is(err, row.err) {
				t.Error("it hides its cause")
			}
		})
	}
}

// documented are the pages that name commands of the plugin.
var documented = []string{"moving-in.md", "privacy.md"}

// TestDocumentedCommands: the commands of the plugin that the pages name exist, with their flags.
func TestDocumentedCommands(t *testing.T) {
	for _, page := range documented {
		content, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.SplitSeq(strings.ReplaceAll(string(content), "\\\n", " "), "\n") {
			words, isCommand := strings.CutPrefix(strings.TrimSpace(line), "kubectl cartrecovery ")
			if !isCommand {
				continue
			}
			found++
			command, args, err := New(Streams{}, nil).Find(strings.Fields(words))
			if err == nil {
				err = command.ParseFlags(args)
			}
			if err == nil {
				err = command.ValidateArgs(command.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %s: %v", page, line, err)
			}
		}
		if found == 0 {
			t.Errorf("%s has no commands", page)
		}
	}
}
