package webhookserver

import (
	"context"

	"cartrecovery.dev/operator/webhookserver/formats"
)

// maxDeliveredTexts is how many texts of a delivery are read ahead for one that asks us to stop.
const maxDeliveredTexts = 8

// inboundDelivery is the messages that a gateway tells of at once. They are stored one after the other.
type inboundDelivery struct {
	messages []formats.Message
	// waited says that one of them has waited as a stranger's: the others do not again, for the delivery is answered
	// in time or not at all.
	waited bool
}

type deliveryKey struct{}

// delivering is a context in which the messages of one delivery are stored.
func delivering(ctx context.Context, messages []formats.Message) context.Context {
	return context.WithValue(ctx, deliveryKey{}, &inboundDelivery{messages: messages})
}

// inboundDeliveryOf is the delivery that is stored in a context; nil for none.
func inboundDeliveryOf(ctx context.Context) *inboundDelivery {
	found, _ := ctx.Value(deliveryKey{}).(*inboundDelivery)
	return found
}

// behind are the messages that were delivered behind another, whoever wrote them: they are stored after it.
func behind(ctx context.Context, message *formats.Message) []formats.Message {
	found := inboundDeliveryOf(ctx)
	if found == nil {
		return nil
	}
	for i := range found.messages {
		if &found.messages[i] == message {
			return found.messages[i+1 : min(len(found.messages), i+1+maxDeliveredTexts)]
		}
	}
	return nil
}
