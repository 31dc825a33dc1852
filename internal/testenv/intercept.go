package testenv

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// Intercepted makes the client of a manager one whose calls go through funcs.
func Intercepted(funcs interceptor.Funcs) client.NewClientFunc {
	return func(config *rest.Config, options client.Options) (client.Client, error) {
		inner, err := client.NewWithWatch(config, options)
		if err != nil {
			return nil, fmt.Errorf("build client: %w", err)
		}
		return interceptor.NewClient(inner, funcs), nil
	}
}

// Intercept returns a client whose calls go through funcs. It watches nothing.
func Intercept(calls client.Client, funcs interceptor.Funcs) client.Client {
	return interceptor.NewClient(unwatched{calls}, funcs)
}

// unwatched is a client as the interceptor takes it.
type unwatched struct{ client.Client }

func (unwatched) Watch(context.Context, client.ObjectList, ...client.ListOption) (watch.Interface, error) {
	return nil, errors.New("an intercepted client watches nothing")
}
