package uazapi

import "cartrecovery.dev/operator/internal/gateway/wire"

// jid is a WhatsApp id: null, a string, or an object with the number as user.
type jid string

// UnmarshalJSON reads the value; it never fails.
func (j *jid) UnmarshalJSON(data []byte) error {
	*j = ""
	if wire.IsObject(data) {
		var object struct {
			User wire.Text `json:"user"`
		}
		_ = wire.Decode(data, &object)
		*j = jid(object.User)
		return nil
	}
	var written wire.Text
	_ = written.UnmarshalJSON(data)
	*j = jid(written)
	return nil
}
