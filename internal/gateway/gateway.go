// Package gateway is what the operator needs of a WhatsApp gateway: a narrow
// interface, spoken by one package for each gateway type. The package registry lists them.
package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/outbound"
)

// Timeout bounds every call to a gateway (the old backend's 10 s). It is shorter
// than a reconcile may take, so that the outcome can still be written.
const Timeout = 10 * time.Second

// MaxAnswer bounds an answer in bytes; the largest real one carries a QR image.
const MaxAnswer = 1 << 20

// MaxHeader bounds the headers of an answer in bytes, which are held in memory whole.
const MaxHeader = 64 << 10

// Connection is the state of an instance's WhatsApp connection.
type Connection string

const (
	// Disconnected: no phone is paired, or it logged out.
	Disconnected Connection = "Disconnected"
	// Connecting: waiting for a phone to scan the QR or enter the pair code, or
	// reconnecting.
	Connecting Connection = "Connecting"
	// Connected: messages can be sent.
	Connected Connection = "Connected"
)

// Identity names an instance at the gateway in a way that survives a crash between
// creating it there and storing its token here.
type Identity struct {
	// Name is the gateway's instance name.
	Name string
	// Owner is the namespace/name of the WhatsAppInstance.
	Owner string
	// UID is the UID of the WhatsAppInstance; it tells the instance from one that merely has the same name.
	UID string
}

// Instance is an instance as the gateway's account sees it.
type Instance struct {
	// ID is the gateway's own id of the instance.
	ID string
	// Token authorises calls for this instance. A secret.
	Token string
	// State is its connection.
	State State
}

// State is what the gateway tells of an instance's connection.
type State struct {
	// Connection is the state of the WhatsApp connection.
	Connection Connection
	// Phone is the paired number: digits with country code; empty when none.
	Phone string
	// QRCode is the picture to scan, as a data URI (data:image/png;base64,…); a
	// credential. Empty when there is none.
	QRCode string
	// PairCode is the code to enter on the phone; a credential. Empty when none.
	PairCode string
	// DisconnectReason is why the gateway says it is disconnected, in known words; see KnownReason.
	DisconnectReason string
	// Shown counts what the gateway has shown to pair with, where it counts: of an older picture
	// it is lower. 0 where it does not count.
	Shown int
}

// Text is a message to send.
type Text struct {
	// Phone is the recipient: digits with country code, no plus.
	Phone string
	// Body is the text, to be delivered to the letter. With a Template it is the template filled in,
	// for the gateway's own records.
	Body string
	// TrackID marks the message so that FindSent finds it again.
	TrackID string
	// Template is sent instead of free text; nil for free text. It needs Capabilities.Templates.
	Template *Template
	// Heard is when the recipient last wrote to this number, zero for never. It opens
	// Capabilities.FreeTextWindow.
	Heard time.Time
}

// Template is a text that WhatsApp has approved beforehand, with its variables filled in.
type Template struct {
	// Name and Language name the text at the gateway's account.
	Name, Language string
	// Variables are the values of its placeholders, in order.
	Variables []string
}

// Receipt is the gateway's word that it accepted a message.
type Receipt struct {
	// MessageID is the gateway's id of the message.
	MessageID string
	// At is when the gateway sent it; zero when it does not say.
	At time.Time
}

// WebhookKeyHeader is the header that carries an instance's webhook key where the gateway
// can send one; else the key is the last part of the URL's path.
const WebhookKeyHeader = "X-Cart-Recovery-Key"

// Webhook is where a gateway is to post.
type Webhook struct {
	// URL of the instance's webhook, without the key.
	URL string
	// Key that authenticates what is posted there. A secret.
	Key string
}

// KeyedURL is the URL with the key in its path, for gateways that send no header that a caller chooses. A secret.
func (w Webhook) KeyedURL() string { return strings.TrimRight(w.URL, "/") + "/" + w.Key }

// Format keeps the key out of every log line and error, however it is printed.
func (w Webhook) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, "gateway webhook")
}

