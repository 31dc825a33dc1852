package ai

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// docs/prompting.md names every function as the checker knows it, and no other, and every
// variable.
func TestThePromptingGuideIsComplete(t *testing.T) {
	raw, err := os.ReadFile("../../docs/prompting.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(raw)
	_, table, _ := strings.Cut(guide, "| function | written like |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for _, name := range slices.Sorted(maps.Keys(promptLanguage)) {
		want = append(want, "| `"+name+"` | `{{"+promptLanguage[name].usage+"}}` |")
	}
	if wanted := strings.Join(want, "\n"); table != wanted {
		t.Errorf("the table of functions is\n%s\nwant\n%s", table, wanted)
	}
	leaves(reflect.ValueOf(&PromptData{}).Elem(), "", func(path string, _ reflect.Value) {
		if !strings.Contains(guide, "`"+path+"`") {
			t.Errorf("the variable %s is not named", path)
		}
	})
	for _, name := range []string{"`.IsReply`", "`" + HumanTool + "`", "`SafetyRules`"} {
		if !strings.Contains(guide, name) {
			t.Errorf("%s is not named", name)
		}
	}
}
