package census

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/gen"
)

func storeNamed(name string, used int32, brought string) *v1alpha1.Store {
	return gen.StoreObject(func(store *v1alpha1.Store) {
		store.Name, store.Spec.ClientID = name, name
		store.Spec.AI.DailyTokenBudget = new(int64(1000))
		store.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
		store.Status.Leads = &v1alpha1.LeadCounts{Recovered: used, Revenue: []v1alpha1.Revenue{
			{Currency: "BRL", Amount: brought, Leads: used}}}
		store.Status.LastUnusableDelivery = &v1alpha1.UnusableDelivery{Time: metav1.NewTime(noon)}
	})
}

func leadIn(store string, mods ...func(*v1alpha1.CartRecovery)) *v1alpha1.CartRecovery {
	lead := gen.Lead(noon, mods...)
	lead.Spec.StoreRef.Name = store
	return lead
}

func with(kind, reason string) func(*v1alpha1.CartRecovery) {
	return func(lead *v1alpha1.CartRecovery) {
		lead.Status.Conditions = append(lead.Status.Conditions, metav1.Condition{Type: kind,
			Status: metav1.ConditionTrue, Reason: reason})
	}
}

func ended(lead *v1alpha1.CartRecovery) {
	lead.Status.Phase, lead.Status.CompletionTime = v1alpha1.PhaseRecovered, new(metav1.NewTime(noon))
}

// collector has two Stores with a number each, and some leads.
func collector(t *testing.T, leads, showStore bool) *Collector {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	number := func(name, store string) client.Object {
		return gen.InstanceObject(func(instance *v1alpha1.WhatsAppInstance) {
			instance.Name, instance.Spec.StoreRef.Name = name, store
			instance.Status.Pace = &v1alpha1.PaceStatus{SentLastHour: 3, NewConversationsToday: 2,
				NewConversationsAllowedToday: 20, Waiting: 1}
		})
	}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(storeNamed("acme", 1, "10.50"),
		storeNamed("other", 2, "20"), number("one", "acme"), number("two", "other")).Build()
	counts, dues, tokens := NewCounts([]string{v1alpha1.ReasonNoConnectedInstance}), NewDues(), budget.NewLedger()
	blocked := leadIn("acme", with(v1alpha1.ConditionBlocked, v1alpha1.ReasonNoConnectedInstance))
	counts.change(t.Context(), nil, leadIn("acme"))
	counts.change(t.Context(), leadIn("acme"), blocked)
	counts.change(t.Context(), nil, leadIn("acme", with(v1alpha1.ConditionBlocked, "Made-up")))
	counts.change(t.Context(), nil, leadIn("other", with(v1alpha1.ConditionHandedOff, "")))
	counts.change(t.Context(), nil, leadIn("other", with(v1alpha1.ConditionBlocked, "x"), ended))
	counts.change(t.Context(), nil, leadIn("other"))
	counts.change(t.Context(), toolscache.DeletedFinalStateUnknown{Obj: leadIn("other")}, nil)
	suppression := &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "s"},
		Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: "acme"},
			Reason: v1alpha1.SuppressionOptOut}}
	lapsed := suppression.DeepCopy()
	lapsed.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionActive, Status: metav1.ConditionFalse}}
	counts.change(t.Context(), nil, suppression)
	counts.change(t.Context(), nil, lapsed)
	dues.Set(leadOf(1), "acme", noon.Add(-time.Minute))
	dues.Set(leadOf(2), "other", noon.Add(-time.Hour))
	tokens.Seed(acme, "2026-11-29", 600)
	return NewCollector(Options{Reader: reader, Counts: counts, Dues: dues, Tokens: tokens,
		Clock: clocktesting.NewFakePassiveClock(noon), Leads: func() bool { return leads }, ShowStore: showStore})
}

// TestCollector compares some of what is exported, by store and by namespace alone.
func TestCollector(t *testing.T) {
	for _, row := range []struct {
		name      string
		leads     bool
		showStore bool
		metric    string
		want      string
	}{
		{"the leader says so", true, true, "leader", ` 1`},
		{"and who does not lead", false, true, "leader", ` 0`},
		{"who does not lead exports nothing of the Stores", false, true, "leads_overdue", ``},
		{"overdue", true, true, "leads_overdue", `{namespace="shop",store="acme"} 1
			{namespace="shop",store="other"} 1`},
		{"overdue by namespace", true, false, "leads_overdue", `{namespace="shop"} 2`},
		{"the oldest", true, true, "leads_oldest_overdue_seconds", `{namespace="shop",store="acme"} 60
			{namespace="shop",store="other"} 3600`},
		{"the oldest of a namespace", true, false, "leads_oldest_overdue_seconds", `{namespace="shop"} 3600`},
		{"blocked, with no reasons but the known ones", true, true, "leads_blocked",
			`{namespace="shop",reason="NoConnectedInstance",store="acme"} 1
			{namespace="shop",reason="Other",store="acme"} 1`},
		{"handed off", true, false, "leads_handed_off", `{namespace="shop"} 1`},
		{"by phase, with zeros", true, false, "leads", `{namespace="shop",phase="Contacted"} 0
			{namespace="shop",phase="Converted"} 0
			{namespace="shop",phase="Engaged"} 0
			{namespace="shop",phase="Expired"} 0
			{namespace="shop",phase="Failed"} 0
			{namespace="shop",phase="OptedOut"} 0
			{namespace="shop",phase="PendingRecovery"} 3
			{namespace="shop",phase="Recovered"} 1`},
		{"suppressions that hold", true, false, "suppressions", `{namespace="shop",reason="Complaint"} 0
			{namespace="shop",reason="Manual"} 0
			{namespace="shop",reason="OptOut"} 1
			{namespace="shop",reason="WrongNumber"} 0`},
		{"numbers that send", true, true, "instances_sending", `{namespace="shop",store="acme"} 1
			{namespace="shop",store="other"} 1`},
		{"the pace", true, false, "pace_new_conversations_allowed_today", `{namespace="shop"} 40`},
		{"revenue", true, false, "revenue", `{currency="BRL",namespace="shop"} 30.5`},
		{"tokens", true, true, "store_ai_tokens_used_today", `{namespace="shop",store="acme"} 600
			{namespace="shop",store="other"} 0`},
		{"the budget", true, false, "store_ai_token_budget", `{namespace="shop"} 2000`},
		{"Stores", true, true, "stores", `{namespace="shop",ready="false"} 0
			{namespace="shop",ready="true"} 2`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := testutil.CollectAndFormat(collector(t, row.leads, row.showStore), expfmt.TypeTextPlain,
				"cartrecovery_"+row.metric)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for line := range strings.Lines(string(got)) {
				if !strings.HasPrefix(line, "#") {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
			var want []string
			for line := range strings.Lines(row.want) {
				want = append(want, "cartrecovery_"+row.metric+strings.TrimLeft(strings.TrimSuffix(line, "\n"), "\t"))
			}
			if strings.Join(lines, "\n") != strings.Join(want, "\n") {
				t.Errorf("exported:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	if problems, err := testutil.CollectAndLint(collector(t, true, true)); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}
