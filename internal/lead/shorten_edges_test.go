package lead_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// plainText is so many bytes that mean nothing, in about half as many characters: longer texts than a
// message can be are not read to their end.
func plainText(bytes int) string { return strings.Repeat("a", bytes%2) + strings.Repeat("á", bytes/2) }

func says(text string) v1alpha1.Message {
	return v1alpha1.Message{Role: v1alpha1.RoleCustomer, Text: text}
}

// ourLong is a long message of the store.
func ourLong(state v1alpha1.MessageState) v1alpha1.Message {
	return v1alpha1.Message{Role: v1alpha1.RoleAssistant, State: state, Text: plainText(2900)}
}

// TestWhichAreShortened has a conversation and which of its messages, by their place, are shortened.
func TestWhichAreShortened(t *testing.T) {
	const most = v1alpha1.MaxConversationBytes
	claims := says(plainText(2900) + ". já paguei")
	small := says(plainText(2300))
	plain := says(plainText(2900))
	times := func(count int, m v1alpha1.Message) (all []v1alpha1.Message) {
		for range count {
			all = append(all, m)
		}
		return all
	}
	// filled is eight messages that together take so many bytes as JSON has it.
	filled := func(bytes int) []v1alpha1.Message {
		all := append(times(7, plain), says("a"))
		written, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		all[7].Text = plainText(1 + bytes - (len(written) - 1))
		return all
	}
	for name, row := range map[string]struct {
		conversation []v1alpha1.Message
		want         []int
	}{
		"as much as fits":                   {filled(most), nil},
		"a byte more than fits":             {filled(most + 1), []int{0}},
		"what is plain goes before a claim": {append(talk(claims, plain), times(8, small)...), []int{1}},
		"what is plain goes before three claims": {
			append(talk(claims, claims, claims, plain), times(8, small)...), []int{0, 1, 3},
		},
		"no further is read than four claims": {
			append(talk(claims, claims, claims, claims, plain), times(8, small)...), []int{0, 1, 2, 3},
		},
		"nothing but control characters": {
			append(times(2, says(strings.Repeat("\x01", 2045))), says("oi")), []int{0},
		},
		"only ours":                       {times(9, ourLong(v1alpha1.MessageSent)), []int{0}},
		"the last eight go after a claim": {append(talk(claims), times(8, plain)...), []int{0}},
		"not the customer's last, if the oldest": {
			append(talk(plain), times(8, ourLong(v1alpha1.MessageSent))...), []int{1},
		},
		"not what is claimed": {
			append(talk(ourLong(v1alpha1.MessageClaimed)), times(8, plain)...), []int{1},
		},
		"not what failed and is tried once more": {
			append(talk(ourLong(v1alpha1.MessageFailed)), times(8, plain)...), []int{1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept := lead.Append(row.conversation[:len(row.conversation)-1], row.conversation[len(row.conversation)-1])
			var got []int
			for i := range kept {
				if kept[i].Shortened {
					got = append(got, i)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("shortened (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatAShortenedTextSays: what is left is of a length, and says of what people have to heed what the
// whole said, or nothing.
func TestWhatAShortenedTextSays(t *testing.T) {
	const mark = "…"
	long := plainText(2900)
	for name, row := range map[string][2]string{
		"nothing that matters":     {long, plainText(156) + mark},
		"to the last byte":         {plainText(2901), plainText(157) + mark},
		"a claim at its beginning": {"já paguei. " + long, "já paguei. " + plainText(144) + mark},
		"a claim at its end":       {long + " já paguei", plainText(156) + mark},
		"half of what asks us to stop": {
			"não quero mais" + strings.Repeat(" ", 200) + "esperar, quero pagar" + long, mark,
		},
	} {
		t.Run(name, func(t *testing.T) {
			conversation := talk(says(row[0]))
			for range 24 {
				conversation = append(conversation, says(long))
			}
			if diff := cmp.Diff(row[1], lead.Append(conversation, says("oi"))[0].Text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatAShortenedTextOfTheLastSays: half a sentence of the last messages says nothing of what people have to heed.
func TestWhatAShortenedTextOfTheLastSays(t *testing.T) {
	const mark = "…"
	long := plainText(2900)
	for name, row := range map[string][2]string{
		"nothing that matters":     {long, plainText(156) + mark},
		"a claim at its beginning": {"já paguei. " + long, mark},
	} {
		t.Run(name, func(t *testing.T) {
			conversation := talk(says(row[0]))
			for range 6 {
				conversation = append(conversation, says(strings.Repeat("a", 4000)))
			}
			if diff := cmp.Diff(row[1], lead.Append(conversation, says("oi"))[0].Text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestClipToTheMark(t *testing.T) {
	got, shortened := lead.Clip("ab", 1, 100)
	if diff := cmp.Diff("…", got); diff != "" || !shortened {
		t.Errorf("shortened: %t (-want +got):\n%s", shortened, diff)
	}
}

func TestSameText(t *testing.T) {
	whole, short := v1alpha1.Message{Text: "olá"}, v1alpha1.Message{Text: "olá…", Shortened: true}
	for name, row := range map[string]struct {
		kept *v1alpha1.Message
		text string
		want bool
	}{
		"the whole":                    {&whole, "olá", true},
		"more than the whole":          {&whole, "olá, tudo bem?", false},
		"another":                      {&whole, "oi", false},
		"what was shortened":           {&short, "olá, tudo bem?", true},
		"another than was shortened":   {&short, "oi", false},
		"what would have fitted whole": {&short, "olá", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lead.SameText(row.kept, row.text); got != row.want {
				t.Errorf("the same: %t, want %t", got, row.want)
			}
		})
	}
}
