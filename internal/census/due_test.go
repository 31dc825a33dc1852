package census

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

var (
	noon  = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	acme  = types.NamespacedName{Namespace: "shop", Name: "acme"}
	other = types.NamespacedName{Namespace: "shop", Name: "other"}
)

func leadOf(number int) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: fmt.Sprintf("lead-%d", number)}
}

func TestOverdue(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*Dues)
		want map[types.NamespacedName]Late
	}{
		{"nobody is owed anything", func(*Dues) {}, map[types.NamespacedName]Late{}},
		{"a message may be 30 s late", func(d *Dues) { d.Set(leadOf(1), "acme", noon.Add(-Grace)) },
			map[types.NamespacedName]Late{}},
		{"the oldest of two is told", func(d *Dues) {
			d.Set(leadOf(1), "acme", noon.Add(-time.Minute))
			d.Set(leadOf(2), "acme", noon.Add(-time.Hour))
		}, map[types.NamespacedName]Late{acme: {2, time.Hour}}},
		{"stores are told apart", func(d *Dues) {
			d.Set(leadOf(1), "acme", noon.Add(-time.Minute))
			d.Set(leadOf(2), "other", noon.Add(-2*time.Minute))
		}, map[types.NamespacedName]Late{acme: {1, time.Minute}, other: {1, 2 * time.Minute}}},
		{"one that was sent is overdue no more", func(d *Dues) {
			d.Set(leadOf(1), "acme", noon.Add(-time.Minute))
			d.Overdue(noon)
			d.Set(leadOf(1), "acme", time.Time{})
		}, map[types.NamespacedName]Late{}},
		{"the next message is due later", func(d *Dues) {
			d.Set(leadOf(1), "acme", noon.Add(-time.Minute))
			d.Overdue(noon)
			d.Set(leadOf(1), "acme", noon.Add(time.Hour))
		}, map[types.NamespacedName]Late{}},
		{"what is said again changes nothing", func(d *Dues) {
			d.Set(leadOf(1), "acme", noon.Add(-time.Minute))
			d.Overdue(noon)
			d.Set(leadOf(1), "acme", noon.Add(-time.Minute))
		}, map[types.NamespacedName]Late{acme: {1, time.Minute}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dues := NewDues()
			row.set(dues)
			if diff := cmp.Diff(row.want, dues.Overdue(noon)); diff != "" {
				t.Errorf("overdue (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDuesAgree compares the queues with a count of all leads after each of many random changes.
func TestDuesAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	dues, all, now := NewDues(), map[types.NamespacedName]time.Time{}, noon
	for range 5000 {
		lead := leadOf(random.IntN(200))
		at := now.Add(time.Duration(random.IntN(600)-300) * time.Second)
		if random.IntN(3) == 0 {
			at = time.Time{}
		}
		dues.Set(lead, "acme", at)
		if all[lead] = at; at.IsZero() {
			delete(all, lead)
		}
		now = now.Add(time.Duration(random.IntN(5)) * time.Second)
		var want Late
		for _, at := range all {
			if late := now.Sub(at); late > Grace {
				want = Late{want.Leads + 1, max(want.Oldest, late)}
			}
		}
		if got := dues.Overdue(now)[acme]; got != want {
			t.Fatalf("Overdue() = %v; want %v", got, want)
		}
	}
}

// BenchmarkOverdue is a scrape with a hundred thousand leads, one of which changes between two scrapes.
func BenchmarkOverdue(b *testing.B) {
	dues := NewDues()
	for number := range 100_000 {
		dues.Set(leadOf(number), "acme", noon.Add(time.Duration(number-50_000)*time.Second))
	}
	for b.Loop() {
		dues.Set(leadOf(1), "acme", noon.Add(-time.Hour))
		dues.Set(leadOf(1), "acme", noon.Add(time.Hour))
		dues.Overdue(noon)
	}
}
