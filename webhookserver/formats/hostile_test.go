package formats

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// dearBodies are bodies of a size, each dear to read in a way of its own.
func dearBodies(size int) map[string][]byte {
	many := func(values int, name func(i int) string, value string) []byte {
		made := []byte(`{"z":0`)
		for i := range values {
			made = append(made, `,"`+name(i)+`":`+value...)
		}
		return append(made, '}')
	}
	const values = 19_000
	long := `"` + strings.Repeat("x", max(1, size/values-24)) + `"`
	numbered := func(i int) string { return "field" + strconv.Itoa(i) }
	typed := func(i int) string { return "message" + strconv.Itoa(i) }
	message := func(inner string) []byte {
		return []byte(`{"EventType":"messages","message":{"chatid":"5531988776655@s.whatsapp.net","content":` +
			inner + `}}`)
	}
	keys := many(min(values, size/24), numbered, long)
	return map[string][]byte{
		"keys":     keys,
		"repeated": many(min(values, size/24), func(int) string { return "field" }, long),
		"types":    message(string(many(min(values, size/24), typed, `{"a":1}`))),
		"content":  message(string(keys)),
		"list":     []byte("[" + strings.Repeat(`{"a":1},`, min(values, size/8)) + "{}]"),
		"wrapped": many(min(values, size/54), func(int) string { return "body" },
			`{"payload":{"json":{"data":{"delivery":[]}}}}`),
		"deep":     many(size/200, numbered, strings.Repeat(`{"data":`, 28)+"1"+strings.Repeat("}", 28)),
		"nested":   message(strings.Repeat(`{"message":`, size/12) + "1" + strings.Repeat("}", size/12)),
		"number":   many(1, numbered, strings.Repeat("9", size)),
		"text":     message(`"` + strings.Repeat("x", size) + `"`),
		"escapes":  message(`"` + strings.Repeat(`\u00e9`, size/6) + `"`),
		"quotes":   []byte(`{"body":"` + strings.Repeat(`\"`, size/2) + `"}`),
		"brackets": []byte(strings.Repeat("[", size)),
	}
}

// BenchmarkHostile is what a body costs that is read whole.
func BenchmarkHostile(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20} {
		for name, body := range dearBodies(size) {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					_, _ = Parse(body)
				}
			})
		}
	}
}
