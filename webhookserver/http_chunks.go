package webhookserver

import "net/http"

// A body that comes in chunks (RFC 9112, 7.1) is followed to its end. Chunk extensions and trailers are refused: nobody
// sends them, and programs differ on where they end. Pure functions.

// maxSizeDigits bounds the size of a chunk as it is written, in hexadecimal digits.
const maxSizeDigits = 8

// chunkState says what comes next in a chunked body.
type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkSizeEnd
	chunkData
	chunkDataReturn
	chunkDataEnd
	chunkLastReturn
	chunkLastEnd
	chunksOver
)

// chunks says how far a chunked body was followed. The zero value is its beginning.
type chunks struct {
	state  chunkState
	digits int
	// size of the chunk as far as it is known, then what is left of it.
	size int64
	// total of the chunks so far.
	total int64
}

// follow goes on through what was received. used is how much of it belongs to the body, and done says that
// this was its end. status is 0, or what the request is to be refused with.
func (c *chunks) follow(received []byte) (used int, done bool, status int) {
	for used < len(received) && c.state != chunksOver {
		if c.state == chunkData {
			step := min(c.size, int64(len(received)-used))
			used, c.size = used+int(step), c.size-step
			if c.size == 0 {
				c.state = chunkDataReturn
			}
			continue
		}
		if status := c.step(received[used]); status != 0 {
			return used, false, status
		}
		used++
	}
	return used, c.state == chunksOver, 0
}

// step takes one byte that is not data.
func (c *chunks) step(next byte) (status int) {
	switch {
	case c.state == chunkSize && next == '\r' && c.digits > 0:
		c.state = chunkSizeEnd
	case c.state == chunkSize:
		return c.digit(next)
	case c.state == chunkSizeEnd && next == '\n':
		return c.begin()
	case c.state == chunkDataReturn && next == '\r':
		c.state = chunkDataEnd
	case c.state == chunkDataEnd && next == '\n':
		c.state = chunkSize
	case c.state == chunkLastReturn && next == '\r':
		c.state = chunkLastEnd
	case c.state == chunkLastEnd && next == '\n':
		c.state = chunksOver
	default:
		return http.StatusBadRequest
	}
	return 0
}

// digit takes one digit of a chunk's size.
func (c *chunks) digit(next byte) (status int) {
	var value int64
	switch {
	case next >= '0' && next <= '9':
		value = int64(next - '0')
	case next >= 'a' && next <= 'f':
		value = int64(next-'a') + 10
	case next >= 'A' && next <= 'F':
		value = int64(next-'A') + 10
	default:
		return http.StatusBadRequest
	}
	if c.digits++; c.digits > maxSizeDigits {
		return http.StatusBadRequest
	}
	c.size = c.size<<4 | value
	return 0
}

// begin begins a chunk whose size was read. A chunk of size 0 is the last.
func (c *chunks) begin() (status int) {
	c.digits = 0
	c.total += c.size
	switch {
	case c.total > bodyLimit:
		return http.StatusRequestEntityTooLarge
	case c.size == 0:
		c.state = chunkLastReturn
	default:
		c.state = chunkData
	}
	return 0
}
