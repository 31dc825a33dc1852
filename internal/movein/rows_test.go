package movein_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/internal/movein"
)

// columns of the files of these tests.
var columns = movein.Columns{
	{Name: "phone", Aliases: []string{"customerPhone"}, Required: true}, {Name: "reason"}, {Name: "expiresAt"},
	{Name: "list", IsList: true},
}

// shown is a row as a text.
func shown(row movein.Row, problem *movein.Problem) string {
	if problem != nil {
		return problem.String()
	}
	text := strings.TrimPrefix(row.Place, "line ")
	for _, column := range columns {
		if value := movein.ValueOf(row, column.Name); value != "" || !column.IsList {
			text += "|" + value
		}
	}
	return text
}

func read(content string, format movein.Format) (rows, unknown []string, err error) {
	unknown, err = movein.Read(iotest.OneByteReader(strings.NewReader(content)), format, columns,
		func(row movein.Row, problem *movein.Problem) error {
			rows = append(rows, shown(row, problem))
			return nil
		})
	return rows, unknown, err
}

func TestRead(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	for name, row := range map[string]struct {
		format  movein.Format
		content string
		want    []string
	}{
		"commas":              {movein.CSV, "phone,reason\n1,a\n2,b\n", []string{"2|1|a|", "3|2|b|"}},
		"semicolons of Excel": {movein.CSV, bom + "Phone;Reason\r\n1;\"a;b\"\r\n", []string{"2|1|a;b|"}},
		"Excel's line that says the separator": {movein.CSV, bom + "sep=;\r\nphone;reason\r\n1;\"a,b,c\"\r\n2\r\n",
			[]string{"3|1|a,b,c|", "line 4: expected 2 fields as in the first line, found 1"}},
		"a separator that is told": {movein.CSV, "SEP=|\nphone|reason\n1|a\n", []string{"3|1|a|"}},
		"zeros in a field":         {movein.CSV, "phone,reason\n1,a\x00\x00b\n", []string{"2|1|a\x00\x00b|"}},
		"tabs":                     {movein.CSV, "phone\texpires_at\n1\tx\n", []string{"2|1||x"}},
		"names in other writings":  {movein.CSV, "customer_phone,EXPIRES-AT\n1,x", []string{"2|1||x"}},
		"blanks around":            {movein.CSV, "phone, reason\n 1 ,\ta \n", []string{"2|1|a|"}},
		"lines in a field":         {movein.CSV, "phone,reason\n1,\"a\nb\"\n2,c\n", []string{"2|1|a\nb|", "4|2|c|"}},
		"no line at the end":       {movein.CSV, "phone\n1", []string{"2|1||"}},
		"no rows":                  {movein.CSV, "phone\n", nil},
		"columns that mean nothing": {movein.CSV, "id,phone,note\n9,1,n\n",
			[]string{"2|1||"}},
		"too few fields": {movein.CSV, "phone,reason\n1\n2,b\n",
			[]string{"line 2: expected 2 fields as in the first line, found 1", "3|2|b|"}},
		"no UTF-8": {movein.CSV, "phone,reason\n1,n\xe3o\n",
			[]string{"line 2: reason: expected UTF-8 (Excel: CSV UTF-8)"}},
		"a row that is long": {movein.CSV, "phone,reason\n1," + strings.Repeat("a", movein.MaxRow) + "\n2,b\n",
			[]string{"line 2: expected at most 64 KiB in a row", "3|2|b|"}},
		"an array": {movein.JSON, bom + "[\n{\"phone\": \"1\"},\n{\"phone\": 2, \"reason\": null}\n]\n",
			[]string{"2, row 1|1||", "3, row 2|2||"}},
		"an object a line": {movein.JSON, "{\"customerPhone\":\"1\"}\n{\"phone\":\"2\",\"reason\":\"b\"}\n",
			[]string{"1, row 1|1||", "2, row 2|2|b|"}},
		"an empty array": {movein.JSON, "[]", nil},
		"something else than an object": {movein.JSON, "[1, null, {\"phone\":\"1\"}]",
			[]string{"line 1, row 1: expected an object with a field for each column",
				"line 1, row 2: expected an object with a field for each column", "1, row 3|1||"}},
		"two that mean one": {movein.JSON, `{"phone":"1","customer_phone":"2"}`,
			[]string{"line 1, row 1: phone: expected one field that means this, found two"}},
		"a list where none is": {movein.JSON, `{"phone":"1","reason":[1,2]}` + "\n" + `{"phone":{"number":"1"}}`,
			[]string{"line 1, row 1: reason: expected a text or a number",
				"line 2, row 2: phone: expected a text or a number"}},
		"a list": {movein.JSON, `{"phone":"1","list":[1,2]}`, []string{"1, row 1|1|||[1,2]"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := read(row.content, row.format)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		format        movein.Format
		content, says string
	}{
		"nothing": {movein.CSV, "", "the file is empty"},
		"UTF-16": {movein.CSV, "\xff\xfep\x00",
			"expected UTF-8; it looks like UTF-16: save it as CSV UTF-8"},
		"UTF-16 with the large byte first": {movein.CSV, "\xfe\xff\x00p", "looks like UTF-16"},
		"UTF-16 without a mark": {movein.CSV, "p\x00h\x00o\x00n\x00e\x00\n\x001\x00\n\x00",
			"expected UTF-8; it looks like UTF-16: save it as CSV UTF-8"},
		"JSON in UTF-16": {movein.JSON, "\x00[\x00{\x00}\x00]", "looks like UTF-16"},
		"lines that end with CR alone": {movein.CSV, "phone,reason\r1,a\r2,b\r",
			"expected lines that end with LF or CR LF; these end with CR alone"},
		"an open quote after the separator's line": {movein.CSV, "sep=,\nphone\n\"1", "line 3"},
		"no names":       {movein.CSV, "5511987654321,OptOut\n", "the first line has no column phone"},
		"a column twice": {movein.CSV, "phone,customerPhone\n", "the columns 1 and 2 both mean phone"},
		"an open quote":  {movein.CSV, "phone\n\"1", "line 2"},
		"a quote that never ends": {movein.CSV, "phone\n\"" + strings.Repeat("a\n", 2*movein.MaxRow),
			"is a quote not closed?"},
		"no JSON": {movein.JSON, "[{\"phone\":\n1\n", "is no JSON"},
		"two arrays": {movein.JSON, "[{\"phone\":\"1\"}]\n[{\"phone\":\"2\"}]\n",
			"line 2 or after it: expected nothing after the array; join several into one"},
		"something after an array": {movein.JSON, "[{\"phone\":\"1\"}]\n\nx", "expected nothing after the array"},
		"something after it":       {movein.JSON, "{\"phone\":\"1\"}\nx", "line 1 or after it is no JSON"},
		"a JSON row without end":   {movein.JSON, "[{\"phone\":\"" + strings.Repeat("1", 4*movein.MaxRow), "64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(row.content, row.format)
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(),
				"5511987654321") {
				t.Errorf("got %v; want an error with %q", err, row.says)
			}
		})
	}
}

