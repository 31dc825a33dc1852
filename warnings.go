package main

import (
	"context"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// privately is the configuration of clients that log no warning's text.
func privately(config *rest.Config) *rest.Config {
	private := rest.CopyConfig(config)
	private.WarningHandler, private.WarningHandlerWithContext = nil, privateWarnings{}
	return private
}

// privateWarnings are the API server's warnings about what the operator writes. Their texts repeat values of the
// object, such as a customer's phone, which no log may hold: it says at level 1 that there was one.
type privateWarnings struct{}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (privateWarnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, _ string) {
	ctrl.Log.V(1).Info("Not logging a warning of the API server, which may hold customers' data", "code", code)
}
