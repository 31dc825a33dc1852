package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Observer is told of every call to a gateway: of which type, which method, how long it took and what came of it.
type Observer func(of v1alpha1.GatewayType, method string, took time.Duration, err error)

// Methods are the names of the methods of a Gateway, as an Observer is told them.
var Methods = []string{
	"Find", "Create", "Connect", "Status", "RegisterWebhook", "CheckNumber", "SendText", "FindSent", "Restart",
	"Disconnect", "Delete",
}

// observe returns a Gateway that tells the Observer of its calls; the same one without an Observer.
func (o Observer) observe(of v1alpha1.GatewayType, inner Gateway, err error) (Gateway, error) {
	if o == nil || err != nil {
		return inner, err
	}
	return observed{inner: inner, tell: func(method string, began time.Time, err error) {
		// What a gateway cannot do is never asked of it.
		if !errors.Is(err, ErrUnsupported) {
			o(of, method, time.Since(began), err)
		}
	}}, nil
}

type observed struct {
	inner Gateway
	tell  func(method string, began time.Time, err error)
}

// Format keeps the credentials out of every log line and error, however the gateway is printed.
func (o observed) Format(state fmt.State, verb rune) {
	if inner, ok := o.inner.(fmt.Formatter); ok {
		inner.Format(state, verb)
		return
	}
	_, _ = fmt.Fprint(state, "gateway client")
}

func (o observed) Find(ctx context.Context, id Identity) (found Instance, ok bool, err error) {
	defer func(began time.Time) { o.tell("Find", began, err) }(time.Now())
	return o.inner.Find(ctx, id)
}

func (o observed) Create(ctx context.Context, id Identity) (made Instance, err error) {
	defer func(began time.Time) { o.tell("Create", began, err) }(time.Now())
	return o.inner.Create(ctx, id)
}

func (o observed) Connect(ctx context.Context, phone string) (state State, err error) {
	defer func(began time.Time) { o.tell("Connect", began, err) }(time.Now())
	return o.inner.Connect(ctx, phone)
}

func (o observed) Status(ctx context.Context) (state State, err error) {
	defer func(began time.Time) { o.tell("Status", began, err) }(time.Now())
	return o.inner.Status(ctx)
}

func (o observed) RegisterWebhook(ctx context.Context, webhook Webhook) (err error) {
	defer func(began time.Time) { o.tell("RegisterWebhook", began, err) }(time.Now())
	return o.inner.RegisterWebhook(ctx, webhook)
}

func (o observed) CheckNumber(ctx context.Context, phone string) (number Number, err error) {
	defer func(began time.Time) { o.tell("CheckNumber", began, err) }(time.Now())
	return o.inner.CheckNumber(ctx, phone)
}

func (o observed) SendText(ctx context.Context, text Text) (receipt Receipt, err error) {
	defer func(began time.Time) { o.tell("SendText", began, err) }(time.Now())
	return o.inner.SendText(ctx, text)
}

func (o observed) FindSent(ctx context.Context, trackID, phone string) (receipt Receipt, found bool, err error) {
	defer func(began time.Time) { o.tell("FindSent", began, err) }(time.Now())
	return o.inner.FindSent(ctx, trackID, phone)
}

func (o observed) Restart(ctx context.Context) (err error) {
	defer func(began time.Time) { o.tell("Restart", began, err) }(time.Now())
	return o.inner.Restart(ctx)
}

func (o observed) Disconnect(ctx context.Context) (err error) {
	defer func(began time.Time) { o.tell("Disconnect", began, err) }(time.Now())
	return o.inner.Disconnect(ctx)
}

func (o observed) Delete(ctx context.Context) (err error) {
	defer func(began time.Time) { o.tell("Delete", began, err) }(time.Now())
	return o.inner.Delete(ctx)
}
