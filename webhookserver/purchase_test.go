package webhookserver

import (
	"context"
	"sync"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// reads counts the live lists.
type reads struct {
	client.Reader
	mu    sync.Mutex
	lists int
}

func (r *reads) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	r.mu.Lock()
	r.lists++
	r.mu.Unlock()
	return r.Reader.List(ctx, list, options...)
}

// deliver takes events of one platform in their order.
func (w world) deliver(t *testing.T, store *v1alpha1.Store, platform v1alpha1.PlatformName, events ...platforms.Event) []outcome {
	t.Helper()
	outcomes := make([]outcome, 0, len(events))
	for _, event := range events {
		done, err := w.take(t.Context(), store, platform, event)
		if err != nil {
			t.Fatalf("%s: %v", event.ID, err)
		}
		outcomes = append(outcomes, done)
	}
	return outcomes
}

// TestPurchaseReads: what a purchase costs at the API server.
func TestPurchaseReads(t *testing.T) {
	all := deliveries()
	for name, row := range map[string]struct {
		before []string
		then   string
		lists  int
		want   string
	}{
		"nobody":                               {nil, "approved", 2, resultRecorded},
		"the customer of a cart":               {[]string{"cart"}, "approved", 2, resultStopped},
		"a customer of several leads":          {[]string{"cart", "other-cart"}, "approved", 2, resultStopped},
		"by the phone of a cart":               {[]string{"cart-by-phone"}, "approved-by-phone", 1, resultStopped},
		"by one of two addresses":              {[]string{"cart", "cart-2nd-address"}, "approved-2nd-address", 3, resultStopped},
		"by an address that another lead has":  {[]string{"cart", "other-cart-2nd-address"}, "approved-2nd-address", 3, resultStopped},
		"by one of two numbers":                {[]string{"cart", "pix-2nd-phone"}, "approved-by-phone", 3, resultStopped},
		"by an address that no lead has":       {[]string{"cart"}, "approved-2nd-address", 1, resultRecorded},
		"another product, by another's number": {[]string{"cart", "other-cart-2nd-address"}, "third-2nd-address", 2, resultStopped},
	} {
		w, store := newWorld(t), allTriggers()
		for _, id := range row.before {
			w.deliver(t, store, v1alpha1.PlatformHotmart, all[id])
		}
		live := &reads{Reader: w.Live}
		w.Live, w.live = live, index.NewLive(live)
		done := w.deliver(t, store, v1alpha1.PlatformHotmart, all[row.then])
		if done[0].Result != row.want || live.lists != row.lists {
			t.Errorf("%s: %s after %d lists, want %s after %d", name, done[0].Result, live.lists, row.want, row.lists)
		}
		// A cache that has the purchase's first write knows the rest, unless nothing was written.
		w.Fence, live.lists = seeing{}, 0
		for _, id := range row.before {
			w.deliver(t, store, v1alpha1.PlatformHotmart, all[id])
		}
		w.deliver(t, store, v1alpha1.PlatformHotmart, all["complete"])
		if live.lists != 0 {
			t.Errorf("%s: %d lists though the cache is not behind", name, live.lists)
		}
		w.deliver(t, store, v1alpha1.PlatformHotmart, all["complete"])
		if live.lists == 0 {
			t.Errorf("%s: a repetition, which writes nothing, relied on the cache", name)
		}
	}
}

// seeing is a cache that is never behind.
type seeing struct{}

func (seeing) Await(context.Context, string, string) error { return nil }

// TestACartByNameIsStoppedByASaleByID: Kirvano's carts name the product, and its sales have an
// id too.
func TestACartByNameIsStoppedByASaleByID(t *testing.T) {
	all := deliveries()
	for _, scope := range []v1alpha1.KillSwitchScope{v1alpha1.KillSwitchCustomer, v1alpha1.KillSwitchProduct} {
		w, store := newWorld(t), allTriggers()
		store.Spec.Recovery.KillSwitchScope = scope
		done := w.deliver(t, store, v1alpha1.PlatformKirvano, all["cart-by-name"], all["other-cart"], all["approved"], all["cart-by-name"])
		if done[2].Result != resultStopped || done[3].Reason != ignoredAlreadyPurchased {
			t.Errorf("scope %s: %+v", scope, done)
		}
		var leads v1alpha1.CartRecoveryList
		if err := w.Live.List(t.Context(), &leads); err != nil {
			t.Fatal(err)
		}
		for i := range leads.Items {
			spec := &leads.Items[i].Spec
			own := spec.Product.ID != "2"
			if stopped := spec.Purchase != nil; stopped != (own || scope == v1alpha1.KillSwitchCustomer) || stopped && spec.Purchase.Unattributed == own {
				t.Errorf("scope %s: product %+v: purchase %+v", scope, spec.Product, spec.Purchase)
			}
		}
		if len(leads.Items) != 2 {
			t.Errorf("scope %s: %d leads", scope, len(leads.Items))
		}
	}
}
