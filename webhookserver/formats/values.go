package formats

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/lax"
)

// The limits of CartRecovery's schema, in characters, and of what a delivery can hold.
const (
	maxText = 2048
	// beyondText is how much more of a text is read, by which whoever keeps it sees that it was longer.
	beyondText  = 64
	maxID       = 128
	maxInstance = 253
	maxToken    = 512
	// maxConnection bounds Message.Connection.
	maxConnection = 64
)

// words is a list of strings and numbers, or one.
func words(value lax.Value) []string {
	if word := value.Word(); word != "" {
		return []string{word}
	}
	var all []string
	for _, each := range value.List(maxMessages) {
		all = append(all, each.Word())
	}
	return all
}

// momentOf reads a time in seconds since 1970, or in thousandths, millionths or billionths of one,
// as a number, a string or a 64-bit number of JavaScript, or in RFC 3339; zero for anything else.
func momentOf(value lax.Value) time.Time {
	text := strings.TrimSpace(value.Word())
	if value.Kind() == lax.Object {
		text = longNumber(value.Object())
	}
	// The year 5138 in seconds, 1973 in milliseconds, and so on.
	const firstMillis, firstMicros, firstNanos, end = 1e11, 1e14, 1e17, 1e19
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		at, _ := time.Parse(time.RFC3339, text)
		return instant(at)
	}
	switch {
	case !(number > 0 && number < end):
		return time.Time{}
	case number < firstMillis:
		return instant(time.Unix(int64(number), 0))
	case number < firstMicros:
		return instant(time.UnixMilli(int64(number)))
	case number < firstNanos:
		return instant(time.UnixMilli(int64(number / 1e3)))
	}
	return instant(time.UnixMilli(int64(number / 1e6)))
}

// longNumber returns a 64-bit number of JavaScript {low, high, unsigned}, whose halves can be
// negative, or the seconds of a time that is written in two parts.
func longNumber(from fields) string {
	if seconds := firstText(from.Word("seconds"), from.Word("_seconds")); seconds != "" {
		return seconds
	}
	low, errLow := strconv.ParseInt(from.Word("low"), 10, 64)
	if errLow != nil {
		return ""
	}
	high, errHigh := strconv.ParseInt(from.Word("high"), 10, 64)
	if errHigh != nil {
		high = 0
	}
	//nolint:gosec // the halves are of 32 bits
	return strconv.FormatUint(uint64(uint32(high))<<32|uint64(uint32(low)), 10)
}

// instant returns a time within this century, in UTC; zero otherwise.
func instant(at time.Time) time.Time {
	if at.Year() < 2000 || at.Year() > 2099 {
		return time.Time{}
	}
	return at.UTC()
}

// line makes a text of one line fit to be kept.
func line(value string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(value, ""))
	return trimmed(clean, limit)
}

// body makes what somebody wrote fit to be kept: it keeps its lines.
func body(values ...string) string {
	for _, value := range values {
		clean := strings.ReplaceAll(strings.ToValidUTF8(value, ""), "\r\n", "\n")
		clean = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				return -1
			}
			return r
		}, clean)
		if clean = trimmed(clean, maxText+beyondText); clean != "" {
			return clean
		}
	}
	return ""
}

// trimmed is the beginning of a text without blanks around it.
func trimmed(text string, limit int) string {
	return strings.TrimSpace(clip.Characters(strings.TrimSpace(text), limit))
}

// token returns a secret as it was sent; "" when it is too long to be one.
func token(value string) string {
	if len(value) > maxToken {
		return ""
	}
	return value
}

// derivedID is the id of a message whose gateway gave it none: the same message
// delivered twice has the same.
func derivedID(message Message) string {
	hash := sha256.New()
	from := message.Phone
	if from == "" && len(message.ChatIDs) > 0 {
		from = message.ChatIDs[0]
	}
	for _, part := range []string{from, message.Text, message.Media, message.Target,
		strconv.FormatInt(message.At.UnixMilli(), 10)} {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	return "sha256-" + hex.EncodeToString(hash.Sum(nil)[:16])
}
