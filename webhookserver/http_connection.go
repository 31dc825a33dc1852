package webhookserver

import (
	"bytes"
	"container/list"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// A clientConn is a connection as fasthttp sees it. It hands on requests that are well formed and arrive in time, and
// never a byte beyond the request that is being read.

const (
	// headTimeout is how long a head may take, from the beginning of the connection or the head's own.
	headTimeout = 5 * time.Second
	// idleTimeout is how long a connection may be silent between two requests.
	idleTimeout = 60 * time.Second
	// bodyTimeout and bodyPace bound how long a body may take: so long, and a second for each so many bytes.
	bodyTimeout = 5 * time.Second
	bodyPace    = 64 << 10
	// lingerTime is how long, and lingerBytes how much, is read and dropped of somebody who was refused: to
	// close on unread bytes would take the answer back.
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
	// refusalTime bounds the writing of a refusal, which fits into what the kernel keeps for it.
	refusalTime = 100 * time.Millisecond
	// answerTime is how long an answer may take to be read.
	answerTime = 10 * time.Second
	// headBytes is the room for a head to begin with.
	headBytes = 2 << 10
)

// phase is which part of a request comes next.
type phase uint8

const (
	// phaseHead is between two requests, or within a head.
	phaseHead phase = iota
	// phaseHanding has a head that fasthttp has not read yet.
	phaseHanding
	// phaseBody is within a body.
	phaseBody
)

// clientConn is one connection. What is not under the door's lock is used by the goroutine that serves the
// connection only.
type clientConn struct {
	net.Conn
	door *door
	from source

	phase phase
	// buffered was received and not handed on yet; room is kept for the next head.
	buffered, room []byte
	// head is how much of it is the head that is being handed on.
	head int
	// body is how much of the body is to come; followed finds the end of one in chunks.
	body     int64
	chunked  bool
	followed chunks
	// last says that no further request is taken.
	last bool
	// requests counts the heads that were taken.
	requests int

	// left is closed once the connection was closed for another one, or ended.
	left chan struct{}

	// Under the door's lock:
	gone         bool
	proven       bool
	begun        bool
	at           rank
	since        time.Time
	memory       int64
	inAll, inOwn *list.Element

	// writing guards what is written: by fasthttp, and once by who closes the connection.
	writing sync.Mutex
	// silenced says that nothing more is written.
	silenced bool
}

// Read hands on what comes next of the request that is being read.
func (c *clientConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.phase == phaseHead && !c.takeHead() {
		return 0, io.EOF
	}
	if c.phase == phaseHanding {
		n := copy(p, c.buffered[:c.head])
		c.buffered, c.head = c.buffered[n:], c.head-n
		if c.head == 0 {
			c.beginBody()
		}
		return n, nil
	}
	return c.readBody(p)
}

// takeHead waits for a whole head and looks at it; false when the connection ends.
func (c *clientConn) takeHead() bool {
	if c.last || !c.expectHead() {
		return false
	}
	end := c.receiveHead()
	if end == 0 {
		return false
	}
	framed, status := readHead(c.buffered[:end])
	if status != 0 {
		return c.refuse(status, refusedMalformed)
	}
	if framed.isGathered() && !c.gather(framed, end) {
		return false
	}
	c.requests++
	c.head, c.body, c.chunked, c.followed, c.last = end, framed.length, framed.chunked, chunks{}, framed.old
	c.phase = phaseHanding
	if !framed.isGathered() && framed.length > int64(len(c.buffered)-end) {
		return c.door.waitFor(c, rankBody)
	}
	return c.door.arrived(c)
}

// expectHead begins to wait for what comes next: the rest of a head, or the silence before it.
func (c *clientConn) expectHead() bool {
	as, limit := rankSilent, c.door.limits.head
	if len(c.buffered) == 0 {
		c.buffered = c.room[:0]
		if c.requests > 0 {
			as, limit = rankIdle, c.door.limits.idle
		}
	}
	return c.door.waitFor(c, as) && c.Conn.SetReadDeadline(time.Now().Add(limit)) == nil
}

// receiveHead receives until there is a whole head, and returns its length; 0 when the connection ends.
func (c *clientConn) receiveHead() (end int) {
	for looked := 0; ; {
		end, ok := endOfHead(c.buffered, looked)
		switch {
		case !ok:
			c.refuse(http.StatusBadRequest, refusedMalformed)
			return 0
		case end > headerLimit, end == 0 && len(c.buffered) >= headerLimit:
			c.refuse(http.StatusRequestHeaderFieldsTooLarge, refusedMalformed)
			return 0
		case end > 0:
			return end
		}
		looked = len(c.buffered)
		if !c.receiveMore() {
			return 0
		}
		if looked == 0 && !c.headBegins() {
			return 0
		}
	}
}

// headBegins notes that a head has begun. One that comes after silence between requests gets its own time.
func (c *clientConn) headBegins() bool {
	if c.requests == 0 {
		return c.door.begins(c)
	}
	return c.door.waitFor(c, rankSilent) && c.door.begins(c) &&
		c.Conn.SetReadDeadline(time.Now().Add(c.door.limits.head)) == nil
}

// receiveMore appends to what is buffered; false when the connection ends.
func (c *clientConn) receiveMore() bool {
	had := len(c.buffered)
	if cap(c.buffered)-had < headBytes/4 {
		grown := make([]byte, had, min(max(headBytes, 2*had), headerLimit+headBytes))
		copy(grown, c.buffered)
		c.buffered, c.room = grown, nil
		if cap(grown) == headBytes {
			c.room = grown
		}
	}
	n, ok := c.receive(c.buffered[had:cap(c.buffered)])
	c.buffered = c.buffered[:had+n]
	return ok
}

// receive waits for bytes; false when the connection ends.
func (c *clientConn) receive(p []byte) (int, bool) {
	n, err := c.Conn.Read(p)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		c.tooSlow()
	}
	if n == 0 {
		c.wantsTLS(err)
	}
	return n, n > 0
}

