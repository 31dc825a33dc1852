package webhookserver

import (
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// mapped is a Store, as the API server has it, whose generic platform names its events at this path.
func mapped(generation int64, event v1alpha1.JSONPath) *v1alpha1.Store {
	return gen.StoreObject(func(s *v1alpha1.Store) {
		s.UID, s.Generation = "uid", generation
		s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformGeneric, Generic: &v1alpha1.GenericMapping{
			Auth: v1alpha1.GenericAuth{Type: "Bearer"}, Event: event, Purchase: []string{"paid"},
			Fields: v1alpha1.GenericFields{Email: "$.email", ProductID: "$.product"},
		}}}
	})
}

// bought says whether a Store's generic platform takes a body for a purchase.
func (m *mappings) bought(t *testing.T, store *v1alpha1.Store, body string) bool {
	t.Helper()
	platform, err := m.configured(store, &store.Spec.Platforms[0])
	if err != nil {
		t.Fatal(err)
	}
	delivery := platforms.Delivery{
		Body: []byte(body), ContentType: "application/json",
		Header: func(string) string { return "" }, Query: func(string) string { return "" },
	}.Remembering()
	events, err := platform.Parse(delivery, platforms.Place{})
	return err == nil && len(events) == 1 && events[0].Kind == platforms.Purchased
}

func TestAMappingIsOfOneGenerationOfAStore(t *testing.T) {
	const body = `{"old":"paid","new":"open","email":"maria@example.com","product":"1"}`
	m := newMappings()
	for range 2 {
		if !m.bought(t, mapped(1, "$.old"), body) {
			t.Error("the mapping of the first generation does not find the purchase")
		}
		if m.bought(t, mapped(2, "$.new"), body) {
			t.Error("the mapping of the second generation is that of the first")
		}
	}
	other := mapped(1, "$.new")
	other.UID = "other"
	if m.bought(t, other, body) {
		t.Error("the mapping of one Store is that of another")
	}
	unsaved := mapped(0, "$.old")
	if !m.bought(t, unsaved, body) || m.bought(t, mapped(0, "$.new"), body) {
		t.Error("the mapping of a Store without a generation was kept")
	}
	if got := m.compiled.Len(); got != 3 {
		t.Errorf("%d mappings are kept, want 3", got)
	}
}

func TestAMappingThatIsWrongIsNotKept(t *testing.T) {
	m, store := newMappings(), mapped(1, "..")
	for range 2 {
		if _, err := m.configured(store, &store.Spec.Platforms[0]); err == nil ||
			!strings.Contains(err.Error(), "generic.event") {
			t.Errorf("got %v, want an error about generic.event", err)
		}
	}
	if got := m.compiled.Len(); got != 0 {
		t.Errorf("%d mappings are kept, want none", got)
	}
}

func TestMappingsAreBounded(t *testing.T) {
	m := newMappings()
	for generation := range int64(maxMappings + 10) {
		m.bought(t, mapped(generation+1, "$.event"), `{}`)
	}
	if got := m.compiled.Len(); got != maxMappings {
		t.Errorf("%d mappings are kept, want %d", got, maxMappings)
	}
}

func BenchmarkConfiguredMapping(b *testing.B) {
	store := mapped(1, "$.event")
	b.Run("compiled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = platforms.Configured(&store.Spec.Platforms[0])
		}
	})
	b.Run("kept", func(b *testing.B) {
		m := newMappings()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.configured(store, &store.Spec.Platforms[0])
		}
	})
}
