package whatsappinstance

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
)

// This file is about numbers that their gateway calls connected and that send nothing:
// docs/decisions/0049-open-and-dead.md.

// revival is what was tried to have a number send again. Each means is tried once, until a message has gone or a person
// asks for pairing.
type revival struct {
	// restarted: the gateway was asked to restart the instance; answered: a number that is not
	// sending was taken for alive because the gateway could look its own number up.
	restarted, answered bool
}

// isNotSending says whether the status tells that the number sends nothing.
func isNotSending(instance *v1alpha1.WhatsAppInstance) bool {
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonNotSending
}

// planRevival restarts a number that its gateway calls connected and that sends nothing, once.
func planRevival(s *snapshot) (action, bool) {
	dead := s.memory.state == gateway.Connected && isNotSending(s.instance)
	return action{kind: revive}, dead && !s.memory.revived.restarted
}

// revive has the gateway close the connection and open it again, where it can. Where it cannot, the
// number waits for a person, or for the gateway to answer.
func (r *Reconciler) revive(ctx context.Context, p *pass) error {
	p.memory.revived.restarted = true
	if !p.can.Restart {
		return nil
	}
	if err := p.gateway.Restart(ctx); err != nil {
		r.Recorder.Eventf(p.instance, nil, corev1.EventTypeWarning, "RestartFailed", "Restart",
			"the gateway did not restart the instance: %s", connection.Message(err))
		return nil
	}
	ctrl.LoggerFrom(ctx).Info("Restarted a number at its gateway that sent nothing")
	r.Recorder.Eventf(p.instance, nil, corev1.EventTypeNormal, "Restarted", "Restart",
		"the number sent nothing: the gateway restarted its instance")
	return r.again(ctx, p)
}

// again gives a number that did not send a new start: the gateway is asked for the connection.
func (r *Reconciler) again(ctx context.Context, p *pass) error {
	p.memory.state, p.memory.nextPoll = "", time.Time{}
	if r.Paced != nil {
		r.Paced.Forgive(p.instance.UID)
	}
	return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { connection.SendsAgain(i, r.Clock.Now()) })
}

// answers says whether the gateway of a number that is not sending can look the number itself up
// at WhatsApp, which takes a connection. One that could, and sent nothing all the same, is not
// believed again.
func (r *Reconciler) answers(ctx context.Context, p *pass) bool {
	revived := &p.memory.revived
	if !isNotSending(p.instance) || !revived.restarted || revived.answered || p.instance.Status.Phone == "" ||
		!p.can.CheckNumber {
		return false
	}
	_, err := p.gateway.CheckNumber(ctx, strings.TrimPrefix(p.instance.Status.Phone, "+"))
	revived.answered = err == nil
	return err == nil
}

// judge writes whether a connected number sends, by what became of the last messages; alive says that the gateway has
// shown so otherwise. A connection that is gone is judged again when it is back.
func (r *Reconciler) judge(
	instance *v1alpha1.WhatsAppInstance, p *pass, state gateway.State, alive bool, now time.Time,
) {
	if r.Paced == nil {
		return
	}
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	since := time.Time{}
	if ready != nil {
		since = ready.LastTransitionTime.Time
	}
	switch {
	case state.Connection != gateway.Connected, alive:
		r.Paced.Forgive(instance.UID)
		connection.SendsAgain(instance, now)
	case isNotSending(instance) && p.refusals.Succeeded.After(since):
		p.memory.revived = revival{}
		connection.SendsAgain(instance, now)
	case p.refusals.Dead(now):
		connection.NotSending(instance, now)
	case !p.refusals.Succeeded.IsZero() && p.refusals.Count == 0:
		p.memory.revived = revival{}
	}
}
