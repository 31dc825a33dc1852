package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestCanSendOfStores(t *testing.T) {
	for name, test := range map[string]struct {
		numbers numbers
		ready   metav1.ConditionStatus
		reason  string
		want    string
	}{
		"one of two":  {numbers{2, 1}, metav1.ConditionTrue, v1alpha1.ReasonReady, "True NumbersCanSend"},
		"none of two": {numbers{2, 0}, metav1.ConditionTrue, v1alpha1.ReasonReady, "False NoNumberCanSend"},
		"no number":   {numbers{}, metav1.ConditionTrue, v1alpha1.ReasonReady, "False NoNumber"},
		"suspended":   {numbers{1, 1}, metav1.ConditionFalse, v1alpha1.ReasonSuspended, "False Suspended"},
		"a Secret is missing": {numbers{1, 1}, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound,
			"False SecretNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.numbers.canSend(test.ready, test.reason)
			if diff := cmp.Diff(test.want, string(got.Status)+" "+got.Reason); diff != "" || got.Message == "" {
				t.Errorf("message %q (-want +got):\n%s", got.Message, diff)
			}
		})
	}
}

func TestRevenueText(t *testing.T) {
	of := func(currency, amount string, leads int32) v1alpha1.Revenue {
		return v1alpha1.Revenue{Currency: currency, Amount: amount, Leads: leads}
	}
	for want, revenue := range map[string][]v1alpha1.Revenue{
		"":                     nil,
		"BRL 1169.80":          {of("BRL", "1169.80", 3)},
		"USD 20.00, BRL 10.00": {of("BRL", "10.00", 1), of("USD", "20.00", 2)},
		"BRL 1, EUR 2, MXN 3, 2 more": {of("BRL", "1", 1), of("EUR", "2", 1), of("MXN", "3", 1),
			of("USD", "4", 1), of("UYU", "5", 1)},
	} {
		if got := revenueText(revenue); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestWhichNumbersMatter: only what changes a Store's count wakes it.
func TestWhichNumbersMatter(t *testing.T) {
	sends := func(instance *v1alpha1.WhatsAppInstance) {
		instance.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionCanSend, Status: metav1.ConditionTrue}}
	}
	suspended := func(instance *v1alpha1.WhatsAppInstance) { instance.Spec.Suspend = true }
	paced := func(instance *v1alpha1.WhatsAppInstance) {
		instance.Status.Pace = &v1alpha1.PaceStatus{SentLastHour: 4}
	}
	type mods = []func(*v1alpha1.WhatsAppInstance)
	for name, test := range map[string]struct {
		before, after mods
		want          bool
	}{
		"it can send now":        {nil, mods{sends}, true},
		"it can send no more":    {mods{sends}, nil, true},
		"it is suspended":        {mods{sends}, mods{sends, suspended}, true},
		"it sent something":      {mods{sends}, mods{sends, paced}, false},
		"it never could, either": {nil, mods{suspended}, false},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := &v1alpha1.WhatsAppInstance{}, &v1alpha1.WhatsAppInstance{}
			for _, mod := range test.before {
				mod(before)
			}
			for _, mod := range test.after {
				mod(after)
			}
			if got := matters().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