func TestUnknownColumnsAreTold(t *testing.T) {
	for name, row := range map[string]struct {
		format  movein.Format
		content string
	}{
		"CSV":  {movein.CSV, "note,phone\n1,2\n"},
		"JSON": {movein.JSON, `[{"note":1,"phone":"2"},{"note":3,"phone":"4"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, unknown, err := read(row.content, row.format)
			if diff := cmp.Diff([]string{"note"}, unknown); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]movein.Format{
		"a.csv": movein.CSV, `C:\x\A.CSV`: movein.CSV, "a.tsv": movein.CSV, "a.json": movein.JSON,
		"x/a.jsonl": movein.JSON, "a.ndjson": movein.JSON, "-": "", "a.xlsx": "", "csv": "",
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := movein.FormatOf(name); got != want || ok != (want != "") {
				t.Errorf("%q, %t; want %q", got, ok, want)
			}
		})
	}
}

// FuzzRead: whatever a file has, it is read to its end or refused; nothing that is read is longer than it may be.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"phone,reason\n1,a\n", "\xef\xbb\xbfphone;reason\r\n\"1\";a\r\n", "phone\n\"", "phone\n\"1\"\"\"\n",
		`[{"phone":"1"},{"phone":2}]`, "{\"phone\":1}\n{}\n", "[", "[1,", "{}{", `[{"phone":{"a":[]}}]`,
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	target := testTarget()
	f.Fuzz(func(t *testing.T, content string, asJSON bool) {
		format := movein.CSV
		if asJSON {
			format = movein.JSON
		}
		last := 0
		for _, columns := range []movein.Columns{movein.OptOutColumns, movein.LeadColumns, movein.InstanceColumns} {
			last = 0
			_, _ = movein.Read(strings.NewReader(content), format, columns, func(row movein.Row,
				_ *movein.Problem) error {
				var line int
				if _, err := fmt.Sscanf(row.Place, "line %d", &line); err != nil || line < last ||
					line > strings.Count(content, "\n")+1 {
					t.Errorf("%s after %d: %v", row.Place, last, err)
				}
				last = line
				_, _, _ = target.OptOut(row)
				_, _, _ = target.Lead(row)
				_, _, _ = target.Number(row)
				return nil
			})
		}
	})
}

// TestNamesThatAreNoneAreNotTold: what stands where a column's name is expected can be a customer's.
func TestNamesThatAreNoneAreNotTold(t *testing.T) {
	for name, row := range map[string]struct {
		format movein.Format
		text   string
		want   []string
	}{
		"JSON by phone": {movein.JSON, `[{"phone":"+5511999990000","+5511988887777":{"x":1},"ana@example.com":2,"score":3}]`,
			[]string{"one whose name is none", "score"}},
		"a header": {movein.CSV, "phone,11988887777,Lead Score\n+5511999990000,1,2\n",
			[]string{"one whose name is none", "Lead Score"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := movein.Read(strings.NewReader(row.text), row.format, columns,
				func(movein.Row, *movein.Problem) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			slices.Sort(row.want)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
