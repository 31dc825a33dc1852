package ai

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/failure"
)

func TestUsageIsBounded(t *testing.T) {
	for _, c := range []struct {
		name, usage string
		want        Usage
	}{
		{"as it should be", `{"prompt_tokens":12,"completion_tokens":5}`, Usage{12, 5}},
		{"two that wrap around together",
			`{"prompt_tokens":4611686018427387904,"completion_tokens":4611686018427387904}`, Usage{maxUsage, maxUsage}},
		{"more than 64 bits hold", `{"prompt_tokens":9223372036854775808,"completion_tokens":1e999}`,
			Usage{maxUsage, maxUsage}},
		{"negative", `{"prompt_tokens":-1,"completion_tokens":-9223372036854775808}`, Usage{}},
		{"fractions", `{"prompt_tokens":12.0,"completion_tokens":5.9}`, Usage{12, 5}},
		{"texts", `{"prompt_tokens":"12","completion_tokens":"many"}`, Usage{12, 0}},
		{"not a number", `{"prompt_tokens":"NaN","completion_tokens":"+Inf"}`, Usage{0, maxUsage}},
		{"of other types", `{"prompt_tokens":[12],"completion_tokens":{"a":5}}`, Usage{}},
		{"null", `null`, Usage{}},
		{"a text", `"lots"`, Usage{}},
		{"a list", `[1,2]`, Usage{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Replace(completion("Oi!", "stop"),
				`{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}`, c.usage, 1)
			answer, err := writer().Write(t.Context(), request(serve(t, 200, nil, body).URL))
			if err != nil || answer.Text != "Oi!" || answer.Usage != c.want {
				t.Fatalf("got %+v, %v; want %+v", answer, err, c.want)
			}
			if total := answer.Usage.Total(); total < 0 || total > 2*maxUsage {
				t.Errorf("in all %d", total)
			}
		})
	}
}

func TestUsageTotalSaturates(t *testing.T) {
	for usage, want := range map[Usage]int64{
		{1, 2}: 3, {-5, 2}: 2, {math.MaxInt64, math.MaxInt64}: math.MaxInt64, {1 << 62, 1 << 62}: math.MaxInt64,
		{math.MinInt64, math.MinInt64}: 0,
	} {
		if got := usage.Total(); got != want {
			t.Errorf("%+v: got %d, want %d", usage, got, want)
		}
	}
}

// TestNoUsage: an answer without a usage, and one whose usage has another name, are answers all the same.
func TestNoUsage(t *testing.T) {
	for usage, want := range map[string]Usage{`"other":1`: {},
		`"USAGE":{"prompt_tokens":"x","completion_tokens":4}`: {Completion: 4}} {
		body := strings.Replace(completion("Oi!", "stop"),
			`"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}`, usage, 1)
		answer, err := writer().Write(t.Context(), request(serve(t, 200, nil, body).URL))
		if err != nil || answer.Text != "Oi!" || answer.Usage != want {
			t.Errorf("%s: got %+v, %v", usage, answer, err)
		}
	}
}

// TestEchoedWordsAreNotShown: an endpoint that repeats the key as the code of its error.
func TestEchoedWordsAreNotShown(t *testing.T) {
	for _, word := range []string{"sk_live_0123456789abcdef", strings.ReplaceAll(testKey, "-", "_"), "maria_souza",
		"5511999998888"} {
		body := fmt.Sprintf(`{"error":{"message":%q,"type":%q,"code":%q}}`, word, word, word)
		_, err := writer().Write(t.Context(), request(serve(t, 400, nil, body).URL))
		if err == nil || strings.Contains(err.Error(), word) {
			t.Errorf("the failure tells %v", err)
		}
	}
}

// TestHugeHeadersAreRefused: headers are held in memory whole, so they are bounded before they are read.
func TestHugeHeadersAreRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3000 {
			w.Header().Set(fmt.Sprintf("X-Padding-%d", i), strings.Repeat("x", 1000))
		}
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	_, failed := mustFail(t, writer(), request(server.URL))
	if failed.Class != failure.Transient || failed.Status != 0 {
		t.Errorf("got %+v", failed)
	}
}

func TestHugeTextsAreBounded(t *testing.T) {
	for _, letter := range []string{"x", "é", "€", "😀", "\n", "*", "[a](https://b)", "\"", "```"} {
		long := strings.Repeat(letter, 1<<19/len(letter))
		if got := clip.Bytes(long, maxContent); len(got) > maxContent || !utf8.ValidString(got) ||
			!strings.HasPrefix(long, got) {
			t.Errorf("%q: %d bytes are left", letter, len(got))
		}
	}
}

func FuzzUsage(f *testing.F) {
	for _, seed := range []string{completion("Oi", "stop"), `{"usage":{"prompt_tokens":1e400}}`,
		`{"usage":"x","Usage":{}}`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rest, usage := takeUsage(body)
		if usage.Prompt < 0 || usage.Completion < 0 || usage.Total() < 0 || usage.Total() > 2*maxUsage {
			t.Errorf("%+v", usage)
		}
		if json.Valid(body) && !json.Valid(rest) {
			t.Errorf("%q is left", rest)
		}
	})
}
