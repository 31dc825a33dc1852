package lead_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func TestSuppressionLabels(t *testing.T) {
	hash := lead.PhoneHash(gen.Phone)
	for name, row := range map[string]struct {
		spec v1alpha1.SuppressionSpec
		want map[string]string
	}{
		"a number": {
			v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, Phone: gen.Phone},
			map[string]string{v1alpha1.LabelStore: gen.Store, v1alpha1.LabelPhoneKey: hash},
		},
		"a hash": {
			v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, PhoneHash: hash},
			map[string]string{v1alpha1.LabelStore: gen.Store, v1alpha1.LabelPhoneKey: hash},
		},
		"what is too long": {
			v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: strings.Repeat("a", 64)},
				PhoneHash: strings.Repeat("a", 64)},
			map[string]string{},
		},
		"nothing": {v1alpha1.SuppressionSpec{}, map[string]string{}},
	} {
		if got := lead.SuppressionLabels(&v1alpha1.Suppression{Spec: row.spec}); !maps.Equal(got, row.want) {
			t.Errorf("%s: got %v", name, got)
		}
	}
	customer := v1alpha1.LeadCustomer{Phone: "+551187654321"}
	same := &v1alpha1.Suppression{Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store},
		Phone: gen.Phone}}
	labels := lead.Labels(gen.Store, customer)
	for key, value := range lead.SuppressionLabels(same) {
		if labels[key] != value {
			t.Errorf("a lead and a Suppression of one phone have another label %s", key)
		}
	}
}

func TestLapsed(t *testing.T) {
	for expires, want := range map[time.Duration]bool{-time.Second: true, 0: true, time.Second: false} {
		at := metav1.NewTime(noon.Add(expires))
		if lead.Lapsed(&v1alpha1.Suppression{Spec: v1alpha1.SuppressionSpec{ExpiresAt: &at}}, noon) != want {
			t.Errorf("%s: want %t", expires, want)
		}
	}
	if lead.Lapsed(&v1alpha1.Suppression{}, noon) {
		t.Error("one that holds for ever has lapsed")
	}
}

func TestExtend(t *testing.T) {
	soon, later := metav1.NewTime(noon), metav1.NewTime(noon.Add(time.Hour))
	for name, row := range map[string]struct{ holds, wanted, want *metav1.Time }{
		"for ever stays":              {nil, &later, nil},
		"for ever twice":              {nil, nil, nil},
		"longer":                      {&soon, &later, &later},
		"as long":                     {&soon, &soon, &soon},
		"shorter":                     {&later, &soon, &later},
		"for ever instead of a while": {&later, nil, nil},
	} {
		stored := &v1alpha1.Suppression{Spec: v1alpha1.SuppressionSpec{ExpiresAt: row.holds}}
		changed := lead.Extend(stored, row.wanted)
		if diff := cmp.Diff(row.want, stored.Spec.ExpiresAt); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if changed == row.holds.Equal(row.want) {
			t.Errorf("%s: changed is %t", name, changed)
		}
	}
}

func TestNewSuppression(t *testing.T) {
	optedOut := func(store, number string, keep bool) *v1alpha1.Suppression {
		return lead.NewSuppression("shop", store, number, keep, v1alpha1.SuppressionOptOut)
	}
	hashed := optedOut("acme", "5511987654321", false)
	for name, other := range map[string]*v1alpha1.Suppression{
		"in E.164":                      optedOut("acme", gen.Phone, false),
		"of an old account":             optedOut("acme", "551187654321", false),
		"of a store that keeps numbers": optedOut("acme", "551187654321", true),
	} {
		t.Run(name, func(t *testing.T) {
			if other.Name != hashed.Name {
				t.Error("two Suppressions of one number")
			}
		})
	}
	for name, other := range map[string]*v1alpha1.Suppression{
		"another store":  optedOut("acme2", gen.Phone, false),
		"another number": optedOut("acme", "+5511987654322", false),
	} {
		t.Run(name, func(t *testing.T) {
			if other.Name == hashed.Name {
				t.Errorf("%s has the same name", name)
			}
		})
	}
	if hashed.Spec.Phone != "" || hashed.Spec.PhoneHash != lead.PhoneHash(gen.Phone) ||
		hashed.Spec.Reason != "OptOut" || hashed.OwnerReferences != nil {
		t.Errorf("made %+v", hashed)
	}
	if hashed.Labels[v1alpha1.LabelPhoneKey] != lead.PhoneHash(gen.Phone) ||
		hashed.Labels[v1alpha1.LabelStore] != "acme" {
		t.Errorf("labels %v", hashed.Labels)
	}
	for phone, want := range map[string]string{
		"551187654321": gen.Phone, "+5511987654321": gen.Phone, "351912345678": "+351912345678", "12": "",
		strings.Repeat("9", 18): "",
	} {
		made := optedOut("acme", phone, true)
		if made.Spec.Phone != want || (made.Spec.PhoneHash == "") != (want != "") {
			t.Errorf("%s: phone %q, hash %q", phone, made.Spec.Phone, made.Spec.PhoneHash)
		}
	}
}

func TestRenew(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	for name, row := range map[string]struct {
		expires *metav1.Time
		// written is when the object was last written, and asked when the customer asked.
		written, asked time.Duration
		want           bool
	}{
		"for ever":                              {nil, -time.Hour, 0, false},
		"with an end, asked after it was set":   {at(time.Hour), -time.Hour, 0, true},
		"with an end that was set after it":     {at(time.Hour), -time.Minute, -time.Hour, false},
		"with an end that was set at that time": {at(time.Hour), 0, 0, false},
		"lapsed":                                {at(-time.Second), -time.Hour, 0, true},
		"lapsed, and asked before that":         {at(-time.Second), -time.Minute, -time.Hour, true},
		"lapsed by now":                         {at(0), -time.Hour, 0, true},
		"lapsed of old":                         {&metav1.Time{Time: noon.AddDate(-1, 0, 0)}, -time.Hour, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			suppression := &v1alpha1.Suppression{Spec: v1alpha1.SuppressionSpec{ExpiresAt: row.expires}}
			suppression.CreationTimestamp = metav1.Time{Time: noon.AddDate(0, -1, 0)}
			suppression.ManagedFields = []metav1.ManagedFieldsEntry{{Time: at(row.written)},
				{Time: at(time.Hour), Subresource: "status"}, {}}
			changed := lead.Renew(suppression, noon.Add(row.asked), noon)
			if changed != row.want || changed && suppression.Spec.ExpiresAt != nil {
				t.Errorf("%+v", suppression.Spec)
			}
		})
	}
}
