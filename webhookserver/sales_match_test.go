package webhookserver

import (
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

func TestMatchLeadOfACart(t *testing.T) {
	e := eventOf(platforms.Abandoned)
	// Each is a better match than those before it.
	all := []v1alpha1.CartRecovery{
		*gen.Lead(noon, named("other-product"), ofProduct("2")),
		*gen.Lead(noon, named("other-customer"), withPhone("+5521912345678"), withEmail("ana@example.com")),
		*gen.Lead(noon, named("other-store"), func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "b" }),
		*gen.Lead(noon, named("finished"), isFinished),
		*gen.Lead(noon, named("reversed"), isReversed),
		*gen.Lead(noon, named("open-by-phone"), withEmail("")),
		*gen.Lead(noon, named("open-by-email"), withPhone("+5521912345678")),
		*gen.Lead(noon, named(e.name)),
	}
	for _, row := range []struct {
		name  string
		leads []v1alpha1.CartRecovery
		want  string
	}{
		{"its own", all, e.name},
		{"an open one by its e-mail address", all[:7], "open-by-email"},
		{"an open one by its phone", all[:6], "open-by-phone"},
		{"a reversed one", all[:5], "reversed"},
		{"a finished one", all[:4], "finished"},
		{"others' leads only", all[:3], ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ""
			if found := e.matchLead(row.leads); found != nil {
				got = found.Name
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
