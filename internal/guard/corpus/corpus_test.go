package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/guard"
)

// TestTexts: of the hostile texts the words refuse all but those that only the meaning tells,
// and they refuse no benign one.
func TestTexts(t *testing.T) {
	read, err := Read("../testdata/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range read.Hostile {
		if refusal := check(t, read, text); refusal == nil && text.Layer != Review {
			t.Errorf("%s %s: passed: %q", text.ID, text.Category, text.Text)
		}
	}
	for _, text := range read.Benign {
		if refusal := check(t, read, text); refusal != nil {
			t.Errorf("%s %s: refused as %s: %q", text.ID, text.Category, refusal.Reason, text.Text)
		}
	}
	if len(read.Hostile) < 120 || len(read.Benign) < 100 {
		t.Errorf("only %d hostile texts and %d benign ones", len(read.Hostile), len(read.Benign))
	}
}

func check(t *testing.T, read *Corpus, text Text) *guard.Refusal {
	t.Helper()
	facts, err := read.Facts(text)
	if err != nil {
		t.Fatal(err)
	}
	return guard.Check(text.Text, facts)
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"no object":       {`[1]`, "expected an object"},
		"an unknown shop": {`{"contexts":{},"benign":[{"id":"b1","context":"x"}]}`, "b1: context"},
	} {
		path := filepath.Join(t.TempDir(), "texts.json")
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
