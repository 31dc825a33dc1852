package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
)

// failing is a gateway whose calls all fail.
type failing struct{ gateway.Gateway }

var errThrottled = &failure.Error{Class: failure.Throttled, Op: "test"}

func (failing) Status(context.Context) (gateway.State, error) { return gateway.State{}, errThrottled }

func (failing) SendText(context.Context, gateway.Text) (gateway.Receipt, error) {
	return gateway.Receipt{}, nil
}

// TestObserver: each call is told with its type, method and failure, and what a gateway cannot do is not.
func TestObserver(t *testing.T) {
	var told []string
	r := connector(own)
	r.Types = gateway.ByName(uazapi.Type().With(func(*http.Client, gateway.Endpoint) (gateway.Gateway, error) {
		return failing{}, nil
	}))
	r.Observe = func(of v1alpha1.GatewayType, method string, took time.Duration, err error) {
		told = append(told, fmt.Sprintf("%s %s %t %v", of, method, took >= 0, errors.Is(err, errThrottled)))
	}
	opened, err := r.For(t.Context(), gen.InstanceObject())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Status(t.Context()); !errors.Is(err, errThrottled) {
		t.Errorf("Status() = %v", err)
	}
	if _, err := opened.SendText(t.Context(), gateway.Text{}); err != nil {
		t.Errorf("SendText() = %v", err)
	}
	want := []string{"UAZAPI Status true true", "UAZAPI SendText true false"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if shown := fmt.Sprintf("%v %+v", opened, opened); shown != "gateway client gateway client" {
		t.Errorf("printed as %q", shown)
	}
}

// TestMethods: the list has every method of a Gateway.
func TestMethods(t *testing.T) {
	all := map[string]bool{}
	for method := range reflect.TypeFor[gateway.Gateway]().Methods() {
		all[method.Name] = true
	}
	for _, method := range gateway.Methods {
		if !all[method] {
			t.Errorf("%s is no method of a Gateway", method)
		}
		delete(all, method)
	}
	for method := range all {
		t.Errorf("%s is not in the list", method)
	}
}
