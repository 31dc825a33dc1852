package lead_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

func TestClip(t *testing.T) {
	for _, c := range []struct {
		name, text        string
		characters, bytes int
		want              string
		shortened         bool
	}{
		{name: "what fits stays", text: "olá", characters: 3, bytes: 4, want: "olá"},
		{name: "too many characters", text: "abcdef", characters: 5, bytes: 100, want: "abcd…", shortened: true},
		{name: "too many bytes", text: "ááááá", characters: 100, bytes: 9, want: "ááá…", shortened: true},
		{name: "no half of a character", text: "ááááá", characters: 100, bytes: 8, want: "áá…", shortened: true},
		{name: "quotes take two bytes", text: `""""`, characters: 100, bytes: 7, want: `""…`, shortened: true},
		{name: "what cannot be read takes six", text: "\x01\x01\x01", characters: 100, bytes: 17, want: "\x01\x01…",
			shortened: true},
		{name: "space before the mark goes", text: "oi tudo bem", characters: 4, bytes: 100, want: "oi…",
			shortened: true},
		{name: "no text", characters: 1, bytes: 1},
		{name: "bytes that are no text", text: strings.Repeat("\xff", 40), characters: 100, bytes: 33,
			want: strings.Repeat("\xff", 5) + "…", shortened: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, shortened := lead.Clip(c.text, c.characters, c.bytes)
			if got != c.want || shortened != c.shortened {
				t.Errorf("got %q, %v; want %q, %v", got, shortened, c.want, c.shortened)
			}
		})
	}
}

func FuzzClip(f *testing.F) {
	for _, text := range []string{"oi", "<a&b>\u2028", "\x00\xff", strings.Repeat("👍🏽", 100)} {
		f.Add(text, 20, 40)
	}
	f.Fuzz(func(t *testing.T, text string, characters, bytes int) {
		characters, bytes = 1+abs(characters)%3000, 10+abs(bytes)%5000
		got, shortened := lead.Clip(text, characters, bytes)
		written, err := json.Marshal(got)
		if err != nil || utf8.RuneCountInString(got) > characters || len(written)-2 > bytes {
			t.Fatalf("%d characters of %d, %d bytes of %d: %q", utf8.RuneCountInString(got), characters, len(written)-2,
				bytes, got)
		}
		if !shortened && got != text {
			t.Errorf("changed %q to %q and does not say so", text, got)
		}
		if again, more := lead.Clip(got, characters, bytes); more || again != got {
			t.Errorf("cut twice: %q", again)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

// longTexts are what a customer who wants to cost something writes.
func longTexts(random *rand.Rand) string {
	kinds := []string{"a", "á", "👍", "\"", "\x02", "<", " oi "}
	return strings.Repeat(kinds[random.IntN(len(kinds))], random.IntN(2*v1alpha1.MaxMessageLength))
}

// TestConversationsAreBounded adds what anybody may write, in any order, and looks at what a
// conversation takes, at what it lost, and that what may still be sent is whole.
func TestConversationsAreBounded(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 7))
		var conversation []v1alpha1.Message
		for n := range v1alpha1.MaxConversation {
			text, cut := lead.Clip(longTexts(random), v1alpha1.MaxMessageLength, v1alpha1.MaxMessageBytes)
			m := v1alpha1.Message{
				ID: fmt.Sprintf("3EB0C767D097B7C7%04d", n), Text: text, Shortened: cut, Instance: "main",
				At: v1alpha1.NewTimestamp(noon.Add(time.Duration(n) * time.Second)), Role: v1alpha1.RoleCustomer,
			}
			if random.IntN(4) == 0 {
				m.Role, m.State, m.Text, m.Shortened = v1alpha1.RoleAssistant, v1alpha1.MessageSent, "Claro!", false
			}
			conversation = lead.Append(conversation, m)
			checkBounds(t, conversation, n+1, m)
		}
	}
}

func checkBounds(t *testing.T, conversation []v1alpha1.Message, want int, last v1alpha1.Message) {
	t.Helper()
	written, err := json.Marshal(conversation)
	if err != nil || len(written) > v1alpha1.MaxConversationBytes+2 {
		t.Fatalf("%d messages take %d bytes, want %d at most (%v)", len(conversation), len(written),
			v1alpha1.MaxConversationBytes, err)
	}
	if len(conversation) != want {
		t.Fatalf("%d messages, want all %d", len(conversation), want)
	}
	if got := conversation[len(conversation)-1]; last.Role == v1alpha1.RoleCustomer && got.Text != last.Text {
		t.Fatal("the customer's last message was shortened")
	}
	for i := range conversation {
		if m := &conversation[i]; strings.HasSuffix(m.Text, "…") != m.Shortened {
			t.Fatalf("message %d is marked %v and ends %q", i, m.Shortened, m.Text[max(0, len(m.Text)-8):])
		}
	}
}

func BenchmarkAppendToALongConversation(b *testing.B) {
	long := strings.Repeat("muito texto ", 160)
	var conversation []v1alpha1.Message
	for n := 0; b.Loop(); n++ {
		conversation = lead.Append(conversation, v1alpha1.Message{
			ID: fmt.Sprintf("m%d", n), Role: v1alpha1.RoleCustomer, Text: long, At: v1alpha1.NewTimestamp(noon),
		})
	}
}

func TestTheOldestAreShortenedFirst(t *testing.T) {
	long := strings.Repeat("muito texto ", 150)
	said := func(id, text string) v1alpha1.Message {
		return v1alpha1.Message{ID: id, Role: v1alpha1.RoleCustomer, Text: text, At: v1alpha1.NewTimestamp(noon)}
	}
	conversation := []v1alpha1.Message{said("claims", long+". já paguei"), said("oldest", long)}
	failed := said("failed", long)
	failed.Role, failed.State = v1alpha1.RoleAssistant, v1alpha1.MessageFailed
	conversation = append(conversation, failed)
	for n := range 16 {
		conversation = lead.Append(conversation, said(fmt.Sprintf("m%d", n), long))
	}
	for id, want := range map[string]bool{"claims": false, "oldest": true, "failed": false, "m15": false} {
		if got := lead.Find(conversation, id); got.Shortened != want {
			t.Errorf("%s is shortened: %v, want %v", id, got.Shortened, want)
		}
	}
	for id, whole := range map[string]string{"half": "não quero mais " + long,
		"asks": "quero falar com um atendente. " + long} {
		var crowded []v1alpha1.Message
		crowded = append(crowded, said(id, whole))
		for n := range v1alpha1.MaxConversation - 1 {
			crowded = lead.Append(crowded, said(fmt.Sprintf("m%d", n), long))
		}
		if got := lead.Find(crowded, id).Text; (&policy.Policy{}).OptsOut(got) {
			t.Errorf("%q asks us to stop now: %q", whole[:40], got)
		}
	}
	if oldest := lead.Find(conversation, "oldest"); !lead.SameText(oldest, long) ||
		lead.SameText(oldest, "outra coisa") {
		t.Error("a shortened text is not known again")
	}
}
