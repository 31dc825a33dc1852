package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/lead"
)

// Refusal is what a definite refusal of the gateway means for a message.
type Refusal struct {
	// Word is the reason in one word.
	Word string
	// CountsAsAttempt says that the attempt counts against the message, numbers that the next message
	// from the number would be refused as well.
	CountsAsAttempt, HoldsNumber bool
	// RetryAt is when it may be tried again.
	RetryAt time.Time
	// Blocked and message are for the Blocked condition.
	Blocked, message string
	Now              time.Time
}

// longestRetry is how many times as long as the first wait the longest is.
const longestRetry = 1024

// RefusalOf decides what a definite refusal means; attempt is which one it was, from 1, base how long
// the first waits, and spread makes waits differ.
func RefusalOf(err error, attempt int32, base time.Duration, spread func(time.Duration) time.Duration,
	now time.Time) Refusal {
	why := Refusal{
		Word: "Refused", CountsAsAttempt: true, Now: now,
		RetryAt: now.Add(spread(backoff.Doubled(base, longestRetry*base, int(attempt)))),
		Blocked: v1alpha1.ReasonGatewayUnavailable, message: "the gateway refused the message; it is sent again",
	}
	failed, ok := failure.As(err)
	if !ok {
		return why
	}
	why.Word, why.message = string(failed.Code), failed.Error()
	switch {
	case failed.Code == failure.NotOnWhatsApp:
		why.Word = v1alpha1.ReasonNotOnWhatsApp
	case failed.Code == failure.Restricted:
		// The number is paused until then; another may be free now.
		why.CountsAsAttempt, why.Blocked, why.RetryAt = false, v1alpha1.ReasonRestricted,
			now.Add(spread(30*time.Second))
	case failed.Class == failure.Throttled:
		why.CountsAsAttempt, why.Blocked = false, v1alpha1.ReasonThrottled
		if failed.RetryAt.After(now) {
			why.RetryAt = failed.RetryAt.Add(spread(time.Second))
		}
	case failed.Class == failure.Transient, failed.Code == failure.NotConnected,
		failed.Code == failure.Unauthorized, failed.Code == failure.NotFound,
		failed.Code == failure.Misconfigured:
		why.CountsAsAttempt, why.HoldsNumber, why.RetryAt = false, true, now.Add(spread(30*time.Second))
	}
	return why
}

// Refused says that the gateway definitely did not take a claimed message.
func Refused(id string, why Refusal) Change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		retry := v1alpha1.NewTimestamp(why.RetryAt)
		m.State, m.Error, m.RetryAt = v1alpha1.MessageFailed, why.Word, &retry
		if !why.CountsAsAttempt {
			m.Attempts--
		}
		status.Attempts = m.Attempts
		lead.UncountAnswer(status, m.At)
		setBlocked(status, why.Blocked, why.message, why.Now)
	})
}
