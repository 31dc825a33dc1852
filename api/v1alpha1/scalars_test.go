package v1alpha1

import (
	"encoding/json"
	"testing"
	"time"
)

func TestTimestampReadsWhatPeopleAndMachinesWrite(t *testing.T) {
	for text, want := range map[string]time.Time{
		`"2026-01-15T14:03:00Z"`:           time.Date(2026, 1, 15, 14, 3, 0, 0, time.UTC),
		`"2026-01-15T11:03:00-03:00"`:      time.Date(2026, 1, 15, 14, 3, 0, 0, time.UTC),
		`"2026-01-15T14:03:00.123456Z"`:    time.Date(2026, 1, 15, 14, 3, 0, 123456000, time.UTC),
		`"2026-01-15T14:03:00.123456789Z"`: time.Date(2026, 1, 15, 14, 3, 0, 123456789, time.UTC),
		`null`:                             {},
	} {
		var got Timestamp
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s (%v), want %s", text, got.Time, err, want)
		}
	}
	for _, text := range []string{`"yesterday"`, `12`, `"2026-13-01T00:00:00Z"`, `{}`} {
		var got Timestamp
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: expected an error, got %s", text, got.Time)
		}
	}
}

func TestTimestampIsTheSameAfterBeingStored(t *testing.T) {
	before := NewTimestamp(time.Now())
	stored, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	var after Timestamp
	if err := json.Unmarshal(stored, &after); err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Errorf("stored %s, read %s", before.Time, after.Time)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{`"15m"`: 15 * time.Minute, `"1h30m"`: 90 * time.Minute,
		`"0s"`: 0} {
		var got Duration
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Duration != want {
			t.Errorf("%s: got %s (%v), want %s", text, got.Duration, err, want)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var read Duration
		if err := json.Unmarshal(again, &read); err != nil || read != got {
			t.Errorf("%s: written as %s, read as %s (%v)", text, again, read.Duration, err)
		}
	}
	for _, text := range []string{`"soon"`, `15`, `""`} {
		var got Duration
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: expected an error, got %s", text, got.Duration)
		}
	}
}

func FuzzTimestamp(f *testing.F) {
	f.Add(`"2026-01-15T14:03:00Z"`)
	f.Add(`"2026-01-15T14:03:00.5+14:00"`)
	f.Fuzz(func(t *testing.T, text string) {
		var read Timestamp
		if json.Unmarshal([]byte(text), &read) != nil {
			return
		}
		if _, err := json.Marshal(read); err != nil {
			t.Fatalf("read %q and cannot write it: %v", text, err)
		}
	})
}
