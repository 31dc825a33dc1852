// Package registry lists the gateway types that the operator speaks.
package registry

import (
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/evolution"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
)

// Types are the gateway types, in the order of the documentation. A new one is a row here.
func Types() []gateway.Type {
	return []gateway.Type{
		uazapi.Type(),
		evolution.Type(),
		simulated.Type(),
	}
}
