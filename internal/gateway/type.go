package gateway

import (
	"net/http"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Type is one value of spec.gateway.type: who speaks it, what it can, and which settings give the
// operator a gateway of its own. Each gateway's package has one, and the package registry lists them.
type Type struct {
	// Name is the value of spec.gateway.type.
	Name v1alpha1.GatewayType
	// New builds its client; call Open.
	New Factory
	// Dialects are the variants of its protocol. The first is the default.
	Dialects []Dialect
	// BaseURLVariable and AdminTokenVariable are the environment variables with the operator's own
	// gateway of this type. A type without them is built in: it has no server and no credentials.
	BaseURLVariable, AdminTokenVariable string
}

// Dialect is a variant of a gateway's protocol.
type Dialect struct {
	// Name is the value of spec.gateway.dialect; "" for a type with one protocol.
	Name v1alpha1.GatewayDialect
	// For says what it is for, in the documentation.
	For string
	// Can is what a gateway of this dialect can.
	Can Capabilities
}

// BuiltIn says that the type has no server and needs no credentials.
func (t Type) BuiltIn() bool { return t.Name != "" && t.BaseURLVariable == "" }

// Capabilities are those of a dialect, "" for the default; false when the type has no such dialect.
func (t Type) Capabilities(dialect v1alpha1.GatewayDialect) (Capabilities, bool) {
	for i, each := range t.Dialects {
		if each.Name == dialect || i == 0 && dialect == "" {
			return each.Can, true
		}
	}
	return Capabilities{}, false
}

// Open returns the client of an instance, bounded by NewBounded. A dialect that the type does not
// have is failure.Misconfigured.
func (t Type) Open(client *http.Client, endpoint Endpoint) (Gateway, error) {
	can, ok := t.Capabilities(endpoint.Dialect)
	if !ok {
		return nil, misconfigured("spec.gateway.dialect: %s is no dialect of %s", endpoint.Dialect, t.Name)
	}
	inner, err := t.New(client, endpoint)
	if err != nil {
		return nil, err
	}
	return NewBounded(inner, endpoint, can, time.Now), nil
}

// With returns the type with another factory: a test's, or a simulation of its own.
func (t Type) With(factory Factory) Type {
	t.New = factory
	return t
}

// ByName are types by their names, as a Connector has them.
func ByName(types ...Type) map[v1alpha1.GatewayType]Type {
	named := make(map[v1alpha1.GatewayType]Type, len(types))
	for _, each := range types {
		named[each.Name] = each
	}
	return named
}
