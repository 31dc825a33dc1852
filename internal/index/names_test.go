package index_test

import (
	"slices"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
)

func TestGatewayNames(t *testing.T) {
	instance := &v1alpha1.WhatsAppInstance{}
	instance.Namespace, instance.Name = "loja", "vendas"
	instance.Spec.Gateway.Aliases = []string{"loja-antiga", "", "loja.vendas", "r1", "r1"}
	if got, want := index.GatewayNames(instance), []string{"loja.vendas", "loja-antiga", "r1"}; !slices.Equal(got,
		want) {
		t.Errorf("got %v, want %v", got, want)
	}
	instance.Spec.InstanceName, instance.Spec.Gateway.Aliases = "loja-nova", nil
	if got, want := index.GatewayNames(instance), []string{"loja-nova"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
