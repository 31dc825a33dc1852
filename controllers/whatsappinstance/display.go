package whatsappinstance

import "cartrecovery.dev/operator/internal/gateway"

// display keeps the count of the pictures that a gateway has shown, where it tells one. Some gateways begin a pairing
// with the QR of the one before.
type display struct {
	// known: shown is the last count of the gateway's.
	known bool
	shown int
	// old is the last count that belongs to an earlier pairing.
	old int
}

// begin notes that a pairing has begun, and the answer to it. Where nothing is known of an
// earlier pairing, and there may have been one, what the gateway shows at first is old.
func (d *display) begin(answer gateway.State, everConnected bool) {
	switch {
	case d.known:
		d.old = d.shown
	case everConnected, answer.Shown > 1:
		d.old = answer.Shown
	default:
		d.old = 0
	}
}

// look notes what the gateway shows, and says whether it belongs to the current pairing. A lower count than before
// means that the gateway has started to count again.
func (d *display) look(state gateway.State) bool {
	if state.Connection != gateway.Connecting {
		return true
	}
	if state.Shown > 0 && state.Shown < d.old {
		d.old = 0
	}
	d.known, d.shown = true, state.Shown
	return state.Shown == 0 || state.Shown > d.old
}
