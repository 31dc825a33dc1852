package webhookserver

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/optouts"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=suppressions,verbs=get;create;patch

// A customer asks not to be written to, or whoever has the number is not the customer. The message is stored first: in
// its conversation it fences the lead. Then every other open lead of the number is stopped, and the Suppression is
// stored for leads to come (see inbound_stop.go). Only then is the delivery acknowledged: where one of them cannot be
// stored, the gateway delivers again, the message is known, and the rest is tried again.

// oldRequest is how old a request to stop may be that a gateway tells of only now. One that is
// older may have been lifted since.
const oldRequest = 30 * 24 * time.Hour

// honour stops everything for a customer whose message asks for it, or says that they are not
// the customer. leads are those that the message may belong to, and part is what became of the
// message itself.
func (s *Server) honour(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
	leads []v1alpha1.CartRecovery, part storedMessage,
) (outcome, error) {
	concerned := concernedBy(leads, part.outcome, message)
	numbers := writers(message, part.lead, concerned)
	if len(numbers) == 0 || part.Reason == ignoredOwn || isTooOld(message, part, s.Clock.Now()) {
		return part.outcome, nil
	}
	store, err := s.storeOf(ctx, instance)
	if err != nil {
		return outcome{}, err
	}
	reason, err := s.asksToStop(ctx, store, concerned, textsOf(message, part.lead))
	if err != nil || reason == "" {
		return part.outcome, err
	}
	keep := store != nil && store.Spec.SuppressedPhones == v1alpha1.SuppressedPhonesClear
	asked := v1alpha1.Stop{Reason: reason, At: v1alpha1.NewTimestamp(askedAt(message, s.Clock.Now()))}
	stopped, suppressed, err := s.stopAll(ctx, instance, numbers, part, asked, keep)
	if err != nil {
		return outcome{}, err
	}
	return toldToStop(part.outcome, reason, stopped, suppressed), nil
}

// askedAt is when a message was written; one without a time, or of a clock that goes ahead, is new.
func askedAt(message *formats.Message, now time.Time) time.Time {
	if message.At.IsZero() || message.At.After(now) {
		return now
	}
	return message.At
}

// isTooOld says whether a message that is in no conversation may have been taken back since.
// What has no time is new.
func isTooOld(message *formats.Message, part storedMessage, now time.Time) bool {
	return part.lead == nil && !message.At.IsZero() && now.Sub(message.At) > oldRequest
}

// storeOf is the Store of an instance, nil when it does not exist: a Suppression holds for
// the name of a Store, and a Store that is created again must know of it.
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

// mayAskToStop says whether a message for a lead, or one that was delivered behind it, asks us to stop, by
// itself or with what the customer wrote before, or whether that is not known. before are texts that are
// about to be stored. Who has been heard needs no hurry: one who repeats it without end is a flood as well.
func (s *Server) mayAskToStop(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, recovery *v1alpha1.CartRecovery, before []string,
	message *formats.Message,
) bool {
	store, err := s.storeOf(ctx, instance)
	if err != nil {
		return true
	}
	texts := append(lastTexts(recovery, s.Clock.Now()), before...)
	for _, each := range slices.Concat([]formats.Message{*message}, behind(ctx, message)) {
		if s.hasBeenHeard(ctx, recovery, each.Phone) {
			continue
		}
		texts = append(texts, each.Text)
		reason, err := s.asksToStop(ctx, store, []*v1alpha1.CartRecovery{recovery}, texts)
		if err != nil || reason != "" {
			return true
		}
	}
	return false
}

// hasBeenHeard says whether who writes from a number has asked not to be written to: nothing is sent there any more.
func (s *Server) hasBeenHeard(ctx context.Context, recovery *v1alpha1.CartRecovery, number string) bool {
	if number == "" || lead.SamePhone(number, recovery.Spec.Customer.Phone) {
		if lead.Stopped(recovery) != nil {
			return true
		}
		number = recovery.Spec.Customer.Phone
	}
	heard, err := index.Suppressed(
		ctx, s.Client, nil, recovery.Namespace, recovery.Spec.StoreRef.Name, lead.FullNumber(number), s.Clock.Now())
	return err == nil && heard
}

// lastTexts are what a customer has just written, as far as it is read together with what they write now.
func lastTexts(recovery *v1alpha1.CartRecovery, now time.Time) []string {
	conversation := append(slices.Clone(recovery.Status.Conversation), v1alpha1.Message{
		Role: v1alpha1.RoleCustomer, Cycle: recovery.Status.Cycle, At: v1alpha1.NewTimestamp(now),
	})
	texts := lead.WrittenTogether(conversation, len(conversation)-1, policy.MostTogether)
	if len(texts) == 0 {
		return nil
	}
	return texts[:len(texts)-1]
}

