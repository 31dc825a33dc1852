package webhookserver

import (
	"bytes"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// Large bodies are received before fasthttp sees them. fasthttp makes room for a whole body before its first byte has
// come; here the room grows with what has come, so that whoever announces much and sends little holds little.

const (
	// gatherStep is how much room there is for more at least.
	gatherStep = 4 << 10
	// maxChunkedBytes bounds a body in chunks as it is sent: chunks of one byte are six.
	maxChunkedBytes = 2 * bodyLimit
)

// continues asks who waits for that to send the body (RFC 9110, 10.1.1).
var continues = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// expectNothing is a name of a header that means nothing, as long as Expect.
const expectNothing = "X-Done"

// isGathered says whether a body is received whole before it is handed on.
func (f framing) isGathered() bool { return f.chunked || f.length > largeBody }

// gather receives the body that follows a head of so many bytes; false when the connection ends.
func (c *clientConn) gather(framed framing, head int) bool {
	if !c.door.waitFor(c, rankBody) || c.Conn.SetReadDeadline(time.Now().Add(c.bodyTime(framed))) != nil {
		return false
	}
	if framed.expects != nil && !c.sendContinue(framed.expects) {
		return false
	}
	body := gathering{framed: framed}
	for looked := head; ; {
		done, status := body.follow(c.buffered[looked:])
		switch {
		case status != 0:
			return c.refuse(status, refusedMalformed)
		case done:
			return c.ownTwice()
		}
		looked = len(c.buffered)
		if !c.gatherMore(head, framed) {
			return false
		}
	}
}

// bodyTime is how long a body may take.
func (c *clientConn) bodyTime(framed framing) time.Duration {
	limit := c.door.limits.body + time.Duration(framed.length)*time.Second/bodyPace
	if framed.chunked {
		limit += c.door.limits.body
	}
	return limit
}

// gatherMore receives more of a body. It reserves memory and grows the buffer when that is full.
func (c *clientConn) gatherMore(head int, framed framing) bool {
	if free := cap(c.buffered) - len(c.buffered); free < gatherStep {
		room := 2*len(c.buffered) + gatherStep
		if !framed.chunked {
			room = min(room, head+int(framed.length))
		}
		if room > largeBody && !c.door.reserve(c, int64(room)) {
			return c.refuse(http.StatusServiceUnavailable, refusedMemory)
		}
		if room > cap(c.buffered) {
			c.buffered, c.room = append(make([]byte, 0, room), c.buffered...), nil
		}
	}
	had := len(c.buffered)
	n, ok := c.receive(c.buffered[had:min(cap(c.buffered), had+bandwidthBurst)])
	c.buffered = c.buffered[:had+n]
	switch {
	case !ok:
		return false
	case !c.door.pace(c, n):
		return c.refuse(http.StatusServiceUnavailable, refusedMemory)
	}
	return true
}

// bandwidthBurst is how much of a large body is received at once.
const bandwidthBurst = 64 << 10

// newBandwidth lets so many bytes pass a second; 0 for all that come.
func newBandwidth(bytes int) *rate.Limiter {
	if bytes == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(bytes), bandwidthBurst)
}

// maxPace is how long the bytes that were received of a large body wait at most: who is further behind is told
// to come again.
const maxPace = 2 * time.Second

// pace waits for as long as so many bytes of a large body, which were received, take of the bandwidth; false
// when that is too long. What is not read meanwhile waits at the sender's. Who has delivered something
// authentic over this connection waits for nobody, unless others are behind it too. Once the server ends, what
// is under way is received at once.
func (d *door) pace(c *clientConn, size int) bool {
	for _, limit := range d.bandwidthOf(c) {
		wait, giveBack := owed(limit, size, time.Now())
		if wait > maxPace {
			giveBack()
			return false
		}
		if wait <= 0 {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-d.closing:
		case <-c.left:
			giveBack()
		}
		timer.Stop()
	}
	return true
}

// owed takes so many bytes off a bandwidth, and says how long they have to wait for.
func owed(limit *rate.Limiter, size int, now time.Time) (wait time.Duration, giveBack func()) {
	reserved := limit.ReserveN(now, size)
	return reserved.DelayFrom(now), func() { reserved.CancelAt(now) }
}

// bandwidthOf returns the limits that a connection's large bodies count against: its source's, then everybody's.
func (d *door) bandwidthOf(c *clientConn) []*rate.Limiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	own := d.sources[c.from]
	switch {
	case own == nil:
		return []*rate.Limiter{d.all.bandwidth}
	case c.proven:
		return nil
	}
	return []*rate.Limiter{own.bandwidth, d.all.bandwidth}
}

// ownTwice reserves what fasthttp makes room for while this still holds what was received.
func (c *clientConn) ownTwice() bool {
	if size := 2 * int64(cap(c.buffered)); size > largeBody && !c.door.reserve(c, size) {
		return c.refuse(http.StatusServiceUnavailable, refusedMemory)
	}
	return true
}

// sendContinue writes the interim answer, and takes the wish for it out of the head, so that fasthttp does
// not answer it again.
func (c *clientConn) sendContinue(expects []byte) bool {
	copy(expects, expectNothing)
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.silenced || c.Conn.SetWriteDeadline(time.Now().Add(refusalTime)) != nil {
		return false
	}
	_, err := c.Conn.Write(continues)
	return err == nil && c.Conn.SetWriteDeadline(time.Time{}) == nil
}

// gathering is how far a body was received.
type gathering struct {
	framed framing
	chunks chunks
	total  int64
}

// follow goes on through what was received; status is 0, or what the request is to be refused with.
func (g *gathering) follow(received []byte) (done bool, status int) {
	g.total += int64(len(received))
	if !g.framed.chunked {
		return g.total >= g.framed.length, 0
	}
	if g.total > maxChunkedBytes {
		return false, http.StatusRequestEntityTooLarge
	}
	_, done, status = g.chunks.follow(received)
	return done, status
}

// isExpectContinue says whether a header asks to be told to go on.
func isExpectContinue(name, value []byte) bool {
	return bytes.EqualFold(name, []byte("Expect")) && bytes.EqualFold(value, []byte("100-continue"))
}