// wantsTLS tells somebody who speaks plain HTTP to a server that speaks TLS; a platform shows it with the delivery.
func (c *clientConn) wantsTLS(err error) {
	var plain tls.RecordHeaderError
	if !errors.As(err, &plain) || plain.Conn == nil {
		return
	}
	c.door.metrics.RefusedConnection(refusedMalformed).Inc()
	said := refused(http.StatusBadRequest)
	said.body = problem{Error: "the request cannot be read", Expected: "TLS, which this port speaks: https://"}
	said.writeTo(plain.Conn)
}

// tooSlow ends a connection that took too long. One that is merely idle is told nothing.
func (c *clientConn) tooSlow() {
	if c.phase == phaseHead && c.requests > 0 && len(c.buffered) == 0 {
		return
	}
	c.refuse(http.StatusRequestTimeout, refusedSlow)
}

// beginBody begins what follows a head: its body, or the next head.
func (c *clientConn) beginBody() {
	if !c.chunked && c.body == 0 {
		c.phase = phaseHead
		return
	}
	c.phase = phaseBody
	if c.chunked || int64(len(c.buffered)) >= c.body {
		return // it is all there
	}
	limit := c.bodyTime(framing{length: c.body})
	// A connection that is closed by now says so when it is read from.
	if c.door.waitFor(c, rankBody) {
		_ = c.Conn.SetReadDeadline(time.Now().Add(limit))
	}
}

// readBody hands on what comes next of the body.
func (c *clientConn) readBody(p []byte) (int, error) {
	if !c.chunked {
		p = p[:min(int64(len(p)), c.body)]
	}
	n, early := copy(p, c.buffered), len(c.buffered) > 0
	if early {
		c.buffered = c.buffered[n:]
	} else {
		var ok bool
		if n, ok = c.receive(p); !ok {
			return 0, io.EOF
		}
	}
	used, done, status := c.follow(p[:n])
	if status != 0 {
		c.refuse(status, refusedMalformed)
		return 0, io.EOF
	}
	if used < n { // the next request has begun
		c.buffered = append(bytes.Clone(p[used:n]), c.buffered...)
	}
	if done {
		c.phase = phaseHead
		if !c.door.arrived(c) {
			return 0, io.EOF
		}
	}
	return used, nil
}