// asksToStop says why nothing more may be sent, by the words of the store, or of the Product of
// a lead that the text concerns; "" for any other text.
func (s *Server) asksToStop(
	ctx context.Context, store *v1alpha1.Store, concerned []*v1alpha1.CartRecovery, texts []string,
) (v1alpha1.StopReason, error) {
	general := policy.Resolve(store, nil)
	if reason := stopReason(&general, texts); reason != "" {
		return reason, nil
	}
	for _, each := range concerned {
		product, err := index.ProductOf(ctx, s.Client, each)
		if err != nil {
			return "", err
		}
		special := policy.Resolve(store, product)
		if slices.Equal(special.OptOutKeywords, general.OptOutKeywords) {
			continue // it would be read in the same way again
		}
		if reason := stopReason(&special, texts); reason != "" {
			return reason, nil
		}
	}
	return "", nil
}

// textsOf are the text of a message and, before it, those that its customer wrote just before it in
// the same conversation.
func textsOf(message *formats.Message, stored *v1alpha1.CartRecovery) []string {
	if stored == nil {
		return []string{message.Text}
	}
	conversation := stored.Status.Conversation
	for i := range conversation {
		if conversation[i].ID != messageID(message) || conversation[i].Role != v1alpha1.RoleCustomer {
			continue
		}
		if texts := lead.WrittenTogether(conversation, i, policy.MostTogether); texts != nil {
			texts[len(texts)-1] = message.Text
			return texts
		}
	}
	return []string{message.Text}
}

// stopReason says why nothing more may be sent after the last of these texts, by itself or together
// with those before it.
func stopReason(rules *policy.Policy, texts []string) v1alpha1.StopReason {
	text := texts[len(texts)-1]
	switch {
	case rules.OptsOut(text), rules.OptsOutTogether(texts):
		return v1alpha1.StopOptOut
	case rules.WrongNumber(text):
		return v1alpha1.StopWrongNumber
	}
	return ""
}

// suppressAll stores a Suppression for each of these numbers; it says whether anything was written.
func (s *Server) suppressAll(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, numbers []string, asked v1alpha1.Stop, keep bool,
) (changed bool, err error) {
	for _, number := range numbers {
		// The reasons of a Stop are among those of a Suppression.
		wanted := lead.NewSuppression(instance.Namespace, instance.Spec.StoreRef.Name, number, keep,
			v1alpha1.SuppressionReason(asked.Reason))
		written, err := s.suppress(ctx, wanted, asked.At.Time)
		if err != nil {
			return false, fmt.Errorf("store an opt-out: %w", err)
		}
		changed = changed || written
	}
	return changed, nil
}

// suppress stores a Suppression, or has the one that is there hold for ever where it has an end (see lead.Renew); it
// says whether anything was written. asked is when the customer asked for it.
func (s *Server) suppress(ctx context.Context, wanted *v1alpha1.Suppression, asked time.Time) (changed bool,
	err error) {
	outcome, err := optouts.Keep(ctx, s.Client, s.Live, wanted, func(stored *v1alpha1.Suppression) (bool, error) {
		return lead.Renew(stored, asked, s.Clock.Now()), nil
	})
	return outcome != optouts.Unchanged, err
}

// concernedBy are the leads whose Product has a say in what a message means: the one that
// it belongs to or, without one, all that it may be of.
func concernedBy(leads []v1alpha1.CartRecovery, part outcome, message *formats.Message) []*v1alpha1.CartRecovery {
	var concerned []*v1alpha1.CartRecovery
	for i := range leads {
		each := &leads[i]
		if part.Lead != "" && each.Name == part.Lead || part.Lead == "" && bondOf(each, message) != bondNone {
			concerned = append(concerned, each)
		}
	}
	return concerned
}

// writers are the numbers that a message speaks for, each once: the one that it came from, and
// the one that is written to in the conversation that it belongs to, which can be another or the
// only one that is known.
func writers(message *formats.Message, stored *v1alpha1.CartRecovery, concerned []*v1alpha1.CartRecovery) []string {
	var numbers []string
	if message.Phone != "" {
		numbers = append(numbers, message.Phone)
	}
	if stored == nil && message.Phone == "" && len(concerned) > 0 {
		stored = concerned[0]
	}
	if stored == nil {
		return numbers
	}
	if written := stored.Spec.Customer.Phone; written != "" && !lead.SamePhone(message.Phone, written) {
		numbers = append(numbers, written)
	}
	return numbers
}

// toldToStop is the outcome of a message that asks us to stop and became part; stopped are the
// other leads that were written, and suppressed says that a Suppression was.
func toldToStop(part outcome, reason v1alpha1.StopReason, stopped []string, suppressed bool) outcome {
	done := outcome{Result: part.Result, Reason: recordedOptOut, Lead: part.Lead, Leads: stopped}
	if reason == v1alpha1.StopWrongNumber {
		done.Reason = recordedWrongNumber
	}
	switch {
	case suppressed || len(stopped) > 0:
		done.Result = resultRecorded
	case part.Result == resultIgnored:
		done.Result = resultUnchanged
	}
	return done
}
