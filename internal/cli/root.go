// Package cli has the commands of kubectl's plugin cartrecovery. Each is a file with a function that makes it and a
// row in commands. They act through the Kubernetes API alone, with the rights of whoever calls them.
package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/version"
)

// program is the file that kubectl looks for when it is told "kubectl cartrecovery".
const program = "kubectl-cartrecovery"

// commands make the commands, in the order of their names.
var commands = []func(*tool) *cobra.Command{
	eraseCommand,
	exportCommand,
	importCommand,
	releaseCommand,
	versionCommand,
}

// Streams are where commands read and write. What was asked for goes to Out, how it goes on to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// tool is what commands act with.
type tool struct {
	Streams
	clock clock.Clock
	// connect makes a client for the cluster that the flags name, and tells the namespace that they name.
	connect func() (client.Client, string, error)
}

// New makes the root command, which acts on the cluster that its flags name.
func New(streams Streams, clock clock.Clock) *cobra.Command {
	flags := &connection{}
	root := newRoot(&tool{Streams: streams, clock: clock, connect: flags.connect})
	flags.bind(root.PersistentFlags())
	return root
}

// newRoot makes the root command, without the flags that name a cluster.
func newRoot(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "Work with the stores, leads and numbers of cart-recovery-operator",
		Long: "Work with the stores, leads and numbers of cart-recovery-operator.\n\n" +
			"Everything goes through the Kubernetes API with your own rights. Nothing is sent to customers from\n" +
			"here: the operator does that.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl cartrecovery"},
		Args:          cobra.ArbitraryArgs,
		RunE:          helpOrUnknown,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	root.SetFlagErrorFunc(usageError)
	for _, command := range commands {
		root.AddCommand(checked(command(t)))
	}
	return root
}

// helpOrUnknown is what a command does that has others below it: it helps, or says that there is no such command.
func helpOrUnknown(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.Help()
	}
	problem := "there is no command " + args[0]
	if similar := command.SuggestionsFor(args[0]); len(similar) > 0 {
		problem += "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return usageErrorf(command, "%s", problem)
}

// checked has a command and those below it tell mistakes in their arguments as such.
func checked(command *cobra.Command) *cobra.Command {
	if args := command.Args; args != nil {
		command.Args = func(command *cobra.Command, given []string) error {
			if err := args(command, given); err != nil {
				return usageError(command, err)
			}
			return nil
		}
	}
	for _, below := range command.Commands() {
		checked(below)
	}
	if command.HasSubCommands() && !command.Runnable() {
		command.Args, command.RunE = cobra.ArbitraryArgs, helpOrUnknown
	}
	return command
}

func versionCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which version of the plugin this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(t.Out, version.Get().Of(program)+"\n")
			return err
		},
	}
}
