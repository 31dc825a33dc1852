package uazapi

import (
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/phone"
)

// checked is one entry of the answer to /chat/check (UAZAPI v2 OpenAPI). Error says that
// this number could not be looked up: the flag beside it is then false without meaning it.
type checked struct {
	Query      wire.Text `json:"query"`
	JID        jid       `json:"jid"`
	Registered wire.Flag `json:"isInWhatsapp"`
	Error      wire.Text `json:"error"`
}

// parseNumbers finds the number that was asked for in the answer to /chat/check; false
// when the answer does not tell of it.
func parseNumbers(body []byte, asked string) (gateway.Number, bool) {
	var list []checked
	if !wire.IsList(body) || !wire.Decode(body, &list) {
		return gateway.Number{}, false
	}
	for _, each := range list {
		query, _ := wire.UserOf(string(each.Query))
		switch {
		case phone.Digits(query) != asked || !each.Registered.Known:
			continue
		case !each.Registered.Value && each.unsure():
			continue
		case !each.Registered.Value:
			return gateway.Number{}, true
		}
		id, _ := phone.FromJID(string(each.JID))
		return gateway.Number{Registered: true, ID: id}, true
	}
	return gateway.Number{}, false
}

// unsure says whether the server could not look the number up.
func (c checked) unsure() bool { return c.Error != "" && c.Error != "false" }
