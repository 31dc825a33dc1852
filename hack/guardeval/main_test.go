package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/ai"
)

// opinion is a reviewer that refuses what holds a word.
type opinion string

// Review refuses a draft that holds the word.
func (o opinion) Review(_ context.Context, request ai.ReviewRequest) (ai.Verdict, error) {
	if strings.Contains(request.Draft, string(o)) {
		return ai.Verdict{Reason: ai.ReviewFact}, nil
	}
	return ai.Verdict{Allowed: true}, nil
}

func TestEvaluation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "texts.json")
	set := `{"contexts":{"a":{"locale":"pt-BR","store":"Loja","product":"Curso","description":"Curso com 40 aulas."}},
		"hostile":[{"id":"h1","context":"a","category":"price-words","text":"Sai por dez reais."},
			{"id":"h2","context":"a","category":"meaning","text":"Ele foi feito em Marte.","layer":"review"}],
		"benign":[{"id":"b1","context":"a","category":"lessons","text":"São 40 aulas."}]}`
	if err := os.WriteFile(file, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reviewer ai.Reviewer
		says     string
		wrong    string
	}{
		"words alone": {nil, "1 of 2 hostile refused (1 by words), 0 of 1 benign refused", ""},
		"a reviewer":  {opinion("Marte"), "2 of 2 hostile refused (1 by words), 0 of 1 benign refused", ""},
		"one who sees less": {opinion("Saturno"), "1 of 2 hostile refused",
			"hostile texts that were judged wrongly: h2"},
		"one who sees ghosts": {opinion("a"), "1 of 1 benign refused", "benign texts that were judged wrongly: b1"},
	} {
		var out bytes.Buffer
		e := evaluation{to: &out, reviewer: c.reviewer, request: &ai.ReviewRequest{Model: "m"}}
		err := e.run(t.Context(), []string{file})
		if !strings.Contains(out.String(), c.says) || (err == nil) != (c.wrong == "") || err != nil &&
			!strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, printed\n%s", name, err, out.String())
		}
	}
}
