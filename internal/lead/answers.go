package lead

import (
	"slices"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// This file counts how often a customer was answered. The count is a list of times of its own:
// the conversation keeps so many messages, and a customer who writes enough of them would be
// answered without end.

// answerDay is how long the time of an answer is kept.
const answerDay = 24 * time.Hour

// AnswerTimes are when messages outside the sequence were claimed within the last 24 hours, oldest
// first. A lead that has no list yet, one of an earlier version or one that was restored, is told
// by its conversation.
func AnswerTimes(status *v1alpha1.CartRecoveryStatus, now time.Time) []v1alpha1.Timestamp {
	times := slices.Clone(status.AnsweredAt)
	if len(times) == 0 {
		for i := range status.Conversation {
			m := &status.Conversation[i]
			if m.Role == v1alpha1.RoleAssistant && m.Step == "" && m.State != v1alpha1.MessageFailed {
				times = append(times, m.At)
			}
		}
	}
	times = slices.DeleteFunc(times, func(at v1alpha1.Timestamp) bool { return now.Sub(at.Time) >= answerDay })
	slices.SortFunc(times, func(a, b v1alpha1.Timestamp) int { return a.Compare(b.Time) })
	return times[max(0, len(times)-v1alpha1.MaxAnswerTimes):]
}

// CountAnswer adds the time of a claim outside the sequence.
func CountAnswer(status *v1alpha1.CartRecoveryStatus, claimed time.Time) {
	status.AnsweredAt = AnswerTimes(&v1alpha1.CartRecoveryStatus{
		AnsweredAt: append(AnswerTimes(status, claimed), v1alpha1.NewTimestamp(claimed)),
	}, claimed)
}

// UncountAnswer removes the time of a claim whose message did not go.
func UncountAnswer(status *v1alpha1.CartRecoveryStatus, claimed v1alpha1.Timestamp) {
	status.AnsweredAt = slices.DeleteFunc(slices.Clone(status.AnsweredAt), func(at v1alpha1.Timestamp) bool {
		return at.Equal(claimed.Time)
	})
}

// RoomForAnswer is when one more answer keeps within a limit: so many within any window of this length. It is zero when
// that is now, and for a limit of 0, which means no limit.
func RoomForAnswer(times []v1alpha1.Timestamp, limit int, window time.Duration, now time.Time) time.Time {
	first := len(times) - limit
	if limit <= 0 || first < 0 {
		return time.Time{}
	}
	if free := times[first].Add(window); free.After(now) {
		return free
	}
	return time.Time{}
}
