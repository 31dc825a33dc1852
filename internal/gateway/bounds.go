package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// This file bounds what a gateway says, of whatever type it is: it can be a tenant's own, and
// answer anything. Nothing that it says is stored or shown but through here.

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

// NewBounded returns a Gateway that says what inner says, bounded: ids, codes and pictures as far as
// they can be real, known words only, and nothing that holds one of the endpoint's credentials.
func NewBounded(inner Gateway, endpoint Endpoint) Gateway {
	var secrets []string
	for _, secret := range []string{endpoint.Token, endpoint.AdminToken} {
		if secret = strings.TrimSpace(secret); secret != "" {
			secrets = append(secrets, secret)
		}
	}
	made := bounded{Gateway: inner, secrets: secrets}
	if restarter, can := inner.(Restarter); can {
		return restartable{bounded: made, Restarter: restarter}
	}
	return made
}

// bounded bounds what a Gateway says. The methods that only fail or succeed are the Gateway's own.
type bounded struct {
	Gateway
	// secrets are the credentials of the calls. A gateway that repeats one must not have it shown.
	secrets []string
}

// restartable is a bounded Gateway that is a Restarter.
type restartable struct {
	bounded
	Restarter
}

// Format keeps the credentials out of every log line and error, however the gateway is printed.
func (b bounded) Format(state fmt.State, verb rune) {
	if inner, ok := b.Gateway.(fmt.Formatter); ok {
		inner.Format(state, verb)
		return
	}
	_, _ = fmt.Fprint(state, "gateway client")
}

func (b bounded) Find(ctx context.Context, id Identity) (Instance, bool, error) {
	found, ok, err := b.Gateway.Find(ctx, id)
	return b.instance(found), ok, err
}

func (b bounded) Create(ctx context.Context, id Identity) (Instance, error) {
	made, err := b.Gateway.Create(ctx, id)
	return b.instance(made), err
}

func (b bounded) Connect(ctx context.Context, phone string) (State, error) {
	state, err := b.Gateway.Connect(ctx, phone)
	return b.state(state), err
}

func (b bounded) Status(ctx context.Context) (State, error) {
	state, err := b.Gateway.Status(ctx)
	return b.state(state), err
}

func (b bounded) CheckNumber(ctx context.Context, phone string) (Number, error) {
	number, err := b.Gateway.CheckNumber(ctx, phone)
	number.ID = phoneOnly(number.ID)
	return number, err
}

func (b bounded) SendText(ctx context.Context, text Text) (Receipt, error) {
	receipt, err := b.Gateway.SendText(ctx, text)
	return b.receipt(receipt), err
}

func (b bounded) FindSent(ctx context.Context, trackID, phone string) (Receipt, bool, error) {
	receipt, found, err := b.Gateway.FindSent(ctx, trackID, phone)
	return b.receipt(receipt), found, err
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
		QRCode:           pictureOnly(said.QRCode),
		PairCode:         pairCodeOnly(said.PairCode),
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

// id is an id as far as it can be one: of printed characters, without a credential in it. A long one
// is cut, as it is where it comes in again with a webhook.
func (b bounded) id(said string, most int) string {
	if strings.ContainsFunc(said, notPrinted) {
		return ""
	}
	for _, secret := range b.secrets {
		if strings.Contains(said, secret) {
			return ""
		}
	}
	return said[:min(len(said), most)]
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
