package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// maxMetrics bounds what is read of one answer.
const maxMetrics = 8 << 20

// Scraped calls play, and writes meanwhile what the manager answers to whoever scrapes its metrics to files of dir: at
// once, at every period, and when play has returned. The name of a file is the time, in milliseconds.
func (m *Manager) Scraped(ctx context.Context, dir string, period time.Duration,
	play func(context.Context) error) (failed error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make the folder for metrics: %w", err)
	}
	playing, done := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- m.scrapeUntil(ctx, playing, dir, period) }()
	failed = play(ctx)
	done()
	return errors.Join(failed, <-ended)
}

// scrapeUntil scrapes until playing ends, and once more then.
func (m *Manager) scrapeUntil(ctx, playing context.Context, dir string, period time.Duration) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		if err := m.scrape(ctx, dir); err != nil {
			return err
		}
		select {
		case <-playing.Done():
			return m.scrape(ctx, dir)
		case <-tick.C:
		}
	}
}

func (m *Manager) scrape(ctx context.Context, dir string) (failed error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.MetricsURL, nil)
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	at := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("scrape the metrics: %w", err)
	}
	defer func() { failed = errors.Join(failed, answer.Body.Close()) }()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxMetrics))
	if err != nil {
		return fmt.Errorf("read the metrics: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("scrape the metrics: the status is %d", answer.StatusCode)
	}
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.txt", at.UnixMilli())), content, 0o600)
}
