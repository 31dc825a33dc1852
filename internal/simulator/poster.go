package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// defaultAttempts is how often a webhook is posted until it is answered with a 2xx.
	defaultAttempts = 3
	// defaultRetry is the pause between attempts to post a webhook.
	defaultRetry = 200 * time.Millisecond
)

// WebhookError is a webhook that no attempt got a 2xx for.
type WebhookError struct {
	// Status is the answer to the last attempt, 0 when there was none.
	Status int
	// Attempts is how often it was posted.
	Attempts int
	// Cause is why there was no answer.
	Cause error
}

// Error describes the failure; it does not hold the URL, which is a secret.
func (e *WebhookError) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("simulator: the webhook was answered with HTTP %d, %d times", e.Status, e.Attempts)
	}
	return fmt.Sprintf("simulator: the webhook was not answered, %d times: %v", e.Attempts, e.Cause)
}

// Unwrap returns the cause.
func (e *WebhookError) Unwrap() error { return e.Cause }

// poster posts a server's webhooks: at once, or by the queue on the server's own time.
type poster struct {
	*queue
	client *http.Client
	pause  time.Duration
	// attempts is how often a webhook is posted until it is answered with a 2xx, and final the
	// statuses after which it is not posted again.
	attempts int
	final    []int
	// lose is how many of the next webhooks vanish.
	lose atomic.Int64
}

// newPoster returns a poster with an empty queue. The client may be nil; pause is between
// two attempts, defaultRetry when 0.
func newPoster(client *http.Client, pause time.Duration) *poster {
	if client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 2 * queueWorkers
		client = &http.Client{Timeout: 10 * time.Second, Transport: transport}
	}
	if pause <= 0 {
		pause = defaultRetry
	}
	return &poster{queue: newQueue(), client: client, pause: pause, attempts: defaultAttempts}
}

// close ends the queue, and what it is at.
func (p *poster) close() {
	p.queue.close()
	p.client.CloseIdleConnections()
}

// post delivers a webhook as JSON, in up to p.attempts attempts, or loses it.
func (p *poster) post(ctx context.Context, address string, header map[string]string, body any) error {
	if p.loses() {
		return nil
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("simulator: encode the webhook: %w", err)
	}
	failed := &WebhookError{}
	for failed.Attempts < p.attempts {
		if failed.Attempts > 0 && !wait(ctx, p.pause, nil) {
			failed.Cause = ctx.Err()
			return failed
		}
		failed.Attempts++
		failed.Status, failed.Cause = p.postOnce(ctx, address, header, encoded)
		if failed.Cause == nil && failed.Status >= 200 && failed.Status <= 299 {
			return nil
		}
		if slices.Contains(p.final, failed.Status) {
			return failed
		}
	}
	return failed
}

// loses tells whether the next webhook is to vanish, and counts it.
func (p *poster) loses() bool {
	for {
		left := p.lose.Load()
		if left <= 0 {
			return false
		}
		if p.lose.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

// postOnce posts a webhook and returns the status of the answer.
func (p *poster) postOnce(ctx context.Context, address string, header map[string]string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the URL cannot be called")
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := p.client.Do(request)
	if err != nil {
		if located, ok := errors.AsType[*url.Error](err); ok {
			err = located.Err
		}
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	return response.StatusCode, nil
}
