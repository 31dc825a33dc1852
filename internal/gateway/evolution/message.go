package evolution

import (
	"context"
	"net/http"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/phone"
)

// CheckNumber asks what WhatsApp knows of a number. An answer that leaves the number out
// proves nothing, and is failure.InvalidAnswer.
func (c *client) CheckNumber(ctx context.Context, phone string) (gateway.Number, error) {
	request := call{Call: wire.Call{
		Op: "evolution: check number", Method: http.MethodPost, Path: c.of("/chat/whatsappNumbers"),
		Body: map[string]any{"numbers": []string{phone}},
	}, lookUp: true}
	if !wire.IsPhone(phone) {
		return gateway.Number{}, request.Invalid("a phone number is digits with country code")
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Number{}, err
	}
	number, ok := parseNumbers(body, phone)
	if !ok {
		return gateway.Number{}, request.Junk(http.StatusOK, "the answer does not tell of the number")
	}
	return number, nil
}

// SendText sends a message. No link preview: the server would fetch the linked page first,
// and hold the call meanwhile.
func (c *client) SendText(ctx context.Context, text gateway.Text) (gateway.Receipt, error) {
	request := call{Call: wire.Call{
		Op: "evolution: send text", Method: http.MethodPost, Path: c.of("/message/sendText"), Once: true,
		Body: map[string]any{"number": text.Phone, "text": text.Body, "linkPreview": false},
	}, send: true}
	if c.endpoint.Dialect == v1alpha1.DialectV1 {
		request.Body = map[string]any{"number": text.Phone, "textMessage": map[string]string{"text": text.Body}}
	}
	if !wire.IsPhone(text.Phone) {
		return gateway.Receipt{}, request.Invalid("a phone number is digits with country code")
	}
	if strings.TrimSpace(text.Body) == "" {
		return gateway.Receipt{}, request.Invalid("a message needs a text")
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Receipt{}, err
	}
	receipt, ok := parseSent(body)
	if !ok {
		return gateway.Receipt{}, request.Junk(http.StatusCreated, "the answer is no receipt with a message id")
	}
	return receipt, nil
}

// parseNumbers finds the number that was asked for in the answer to
// /chat/whatsappNumbers; false when the answer does not tell of it.
func parseNumbers(body []byte, asked string) (gateway.Number, bool) {
	var list []struct {
		JID    wire.Text `json:"jid"`
		Exists wire.Flag `json:"exists"`
		Number wire.Text `json:"number"`
	}
	if !wire.IsList(body) || !wire.Decode(body, &list) {
		return gateway.Number{}, false
	}
	for _, each := range list {
		if user, _ := wire.UserOf(string(each.Number)); phone.Digits(user) != asked || !each.Exists.Known {
			continue
		}
		if !each.Exists.Value {
			return gateway.Number{}, true
		}
		id, _ := phone.FromJID(string(each.JID))
		return gateway.Number{Registered: true, ID: id}, true
	}
	return gateway.Number{}, false
}

// parseSent reads the answer of /message/sendText; false when it is no receipt. The status
// is the one it was sent with, PENDING, which WhatsApp has not confirmed.
func parseSent(body []byte) (gateway.Receipt, bool) {
	var sent struct {
		Key struct {
			ID wire.Text `json:"id"`
		} `json:"key"`
		Status    wire.Text   `json:"status"`
		Timestamp wire.Moment `json:"messageTimestamp"`
	}
	if !wire.IsObject(body) || !wire.Decode(body, &sent) || strings.EqualFold(string(sent.Status), "ERROR") {
		return gateway.Receipt{}, false
	}
	receipt := gateway.Receipt{MessageID: sent.Key.ID.Bounded(), At: sent.Timestamp.Time}
	return receipt, receipt.MessageID != ""
}
