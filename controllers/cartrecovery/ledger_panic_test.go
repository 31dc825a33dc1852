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
	k := newKeeper(nil, nil, clocktesting.NewFakeClock(t0), time.Hour)
	k.Observe(gen.Lead(t0, ours(firstID, v1alpha1.MessageSent, t0)))
	if len(k.Unsaved()) == 0 {
		t.Fatal("there is nothing to write")
	}
	k.flush(t.Context())
	k.read["shop"] = t0
	k.heads[types.NamespacedName{Namespace: "shop", Name: "acme"}] = nil
	k.prune(t.Context())
}