// follow looks how much of what was received belongs to the body.
func (c *clientConn) follow(received []byte) (used int, done bool, status int) {
	if c.chunked {
		return c.followed.follow(received)
	}
	c.body -= int64(len(received))
	return len(received), c.body == 0, 0
}

// Write sends an answer. Once a connection was refused there is nothing to add. Who does not read is waited
// for as well, and makes room for others as who says nothing does.
func (c *clientConn) Write(p []byte) (int, error) {
	if !c.door.answers(c) {
		return 0, net.ErrClosed
	}
	defer c.door.arrived(c)
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.silenced {
		return len(p), nil
	}
	return c.Conn.Write(p) //nolint:wrapcheck // fasthttp looks at its kind
}

// refuse answers a request that is not handed on, and ends the connection. It is always false.
func (c *clientConn) refuse(status int, reason string) bool {
	c.door.metrics.RefusedConnection(reason).Inc()
	// While the rest is read and dropped it may be closed for another one, as when it was waited for.
	if c.say(status) && c.door.waitFor(c, rankSilent) {
		linger(c.Conn)
	}
	c.last = true
	return false
}

// say writes the last thing that is written; false when it could not be.
func (c *clientConn) say(status int) bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.silenced {
		return false
	}
	c.silenced = true
	return sayRefusal(c.Conn, status)
}

// bid ends a connection that made room for another one. Who had begun a request is told to try again; to
// others an answer would come unasked.
func (c *clientConn) bid() {
	if c == nil {
		return
	}
	if c.begun {
		c.say(http.StatusServiceUnavailable)
	}
	// Whoever accepts connections waits for this, and not for the farewell of TLS to somebody who may not read it.
	if protected, overTLS := c.Conn.(*tls.Conn); overTLS {
		_ = protected.NetConn().Close()
		return
	}
	_ = c.Conn.Close()
}

// prove notes that an authentic delivery came over this connection.
func (c *clientConn) prove() {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	c.proven = true
}

// Close ends the connection.
func (c *clientConn) Close() error {
	c.door.mu.Lock()
	c.door.release(c, "")
	c.door.mu.Unlock()
	return c.Conn.Close() //nolint:wrapcheck // fasthttp looks at its kind
}

// SetReadDeadline does nothing: how long a request may take is decided here.
func (c *clientConn) SetReadDeadline(time.Time) error { return nil }

// SetDeadline sets the time for writing only.
func (c *clientConn) SetDeadline(at time.Time) error { return c.SetWriteDeadline(at) }

// SetWriteDeadline gives an answer no longer than answerTime: the largest has some 200 KB.
func (c *clientConn) SetWriteDeadline(at time.Time) error {
	if latest := time.Now().Add(answerTime); !at.IsZero() && at.After(latest) {
		at = latest
	}
	return c.Conn.SetWriteDeadline(at) //nolint:wrapcheck // fasthttp looks at its kind
}

// connOf is the connection that a request came over; nil when it came over none, as in tests.
func connOf(c *fiber.Ctx) *clientConn {
	conn, _ := c.Context().Conn().(*clientConn)
	return conn
}

// sayRefusal writes an answer that fasthttp has no part in; false when nothing could be written.
func sayRefusal(conn net.Conn, status int) bool {
	if status == http.StatusServiceUnavailable {
		return busy().writeTo(conn)
	}
	return refused(status).writeTo(conn)
}

func (a answer) writeTo(conn net.Conn) bool {
	retry := ""
	if a.retry {
		retry = fmt.Sprintf("Retry-After: %d\r\n", retryAfter)
	}
	body, err := json.Marshal(a.body)
	if err != nil || conn.SetWriteDeadline(time.Now().Add(refusalTime)) != nil {
		return false
	}
	_, err = fmt.Fprintf(conn,
		"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
		a.status, http.StatusText(a.status), len(body), retry, body)
	return err == nil
}

// linger reads and drops what somebody still sends who was refused.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	if conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, conn, lingerBytes)
	}
}
