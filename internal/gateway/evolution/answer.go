package evolution

import (
	"net/http"
	"strconv"
	"strings"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/outbound"
)

// taken tells a person that another instance has the name.
const taken = "the server has another instance of this name: create another WhatsAppInstance with another " +
	"spec.instanceName, " +
	"or delete that instance at the server; if it is this number's, from before a restore, delete it there and pair " +
	"the phone again"

// prefix begins the token of an instance that was made for an identity.
func prefix(id gateway.Identity) string { return id.UID + "." }

// instance is the server's description of an instance: flat in version 2, under instance in
// version 1. It is never kept or logged as a whole.
type instance struct {
	ID                   wire.Text `json:"id"`
	Name                 wire.Text `json:"name"`
	ConnectionStatus     wire.Text `json:"connectionStatus"`
	OwnerJID             wire.Text `json:"ownerJid"`
	Token                wire.Text `json:"token"`
	DisconnectReasonCode wire.Text `json:"disconnectionReasonCode"`

	Nested struct {
		ID     wire.Text `json:"instanceId"`
		Name   wire.Text `json:"instanceName"`
		Status wire.Text `json:"status"`
		Owner  wire.Text `json:"owner"`
		APIKey wire.Text `json:"apikey"`
	} `json:"instance"`
}

func (i instance) id() string     { return either(i.ID, i.Nested.ID) }
func (i instance) name() string   { return either(i.Name, i.Nested.Name) }
func (i instance) status() string { return either(i.ConnectionStatus, i.Nested.Status) }
func (i instance) token() string  { return either(i.Token, i.Nested.APIKey) }

// either is the first that is there and no longer than any real one.
func either(first, second wire.Text) string {
	if first != "" {
		return first.Bounded()
	}
	return second.Bounded()
}

// details adds the paired number to a connected state and the reason to a disconnected one.
func (i instance) details(state gateway.State) gateway.State {
	switch state.Connection {
	case gateway.Connected:
		if user, _ := wire.UserOf(either(i.OwnerJID, i.Nested.Owner)); wire.IsPhone(user) {
			state.Phone = user
		}
	case gateway.Disconnected:
		if code := i.DisconnectReasonCode.Reason(); code != "" {
			state.DisconnectReason = "WhatsApp closed the session with code " + code
		}
	case gateway.Connecting:
	}
	return state
}

// ours tells whether a listed instance is the identity's.
func (i instance) ours(op string, id gateway.Identity) (gateway.Instance, bool, error) {
	token := i.token()
	switch {
	case token == "":
		return gateway.Instance{}, false, wire.Misconfigured(op,
			"the server does not show whose instance of this name it is: set "+
				"AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES=true there")
	case !strings.HasPrefix(token, prefix(id)):
		return gateway.Instance{}, false, &failure.Error{
			Class: failure.Terminal, Code: failure.InvalidInput, Op: op, Status: http.StatusOK, Detail: taken,
		}
	case !outbound.Sendable(token):
		return gateway.Instance{}, false, &failure.Error{
			Class: failure.Terminal, Code: failure.InvalidAnswer, Op: op, Status: http.StatusOK,
			Detail: "the instance's token cannot be used",
		}
	}
	return gateway.Instance{ID: i.id(), Token: token,
		State: i.details(gateway.State{Connection: connection(i.status())})}, true, nil
}

// connection translates the server's word for a state; "" for a word that it does not have. "refused" is a pairing that
// nobody finished.
func connection(state string) gateway.Connection {
	switch strings.ToLower(state) {
	case "open":
		return gateway.Connected
	case "connecting":
		return gateway.Connecting
	case "close", "closed", "refused":
		return gateway.Disconnected
	}
	return ""
}

// parseInstances reads the answer of /instance/fetchInstances: a list or, of version 1, one
// instance alone. False when it is neither.
func parseInstances(body []byte) ([]instance, bool) {
	if wire.IsObject(body) {
		var one instance
		if !wire.Decode(body, &one) || one.name() == "" {
			return nil, false
		}
		return []instance{one}, true
	}
	var listed []instance
	if !wire.IsList(body) || !wire.Decode(body, &listed) {
		return nil, false
	}
	return listed, true
}

// parseCreated reads the answer of /instance/create: hash is the token, in version 1 in an
// object. False when it is not the one that was asked for.
func parseCreated(body []byte, token string) (gateway.Instance, bool) {
	var flat struct {
		Hash wire.Text `json:"hash"`
	}
	var nested struct {
		Hash struct {
			APIKey wire.Text `json:"apikey"`
		} `json:"hash"`
		Instance struct {
			ID     wire.Text `json:"instanceId"`
			Status wire.Text `json:"status"`
		} `json:"instance"`
	}
	if !wire.IsObject(body) || !wire.Decode(body, &flat) || !wire.Decode(body, &nested) {
		return gateway.Instance{}, false
	}
	if either(flat.Hash, nested.Hash.APIKey) != token {
		return gateway.Instance{}, false
	}
	state := connection(string(nested.Instance.Status))
	if state == "" {
		state = gateway.Disconnected
	}
	return gateway.Instance{ID: nested.Instance.ID.Bounded(), Token: token, State: gateway.State{Connection: state}},
		true
}

// parseState reads the answer of /instance/connectionState. The server knows instances that
// it has not loaded: they have no state.
func parseState(body []byte) (state gateway.State, loaded, ok bool) {
	var answer struct {
		Instance struct {
			Name  wire.Text `json:"instanceName"`
			State wire.Text `json:"state"`
		} `json:"instance"`
	}
	if !wire.IsObject(body) || !wire.Decode(body, &answer) {
		return gateway.State{}, false, false
	}
	if answer.Instance.State == "" {
		return gateway.State{}, false, answer.Instance.Name != ""
	}
	state.Connection = connection(string(answer.Instance.State))
	return state, true, state.Connection != ""
}

// parsePairing reads the answer of /instance/connect: what a phone is to scan or enter, or
// the state of an instance that is connected. failed: the server says that it could not,
// which it does with 200. A pair code comes along with a picture, which does not go with it.
func parsePairing(body []byte) (state gateway.State, failed, ok bool) {
	var answer struct {
		Error    wire.Flag `json:"error"`
		Base64   wire.Text `json:"base64"`
		PairCode wire.Text `json:"pairingCode"`
		Count    wire.Text `json:"count"`
	}
	if !wire.IsObject(body) || !wire.Decode(body, &answer) {
		return gateway.State{}, false, false
	}
	if answer.Error.Value {
		return gateway.State{}, true, false
	}
	if now, loaded, ok := parseState(body); ok && loaded {
		return now, false, true
	}
	state = gateway.State{Connection: gateway.Connecting, PairCode: answer.PairCode.Bounded()}
	if state.PairCode == "" {
		state.QRCode = answer.Base64.Picture()
	}
	if shown, err := strconv.Atoi(string(answer.Count)); err == nil && shown > 0 {
		state.Shown = shown
	}
	return state, false, state.PairCode != "" || state.QRCode != "" || answer.Count != ""
}
