package formats

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// updateVariable in the environment has the golden file written anew.
const updateVariable = "UPDATE_GOLDEN"

// describe puts what a delivery tells into words: a line of the golden file.
func describe(message Message) string {
	who := ""
	if message.Phone != "" {
		who = map[bool]string{false: " from ", true: " to "}[message.FromMe] + message.Phone
	}
	said := "text"
	if message.Media != "" {
		said = message.Media
	}
	said = fmt.Sprintf("%s %q", said, message.Text)
	switch message.Kind {
	case Ignored:
		return "Ignored: " + message.Reason
	case Receipt:
		return fmt.Sprintf("Receipt: %s, %s, ours: %t", message.ID, message.Status, message.FromMe)
	case ConnectionChange:
		return fmt.Sprintf("ConnectionChange: %q", message.Connection)
	case Reaction:
		return fmt.Sprintf("Reaction%s: %q to %s", who, message.Text, message.Target)
	case Edited:
		return fmt.Sprintf("Edited%s: %s says %s", who, message.ID, said)
	case Inbound, Own:
	}
	return fmt.Sprintf("%s%s: %s", message.Kind, who, said)
}

// about puts what else a delivery tells into words, for the golden file.
func about(message Message) string {
	var told []string
	add := func(is bool, what string) {
		if is {
			told = append(told, what)
		}
	}
	ids := slices.DeleteFunc(slices.Clone(message.ChatIDs), func(id string) bool {
		return id == message.Phone+"@s.whatsapp.net"
	})
	add(len(ids) > 0, "chat "+strings.Join(ids, " "))
	add(message.Phone != "" && message.Kind != Ignored && len(ids) == len(message.ChatIDs),
		"without the id of the phone")
	add(message.Quotes != "", "quotes "+message.Quotes)
	add(message.ToSelf, "to itself")
	add(message.Automatic, "automatic")
	add(message.History, "of the past")
	if len(told) == 0 {
		return ""
	}
	return " (" + strings.Join(told, ", ") + ")"
}

// deliveries are all fixtures, by their names (uazapi/message.json).
func deliveries(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, filepath.ToSlash(strings.TrimPrefix(path, "testdata"+string(filepath.Separator))))
	}
	return names
}

// TestDeliveries compares what every fixture tells with the golden file; with -v it reads
// as documentation. Run it with UPDATE_GOLDEN=1 after a change, and read the difference.
func TestDeliveries(t *testing.T) {
	var got strings.Builder
	for _, name := range deliveries(t) {
		messages, err := Parse(fixture(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		parts := make([]string, 0, len(messages))
		for _, message := range messages {
			checkMessage(t, message)
			if format, _, _ := strings.Cut(name, "/"); format != "ambiguous" && message.Format != format {
				t.Errorf("%s: read as %s", name, message.Format)
			}
			parts = append(parts, describe(message)+about(message))
		}
		if strings.HasPrefix(name, "ambiguous/") {
			parts = append([]string{"read as " + messages[0].Format}, parts...)
		}
		line := name + " → " + strings.Join(parts, "; ")
		t.Log(line)
		got.WriteString(line + "\n")
	}
	const golden = "testdata/deliveries.golden.txt"
	if os.Getenv(updateVariable) != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(wanted) || line != wanted[i] {
			t.Fatalf("line %d is\n%s\nand not what %s has there", i+1, line, golden)
		}
	}
	if got.String() != string(want) {
		t.Errorf("%s has more lines than there are fixtures", golden)
	}
}

// TestDocumentation: the tables of docs/gateways.md are those of the code.
func TestDocumentation(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "gateways.md"))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{}
	for _, row := range Table() {
		tables[row.Format] += fmt.Sprintf("| %s | %s |\n", row.Event, row.Meaning)
	}
	for _, format := range known {
		want := "<!-- begin generated: " + format.name + " -->\n| event | what it does |\n|---|---|\n" +
			tables[format.name] + "<!-- end generated -->\n"
		if tables[format.name] == "" || !strings.Contains(string(document), want) {
			t.Errorf("docs/gateways.md does not have the table of %s:\n%s", format.name, want)
		}
		delete(tables, format.name)
	}
	if len(tables) > 0 {
		t.Errorf("tables of unknown formats: %v", tables)
	}
}
