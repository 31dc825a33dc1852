package cartrecovery

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// TestAPanicInTheLedgerIsOneStores: the keeper goes on, also with what it clears.
func TestAPanicInTheLedgerIsOneStores(t *testing.T) {
	// Without a client every call is a nil pointer.
	k := newKeeper(nil, nil, clocktesting.NewFakeClock(gen.T0), time.Hour)
	k.Observe(gen.Lead(gen.T0, gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0)))
	if len(k.Unsaved()) == 0 {
		t.Fatal("there is nothing to write")
	}
	k.flush(t.Context())
	k.read["shop"] = gen.T0
	k.heads[types.NamespacedName{Namespace: "shop", Name: "acme"}] = nil
	k.prune(t.Context())
}
