package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"cartrecovery.dev/operator/internal/failure"
)

// This file bounds what a gateway says, of whatever type it is: it can be a tenant's own, and answer anything.
// Everything that is stored or shown of its words comes through here.

const (
	// maxPicture bounds the picture to scan, in bytes: it is kept in a Secret.
	maxPicture = 128 << 10
	// maxPairCode, maxMessageID and maxInstanceID bound ids and codes, in bytes. The schema takes as many.
	maxPairCode   = 32
	maxMessageID  = 160
	maxInstanceID = 128
	// maxToken bounds an instance's token, in bytes.
	maxToken = 512
	// maxShown bounds the count of pictures that were shown.
	maxShown = 1 << 20
)

// The years that times of messages can be from: WhatsApp began in 2009.
var (
	firstMessage = time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC)
	lastMessage  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// NewBounded returns a Gateway that does what inner does, bounded: each call by Timeout, answers as far
// as they can be real (ids, codes, pictures, known words, nothing with one of the endpoint's
// credentials in it), and calls by what the gateway can.
func NewBounded(inner Gateway, endpoint Endpoint, can Capabilities, now func() time.Time) Gateway {
	var secrets []string
	for _, secret := range []string{endpoint.Token, endpoint.AdminToken} {
		if secret = strings.TrimSpace(secret); secret != "" {
			secrets = append(secrets, secret)
		}
	}
	return bounded{inner: inner, can: can, now: now, secrets: secrets}
}

// bounded bounds a Gateway.
type bounded struct {
	inner Gateway
	can   Capabilities
	now   func() time.Time
	// secrets are the credentials of the calls. A gateway that repeats one must not have it shown.
	secrets []string
}

// Format keeps the credentials out of every log line and error, however the gateway is printed.
func (b bounded) Format(state fmt.State, verb rune) {
	if inner, ok := b.inner.(fmt.Formatter); ok {
		inner.Format(state, verb)
		return
	}
	_, _ = fmt.Fprint(state, "gateway client")
}

func (b bounded) Find(ctx context.Context, id Identity) (Instance, bool, error) {
	ctx, cancel, err := begin(ctx, "gateway: find instance")
	if err != nil {
		return Instance{}, false, err
	}
	defer cancel()
	found, ok, err := b.inner.Find(ctx, id)
	return b.instance(found), ok, err
}

func (b bounded) Create(ctx context.Context, id Identity) (Instance, error) {
	ctx, cancel, err := begin(ctx, "gateway: create instance")
	if err != nil {
		return Instance{}, err
	}
	defer cancel()
	made, err := b.inner.Create(ctx, id)
	return b.instance(made), err
}

func (b bounded) Connect(ctx context.Context, phone string) (State, error) {
	ctx, cancel, err := begin(ctx, "gateway: connect")
	if err != nil {
		return State{}, err
	}
	defer cancel()
	state, err := b.inner.Connect(ctx, phone)
	return b.state(state), err
}

func (b bounded) Status(ctx context.Context) (State, error) {
	ctx, cancel, err := begin(ctx, "gateway: status")
	if err != nil {
		return State{}, err
	}
	defer cancel()
	state, err := b.inner.Status(ctx)
	return b.state(state), err
}

func (b bounded) RegisterWebhook(ctx context.Context, webhook Webhook) error {
	ctx, cancel, err := begin(ctx, "gateway: register webhook")
	if err != nil {
		return err
	}
	defer cancel()
	return b.inner.RegisterWebhook(ctx, webhook)
}

func (b bounded) CheckNumber(ctx context.Context, phone string) (Number, error) {
	if !b.can.CheckNumber {
		return Number{}, ErrUnsupported
	}
	ctx, cancel, err := begin(ctx, "gateway: check number")
	if err != nil {
		return Number{}, err
	}
	defer cancel()
	number, err := b.inner.CheckNumber(ctx, phone)
	number.ID = phoneOnly(number.ID)
	return number, err
}

func (b bounded) SendText(ctx context.Context, text Text) (Receipt, error) {
	switch {
	case text.Template != nil && !b.can.Templates:
		return Receipt{}, ErrUnsupported
	case !b.can.MayWrite(text, b.now()):
		return Receipt{}, errWindow
	}
	ctx, cancel, err := begin(ctx, "gateway: send text")
	if err != nil {
		return Receipt{}, err
	}
	defer cancel()
	receipt, err := b.inner.SendText(ctx, text)
	return b.receipt(receipt), err
}

func (b bounded) FindSent(ctx context.Context, trackID, phone string) (Receipt, bool, error) {
	if !b.can.FindSent {
		return Receipt{}, false, ErrUnsupported
	}
	ctx, cancel, err := begin(ctx, "gateway: find sent message")
	if err != nil {
		return Receipt{}, false, err
	}
	defer cancel()
	receipt, found, err := b.inner.FindSent(ctx, trackID, phone)
	return b.receipt(receipt), found, err
}

