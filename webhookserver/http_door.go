package webhookserver

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"cartrecovery.dev/operator/internal/metrics"
)

// The door decides who is connected. Connections cost a stranger nothing, so their number is bounded, and a new one
// replaces the one that the server has waited for the longest. See
// docs/decisions/0063-who-waits-in-silence-makes-room.md.

const (
	// largeBody is how many bytes hardly any delivery needs: the memory of larger bodies is shared, and
	// few of them are worked on at once.
	largeBody = 16 << 10
	// largeMemory bounds the bytes of large bodies that are in memory at once, whoever they are from.
	largeMemory = 64 << 20
	// largeBandwidth bounds the bytes of large bodies that are received in a second, of those who have shown no
	// credential yet and of those behind proxies: to receive and look through them takes the processors.
	largeBandwidth = 32 << 20
	// waitGrace is how long a connection that waits is left alone as long as another waits longer.
	waitGrace = time.Second
	// maxTurningAway bounds how many connections are told at once that there is no room.
	maxTurningAway = 64
)

// rank orders the connections that are waited for: the lowest makes room first.
type rank uint8

const (
	// rankSilent has not sent a whole head yet.
	rankSilent rank = iota
	// rankIdle has sent requests, none of them authentic, and sends nothing now, or does not read its answer.
	rankIdle
	// rankBody has sent a head and not yet all of the body.
	rankBody
	// rankKnown has sent an authentic delivery, and sends nothing now: a proxy keeps it for the next one.
	rankKnown
	ranks
)

// The reasons why a connection is refused or closed before it was answered: the label of the metric.
const (
	// refusedSilent made room for another one while it was waited for.
	refusedSilent = "silent"
	// refusedSlow took too long.
	refusedSlow = "slow"
	// refusedFull came when every connection was being served.
	refusedFull = "full"
	// refusedShare came when its source had its share.
	refusedShare = "share"
	// refusedMemory had a large body when large bodies had all the memory, or bandwidth, there is for them.
	refusedMemory = "memory"
	// refusedMalformed was no HTTP as it should be.
	refusedMalformed = "malformed"
)

// doorLimits bound the connections.
type doorLimits struct {
	// connections at once, and of them those of one source.
	connections, perSource int
	// memory is the bytes of large bodies at once, and those of one source.
	memory, memoryPerSource int64
	// bandwidth is the bytes of large bodies a second, and those of one source.
	bandwidth, bandwidthPerSource int
	// head, idle and body are headTimeout, idleTimeout and bodyTimeout.
	head, idle, body time.Duration
}

// door is the listener that fasthttp accepts from. It hands connections on and keeps account of them.
type door struct {
	net.Listener
	limits  doorLimits
	proxies Proxies
	clock   clock.PassiveClock
	metrics *metrics.Metrics
	// turning waits for those who are being turned away.
	turning sync.WaitGroup

	mu     sync.Mutex
	closed bool
	// turningAway is how many are being turned away.
	turningAway int
	all         account
	sources     map[source]*account
	// closing is closed with the listener.
	closing chan struct{}
}

// account sums up what connections hold: all connections, or those of one source.
type account struct {
	open   int
	memory int64
	// waiting has those that are waited for, the longest wait first.
	waiting [ranks]list.List
	// bandwidth limits how fast large bodies are received.
	bandwidth *rate.Limiter
}

func newDoor(listener net.Listener, limits doorLimits, proxies Proxies, now clock.PassiveClock,
	counted *metrics.Metrics) *door {
	return &door{
		Listener: listener, limits: limits, proxies: proxies, clock: now, metrics: counted,
		all:     account{bandwidth: newBandwidth(limits.bandwidth)},
		sources: map[source]*account{}, closing: make(chan struct{}),
	}
}

// Accept waits for a connection that there is room for.
func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // fasthttp looks at its kind
		}
		if admitted := d.admit(conn); admitted != nil {
			return admitted, nil
		}
	}
}

// admit takes a connection in, and closes another one for it where there is no room; nil when it was turned
// away itself.
func (d *door) admit(conn net.Conn) *clientConn {
	from := d.proxies.ofConnection(conn.RemoteAddr())
	c := &clientConn{Conn: conn, door: d, from: from, left: make(chan struct{})}
	d.mu.Lock()
	own := d.sources[from]
	victim, reason := d.room(own)
	if reason == "" {
		d.release(victim, refusedSilent)
		d.all.open++
		if own = d.openAccount(from); own != nil {
			own.open++
		}
		d.list(c, rankSilent) // it can be the next to go before it is first read from
		d.metrics.Connections.Set(float64(d.all.open))
	}
	d.mu.Unlock()
	if reason != "" {
		d.turnAway(conn, reason)
		return nil
	}
	victim.bid()
	return c
}

// room decides which connection, if any, makes room for another of a source. reason says why none can.
func (d *door) room(own *account) (victim *clientConn, reason string) {
	now := d.clock.Now()
	if own != nil && own.open >= d.limits.perSource {
		if victim = own.longest(now); victim == nil {
			return nil, refusedShare
		}
		return victim, ""
	}
	if d.all.open >= d.limits.connections {
		if victim = d.all.longest(now); victim == nil {
			return nil, refusedFull
		}
	}
	return victim, ""
}

// longest is the connection to close first: by rank among those that were waited for longer than
// waitGrace, else the longest wait of all, so that one that has just come is not the first to go.
func (a *account) longest(now time.Time) *clientConn {
	var oldest *clientConn
	for each := range a.waiting {
		front := a.waiting[each].Front()
		if front == nil {
			continue
		}
		first := front.Value.(*clientConn) //nolint:forcetypeassert // nothing else is put in
		if now.Sub(first.since) >= waitGrace {
			return first
		}
		if oldest == nil || first.since.Before(oldest.since) {
			oldest = first
		}
	}
	return oldest
}

