package platforms

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// TestTheScanReadsWhatTheParserReads compares both on every delivery there is.
func TestTheScanReadsWhatTheParserReads(t *testing.T) {
	for _, delivery := range everyDelivery(t) {
		root, form, err := readBody(delivery)
		if err != nil || form {
			continue
		}
		var names []string
		for name := range root.Each() {
			names = append(names, name)
		}
		read, err := credentials(delivery, names...)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if text := root.At(name).Text(); read.At(name).Text() != text {
				t.Errorf("field %q: the scan reads %q, the parser %q", name, read.At(name).Text(), text)
			}
		}
	}
}

// everyDelivery is every JSON delivery in testdata.
func everyDelivery(t *testing.T) []Delivery {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no deliveries: %v", err)
	}
	all := make([]Delivery, 0, len(files))
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Delivery{Body: body})
	}
	return all
}

// hostileBodies are bodies that are dear to read.
func hostileBodies(size int) map[string][]byte {
	repeated := func(before, part, after string) []byte {
		return []byte(before + strings.Repeat(part, max(0, size-len(before)-len(after))/len(part)) + after)
	}
	keys := []byte{'{'}
	for i := 0; len(keys) < size-20; i++ {
		keys = append(keys, `"k`...)
		keys = append(keys, strings.Repeat("0", i%7)...)
		keys = strconv.AppendInt(keys, int64(i), 10)
		keys = append(keys, `":1,`...)
	}
	keys = append(keys, `"z":1}`...)
	return map[string][]byte{
		"keys":       keys,
		"duplicates": repeated(`{"a":1`, `,"a":1`, `}`),
		"values":     repeated(`{"a":[1`, `,1`, `]}`),
		"deep":       repeated(`{"a":`, `[`, `}`),
		"objects":    repeated(`{"a":`, `{"a":`, `1}`),
		"number":     repeated(`{"a":1`, `0`, `}`),
		"text":       repeated(`{"a":"`, `x`, `"}`),
		"escapes":    repeated(`{"a":"`, `\u00e9`, `"}`),
		"halves":     repeated(`{"a":"`, `\ud800`, `"}`),
		"backslash":  repeated(`{"a":"`, `\\`, `"}`),
		"blanks":     repeated(`{"a":1`, ` `, `}`),
		"form":       repeated("a=1", "&a=1", ""),
		"no JSON":    repeated("", "{", ""),
	}
}

// TestHostileBodiesEnd: whatever is in a body, it is refused or read, and never proves anything.
func TestHostileBodiesEnd(t *testing.T) {
	for name, body := range hostileBodies(1 << 20) {
		for _, platform := range everyPlatform(t) {
			delivery := Delivery{Body: body, ContentType: "application/json"}.Remembering()
			err := platform.Verify(delivery, [][]byte{[]byte("a-secret")})
			var input *InputError
			if err == nil || !errors.As(err, &input) && !errors.Is(err, ErrNoCredential) &&
				!errors.Is(err, ErrBadCredential) {
				t.Errorf("%s of %s: %v", name, platform.Name(), err)
			}
			if delivery.memo.read && name != "form" {
				t.Errorf("%s of %s: it was read whole before it was authentic", name, platform.Name())
			}
		}
		if _, _, err := readBody(Delivery{Body: body}); (name == "keys" || name == "values" || name == "duplicates") &&
			err == nil {
			t.Errorf("%s: more than %d values were read", name, lax.MaxValues)
		}
	}
}

// everyPlatform is one of each, configured as most are; generic with its token in the body.
func everyPlatform(t testing.TB) []Platform {
	t.Helper()
	var all []Platform
	for _, name := range Names() {
		entry := &v1alpha1.StorePlatform{Name: name}
		if name == v1alpha1.PlatformGeneric {
			entry.Generic = &v1alpha1.GenericMapping{
				Auth:  v1alpha1.GenericAuth{Type: authToken, Field: "$.auth.token"},
				Event: "$.event", Fields: v1alpha1.GenericFields{ProductID: "$.product"},
			}
		}
		platform, err := Configured(entry)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, platform)
	}
	return all
}

// BenchmarkForged is what a body costs that a stranger sends.
func BenchmarkForged(b *testing.B) {
	for _, size := range []int{64 << 10, 1<<20 - 1} {
		for _, kind := range []string{"keys", "values", "text"} {
			body := hostileBodies(size)[kind]
			for _, platform := range everyPlatform(b) {
				b.Run(kind+"/"+string(platform.Name())+"/"+map[bool]string{true: "64KiB",
					false: "1MiB"}[size == 64<<10], func(b *testing.B) {
					b.SetBytes(int64(len(body)))
					b.ReportAllocs()
					for b.Loop() {
						_ = platform.Verify(Delivery{Body: body, ContentType: "application/json"}.Remembering(),
							[][]byte{[]byte("a-secret")})
					}
				})
			}
		}
	}
}

// dearBodies are bodies of a size that are read whole, each dear in a way of its own.
func dearBodies(size int) map[string][]byte {
	repeated := func(before, part, after string) []byte {
		return []byte(before + strings.Repeat(part, max(0, size-len(before)-len(after))/len(part)) + after)
	}
	many := func(values int, name func(i int) string, value string) []byte {
		made := []byte(`{"event":"PURCHASE_APPROVED"`)
		for i := range values {
			made = append(made, `,"`+name(i)+`":`+value...)
		}
		return append(made, '}')
	}
	const values = 19_000
	long := `"` + strings.Repeat("x", max(1, size/values-24)) + `"`
	numbered := func(i int) string { return "field" + strconv.Itoa(i) }
	same := func(int) string { return "data" }
	return map[string][]byte{
		"keys":     many(min(values, size/24), numbered, long),
		"repeated": many(min(values, size/24), same, long),
		"values":   many(1, same, "["+strings.Repeat(`{"a":1},`, min(values, size/8))+"{}]"),
		"wide":     many(1, same, `{"buyer":`+string(many(min(values, size/24), numbered, long))+`}`),
		"deep":     many(size/200, numbered, strings.Repeat(`{"data":`, 28)+"1"+strings.Repeat("}", 28)),
		"numbers":  many(40, numbered, strings.Repeat("9", size/40)),
		"text":     many(1, numbered, `"`+strings.Repeat("x", size)+`"`),
		"escapes":  many(1, numbered, `"`+strings.Repeat(`\u00e9`, size/6)+`"`),
		"halves":   many(1, numbered, `"`+strings.Repeat(`\ud800`, size/6)+`"`),
		"quotes":   many(1, numbered, `"`+strings.Repeat(`\"`, size/2)+`"`),
		"latin":    many(1, numbered, `"`+strings.Repeat("\xe9", size)+`"`),
		"controls": many(1, numbered, `"`+strings.Repeat("\n", size)+`"`),
		"brackets": repeated(`{"a":`, `[`, `}`),
		"broken":   repeated(`{"event":"PURCHASE_APPROVED","a":[1`, `,1`, ``)[:min(size, 38_000)],
		"form":     repeated("event=PURCHASE_APPROVED", "&a[b]=1", ""),
	}
}

// BenchmarkHostile is what a body costs that is read whole: one that is authentic, or small.
func BenchmarkHostile(b *testing.B) {
	for _, size := range []int{64 << 10, 1<<20 - 1} {
		for name, body := range dearBodies(size) {
			b.Run(fmt.Sprintf("%s/%dKiB", name, (size+1)>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					_, _ = hotmart{}.Parse(Delivery{Body: body}, Place{Region: "BR"})
				}
			})
		}
	}
}