// Number is what WhatsApp knows of a phone number.
type Number struct {
	// Registered says whether the number has WhatsApp.
	Registered bool
	// ID is the number that WhatsApp knows it by: digits with country code; "" when the
	// gateway does not say. Older Brazilian mobiles have one without the ninth digit.
	ID string
}

// Gateway is one gateway, called with the credentials of one WhatsAppInstance.
// Every method returns a *failure.Error when it fails, takes at most Timeout, ends when its
// context does, and holds nothing secret in its errors. What a gateway cannot do its Capabilities
// say, and the method then returns ErrUnsupported. gatewaytest.Run holds every client to this.
type Gateway interface {
	// Find looks for the instance that Create made for this identity; false when
	// there is none. It needs the account's admin token.
	Find(ctx context.Context, id Identity) (Instance, bool, error)
	// Create makes the instance. It needs the account's admin token. A creation whose answer was
	// lost is failure.Ambiguous: Find tells.
	Create(ctx context.Context, id Identity) (Instance, error)
	// Connect starts pairing: by QR, or by pair code when phone (digits with
	// country code) is not empty. Its answer may hold the QR of an earlier pairing, which
	// State.Shown tells. One that timed out may have begun all the same.
	Connect(ctx context.Context, phone string) (State, error)
	// Status asks for the connection. A deleted instance is failure.NotFound or
	// failure.Unauthorized.
	Status(ctx context.Context) (State, error)
	// RegisterWebhook tells the gateway where to post messages, receipts and
	// connection changes. The last one registered is the only one.
	RegisterWebhook(ctx context.Context, webhook Webhook) error
	// CheckNumber asks what WhatsApp knows of a phone number (digits with country code). It needs
	// Capabilities.CheckNumber.
	CheckNumber(ctx context.Context, phone string) (Number, error)
	// SendText sends a message. Only failure.Ambiguous leaves open whether it went.
	SendText(ctx context.Context, text Text) (Receipt, error)
	// FindSent looks for a message sent with this track id to this phone; false
	// when the gateway answered and does not know it. It needs Capabilities.FindSent.
	FindSent(ctx context.Context, trackID, phone string) (Receipt, bool, error)
	// Restart closes the connection and opens it again; the pairing stays. It needs
	// Capabilities.Restart.
	Restart(ctx context.Context) error
	// Disconnect logs the phone out, so that another can be paired. Success when it was gone
	// already. Without Capabilities.Logout it deletes the instance.
	Disconnect(ctx context.Context) error
	// Delete removes the instance, and what an earlier deletion may have left of it. Success when
	// it was gone already.
	Delete(ctx context.Context) error
}

// Endpoint is where a gateway is and what authorises calls to it.
type Endpoint struct {
	// BaseURL is the gateway's address, for example https://store.uazapi.com.
	BaseURL string
	// AdminToken authorises Find and Create; empty where they are not needed. A secret.
	AdminToken string
	// Token authorises everything else; empty before the instance exists. A secret.
	Token string
	// Instance is the gateway's instance name, for dialects that put it in the call.
	Instance string
	// Dialect is the variant of the gateway's protocol; "" for the first of Type.Dialects.
	Dialect v1alpha1.GatewayDialect
}

// Format keeps an Endpoint's secrets out of every log line and error, however it
// is printed.
func (e Endpoint) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "gateway endpoint (instance %s)", e.Instance)
}

// Factory builds the client of one gateway type. The HTTP client is shared; it
// follows no redirects (see NewHTTPClient). Type.Open calls it and bounds what the server says.
type Factory func(client *http.Client, endpoint Endpoint) (Gateway, error)

// NewHTTPClient returns the client of the operator's own gateways; see outbound.NewClient.
func NewHTTPClient() *http.Client { return outbound.NewClient(Timeout) }

// NewGuardedClient returns the client of gateways that WhatsAppInstances name; see
// outbound.NewGuardedClient.
func NewGuardedClient(rules outbound.Rules) *http.Client {
	return outbound.NewGuardedClient(Timeout, rules)
}
