package simulator

import (
	"errors"
	"slices"
	"time"
)

var (
	// ErrNoInstance: the server has no instance of that name.
	ErrNoInstance = errors.New("simulator: no such instance")
	// ErrNotPairing: the instance shows nothing that a phone could scan or enter.
	ErrNotPairing = errors.New("simulator: the instance is not pairing")
	// ErrWrongPhone: the pair code was made for another number, or it is no number.
	ErrWrongPhone = errors.New("simulator: this phone cannot pair with the instance")
	// ErrNotConnected: no phone is paired with the instance.
	ErrNotConnected = errors.New("simulator: the instance is not connected")
	// ErrNoWebhook: the instance has no enabled webhook for such an event.
	ErrNoWebhook = errors.New("simulator: the instance has no webhook for this event")
	// ErrNoMessage: the instance has sent no message of that id.
	ErrNoMessage = errors.New("simulator: no such message")
	// ErrInvalidMessage: a message needs a number and, of most kinds, a text.
	ErrInvalidMessage = errors.New("simulator: the message lacks a number or a text")
)

// loggedOut is WhatsApp's usual reason for a lost pairing.
const loggedOut = "401: logged out from another device"

// ReceiptKind is what the customer's phone tells of a message.
type ReceiptKind string

const (
	// Delivered: it has arrived at the phone.
	Delivered ReceiptKind = "Delivered"
	// Read: it was opened there.
	Read ReceiptKind = "Read"
)

// SimulatedInstance is an instance, as it is now.
type SimulatedInstance struct {
	// Name is its name, which need not be unique.
	Name string
	// Token authorises its calls. A secret.
	Token string
	// AdminField01 and AdminField02 are what its creator marked it with.
	AdminField01, AdminField02 string
	// State is Disconnected, Connecting or Connected.
	State string
	// Phone is the paired number, empty when none is.
	Phone string
	// WebhookURL is where it posts to, empty when nowhere. A secret.
	WebhookURL string
}

// Instances returns all instances, oldest first.
func (u *UAZAPI) Instances() []SimulatedInstance {
	now := u.clock()
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]SimulatedInstance, 0, len(u.instances))
	for _, each := range u.instances {
		each.refresh(now)
		one := SimulatedInstance{
			Name: each.name, Token: each.token, State: each.state, Phone: each.phone,
			AdminField01: each.adminField01, AdminField02: each.adminField02,
		}
		if each.webhook != nil && each.webhook.Enabled {
			one.WebhookURL = each.webhook.URL
		}
		all = append(all, one)
	}
	return all
}

// named returns the newest instance of that name, with u.mu held.
func (u *UAZAPI) named(name string, now time.Time) (*instance, error) {
	for _, each := range slices.Backward(u.instances) {
		if each.name == name {
			each.refresh(now)
			return each, nil
		}
	}
	return nil, ErrNoInstance
}

// QRCode returns the picture that the instance shows to be scanned, as a data URI.
func (u *UAZAPI) QRCode(instanceName string) (string, error) {
	now := u.clock()
	u.mu.Lock()
	defer u.mu.Unlock()
	found, err := u.named(instanceName, now)
	if err != nil {
		return "", err
	}
	return found.shown(now)
}

// Scan has a phone (digits with country code) scan the instance's QR, or enter its
// pair code: it is connected, and its webhook is told before Scan returns. A webhook
// that cannot be delivered is lost, and no error.
func (u *UAZAPI) Scan(instanceName, phone string) error {
	now := u.clock()
	u.mu.Lock()
	found, err := u.named(instanceName, now)
	if err == nil {
		err = found.scan(phone)
	}
	if err != nil {
		u.mu.Unlock()
		return err
	}
	to := found.hook()
	u.mu.Unlock()
	u.tell(to, to.connection(Connected, "", now))
	return nil
}

// Logout has the owner of the phone end the pairing: the instance is disconnected,
// and its webhook is told before Logout returns. Without a reason it is WhatsApp's
// usual one.
func (u *UAZAPI) Logout(instanceName, reason string) error {
	if reason == "" {
		reason = loggedOut
	}
	now := u.clock()
	u.mu.Lock()
	found, err := u.named(instanceName, now)
	if err != nil {
		u.mu.Unlock()
		return err
	}
	to := found.hook()
	found.end(now, reason)
	u.mu.Unlock()
	u.tell(to, to.connection(Disconnected, reason, now))
	return nil
}

// tell posts a webhook that is wanted, and waits for it.
func (u *UAZAPI) tell(to hook, body envelope) {
	if to.wants(body.EventType) {
		_ = u.post(u.webhooks.ctx, to, body)
	}
}

// Restrict has WhatsApp restrict the instance's number until a time: messages to
// phones that have not written to it are refused with 500 and provider code 463. The
// zero time lifts it.
func (u *UAZAPI) Restrict(instanceName string, until time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	found, err := u.named(instanceName, u.clock())
	if err != nil {
		return err
	}
	found.restrictedUntil = until
	return nil
}

// Acknowledge has the customer's phone tell that a sent message was delivered or read. It
// returns once the webhook has been answered, and a *WebhookError when that was not with a
// 2xx.
func (u *UAZAPI) Acknowledge(instanceName, messageID string, kind ReceiptKind) error {
	u.mu.Lock()
	found, err := u.named(instanceName, u.clock())
	if err != nil {
		u.mu.Unlock()
		return err
	}
	kept, known := u.sent.find(found, messageID)
	to := found.hook()
	u.mu.Unlock()
	switch {
	case !known:
		return ErrNoMessage
	case !to.wants("messages_update"):
		return ErrNoWebhook
	}
	return u.post(u.webhooks.ctx, to, to.receipt(kept, kind))
}
