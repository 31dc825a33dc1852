package owner

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestStoreOf(t *testing.T) {
	store := func(namespace, name string, age time.Duration) v1alpha1.Store {
		return v1alpha1.Store{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1_800_000_000, 0).Add(-age)),
		}}
	}
	old, young, theirs := store("ours", "old", 3*time.Hour), store("ours", "young", time.Hour), store("theirs",
		"squatter", 2*time.Hour)
	for name, row := range map[string]struct {
		stores    []v1alpha1.Store
		claimedBy string
		want      string
	}{
		"nobody":                {nil, "", ""},
		"one":                   {[]v1alpha1.Store{young}, "", "young"},
		"the oldest, unclaimed": {[]v1alpha1.Store{young, theirs, old}, "", "old"},
		"the oldest of the namespace that has it": {[]v1alpha1.Store{theirs, young}, "ours", "young"},
		"of two in that namespace the oldest":     {[]v1alpha1.Store{young, theirs, old}, "ours", "old"},
		"none but another namespace's":            {[]v1alpha1.Store{theirs}, "ours", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if at := StoreOf(row.stores, row.claimedBy); at >= 0 {
				got = row.stores[at].Name
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestClaimName(t *testing.T) {
	seen := map[string]string{}
	for _, clientID := range []string{
		"acme", "0b6f3c1e-7a54-4a0e-9d0c-2f6f3e1d5a01", "Acme", "ACME", "a_b", "a..b", "a.-b", "x-1",
		strings.Repeat("a", 128), ClaimName("Acme"),
	} {
		name := ClaimName(clientID)
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			t.Errorf("%q: %v", name, problems)
		}
		if other, taken := seen[name]; taken {
			t.Errorf("%q and %q have one claim", clientID, other)
		}
		seen[name] = clientID
	}
	if ClaimName("acme") != "acme" {
		t.Error("a clientID that can be a name is the name")
	}
}
