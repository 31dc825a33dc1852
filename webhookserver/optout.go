package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=suppressions,verbs=get;create;patch

// This file stores that a customer asked us to stop. The message comes first: in its
// conversation it fences the lead. Then the Suppression, for every other lead and for all
// that come. Only then is the delivery acknowledged: where the Suppression cannot be stored
// the gateway delivers again, finds the message there, and the Suppression is tried anew.

// reasonSuppression is the API's word for a Suppression that an opt-out made.
const reasonSuppression = "OptOut"

// suppressedForm is what a Suppression's schema takes as a phone.
var suppressedForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// errLifting: somebody is deleting the Suppression of the customer who opts out.
var errLifting = errors.New("the suppression is being deleted")

// honour makes the Suppression of a customer's message that is an opt-out. leads are those
// that the message may belong to, and part is what became of the message itself.
func (s *Server) honour(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message, leads []v1alpha1.CartRecovery, part outcome,
) (outcome, error) {
	concerned := concernedBy(leads, part, message.Phone)
	phone := writer(message, concerned)
	if phone == "" || part.Reason == ignoredOwn {
		return part, nil
	}
	store, err := s.storeOf(ctx, instance)
	if err != nil {
		return outcome{}, err
	}
	asked, err := s.asksToStop(ctx, store, concerned, message.Text)
	if err != nil || !asked {
		return part, err
	}
	keep := store != nil && store.Spec.KeepSuppressedPhones
	changed, err := s.suppress(ctx, optOut(instance.Namespace, instance.Spec.StoreRef.Name, phone, keep))
	if err != nil {
		return outcome{}, fmt.Errorf("store an opt-out: %w", err)
	}
	return optedOut(part, changed), nil
}

// storeOf is the Store of an instance, nil when it does not exist: a Suppression holds for
// the name of a Store, and one that is made anew must know of it.
func (s *Server) storeOf(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (*v1alpha1.Store, error) {
	store := &v1alpha1.Store{}
	err := s.Client.Get(ctx, client.ObjectKey{Namespace: instance.Namespace, Name: instance.Spec.StoreRef.Name}, store)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the store of an instance: %w", err)
	}
	return store, nil
}

// asksToStop says whether a text is an opt-out word of the store, or of the Product of a lead
// that it concerns.
func (s *Server) asksToStop(ctx context.Context, store *v1alpha1.Store, concerned []*v1alpha1.CartRecovery, text string) (bool, error) {
	general := policy.Resolve(store, nil)
	if general.OptsOut(text) {
		return true, nil
	}
	for _, each := range concerned {
		product, err := index.ProductOf(ctx, s.Client, each)
		if err != nil {
			return false, err
		}
		special := policy.Resolve(store, product)
		if special.OptsOut(text) {
			return true, nil
		}
	}
	return false, nil
}

// suppress stores a Suppression, or has the one that is there hold again where it has lapsed;
// it says whether anything was written.
func (s *Server) suppress(ctx context.Context, wanted *v1alpha1.Suppression) (changed bool, err error) {
	err = s.Client.Create(ctx, wanted.DeepCopy())
	if err == nil {
		return true, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return false, fmt.Errorf("create a suppression: %w", err)
	}
	var stored v1alpha1.Suppression
	if err := s.Live.Get(ctx, client.ObjectKeyFromObject(wanted), &stored); err != nil {
		return false, fmt.Errorf("read a suppression: %w", err)
	}
	if stored.DeletionTimestamp != nil {
		return false, errLifting
	}
	renewed := stored.DeepCopy()
	if !renew(renewed, s.Clock.Now()) {
		return false, nil
	}
	err = s.Client.Patch(ctx, renewed, client.MergeFromWithOptions(&stored, client.MergeFromWithOptimisticLock{}))
	if err != nil {
		return false, fmt.Errorf("renew a suppression: %w", err)
	}
	return true, nil
}

// renew has a Suppression that has lapsed hold for ever; false when it holds.
func renew(suppression *v1alpha1.Suppression, now time.Time) (changed bool) {
	if !lead.Lapsed(suppression, now) {
		return false
	}
	suppression.Spec.ExpiresAt = nil
	return true
}

// optOut is the Suppression of a customer who asked us to stop, the same from every replica
// and for every way of writing the number. It has no owner: a Store that is deleted and made
// anew, as GitOps tools do, must not lift it.
func optOut(namespace, store, phone string, keepPhone bool) *v1alpha1.Suppression {
	hash := lead.PhoneHash(phone)
	made := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: lead.SuppressionName(store, hash)},
		Spec:       v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: store}, Reason: reasonSuppression, PhoneHash: hash},
	}
	if number := lead.FullNumber(phone); keepPhone && suppressedForm.MatchString(number) && lead.PhoneHash(number) == hash {
		made.Spec.Phone, made.Spec.PhoneHash = number, ""
	}
	made.Labels = lead.SuppressionLabels(made)
	return made
}

// concernedBy are the leads whose Product has a say in what a message means: the one that
// it belongs to or, without one, all that it may be of.
func concernedBy(leads []v1alpha1.CartRecovery, part outcome, phone string) []*v1alpha1.CartRecovery {
	var concerned []*v1alpha1.CartRecovery
	for i := range leads {
		each := &leads[i]
		if part.Lead != "" && each.Name == part.Lead || part.Lead == "" && isOf(each, phone) {
			concerned = append(concerned, each)
		}
	}
	return concerned
}

// writer is the number of the customer who wrote; "" when it is hidden and no lead tells.
func writer(message *dialects.Message, concerned []*v1alpha1.CartRecovery) string {
	if message.Phone != "" || len(concerned) == 0 {
		return message.Phone
	}
	return concerned[0].Spec.Customer.Phone
}

// optedOut is the outcome of an opt-out whose message became part; suppressed says that its
// Suppression was written.
func optedOut(part outcome, suppressed bool) outcome {
	done := outcome{Result: part.Result, Reason: recordedOptOut, Lead: part.Lead}
	switch {
	case suppressed:
		done.Result = resultRecorded
	case part.Result == resultIgnored:
		done.Result = resultUnchanged
	}
	return done
}
