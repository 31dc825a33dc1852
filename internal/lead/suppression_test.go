package lead_test

import (
	"maps"
	"strings"
	"testing"
	"time"

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
