package gateway

import (
	"strings"
	"unicode"
)

const (
	// UnknownReason is shown in place of a reason that is not in known words: it could hold a token
	// that the gateway repeats, a phone number, or a name.
	UnknownReason = "the gateway gave a reason"
	// maxReasonWords bounds a reason that is shown.
	maxReasonWords = 16
	// statusDigits is how long the numbers are that a reason may hold: WhatsApp's codes.
	statusDigits = 3
)

// reasonWords are the words that gateways give their reasons in, as their libraries (Baileys,
// whatsmeow) and their own code have them.
var reasonWords = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(`
		a account after again an and another app at ban banned bad badsession be been before by change changed client close closed code
		conflict connect connected connection connectionclosed connectionlost connectionreplaced corrupt device devices
		disconnect disconnected elsewhere error expired failed failure for forbidden from gateway gave gone has hibernated in instance
		internal intentional invalid is it keepalive limit link linked locked logged loggedout login logout lost main
		manual mismatch missing multidevice multidevicemismatch network no not of off offline old on open or out outdated
		pair paired pairing permanent phone primary qr qrcode reached reason reconnect refused remote remove removed replaced
		request requested required reset restart restarted restartrequired restricted scanned server service session simulated
		socket status stopped stream temporarily temporary terminated the time timed timedout timeout to too many unavailable
		unavailableservice unknown unlinked unpaired unexpected update user version violation was web whatsapp with
	`) {
		words[word] = true
	}
	return words
}()

// KnownReason is a reason of a gateway as far as it may be shown: one that is written in known words
// and codes is shown as it is, of another only that there is one.
func KnownReason(said string) string {
	said = strings.TrimSpace(said)
	if said == "" {
		return ""
	}
	words := strings.FieldsFunc(said, func(r rune) bool { return strings.ContainsRune(" :;,.()/'-_\n\t", r) })
	if len(words) == 0 || len(words) > maxReasonWords {
		return UnknownReason
	}
	for _, word := range words {
		isCode := len(word) <= statusDigits && strings.Trim(word, "0123456789") == ""
		if !isCode && !reasonWords[strings.ToLower(word)] {
			return UnknownReason
		}
	}
	return strings.Join(strings.FieldsFunc(said, unicode.IsSpace), " ")
}