// release takes a connection out of the account. The caller has locked, and closes it.
func (d *door) release(c *clientConn, reason string) {
	if c == nil || c.gone {
		return
	}
	c.gone = true
	close(c.left)
	d.unlist(c)
	d.giveBack(c)
	d.all.open--
	if own := d.sources[c.from]; own != nil {
		if own.open--; own.open == 0 {
			delete(d.sources, c.from)
		}
	}
	d.metrics.Connections.Set(float64(d.all.open))
	if reason != "" {
		d.metrics.RefusedConnection(reason).Inc()
	}
}

// openAccount returns the account of a source, and makes it if necessary. It is nil for a source without a share of its
// own.
func (d *door) openAccount(from source) *account {
	if !from.IsValid() {
		return nil
	}
	if d.sources[from] == nil {
		d.sources[from] = &account{bandwidth: newBandwidth(d.limits.bandwidthPerSource)}
	}
	return d.sources[from]
}

// waitFor notes that a connection is waited for, from now on, and as what; false when it is closed.
func (d *door) waitFor(c *clientConn, as rank) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.gone {
		return false
	}
	d.unlist(c)
	if as != rankBody {
		d.giveBack(c)
	}
	if as == rankIdle && c.proven {
		as = rankKnown
	}
	d.list(c, as)
	return true
}

// answers notes that it is waited for that a connection reads its answer; false when it is closed.
func (d *door) answers(c *clientConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.gone {
		return false
	}
	d.unlist(c)
	as := rankIdle
	if c.proven {
		as = rankKnown
	}
	d.list(c, as)
	return true
}

// list puts a connection at the end of those that are waited for. The caller has locked.
func (d *door) list(c *clientConn, as rank) {
	c.at, c.since, c.begun = as, d.clock.Now(), as == rankBody
	c.inAll = d.all.waiting[as].PushBack(c)
	if own := d.sources[c.from]; own != nil {
		c.inOwn = own.waiting[as].PushBack(c)
	}
}

// begins notes that what is waited for has begun to come; false when the connection is closed.
func (d *door) begins(c *clientConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.begun = true
	return !c.gone
}

// arrived notes that what was waited for is there; false when the connection was closed meanwhile.
func (d *door) arrived(c *clientConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.gone {
		return false
	}
	d.unlist(c)
	return true
}

func (d *door) unlist(c *clientConn) {
	if c.inAll != nil {
		d.all.waiting[c.at].Remove(c.inAll)
	}
	if own := d.sources[c.from]; own != nil && c.inOwn != nil {
		own.waiting[c.at].Remove(c.inOwn)
	}
	c.inAll, c.inOwn = nil, nil
}

// reserve raises the memory that a connection holds for a large body to size. Where no memory is left, connections
// with other large bodies that are waited for are closed. It is false when that does not suffice either.
func (d *door) reserve(c *clientConn, size int64) bool {
	victims, ok := d.reserveLocked(c, size)
	for _, victim := range victims {
		victim.bid()
	}
	return ok
}

func (d *door) reserveLocked(c *clientConn, size int64) (victims []*clientConn, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.gone {
		return nil, false
	}
	own, more := d.sources[c.from], size-c.memory
	for own != nil && own.memory+more > d.limits.memoryPerSource || d.all.memory+more > d.limits.memory {
		from := &d.all
		if own != nil && own.memory+more > d.limits.memoryPerSource {
			from = own
		}
		victim := from.largest(c)
		if victim == nil {
			return victims, false
		}
		d.release(victim, refusedMemory)
		victims = append(victims, victim)
	}
	c.memory = size
	d.all.memory += more
	if own != nil {
		own.memory += more
	}
	return victims, true
}

// largest is the longest waited for of those whose body is large and not all there, but for one.
func (a *account) largest(but *clientConn) *clientConn {
	for each := a.waiting[rankBody].Front(); each != nil; each = each.Next() {
		if c := each.Value.(*clientConn); c != but && c.memory > 0 { //nolint:forcetypeassert // nothing else is put in
			return c
		}
	}
	return nil
}

// giveBack ends the reservation of a connection. The caller has locked.
func (d *door) giveBack(c *clientConn) {
	d.all.memory -= c.memory
	if own := d.sources[c.from]; own != nil {
		own.memory -= c.memory
	}
	c.memory = 0
}

// turnAway tells a connection that there is no room, if not too many are being told, and if that takes no handshake
// of TLS first: those cost more than to read a request.
func (d *door) turnAway(conn net.Conn, reason string) {
	d.metrics.RefusedConnection(reason).Inc()
	_, overTLS := conn.(*tls.Conn)
	d.mu.Lock()
	tell := !d.closed && !overTLS && d.turningAway < maxTurningAway
	if tell {
		d.turningAway++
		d.turning.Add(1)
	}
	d.mu.Unlock()
	if !tell {
		_ = conn.Close()
		return
	}
	go func() {
		defer d.turning.Done()
		if sayRefusal(conn, http.StatusServiceUnavailable) {
			linger(conn)
		}
		_ = conn.Close()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.turningAway--
	}()
}

// Close stops listening and waits for those who are being turned away.
func (d *door) Close() error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.closing)
	}
	d.mu.Unlock()
	err := d.Listener.Close()
	d.turning.Wait()
	return err //nolint:wrapcheck // fasthttp looks at its kind
}
