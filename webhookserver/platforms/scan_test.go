package platforms

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestScanTop(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want map[string]string
		ok   bool
	}{
		"a field":        {`{"a":1,"token":"x","b":2}`, map[string]string{"token": `"x"`}, true},
		"the last field": {`{"a":1,"token":"x"}`, map[string]string{"token": `"x"`}, true},
		"blanks":         {" {\t\"token\" : \"x\" \r\n,\"b\" :2 } ", map[string]string{"token": `"x"`}, true},
		"given twice":    {`{"token":"x","token":"y"}`, map[string]string{"token": `"y"`}, true},
		"deeper":         {`{"a":{"token":"x"},"b":["token",{"token":"y"}]}`, nil, true},
		"behind brackets in texts": {`{"a":"}]{[\"","b":{"c":"}\\"},"token":"x"}`, map[string]string{"token": `"x"`},
			true},
		"a number": {`{"token":17}`, map[string]string{"token": `17`}, true},
		"an object": {`{"token":{"a":[1,{}]},"b":null}`, map[string]string{"token": `{"a":[1,{}]}`},
			true},
		"nothing in it":            {`{}`, nil, true},
		"a list":                   {`[{"token":"x"}]`, nil, false},
		"more than one object":     {`{"token":"x"}{"a":1}`, nil, false},
		"half an object":           {`{"token":"x"`, nil, false},
		"half a text":              {`{"token":"x`, nil, false},
		"a text that never ends":   {`{"token":"x\"}`, nil, false},
		"no colon":                 {`{"token" "x"}`, nil, false},
		"no name":                  {`{token:"x"}`, nil, false},
		"brackets that close only": {`{"a":]]]]}`, nil, false},
		"empty":                    {``, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			found, ok := scanTop([]byte(test.body), "token")
			got := map[string]string{}
			for name, value := range found {
				got[name] = string(value)
			}
			if ok != test.ok || ok && !maps.Equal(got, test.want) {
				t.Errorf("got %v, %t; want %v, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

// FuzzScanTop holds the scan to encoding/json: in what that reads, it finds the same.
func FuzzScanTop(f *testing.F) {
	for _, body := range []string{
		`{"token":"x"}`, `{"a":"\"}","token":"\u0041"}`, `{"token":{"token":[1,2,"]"]},"b":[]}`,
		`{"token":"x","token":1}`, "{\"\\u0074oken\":1}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, ok := scanTop(body, "token")
		var whole map[string]json.RawMessage
		if json.Unmarshal(body, &whole) != nil || whole == nil {
			return
		}
		if !ok {
			t.Fatalf("%q: not read", body)
		}
		if bytes.Contains(body, []byte(`\u`)) {
			return // a name that is escaped is not looked for
		}
		if !bytes.Equal(bytes.TrimSpace(found["token"]), whole["token"]) {
			t.Errorf("%q: found %q, want %q", body, found["token"], whole["token"])
		}
	})
}

// TestTheScanReadsWhatTheParserReads compares both on every delivery there is.
func TestTheScanReadsWhatTheParserReads(t *testing.T) {
	for _, delivery := range everyDelivery(t) {
		root, form, err := readBody(delivery)
		if err != nil || form {
			continue
		}
		names := slices.Collect(maps.Keys(root))
		read, err := credentials(delivery, names...)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if text, isText := root[name].(string); isText && len(text) < maxCredential && read[name] != text {
				t.Errorf("field %q: the scan reads %q, the parser %q", name, read[name], text)
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
			t.Errorf("%s: more than %d values were read", name, maxValues)
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
