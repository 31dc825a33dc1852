package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/internal/policy"
)

// TestMeanings: a text is understood once for the words of a policy, and as without the memory.
func TestMeanings(t *testing.T) {
	own := policy.Policy{OptOutKeywords: []string{"tchau"}}
	hands := policy.Policy{HandOffKeywords: []string{"tchau"}}
	each := policy.Policy{OptOutKeywords: []string{"adeus"}, HandOffKeywords: []string{"tchau"}}
	type understood struct{ OptsOut, AsksForHuman bool }
	m := NewMeanings()
	for name, row := range map[string]struct {
		policy policy.Policy
		text   string
		want   understood
	}{
		"by words that hold everywhere": {policy.Policy{}, "PARAR", understood{OptsOut: true}},
		"by no words":                   {policy.Policy{}, "tchau", understood{}},
		"by the policy's to stop":       {own, "tchau", understood{OptsOut: true}},
		"by the policy's for a person":  {hands, "tchau", understood{AsksForHuman: true}},
		"by as many of either":          {each, "tchau", understood{AsksForHuman: true}},
	} {
		t.Run(name, func(t *testing.T) {
			before := m.known.Len()
			for _, times := range []string{"the first time", "the second time"} {
				said := m.Of(&row.policy, row.text)
				if diff := cmp.Diff(row.want, understood{said.OptsOut, said.asksForHuman}); diff != "" {
					t.Errorf("%s (-want +got):\n%s", times, diff)
				}
			}
			if diff := cmp.Diff(before+1, m.known.Len()); diff != "" {
				t.Errorf("texts that are remembered (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMeaningsTogether: texts that were written in a row are remembered as such, and not as one of them.
func TestMeaningsTogether(t *testing.T) {
	s := (&planCase{}).snapshot()
	s.Meanings = NewMeanings()
	for _, row := range []struct {
		name  string
		texts []string
		want  bool
		knows int
	}{
		{"none", nil, false, 0},
		{"a request in two", []string{"não quero", "receber mais mensagens"}, true, 1},
		{"none in two", []string{"não quero", "perder a vaga"}, false, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, times := range []string{"the first time", "the second time"} {
				if diff := cmp.Diff(row.want, s.optOutTogether(row.texts)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", times, diff)
				}
			}
			if diff := cmp.Diff(row.knows, s.Meanings.known.Len()); diff != "" {
				t.Errorf("texts that are remembered (-want +got):\n%s", diff)
			}
		})
	}
	if s.means("não quero\x00receber mais mensagens").OptsOut != meaningOf(&s.Policy,
		"não quero\x00receber mais mensagens").OptsOut {
		t.Error("a text that holds NUL is taken for two")
	}
	if diff := cmp.Diff(3, s.Meanings.known.Len()); diff != "" {
		t.Errorf("texts that are remembered (-want +got):\n%s", diff)
	}
}