func (b bounded) Restart(ctx context.Context) error {
	if !b.can.Restart {
		return ErrUnsupported
	}
	ctx, cancel, err := begin(ctx, "gateway: restart")
	if err != nil {
		return err
	}
	defer cancel()
	return b.inner.Restart(ctx)
}

func (b bounded) Disconnect(ctx context.Context) error {
	ctx, cancel, err := begin(ctx, "gateway: disconnect")
	if err != nil {
		return err
	}
	defer cancel()
	return b.inner.Disconnect(ctx)
}

func (b bounded) Delete(ctx context.Context) error {
	ctx, cancel, err := begin(ctx, "gateway: delete instance")
	if err != nil {
		return err
	}
	defer cancel()
	return b.inner.Delete(ctx)
}

// begin bounds a call in time. It fails where the call may not begin: its context has ended, or its lease
// (WithLease) is over.
func begin(ctx context.Context, op string) (context.Context, context.CancelFunc, error) {
	failed := &failure.Error{Class: failure.Transient, Code: failure.Unavailable, Op: op,
		Detail: "the call was cancelled"}
	holds := LeaseOf(ctx)
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		failed.Code, failed.Detail = failure.TimedOut, "there was no time left for the call"
	case err != nil:
	case holds != nil && !holds():
		failed.Code, failed.Detail = failure.LeaseLost, "the call was not begun: its time was over"
	default:
		ctx, cancel := context.WithTimeout(ctx, Timeout)
		return ctx, cancel, nil
	}
	return nil, nil, failed
}

func (b bounded) instance(said Instance) Instance {
	token := said.Token
	if len(token) > maxToken || strings.ContainsFunc(token, notPrinted) {
		token = ""
	}
	// The new token is a secret as well.
	known := bounded{secrets: append([]string{}, b.secrets...)}
	if token != "" {
		known.secrets = append(known.secrets, token)
	}
	return Instance{ID: known.id(said.ID, maxInstanceID), Token: token, State: known.state(said.State)}
}

func (b bounded) state(said State) State {
	return State{
		Connection:       said.Connection,
		Phone:            phoneOnly(said.Phone),
		QRCode:           b.unlessSecret(pictureOnly(said.QRCode)),
		PairCode:         b.unlessSecret(pairCodeOnly(said.PairCode)),
		DisconnectReason: KnownReason(said.DisconnectReason),
		Shown:            min(max(said.Shown, 0), maxShown),
	}
}

func (b bounded) receipt(said Receipt) Receipt {
	if said.At.Before(firstMessage) || said.At.After(lastMessage) {
		said.At = time.Time{}
	}
	return Receipt{MessageID: b.id(said.MessageID, maxMessageID), At: said.At}
}

// id returns an id of printed characters without a credential in it; "" for anything else. A long one is cut, as it is
// when it comes in again with a webhook.
func (b bounded) id(said string, most int) string {
	if strings.ContainsFunc(said, notPrinted) {
		return ""
	}
	said = b.unlessSecret(said)
	return said[:min(len(said), most)]
}

// unlessSecret returns what was said, or "" where a credential is in it.
func (b bounded) unlessSecret(said string) string {
	for _, secret := range b.secrets {
		if strings.Contains(said, secret) {
			return ""
		}
	}
	return said
}

// notPrinted tells the characters that no id or token has: all but those of ASCII that are seen.
func notPrinted(r rune) bool { return r <= ' ' || r > '~' }

// phoneOnly is a number of 8 to 15 digits, else nothing.
func phoneOnly(said string) string {
	if len(said) < 8 || len(said) > 15 || strings.Trim(said, "0123456789") != "" {
		return ""
	}
	return said
}

// pictureOnly is a picture as a data URI, else nothing: people's browsers show it.
func pictureOnly(said string) string {
	kind, data, found := strings.Cut(said, ";base64,")
	name, isImage := strings.CutPrefix(kind, "data:image/")
	isName := name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz+-.") == ""
	notBase64 := func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("+/=-_", r))
	}
	if len(said) > maxPicture || !found || !isImage || !isName || strings.ContainsFunc(data, notBase64) {
		return ""
	}
	return said
}

// pairCodeOnly is a code of letters and digits, in groups or not, else nothing.
func pairCodeOnly(said string) string {
	odd := func(r rune) bool {
		return r > unicode.MaxASCII || !(unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == ' ')
	}
	if len(said) > maxPairCode || strings.ContainsFunc(said, odd) {
		return ""
	}
	return said
}
