package cartrecovery

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
)

// notifyHandOver is how long ago a person may have taken over for it to be news: a new leader
// does not tell again of everything that its predecessor told of.
const notifyHandOver = 10 * time.Minute

// maxNotified is how many hand-overs are remembered as notified.
const maxNotified = 10_000

// takeover is one time that a person took a conversation over.
type takeover struct {
	lead types.UID
	at   int64
}

// notifyHandedOff makes an event of a person who took over, once.
func (r *Reconciler) notifyHandedOff(recovery *v1alpha1.CartRecovery, now time.Time) {
	condition := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if condition == nil || now.Sub(condition.LastTransitionTime.Time) > notifyHandOver {
		return
	}
	news := takeover{recovery.UID, condition.LastTransitionTime.Unix()}
	if _, told := r.notified.Get(news); told {
		return
	}
	r.notified.Add(news, struct{}{})
	r.Recorder.Eventf(recovery, nil, corev1.EventTypeNormal, v1alpha1.ConditionHandedOff, "HandOver", "%s",
		condition.Message)
}

// notifyBlocked makes an event of something that stands in the way for the first time.
func (r *Reconciler) notifyBlocked(recovery *v1alpha1.CartRecovery, planned plan.Action) {
	if !plan.IsTold(planned.Blocked) {
		return
	}
	for _, condition := range recovery.Status.Conditions {
		if condition.Type == v1alpha1.ConditionBlocked && condition.Reason == planned.Blocked {
			return
		}
	}
	r.Recorder.Eventf(recovery, nil, corev1.EventTypeWarning, planned.Blocked, "Wait", "%s", planned.Why)
}

func (r *Reconciler) count(id, result string) {
	kind := "step"
	switch {
	case lead.IsReplyID(id):
		kind = "reply"
	case lead.IsNoticeID(id):
		kind = "notice"
	}
	r.Metrics.Message(kind, result).Inc()
}
