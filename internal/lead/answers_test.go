package lead_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

func timesAt(ago ...time.Duration) []v1alpha1.Timestamp {
	var times []v1alpha1.Timestamp
	for _, each := range ago {
		times = append(times, v1alpha1.NewTimestamp(noon.Add(-each)))
	}
	return times
}

func TestRoomForAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []v1alpha1.Timestamp
		limit int
		want  time.Duration // from now; 0 is now
	}{
		{name: "nobody was answered", limit: 1},
		{name: "no limit", times: timesAt(time.Minute, time.Second)},
		{name: "room for the last", times: timesAt(30*time.Minute, time.Minute), limit: 3},
		{name: "none for one more", times: timesAt(30*time.Minute, time.Minute), limit: 2, want: 30 * time.Minute},
		{name: "the window is over to the instant", times: timesAt(time.Hour, time.Minute), limit: 2},
		{name: "a limit that was lowered waits for the later ones", times: timesAt(50*time.Minute, 30*time.Minute,
			time.Minute), limit: 1, want: 59 * time.Minute},
		{name: "a clock that went back", times: timesAt(-time.Minute), limit: 1, want: 61 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := time.Time{}
			if c.want > 0 {
				want = noon.Add(c.want)
			}
			if got := lead.RoomForAnswer(c.times, c.limit, time.Hour, noon); !got.Equal(want) {
				t.Errorf("free at %s, want %s", got, want)
			}
		})
	}
}

func TestAnswersAreCounted(t *testing.T) {
	answer := v1alpha1.Message{ID: "c0-reply-1", Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent,
		At: timesAt(time.Hour)[0]}
	step, failed, theirs := answer, answer, answer
	step.Step, failed.State, theirs.Role = "first", v1alpha1.MessageFailed, v1alpha1.RoleCustomer
	status := &v1alpha1.CartRecoveryStatus{Conversation: []v1alpha1.Message{step, failed, theirs, answer}}
	if got := lead.AnswerTimes(status, noon); len(got) != 1 {
		t.Fatalf("a lead without a list tells %d answers, want the one of its conversation", len(got))
	}
	lead.CountAnswer(status, noon)
	status.Conversation = nil
	if got := lead.AnswerTimes(status, noon); len(got) != 2 {
		t.Errorf("%d answers once the conversation has dropped them, want 2", len(got))
	}
	lead.UncountAnswer(status, v1alpha1.NewTimestamp(noon))
	if got := lead.AnswerTimes(status, noon); len(got) != 1 {
		t.Errorf("%d answers without the one that did not go, want 1", len(got))
	}
	if got := lead.AnswerTimes(status, noon.Add(23*time.Hour)); len(got) != 0 {
		t.Errorf("%d answers after a day", len(got))
	}
}

func TestAnswerTimesAreBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	status, at := &v1alpha1.CartRecoveryStatus{}, noon
	for range 2000 {
		at = at.Add(time.Duration(random.IntN(60)) * time.Second)
		lead.CountAnswer(status, at)
		if len(status.AnsweredAt) > v1alpha1.MaxAnswerTimes {
			t.Fatalf("%d times", len(status.AnsweredAt))
		}
	}
	if last := status.AnsweredAt[len(status.AnsweredAt)-1]; !last.Equal(at) {
		t.Errorf("the last is %s, want %s", last, at)
	}
}

// TestWhatPeopleHaveToHeedStays: what a customer said about a payment is not pushed out by what comes after.
func TestWhatPeopleHaveToHeedStays(t *testing.T) {
	said := func(id, text string) v1alpha1.Message {
		return v1alpha1.Message{ID: id, Role: v1alpha1.RoleCustomer, Text: text}
	}
	var conversation []v1alpha1.Message
	for n := range 6 {
		conversation = lead.Append(conversation, said(fmt.Sprintf("paid-%d", n), "já paguei"))
	}
	conversation = lead.Append(conversation, said("human", "quero falar com uma pessoa"))
	for n := range 2 * v1alpha1.MaxConversation {
		conversation = lead.Append(conversation, said(fmt.Sprintf("in-%d", n), "e agora, quando recebo?"))
	}
	if len(conversation) != v1alpha1.MaxConversation {
		t.Fatalf("%d messages", len(conversation))
	}
	for _, id := range []string{"paid-5", "human"} {
		if lead.Find(conversation, id) == nil {
			t.Errorf("%s is gone", id)
		}
	}
	if lead.Find(conversation, "paid-0") != nil {
		t.Error("the oldest of many is kept")
	}
}
