package webhookserver

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// An authentic purchase or refund that names neither a buyer nor a known sale stops nothing. It is shown on its Store.
// The platform is told that it was taken: it would only send the same again.

// unusableMessages say what was expected.
var unusableMessages = map[string]string{
	v1alpha1.UnusableNoCustomer: "the delivery names neither a phone number nor an e-mail address of the buyer, so " +
		"it stopped no recovery",
	v1alpha1.UnusableNoSale: "the delivery names no buyer, and a sale that no lead knows, so it stopped no recovery",
}

// eventUnusable is the reason of the Event on the Store, and takeDelivery what was done.
const (
	eventUnusable = "UnusableDelivery"
	takeDelivery  = "TakeDelivery"
)

// unusableReason is the reason of an event that cannot be used.
func unusableReason(event *platforms.Event) string {
	if event.TransactionID != "" {
		return v1alpha1.UnusableNoSale
	}
	return v1alpha1.UnusableNoCustomer
}

// unusable counts an event that cannot be used, and has it shown on its Store, soon and at most
// once a minute and reason.
func (s *Server) unusable(store *v1alpha1.Store, platform v1alpha1.PlatformName, event *platforms.Event,
	reason string) *outcome {
	s.Metrics.UnusableDelivery(string(platform), reason).Inc()
	field := clip.Characters(event.Missing, 128)
	done := &outcome{Result: resultUnusable, Reason: reason, Field: field}
	now := s.Clock.Now()
	shown := store.Status.LastUnusableDelivery
	isShown := shown != nil && shown.Reason == reason && now.Sub(shown.Time.Time) < rejectionPause
	if !s.rejections.dueAt(rejectionKey{store.UID, eventUnusable + reason}, isShown, now) {
		return done
	}
	s.rejections.add(remark{client.ObjectKeyFromObject(store), "lastUnusableDelivery", v1alpha1.UnusableDelivery{
		Time: metav1.NewTime(now.UTC()), Platform: platform, Event: clip.Characters(event.Name, 64), Reason: reason,
		Field: field, Message: unusableMessages[reason],
	}})
	if s.Recorder != nil {
		s.Recorder.Eventf(store, nil, corev1.EventTypeWarning, eventUnusable, takeDelivery, "%s: %s", platform,
			unusableMessages[reason])
	}
	return done
}
