package webhookserver

import (
	"context"

	"cartrecovery.dev/operator/webhookserver/dialects"
)

// maxDeliveredTexts is how many texts of a delivery are read ahead for one that asks us to stop.
const maxDeliveredTexts = 8

// inboundDelivery is the messages that a gateway tells of at once. They are stored one after the other.
type inboundDelivery struct {
	messages []dialects.Message
	// waited says that one of them has waited as a stranger's: the others do not again, for the delivery is answered
	// in time or not at all.
	waited bool
}

type deliveryKey struct{}

// delivering is a context in which the messages of one delivery are stored.
func delivering(ctx context.Context, messages []dialects.Message) context.Context {
	return context.WithValue(ctx, deliveryKey{}, &inboundDelivery{messages: messages})
}

// inboundDeliveryOf is the delivery that is stored in a context; nil for none.
func inboundDeliveryOf(ctx context.Context) *inboundDelivery {
	found, _ := ctx.Value(deliveryKey{}).(*inboundDelivery)
	return found
}

// deliveredWith is the text of a message and of those of the same customer that were delivered behind it.
func deliveredWith(ctx context.Context, message *dialects.Message) []string {
	texts := []string{message.Text}
	found := inboundDeliveryOf(ctx)
	if found == nil {
		return texts
	}
	behind := false
	for i := range found.messages {
		each := &found.messages[i]
		if behind && each.Phone == message.Phone && each.Text != "" && len(texts) < maxDeliveredTexts {
			texts = append(texts, each.Text)
		}
		behind = behind || each == message
	}
	return texts
}
