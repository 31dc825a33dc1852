package clip

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	tests := []struct {
		name                      string
		text                      string
		most                      int
		characters, bytes, marked string
	}{
		{"an empty text", "", 3, "", "", ""},
		{"a short text", "ab", 3, "ab", "ab", "ab"},
		{"a text of just the length", "abc", 3, "abc", "abc", "abc"},
		{"a long text", "abcd", 3, "abc", "abc", "ab…"},
		{"a text of just as many characters but more bytes", "ção", 3, "ção", "ç", "ção"},
		{"a character that would be cut", "açaí", 2, "aç", "a", "a…"},
		{"characters of four bytes", "👍🏽!", 2, "👍🏽", "", "👍…"},
		{"a character that just fits", "aç!", 3, "aç!", "aç", "aç!"},
		{"no length at all", "abc", 0, "", "", "…"},
		{"bytes that are no characters", "\xff\xfe\xfd", 2, "\xff\xfe", "\xff\xfe", "\xff…"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Characters(test.text, test.most); got != test.characters {
				t.Errorf("Characters(%q, %d) = %q, want %q", test.text, test.most, got, test.characters)
			}
			if got := Bytes(test.text, test.most); got != test.bytes {
				t.Errorf("Bytes(%q, %d) = %q, want %q", test.text, test.most, got, test.bytes)
			}
			if got := Marked(test.text, test.most); got != test.marked {
				t.Errorf("Marked(%q, %d) = %q, want %q", test.text, test.most, got, test.marked)
			}
		})
	}
}

func FuzzClip(f *testing.F) {
	f.Add("açaí 👍🏽", 3)
	f.Add("\xff\xfeabc", 2)
	f.Add("abc", -1)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 1 || most > len(text)+1 {
			return
		}
		characters, bytes, marked := Characters(text, most), Bytes(text, most), Marked(text, most)
		if utf8.RuneCountInString(characters) > most || !strings.HasPrefix(text, characters) {
			t.Errorf("Characters(%q, %d) = %q", text, most, characters)
		}
		if len(bytes) > most || !strings.HasPrefix(text, bytes) {
			t.Errorf("Bytes(%q, %d) = %q", text, most, bytes)
		}
		if utf8.RuneCountInString(marked) > most {
			t.Errorf("Marked(%q, %d) = %q", text, most, marked)
		}
		if utf8.ValidString(text) && !(utf8.ValidString(characters) && utf8.ValidString(bytes) &&
			utf8.ValidString(marked)) {
			t.Errorf("clipping %q to %d cuts a character: %q, %q, %q", text, most, characters, bytes, marked)
		}
	})
}
