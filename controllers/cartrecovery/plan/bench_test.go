package plan

import (
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// BenchmarkCachedLead says how many bytes of memory a lead takes in the cache: one that waits,
// and one with a conversation of four messages.
func BenchmarkCachedLead(b *testing.B) {
	talked := gen.Lead(gen.T0, gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0),
		gen.FromCustomer("3EB0C767D097E9ECFE8A", gen.T0.Add(time.Hour)),
		gen.FromUs(lead.ReplyID(0, "3EB0C767D097E9ECFE8A"), v1alpha1.MessageSent, gen.T0.Add(time.Hour)),
		gen.FromCustomer("3EB0C767D097E9ECFE8B", gen.T0.Add(2*time.Hour)))
	Claim(wantedFirst(), 1, gen.T0)(&talked.Status)
	for name, object := range map[string]*v1alpha1.CartRecovery{"waiting": gen.Lead(gen.T0), "talked": talked} {
		b.Run(name, func(b *testing.B) {
			const leads = 10_000
			body, err := json.Marshal(object)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				cached := make([]*v1alpha1.CartRecovery, leads)
				for n := range cached {
					// Decoded, as the cache does: copies would share their texts.
					cached[n] = &v1alpha1.CartRecovery{}
					if err := json.Unmarshal(body, cached[n]); err != nil {
						b.Fatal(err)
					}
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/leads, "B/lead")
				runtime.KeepAlive(cached)
			}
		})
	}
}
