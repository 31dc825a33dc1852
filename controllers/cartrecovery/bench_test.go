package cartrecovery

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/gen"
)

// BenchmarkPass is one pass over a lead that is due, without the API: plan, turn, and what
// is planned after the claim; with others waiting for the number.
func BenchmarkPass(b *testing.B) {
	for _, waiting := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("%d waiting", waiting), func(b *testing.B) {
			sim := newSimulation(gen.T0.Add(gen.FirstDue), 1)
			store := sim.addStore("shop", 1)
			number := numberOf(&plan.Snapshot{Policy: store.policy}, &store.instances[0])
			for n := range waiting {
				sim.reconciler.Pacer.Request(store.instances[0].UID, number, types.NamespacedName{Name: fmt.Sprint(n)},
					1,
					gen.T0)
			}
			each := sim.addLead(store, gen.Phone)
			each.object = gen.Lead(gen.T0, func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "shop" })
			b.ReportAllocs()
			for b.Loop() {
				s := sim.snapshot(each)
				if _, err := sim.reconciler.inTurn(b.Context(), s, plan.Next(*s)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
