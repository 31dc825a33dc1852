package webhookserver

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/panics"
)

const (
	// rejectionPause is the least time between two writes of one reason to one Store: a
	// stranger must not be able to make us write.
	rejectionPause = time.Minute
	// rejectionTimeout bounds one write.
	rejectionTimeout = 5 * time.Second
	// maxRejections bounds what waits to be written; the rest is dropped.
	maxRejections = 64
	// maxRemembered is how many last writes are remembered before old ones are looked for.
	maxRemembered = 1024
)

// rejectionMessages say what was expected.
var rejectionMessages = map[string]string{
	v1alpha1.RejectedNoCredential: "the delivery carried no signature or token, or an empty one",
	v1alpha1.RejectedBadCredential: "the delivery's signature or token matches none of the Secrets in " +
		"secretRefs",
	v1alpha1.RejectedPlatformNotConfigured: "spec.platforms does not name the platform",
	v1alpha1.RejectedSecretMissing: "none of the Secrets in secretRefs exists and has its key, so nobody " +
		"can be authenticated",
	v1alpha1.RejectedMisconfigured: "the platform's entry in spec.platforms cannot be used; see the Ready condition",
	v1alpha1.RejectedMalformed:     "the delivery was authentic and could not be read",
}

// remark is a field of a Store's status, to be written.
type remark struct {
	store types.NamespacedName
	field string
	value any
}

// rejections are the deliveries that were refused, or taken and could not be used, and wait to
// be shown on their Stores; and when the last of a reason was.
type rejections struct {
	queue chan remark

	mu   sync.Mutex
	last map[rejectionKey]time.Time
}

type rejectionKey struct {
	store  types.UID
	reason string
}

func newRejections() *rejections {
	return &rejections{queue: make(chan remark, maxRejections), last: map[rejectionKey]time.Time{}}
}

// rejectionDue says whether a refused delivery is written: shown is what the Store shows
// already, last when this replica last wrote this reason.
func rejectionDue(shown *v1alpha1.RejectedDelivery, last time.Time, reason string, now time.Time) bool {
	if !last.IsZero() && now.Sub(last) < rejectionPause {
		return false
	}
	return shown == nil || shown.Reason != reason || now.Sub(shown.Time.Time) >= rejectionPause
}

// due says whether a refused delivery is written, and remembers that it is.
func (r *rejections) due(store *v1alpha1.Store, reason string, now time.Time) bool {
	return r.dueAt(rejectionKey{store.UID, reason}, !rejectionDue(store.Status.LastRejectedDelivery, time.Time{},
		reason, now), now)
}

// dueAt says whether what has this key is written, and remembers that it is. isShown says that
// the Store shows it already.
func (r *rejections) dueAt(key rejectionKey, isShown bool, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.last[key]; isShown || !last.IsZero() && now.Sub(last) < rejectionPause {
		return false
	}
	if len(r.last) >= maxRemembered {
		for old, at := range r.last {
			if now.Sub(at) >= rejectionPause {
				delete(r.last, old)
			}
		}
	}
	r.last[key] = now
	return true
}

// reject has a refused delivery shown on its Store, soon and without waiting for it.
func (s *Server) reject(store *v1alpha1.Store, platform v1alpha1.PlatformName, reason, message string) {
	now := s.Clock.Now()
	if platform == "" || !s.rejections.due(store, reason, now) {
		return
	}
	if message == "" {
		message = rejectionMessages[reason]
	}
	s.rejections.add(remark{client.ObjectKeyFromObject(store), "lastRejectedDelivery", v1alpha1.RejectedDelivery{
		Time: metav1.NewTime(now.UTC()), Platform: platform, Reason: reason, Message: clip.Characters(message, 512),
	}})
}

// add queues what is to be written; what finds no room is dropped.
func (r *rejections) add(next remark) {
	select {
	case r.queue <- next:
	default:
	}
}

// recordRejections writes refused deliveries until stop is closed, and then what is left.
func (s *Server) recordRejections(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case next := <-s.rejections.queue:
			s.recordRejection(ctx, next)
		case <-stop:
			s.recordLeft(ctx)
			return
		}
	}
}

// recordLeft writes what is left in the queue, in the time of one write.
func (s *Server) recordLeft(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, rejectionTimeout)
	defer cancel()
	for len(s.rejections.queue) > 0 && ctx.Err() == nil {
		s.recordRejection(ctx, <-s.rejections.queue)
	}
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (s *Server) recordRejection(ctx context.Context, next remark) {
	ctx, cancel := context.WithTimeout(ctx, rejectionTimeout)
	defer cancel()
	patch, err := json.Marshal(map[string]any{"status": map[string]any{next.field: next.value}})
	if err == nil {
		store := &v1alpha1.Store{ObjectMeta: metav1.ObjectMeta{Namespace: next.store.Namespace, Name: next.store.Name}}
		err = panics.Do(s.logInto(ctx), panics.Rejection, func() error {
			return s.Client.Status().Patch(ctx, store, client.RawPatch(types.MergePatchType, patch))
		})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		s.logFailure("Cannot show a delivery on its Store", err, "store", next.store.String())
	}
}
