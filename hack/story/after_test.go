package story

import (
	"testing"

	"cartrecovery.dev/operator/internal/simulator"
)

func TestSentTwice(t *testing.T) {
	for name, row := range map[string]struct {
		sent []simulator.SentMessage
		want string
	}{
		"nothing": {},
		"two messages": {sent: []simulator.SentMessage{{TrackID: "a.1", Number: "55", Text: "Oi"},
			{TrackID: "a.2", Number: "55", Text: "Tudo bem?"}}},
		"the same text to two": {sent: []simulator.SentMessage{{Number: "55", Text: "Oi"}, {Number: "56", Text: "Oi"}}},
		"a track id again": {sent: []simulator.SentMessage{{TrackID: "a.1", Number: "55", Text: "Oi"},
			{TrackID: "a.1", Number: "55", Text: "Olá"}}, want: "Olá"},
		"a text again": {sent: []simulator.SentMessage{{TrackID: "a.1", Number: "55", Text: "Oi"},
			{TrackID: "a.2", Number: "55", Text: "Oi"}}, want: "Oi"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sentTwice(row.sent); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
