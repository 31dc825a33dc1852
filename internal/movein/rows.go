// Package movein reads what another backend has exported, and tells which objects it becomes: opt-outs Suppressions,
// open leads CartRecoveries with their conversation, paired numbers WhatsAppInstances with their token. It calls nobody
// and writes nothing. What it says of a file never repeats what stands in it.
package movein

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The bounds of a file.
const (
	// MaxFile is how many bytes a file has.
	MaxFile = 64 << 20
	// MaxRow is how many bytes a row has.
	MaxRow = 64 << 10
	// MaxRows is how many rows a file has.
	MaxRows = 1_000_000
	// readAhead is how much more than a row readers take from a file: a decoder of JSON doubles its room.
	readAhead = MaxRow + 8<<10
)

// Format of a file.
type Format string

const (
	// CSV has a row of names first, and commas, semicolons or tabs between fields.
	CSV Format = "csv"
	// JSON is an array of objects, or an object after the other.
	JSON Format = "json"
)

// FormatOf is the format that a file's name tells; false when it tells none.
func FormatOf(name string) (Format, bool) {
	switch strings.ToLower(path.Ext(strings.ReplaceAll(name, `\`, "/"))) {
	case ".csv", ".tsv", ".txt":
		return CSV, true
	case ".json", ".jsonl", ".ndjson":
		return JSON, true
	}
	return "", false
}

// Row is a row of a file: texts by the names of columns.
type Row struct {
	// Number of the row, from 1.
	Number int
	// Place in the file, for people.
	Place  string
	values map[string]string
}

// Problem is what is wrong in a row, without what stands there.
type Problem struct {
	// Place of the row in the file.
	Place string
	// Field is the column, "" for the whole row.
	Field string
	// Want is what was expected.
	Want string
}

// String is one line for people.
func (p Problem) String() string {
	if p.Field == "" {
		return p.Place + ": " + p.Want
	}
	return p.Place + ": " + p.Field + ": " + p.Want
}

var (
	errFileTooLong = fmt.Errorf("the file has more than %d MiB; split it", MaxFile>>20)
	errRowTooLong  = errors.New("too much in one row")
	errUTF16       = errors.New("expected UTF-8; it looks like UTF-16: save it as CSV UTF-8 (JSON: as UTF-8)")
	errOnlyCR      = errors.New("expected lines that end with LF or CR LF; these end with CR alone: save it as CSV " +
		"UTF-8, not as CSV for the Macintosh")
)

// bounded reads no more than a file may have, and no more than a row may have since the last row.
type bounded struct {
	from       io.Reader
	total, row int64
	// newlines are the places of the line ends that were read and not counted yet.
	newlines []int64
	// lines that are passed already.
	lines int
	// failed is the bound that was reached; readers of CSV tell it as a quote that is not closed.
	failed error
}

func (b *bounded) Read(into []byte) (int, error) {
	n, err := b.from.Read(into)
	for i, each := range into[:n] {
		if each == '\n' {
			b.newlines = append(b.newlines, b.total+int64(i))
		}
	}
	b.total, b.row = b.total+int64(n), b.row+int64(n)
	switch {
	case b.total > MaxFile:
		b.failed = errFileTooLong
	case b.row > MaxRow+readAhead:
		b.failed = errRowTooLong
	}
	if b.failed != nil {
		return 0, b.failed
	}
	return n, err
}

// lineAt is the line of a place in the file, which is not before the one that was asked for last.
func (b *bounded) lineAt(offset int64) int {
	passed := 0
	for passed < len(b.newlines) && b.newlines[passed] < offset {
		passed++
	}
	b.newlines, b.lines = b.newlines[passed:], b.lines+passed
	return b.lines + 1
}

// Read calls each with every row of a file, or with what is wrong with it. What it returns is wrong with the whole
// file, or each's own error.
func Read(from io.Reader, format Format, columns Columns, each func(Row, *Problem) error) (unknown []string,
	err error) {
	start := bufio.NewReaderSize(from, MaxRow)
	head, err := start.Peek(3)
	if len(head) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, errors.New("the file is empty")
	}
	if looksUTF16(start) {
		return nil, errUTF16
	}
	if bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = start.Discard(len(head)) // it is in the buffer
	}
	if format == JSON {
		return readJSON(start, columns, each)
	}
	return readCSV(start, columns, each)
}

// looksUTF16 tells a file that is no UTF-8 by the mark at its beginning, or by the zeros between its letters.
func looksUTF16(start *bufio.Reader) bool {
	const looked = 64
	head, _ := start.Peek(looked) // what is not there is told by who reads it
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return true
	}
	return len(head) > 1 && 3*bytes.Count(head, []byte{0}) > len(head)
}

// separatorLine is the line that Excel puts first to say what separates the fields.
var separatorLine = regexp.MustCompile(`^(?i:sep)=([,;|\t])\r?\n`)

// endsInCR says whether lines end in a carriage return alone, as old programs for the Mac write them.
func endsInCR(first []byte) bool {
	return bytes.IndexByte(first, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(first, "\r"), '\r') >= 0
}

// separatorOf is what stands most often between the names of the first line.
func separatorOf(first []byte) rune {
	if end := bytes.IndexByte(first, '\n'); end >= 0 {
		first = first[:end]
	}
	separator, most := ',', 0
	for _, candidate := range ",;\t" {
		count, quoted := 0, false
		for _, each := range string(first) {
			switch {
			case each == '"':
				quoted = !quoted
			case each == candidate && !quoted:
				count++
			}
		}
		if count > most {
			separator, most = candidate, count
		}
	}
	return separator
}

func readCSV(start *bufio.Reader, columns Columns, each func(Row, *Problem) error) (unknown []string, err error) {
	first, _ := start.Peek(MaxRow) // what is not there is told by who reads it
	if endsInCR(first) {
		return nil, errOnlyCR
	}
	limit := &bounded{from: start}
	reader := csv.NewReader(limit)
	reader.Comma, reader.ReuseRecord = separatorOf(first), true
	if told := separatorLine.FindSubmatch(first); told != nil {
		reader.Comma, limit.lines = rune(told[1][0]), 1
		_, _ = start.Discard(len(told[0])) // it is in the buffer
	}
	names, err := reader.Read()
	if err != nil {
		return nil, csvError(limit, reader, err)
	}
	header, unknown, err := columns.header(names)
	if err != nil {
		return nil, err
	}
	for rows := 0; ; rows++ {
		begins := reader.InputOffset()
		limit.row, limit.newlines = 0, nil
		record, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return unknown, nil
		case errors.Is(err, csv.ErrFieldCount):
		case err != nil:
			return nil, csvError(limit, reader, err)
		case rows == MaxRows:
			return nil, fmt.Errorf("the file has more than %d rows; split it", MaxRows)
		}
		line, _ := reader.FieldPos(0)
		row := Row{Number: rows + 1, Place: fmt.Sprintf("line %d", limit.lines+line),
			values: make(map[string]string, len(header))}
		problem := row.fill(header, record, reader.InputOffset()-begins)
		if err := each(row, problem); err != nil {
			return nil, err
		}
	}
}

// csvError says where a file is no CSV, without what stands there.
func csvError(limit *bounded, reader *csv.Reader, err error) error {
	var parse *csv.ParseError
	switch {
	case errors.Is(limit.failed, errFileTooLong):
		return limit.failed
	case errors.Is(limit.failed, errRowTooLong):
		return fmt.Errorf("a row after byte %d has more than %d KiB; is a quote not closed?", reader.InputOffset(),
			MaxRow>>10)
	case errors.As(err, &parse):
		return fmt.Errorf("line %d: %w; a quote in a field is written twice, and the field stands in quotes",
			limit.lines+parse.Line, parse.Err)
	}
	return err
}

// fill takes over the fields of a record, or says what is wrong with it.
func (r *Row) fill(header, record []string, length int64) *Problem {
	switch {
	case len(record) != len(header):
		return &Problem{Place: r.Place, Want: fmt.Sprintf("expected %d fields as in the first line, found %d",
			len(header), len(record))}
	case length > MaxRow:
		return &Problem{Place: r.Place, Want: fmt.Sprintf("expected at most %d KiB in a row", MaxRow>>10)}
	}
	for i, name := range header {
		if !utf8.ValidString(record[i]) {
			return &Problem{Place: r.Place, Field: name, Want: "expected UTF-8 (Excel: CSV UTF-8)"}
		}
		if value := strings.TrimSpace(record[i]); name != "" && value != "" {
			r.values[name] = strings.Clone(value)
		}
	}
	return nil
}

func readJSON(start *bufio.Reader, columns Columns, each func(Row, *Problem) error) (unknown []string, err error) {
	limit := &bounded{from: start}
	decoder := json.NewDecoder(limit)
	isArray, err := beginsArray(start, decoder)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for rows := 0; ; rows++ {
		limit.row = 0
		if isArray && !decoder.More() {
			return unknown, endsArray(limit, decoder)
		}
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF) && !isArray:
			return unknown, nil
		case err != nil:
			return nil, jsonError(limit, decoder, err)
		case rows == MaxRows:
			return nil, fmt.Errorf("the file has more than %d rows; split it", MaxRows)
		}
		row := Row{Number: rows + 1, values: map[string]string{}}
		row.Place = fmt.Sprintf("line %d, row %d", limit.lineAt(decoder.InputOffset()-int64(len(raw))), row.Number)
		others, problem := row.fillJSON(columns, raw)
		for _, name := range others {
			if name = shownName(name); !seen[name] && len(seen) < maxUnknown {
				seen[name], unknown = true, append(unknown, name)
			}
		}
		if err := each(row, problem); err != nil {
			return nil, err
		}
	}
}

// maxUnknown is how many columns without a meaning are told.
const maxUnknown = 32

// beginsArray takes the beginning of an array off, where the file is one.
func beginsArray(start *bufio.Reader, decoder *json.Decoder) (bool, error) {
	head, _ := start.Peek(MaxRow) // what is not there is told by the decoder
	head = bytes.TrimLeft(head, " \t\r\n")
	if !bytes.HasPrefix(head, []byte("[")) {
		return false, nil
	}
	_, err := decoder.Token()
	return true, err
}

// endsArray takes the end of an array off, after which the file has nothing more: what follows would be lost.
func endsArray(limit *bounded, decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return jsonError(limit, decoder, err)
	}
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case limit.failed != nil:
		return jsonError(limit, decoder, limit.failed)
	}
	return fmt.Errorf("line %d or after it: expected nothing after the array; join several into one",
		limit.lineAt(decoder.InputOffset()))
}

func jsonError(limit *bounded, decoder *json.Decoder, err error) error {
	line := limit.lineAt(decoder.InputOffset())
	var syntax *json.SyntaxError
	switch {
	case err == nil, errors.Is(err, errFileTooLong):
		return err
	case errors.Is(err, errRowTooLong):
		return fmt.Errorf("line %d: a row has more than %d KiB", line, MaxRow>>10)
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("line %d or after it is no JSON: expected an array of objects, or an object a line", line)
	}
	return err
}

// fillJSON takes over the fields of an object, or says what is wrong with it. others are the names that mean nothing.
func (r *Row) fillJSON(columns Columns, raw json.RawMessage) (others []string, problem *Problem) {
	var fields map[string]json.RawMessage
	switch {
	case len(raw) > MaxRow:
		return nil, &Problem{Place: r.Place, Want: fmt.Sprintf("expected at most %d KiB in a row", MaxRow>>10)}
	case json.Unmarshal(raw, &fields) != nil || fields == nil:
		return nil, &Problem{Place: r.Place, Want: "expected an object with a field for each column"}
	}
	for name, value := range fields {
		column := columns.named(name)
		text := textOf(value)
		switch _, twice := r.values[column]; {
		case column == "":
			others = append(others, name)
		case text == "":
		case isNested(value) && !columns.isList(column):
			return nil, &Problem{Place: r.Place, Field: column, Want: "expected a text or a number"}
		case twice:
			return nil, &Problem{Place: r.Place, Field: column, Want: "expected one field that means this, found two"}
		default:
			r.values[column] = text
		}
	}
	return others, nil
}

// isNested says whether a value of JSON is an object or a list.
func isNested(value json.RawMessage) bool {
	value = bytes.TrimSpace(value)
	return bytes.HasPrefix(value, []byte("{")) || bytes.HasPrefix(value, []byte("["))
}

// textOf is a value of JSON as a text: what is no text stays as it is written.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return strings.TrimSpace(text)
	}
	return string(bytes.TrimSpace(value))
}
