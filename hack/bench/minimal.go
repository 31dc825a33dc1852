package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
)

const minimalNamespace = "bench-minimal"

// runMinimal claims, sends and confirms every lead at its due time, with nothing around
// it.
func runMinimal(ctx context.Context, cluster *sandbox.Cluster, services *sandbox.Services, p plan) (lateness, error) {
	leads, err := minimalLeads(ctx, cluster, p)
	if err != nil {
		return nil, err
	}
	token, err := minimalInstance(ctx, services)
	if err != nil {
		return nil, err
	}
	arrivals := watchArrivals(services.Gateway, p.leads)
	due := make(map[string]time.Time, p.leads)
	start := time.Now().Add(time.Second)
	var sending sync.WaitGroup
	failures := make(chan error, p.leads)
	for n := range leads {
		at := start.Add(p.window * time.Duration(n) / time.Duration(p.leads))
		due[phoneOf(n)] = at
		sending.Go(func() {
			time.Sleep(time.Until(at))
			failures <- claimSendConfirm(ctx, cluster, services.GatewayURL, token, leads[n], phoneOf(n))
		})
	}
	sending.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return arrivals.lateness(due)
}

func minimalLeads(ctx context.Context, cluster *sandbox.Cluster, p plan) ([]*v1alpha1.CartRecovery, error) {
	if err := cluster.Client.Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: minimalNamespace}}); err != nil {
		return nil, fmt.Errorf("create namespace: %w", err)
	}
	leads := make([]*v1alpha1.CartRecovery, p.leads)
	now := v1alpha1.NewTimestamp(time.Now())
	for n := range leads {
		leads[n] = &v1alpha1.CartRecovery{
			ObjectMeta: metav1.ObjectMeta{Namespace: minimalNamespace, Name: fmt.Sprintf("lead-%d", n)},
			Spec: v1alpha1.CartRecoverySpec{
				StoreRef: v1alpha1.ObjectReference{Name: "none"}, Platform: v1alpha1.PlatformHotmart,
				Trigger: v1alpha1.TriggerAbandonedCart, Customer: v1alpha1.LeadCustomer{Name: "Maria Souza",
					Phone: "+" + phoneOf(n)}, AbandonedAt: &now, Suspend: true,
			},
		}
		if err := cluster.Client.Create(ctx, leads[n]); err != nil {
			return nil, fmt.Errorf("create lead: %w", err)
		}
	}
	return leads, nil
}

// minimalInstance makes and pairs an instance at the simulated gateway.
func minimalInstance(ctx context.Context, services *sandbox.Services) (string, error) {
	answer, err := postJSON(ctx, services.GatewayURL+"/instance/create", map[string]string{"name": minimalNamespace},
		"admintoken", sandbox.SimulatedAdminToken)
	if err != nil {
		return "", err
	}
	var created struct{ Token string }
	if err := json.Unmarshal(answer, &created); err != nil || created.Token == "" {
		return "", errors.New("the simulated gateway made no instance")
	}
	if _, err := postJSON(ctx, services.GatewayURL+"/instance/connect", map[string]string{}, "token",
		created.Token); err != nil {
		return "", err
	}
	return created.Token, services.Gateway.Scan(minimalNamespace, "5511977770001")
}

func claimSendConfirm(ctx context.Context, cluster *sandbox.Cluster, gatewayURL, token string,
	lead *v1alpha1.CartRecovery, phone string) error {
	set := func(state v1alpha1.MessageState) error {
		next := lead.DeepCopy()
		next.Status.Conversation = []v1alpha1.Message{{
			ID: "c0-step-first", Role: v1alpha1.RoleAssistant, Text: "Oi, Maria!", State: state,
			At: v1alpha1.NewTimestamp(time.Now()),
		}}
		err := cluster.Client.Status().Patch(ctx, next, client.MergeFromWithOptions(lead,
			client.MergeFromWithOptimisticLock{}))
		lead = next
		return err
	}
	if err := set(v1alpha1.MessageClaimed); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if _, err := postJSON(ctx, gatewayURL+"/send/text", map[string]string{"number": phone, "text": "Oi, Maria!",
		"track_id": string(lead.UID)}, "token", token); err != nil {
		return err
	}
	if err := set(v1alpha1.MessageSent); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	return nil
}

func postJSON(ctx context.Context, url string, content any, header, value string) ([]byte, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(header, value)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("call the simulated gateway: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the simulated gateway's answer: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return nil, fmt.Errorf("the simulated gateway answered %d", answer.StatusCode)
	}
	return text, nil
}
