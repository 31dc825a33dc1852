package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func has(all [][]byte, wanted string) bool {
	return slices.ContainsFunc(all, func(each []byte) bool {
		return line(string(each), maxInstance) == wanted ||
			string(each) == wanted
	})
}

// checkNames holds NamesIn to Parse: whatever that finds, this has found.
func checkNames(t *testing.T, body []byte) {
	t.Helper()
	messages, err := Parse(bytes.Clone(body))
	if err != nil {
		return
	}
	names := NamesIn(body)
	if names.Unsure {
		return
	}
	for _, message := range messages {
		if message.Instance != "" && !has(names.Instances, message.Instance) {
			t.Errorf("instance %q is not among %q in %q", message.Instance, names.Instances, body)
		}
		if message.Token != "" && !has(names.Tokens, message.Token) {
			t.Errorf("token %q is not among %q in %q", message.Token, names.Tokens, body)
		}
	}
}

func TestNamesAreFoundInEveryDelivery(t *testing.T) {
	for _, name := range deliveries(t) {
		body := fixture(t, name)
		checkNames(t, body)
		quoted, err := json.Marshal(string(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, wrapped := range []string{`{"body":%s}`, `[{"json":{"body":%s}}]`} {
			checkNames(t, fmt.Appendf(nil, wrapped, body))
			checkNames(t, fmt.Appendf(nil, wrapped, quoted))
		}
	}
}

func TestNamesAreFew(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		unsure bool
	}{
		"many mentions": {`{` + strings.Repeat(`"instance":"a",`, maxMentions+1) + `"z":1}`, true},
		"escapes":       {`{"instance":"\u0061"}`, true},
		"nothing":       {`{"event":"x"}`, false},
		"one":           {`{"instance":"a","token":"b"}`, false},
		"the name only": {`"instance"`, false},
		"half of it":    {`{"instance":`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if names := NamesIn([]byte(test.body)); names.Unsure != test.unsure || len(names.Instances) > maxNames {
				t.Errorf("got %q, unsure: %t", names.Instances, names.Unsure)
			}
		})
	}
}

func FuzzNamesIn(f *testing.F) {
	seed(f, "")
	f.Fuzz(checkNames)
}

// BenchmarkNamesIn is what a stranger's body costs at the URL that all instances share.
func BenchmarkNamesIn(b *testing.B) {
	for _, size := range []int{16 << 10, 64 << 10, 1 << 20} {
		for kind, part := range map[string]string{"values": `"a":1,`,
			"wrapped": `"body":{"payload":{"json":{"data":{"delivery":[]}}}},`} {
			body := []byte(`{` + strings.Repeat(part, size/len(part)-1) + `"z":1}`)
			b.Run(fmt.Sprintf("%s/%dKiB", kind, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					NamesIn(body)
				}
			})
		}
	}
}
