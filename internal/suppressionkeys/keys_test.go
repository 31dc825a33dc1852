package suppressionkeys

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func encoded(fill byte, length int) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(fill)), length)))
}

var (
	first  = encoded('a', MinBytes)
	second = encoded('b', MinBytes+1)
)

func parse(t *testing.T, list string) *Keys {
	t.Helper()
	keys, err := Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestParse(t *testing.T) {
	for name, row := range map[string]struct {
		list, says string
		count      int
	}{
		"none":               {"", "", 0},
		"blanks":             {" \n", "", 0},
		"one":                {first, "", 1},
		"two, with blanks":   {first + ", " + second + "\n", "", 2},
		"no base64":          {first + ",geheim!", "key 2 is not base64", 0},
		"base64 that is cut": {first[:len(first)-1], "key 1 is not base64", 0},
		"a short one":        {encoded('c', MinBytes-1), "key 1 has 31 bytes", 0},
		"one twice":          {first + "," + second + "," + first, "key 3 is there twice", 0},
		"an empty one":       {first + ",", "key 2 has 0 bytes", 0},
		"nine": {strings.Join([]string{encoded('1', 32), encoded('2', 32), encoded('3', 32), encoded('4', 32),
			encoded('5', 32), encoded('6', 32), encoded('7', 32), encoded('8', 32), encoded('9', 32)}, ","),
			"more than 8 keys", 0},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := Parse(row.list)
			said := ""
			if err != nil {
				said = err.Error()
			}
			if said != row.says && !strings.Contains(said, row.says) || (row.says == "") != (err == nil) {
				t.Errorf("error %q, want %q", said, row.says)
			}
			if keys.Count() != row.count {
				t.Errorf("%d keys, want %d", keys.Count(), row.count)
			}
		})
	}
}

var form = regexp.MustCompile(`^v1[.][0-9a-f]{8}[.][0-9a-f]{64}$`)

func TestHMACs(t *testing.T) {
	old, both, none := parse(t, first), parse(t, second+","+first), parse(t, "")
	before, made := old.Make("acme", "3197"), both.Make("acme", "3197")
	for _, mac := range []string{before, made} {
		if !form.MatchString(mac) {
			t.Errorf("%s does not have the form of the schema", mac)
		}
	}
	if diff := cmp.Diff([]string{made, before}, both.All("acme", "3197")); diff != "" {
		t.Errorf("the first key makes, and all are looked for (-want +got):\n%s", diff)
	}
	for name, other := range map[string]string{
		"another store":  old.Make("acme2", "3197"),
		"another number": old.Make("acme", "3198"),
		"the boundary":   old.Make("acme3", "197"),
		"another key":    made,
	} {
		if other == before {
			t.Errorf("%s has the same HMAC", name)
		}
		if Name(other) == Name(before) {
			t.Errorf("%s has the same name", name)
		}
	}
	if !both.Knows(before) || !both.Knows(made) || old.Knows(made) || none.Knows(made) || old.Knows("") {
		t.Error("Knows does not follow the keys")
	}
	if none.Make("acme", "3197") != "" || none.All("acme", "3197") != nil || old.Make("acme", "") != "" {
		t.Error("there is an HMAC without a key, or without a number")
	}
}

// TestHMACsStay: what was made once is found for ever.
func TestHMACsStay(t *testing.T) {
	keys := parse(t, first)
	const want = "v1.b54c73fa.6e753e8174971d5588be71dcc033353a7ceff4da3f2be239a5f62217a6726520"
	if got := keys.Make("acme", "3197"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeysAreNotShown(t *testing.T) {
	keys := parse(t, first+","+second)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if shown := fmt.Sprintf(format, keys); shown != "2 keys" {
			t.Errorf("%s shows %q", format, shown)
		}
	}
}
