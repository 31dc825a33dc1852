package webhookserver

import (
	"context"
	"encoding/json"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

const (
	// statusWait is how long a caller of status waits for the controllers to ask the gateway.
	statusWait = gateway.Timeout + time.Second
	// statusPause is the least time between two requests to ask: callers in between share one.
	statusPause = 2 * time.Second
)

// statusByControllers has the controllers ask the gateway, and answers with what they write into
// the instance: this part has no gateway's credentials.
func (s *Server) statusByControllers(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance,
) (connectionStatus, error) {
	asked, err := s.askControllers(ctx, instance)
	if err != nil {
		return connectionStatus{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, statusWait)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	name := client.ObjectKeyFromObject(instance)
	for {
		current, err := s.instance(ctx, name)
		if err == nil && current != nil {
			instance = current
			if notBefore(current.Status.HandledStatusRequest, asked) {
				return s.observed(current), nil
			}
		}
		select {
		case <-ticker.C:
		case <-s.draining:
			return stale(instance, &failure.Error{Code: failure.Unavailable}, s.Clock.Now()), nil
		case <-ctx.Done():
			return stale(instance, &failure.Error{Code: failure.TimedOut}, s.Clock.Now()), nil
		}
	}
}

// askControllers asks for the gateway to be asked, unless that was just done, and returns the
// request.
func (s *Server) askControllers(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (string, error) {
	now, last := s.Clock.Now(), instance.Annotations[v1alpha1.AnnotationStatusRequested]
	if at, err := time.Parse(time.RFC3339Nano, last); err == nil && now.Sub(at).Abs() < statusPause {
		return last, nil
	}
	request := now.UTC().Format(time.RFC3339Nano)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{v1alpha1.AnnotationStatusRequested: request},
	}})
	if err != nil {
		return "", err
	}
	asking := &v1alpha1.WhatsAppInstance{ObjectMeta: metav1.ObjectMeta{Namespace: instance.Namespace,
		Name: instance.Name}}
	return request, s.Client.Patch(ctx, asking, client.RawPatch(types.MergePatchType, patch))
}

// observed is the state of an instance once its gateway was asked.
func (s *Server) observed(instance *v1alpha1.WhatsAppInstance) connectionStatus {
	if apimeta.IsStatusConditionFalse(instance.Status.Conditions, v1alpha1.ConditionGatewayReachable) {
		return stale(instance, &failure.Error{Code: failure.Unavailable}, s.Clock.Now())
	}
	return known(instance)
}
