package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// attack is one thing that somebody does. run does it until ctx ends, and says how it went.
type attack struct {
	name string
	run  func(ctx context.Context, t *target) string
}

// attacks are all of them, in the order they are run.
var attacks = []attack{
	{"silent connections", silent},
	{"dripping headers", drippingHeaders},
	{"dripping bodies", drippingBodies},
	{"forged deliveries", forged},
	{"forged without a credential", forgedBare},
	{"large forged bodies", largeForged},
	{"anonymous connect calls", anonymousConnect},
}

// crowd is how many connections are held, forgers how many forge at once, and forgedRate how many forgeries
// there are a second.
const (
	crowd      = 5000
	forgers    = 64
	forgedRate = 2000
	// gather is how long the crowd takes to be there.
	gather = 3 * time.Second
	// addresses is how many addresses the strangers who hold connections have.
	addresses = 40
)

// hold keeps so many connections open until ctx ends, and reopens those that are closed. On every connection it says
// something at once, and then one byte of drip a second.
func hold(ctx context.Context, t *target, say string, drip byte) string {
	var opened, closed atomic.Int64
	var group sync.WaitGroup
	for n := range crowd {
		group.Go(func() {
			// They come within the first seconds, as from many machines, and not within one instant.
			_ = sleep(ctx, gather*time.Duration(n)/crowd)
			for ctx.Err() == nil {
				conn, err := t.dialer(n).DialContext(ctx, "tcp", t.address)
				if err != nil {
					_ = sleep(ctx, time.Second)
					continue
				}
				opened.Add(1)
				holdOne(ctx, conn, say, drip)
				closed.Add(1)
				_ = sleep(ctx, time.Second)
			}
		})
	}
	group.Wait()
	return fmt.Sprintf("%d connections opened, %d closed", opened.Load(), closed.Load())
}

// holdOne holds one connection until it is closed or ctx ends.
func holdOne(ctx context.Context, conn net.Conn, say string, drip byte) {
	defer conn.Close() //nolint:errcheck // it is of no use any more
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := conn.Write([]byte(say)); err != nil {
		return
	}
	buffer := make([]byte, 256)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := conn.Read(buffer); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if drip == 0 {
			continue
		}
		if _, err := conn.Write([]byte{drip}); err != nil {
			return
		}
	}
}

// flood calls once from forgers goroutines, forgedRate times a second, until ctx ends.
func flood(ctx context.Context, once func(ctx context.Context) (status int, err error)) string {
	var mu sync.Mutex
	answers := map[int]int{}
	tickets := make(chan struct{}, forgers)
	var group sync.WaitGroup
	for range forgers {
		group.Go(func() {
			for range tickets {
				status, err := once(ctx)
				if err != nil {
					status = 0
				}
				mu.Lock()
				answers[status]++
				mu.Unlock()
			}
		})
	}
	start, sent := time.Now(), 0
	for ctx.Err() == nil {
		for due := int(time.Since(start).Seconds() * forgedRate); sent < due && ctx.Err() == nil; sent++ {
			select {
			case tickets <- struct{}{}:
			case <-ctx.Done():
			}
		}
		_ = sleep(ctx, 5*time.Millisecond)
	}
	close(tickets)
	group.Wait()
	return fmt.Sprintf("%d a second, answered %v", int(float64(sent)/time.Since(start).Seconds()), answers)
}
