package simulator

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// phones is what every simulated server has: the messages that its phones have sent, what
// WhatsApp knows of numbers, the webhooks it posts, and the controls of all of them.
type phones struct {
	clock    func() time.Time
	ids      messageIDs
	faults   faultList
	onSent   atomic.Pointer[func(SentMessage)]
	webhooks *poster

	// mu guards what is below, and the server's instances.
	mu        sync.Mutex
	sent      journal
	directory directory
}

// setUp readies the phones: a clock that is nil is time.Now, and keep 0 is defaultKeep.
func (p *phones) setUp(clock func() time.Time, client *http.Client, retry time.Duration, keep int) {
	if clock == nil {
		clock = time.Now
	}
	if keep <= 0 {
		keep = defaultKeep
	}
	p.clock, p.ids, p.webhooks = clock, newMessageIDs(), newPoster(client, retry)
	p.sent, p.directory = newJournal(keep), newDirectory()
}

// Close stops posting webhooks and waits for those under way to end. The handler
// keeps answering. It always succeeds.
func (p *phones) Close() error {
	p.webhooks.close()
	return nil
}

// Fail makes calls fail; the path of one of Evolution ends with the instance's name. Of
// several faults for a call, the one set first takes it.
func (p *phones) Fail(fault Fault) {
	if fault.Times == 0 {
		fault.Times = 1
	}
	fault.Header = fault.Header.Clone()
	p.faults.add(fault)
}

// ClearFaults ends all faults. Calls that one already holds stay held by it.
func (p *phones) ClearFaults() { p.faults.clear() }

// WithoutWhatsApp makes these numbers (digits) unknown to WhatsApp.
func (p *phones) WithoutWhatsApp(numbers ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, number := range numbers {
		p.directory.absent[number] = true
	}
}

// KnownAs has WhatsApp know a number (digits) by another one, as it does with old Brazilian
// mobiles, whose ids lack the ninth digit. Both can be written to; check, receipts and
// messages name the id.
func (p *phones) KnownAs(number, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.directory.ids[number] = id
}

// LoseWebhooks has the next n webhooks vanish, without an error for anyone.
func (p *phones) LoseWebhooks(n int) { p.webhooks.lose.Store(int64(n)) }

// DroppedWebhooks is how many webhooks were not even queued, because thousands were
// waiting.
func (p *phones) DroppedWebhooks() uint64 { return p.webhooks.dropped.Load() }

// Sent returns the messages taken to be sent, in order of arrival: all of them, or the
// last KeepSent of the options and up to as many more. Evolution's have no TrackID.
func (p *phones) Sent() []SentMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]SentMessage, 0, len(p.sent.records))
	for _, each := range p.sent.records {
		all = append(all, each.SentMessage)
	}
	return all
}

// OnSent has observe called with every message taken from now on, before its sender
// is answered: from many goroutines at once, so it must be quick, and it must call nothing
// of the server. nil ends that.
func (p *phones) OnSent(observe func(SentMessage)) {
	if observe == nil {
		p.onSent.Store(nil)
		return
	}
	p.onSent.Store(&observe)
}

// shown is the picture that an instance shows to be scanned.
func (i *instance) shown(now time.Time) (string, error) {
	if picture := i.qrCode(now); picture != "" {
		return picture, nil
	}
	return "", ErrNotPairing
}

// scan pairs an instance with a phone.
func (i *instance) scan(phone string) error {
	switch {
	case i.state != Connecting:
		return ErrNotPairing
	case !isPhone(phone) || (i.pairPhone != "" && i.pairPhone != phone):
		return ErrWrongPhone
	}
	i.state, i.phone = Connected, phone
	i.picture, i.pairCode, i.pairPhone, i.reason = "", "", "", ""
	return nil
}
