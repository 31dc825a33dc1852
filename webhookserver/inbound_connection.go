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
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// connectionPause is the least time between two writes for one instance: some gateways repeat
// themselves with every try to connect, and a connection can come and go many times a second.
const connectionPause = 5 * time.Second

// connections are what gateways last said of connections.
type connections struct {
	// begun gets an element when there is something to write later.
	begun chan struct{}

	mu   sync.Mutex
	last map[types.UID]connectionWord
}

type connectionWord struct {
	name types.NamespacedName
	word string
	// at is when an instance was last written for.
	at time.Time
	// again says that another word has come since.
	again bool
}

func newConnections() *connections {
	return &connections{begun: make(chan struct{}, 1), last: map[types.UID]connectionWord{}}
}

// due says what becomes of a word: acted on now, later, or unchanged, where it was the last.
func (c *connections) due(instance *v1alpha1.WhatsAppInstance, word string, now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.last[instance.UID]
	switch {
	case !known || now.Sub(last.at) >= connectionPause:
		c.prune(now)
		c.last[instance.UID] = connectionWord{name: client.ObjectKeyFromObject(instance), word: word, at: now}
		return resultRecorded
	case last.word == word:
		return resultUnchanged
	}
	last.word, last.again = word, true
	c.last[instance.UID] = last
	select {
	case c.begun <- struct{}{}:
	default:
	}
	return resultGathered
}

// prune makes room where there is none.
func (c *connections) prune(now time.Time) {
	if len(c.last) < maxRemembered {
		return
	}
	for old, last := range c.last {
		if !last.again && now.Sub(last.at) >= connectionPause {
			delete(c.last, old)
		}
	}
}

// next is when the next instance is written for again; false when none is.
func (c *connections) next() (at time.Time, waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, last := range c.last {
		if due := last.at.Add(connectionPause); last.again && (!waiting || due.Before(at)) {
			at, waiting = due, true
		}
	}
	return at, waiting
}

// take returns the instances that are to be written for again by now.
func (c *connections) take(now time.Time) []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []types.NamespacedName
	for uid, last := range c.last {
		if last.again && now.Sub(last.at) >= connectionPause {
			last.again, last.at = false, now
			c.last[uid] = last
			names = append(names, last.name)
		}
	}
	return names
}

// forget lets the next word be acted on.
func (c *connections) forget(instance types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, instance)
}

// takeConnectionChange has the gateway asked for the connection at once or, where it was just
// now, once more a little later, so that the last of many changes is not missed. What the
// delivery says of it is not believed: it can be old, and deliveries overtake each other.
func (s *Server) takeConnectionChange(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	message *formats.Message) (outcome, error) {
	if result := s.connections.due(instance, message.Connection, s.Clock.Now()); result != resultRecorded {
		return outcome{Result: result}, nil
	}
	err := s.haveAsked(ctx, client.ObjectKeyFromObject(instance))
	switch {
	case apierrors.IsNotFound(err):
		return ignored(ignoredNoInstance), nil
	case err != nil:
		s.connections.forget(instance.UID)
		return outcome{}, fmt.Errorf("have the gateway asked: %w", err)
	}
	return outcome{Result: resultRecorded}, nil
}

// haveAsked has the controller ask the gateway of an instance for the connection.
func (s *Server) haveAsked(ctx context.Context, name types.NamespacedName) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationConnectionChanged: s.Clock.Now().UTC().Format(time.RFC3339Nano),
	}}})
	if err != nil {
		return err
	}
	instance := &v1alpha1.WhatsAppInstance{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	return s.Client.Patch(ctx, instance, client.RawPatch(types.MergePatchType, patch))
}

// recordConnections has gateways asked again as that falls due, until stop is closed. What is
// left then is left to the controller, which asks now and then by itself.
func (s *Server) recordConnections(ctx context.Context, stop <-chan struct{}) {
	for {
		var timer <-chan time.Time
		if due, waiting := s.connections.next(); waiting {
			timer = time.After(due.Sub(s.Clock.Now()))
		}
		select {
		case <-stop:
			return
		case <-s.connections.begun:
		case <-timer:
			s.askAgain(ctx, s.Clock.Now())
		}
	}
}

// askAgain has the gateways asked whose instances are due again.
func (s *Server) askAgain(ctx context.Context, now time.Time) {
	for _, name := range s.connections.take(now) {
		ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
		err := panics.Do(s.logInto(ctx), panics.Connection, func() error { return s.haveAsked(ctx, name) })
		cancel()
		if err != nil && !apierrors.IsNotFound(err) {
			s.logFailure("Cannot have a gateway asked again", err, "instance", name.String())
		}
	}
}
