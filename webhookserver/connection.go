package webhookserver

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

// connectionPause is the least time between two writes for the same word of one instance:
// some gateways repeat themselves with every try to connect.
const connectionPause = 5 * time.Second

// connections are what gateways last said of connections.
type connections struct {
	mu   sync.Mutex
	last map[types.UID]connectionWord
}

type connectionWord struct {
	word string
	at   time.Time
}

func newConnections() *connections {
	return &connections{last: map[types.UID]connectionWord{}}
}

// due says whether a word is acted on, and remembers that it is.
func (c *connections) due(instance types.UID, word string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, known := c.last[instance]; known && last.word == word && now.Sub(last.at) < connectionPause {
		return false
	}
	if len(c.last) >= maxRemembered {
		for old, last := range c.last {
			if now.Sub(last.at) >= connectionPause {
				delete(c.last, old)
			}
		}
	}
	c.last[instance] = connectionWord{word, now}
	return true
}

// forget lets the next word be acted on.
func (c *connections) forget(instance types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, instance)
}

// takeConnectionChange has the gateway asked for the connection at once. What the delivery
// says of it is not believed: it can be old, and deliveries overtake each other.
func (s *Server) takeConnectionChange(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message) (outcome, error) {
	now := s.Clock.Now()
	if !s.connections.due(instance.UID, message.Connection, now) {
		return outcome{Result: resultUnchanged}, nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationConnectionChanged: now.UTC().Format(time.RFC3339Nano),
	}}})
	if err == nil {
		named := &v1alpha1.WhatsAppInstance{ObjectMeta: metav1.ObjectMeta{Namespace: instance.Namespace, Name: instance.Name}}
		err = s.Client.Patch(ctx, named, client.RawPatch(types.MergePatchType, patch))
	}
	switch {
	case apierrors.IsNotFound(err):
		return ignored(ignoredNoInstance), nil
	case err != nil:
		s.connections.forget(instance.UID)
		return outcome{}, fmt.Errorf("have the gateway asked: %w", err)
	}
	return outcome{Result: resultRecorded}, nil
}
