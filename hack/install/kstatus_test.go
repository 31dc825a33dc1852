package install

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/progress"
)

// TestKstatus asks the library by which Flux, kpt and cli-utils wait for objects.
func TestKstatus(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "acme", Generation: 3}
	store := func(seen int64, is metav1.ConditionStatus, reason string) client.Object {
		conditions := []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: is, Reason: reason, Message: "why",
			ObservedGeneration: seen}}
		progress.Tell(&conditions, now)
		return &v1alpha1.Store{ObjectMeta: meta,
			Status: v1alpha1.StoreStatus{ObservedGeneration: seen, Conditions: conditions}}
	}
	number := func(change func(*v1alpha1.WhatsAppInstance)) client.Object {
		instance := &v1alpha1.WhatsAppInstance{ObjectMeta: meta}
		change(instance)
		return instance
	}
	for name, row := range map[string]struct {
		object client.Object
		want   status.Status
	}{
		"a Store that nobody has seen": {&v1alpha1.Store{ObjectMeta: meta,
			Status: v1alpha1.StoreStatus{ObservedGeneration: -1}}, status.InProgressStatus},
		"a Store that was changed": {store(2, metav1.ConditionTrue, v1alpha1.ReasonReady), status.InProgressStatus},
		"a Store that is well":     {store(3, metav1.ConditionTrue, v1alpha1.ReasonReady), status.CurrentStatus},
		"a Store whose Secret is not there yet": {store(3, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound),
			status.InProgressStatus},
		"a Store with a time zone that is none": {store(3, metav1.ConditionFalse, v1alpha1.ReasonInvalidTimeZone),
			status.FailedStatus},
		"a Store that is suspended": {store(3, metav1.ConditionFalse, v1alpha1.ReasonSuspended),
			status.InProgressStatus},
		"a number that waits for its phone": {number(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.Pairing = &v1alpha1.PairingStatus{ExpiresAt: &metav1.Time{Time: now.Add(time.Minute)}}
			connection.Observe(i, gateway.State{Connection: gateway.Connecting}, now)
		}), status.InProgressStatus},
		"a number that is connected": {number(func(i *v1alpha1.WhatsAppInstance) {
			connection.Observe(i, gateway.State{Connection: gateway.Connected}, now)
		}), status.CurrentStatus},
		"a number that was logged out": {number(func(i *v1alpha1.WhatsAppInstance) {
			connection.Observe(i, gateway.State{Connection: gateway.Connected}, now)
			connection.Observe(i, gateway.State{Connection: gateway.Disconnected}, now)
		}), status.FailedStatus},
		"a number that its gateway refuses": {number(func(i *v1alpha1.WhatsAppInstance) {
			connection.Failed(i, &failure.Error{Class: failure.Terminal, Code: failure.Unauthorized, Status: 401}, now)
		}), status.FailedStatus},
		"a Suppression that holds": {&v1alpha1.Suppression{ObjectMeta: meta,
			Status: v1alpha1.SuppressionStatus{ObservedGeneration: 3, Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionActive, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSuppressing},
				{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady},
			}}}, status.CurrentStatus},
		"a Product that is being deleted": {&v1alpha1.Product{ObjectMeta: metav1.ObjectMeta{Name: "x",
			DeletionTimestamp: &metav1.Time{Time: now}, Finalizers: []string{"x/y"}}}, status.TerminatingStatus},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(row.object)
			if err != nil {
				t.Fatal(err)
			}
			got, err := status.Compute(&unstructured.Unstructured{Object: content})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != row.want {
				t.Errorf("got %s (%s), want %s", got.Status, got.Message, row.want)
			}
		})
	}
}
