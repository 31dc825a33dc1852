package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
)

const (
	// memoryDelay is how long the leads wait: longer than the measurement, and not as long as leads live.
	memoryDelay = 48 * time.Hour
	// settleTime is how long the manager has after the last lead was made.
	settleTime = 30 * time.Second
	// pageOfLeads is how many leads are asked for their bytes.
	pageOfLeads = 500
)

// memoryOf measures with leads that wait for their first message, or that got it and have ended.
func memoryOf(ended bool) func(context.Context, []int) error {
	return func(ctx context.Context, sizes []int) error {
		if ended {
			return runMemory(ctx, sizes, endedLead)
		}
		return runMemory(ctx, sizes, waitingLead)
	}
}

// runMemory measures what the manager holds in memory with so many leads, and how many bytes the API server stores of
// one.
func runMemory(ctx context.Context, sizes []int, lead func(int) *v1alpha1.CartRecovery) (failed error) {
	cluster, err := sandbox.StartCluster(ctx, filepath.Join(testenv.Root(), ".demo", "bench"))
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, cluster.Stop()) }()
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true})
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, services.Stop()) }()
	manager, err := sandbox.StartManager(ctx, cluster, services)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, manager.Stop()) }()
	if err := prepareStore(ctx, cluster, services, plan{delay: memoryDelay}); err != nil {
		return err
	}
	made := 0
	for _, size := range append([]int{0}, sizes...) {
		if err := makeLeads(ctx, cluster.Client, made, size, lead); err != nil {
			return err
		}
		made = size
		if err := sayMemory(ctx, cluster, manager, size); err != nil {
			return err
		}
	}
	return nil
}

// waitingLead is a lead of the sample Store.
func waitingLead(n int) *v1alpha1.CartRecovery {
	waiting := benchLead(n)
	waiting.Labels = lead.Labels("acme", waiting.Spec.Customer)
	waiting.Spec.StoreRef.Name, waiting.Spec.ClientID = "acme", "acme"
	return waiting
}

// endedLead is one that got a message and did not answer.
func endedLead(n int) *v1alpha1.CartRecovery {
	ended := waitingLead(n)
	now := v1alpha1.NewTimestamp(time.Now())
	ended.Status = v1alpha1.CartRecoveryStatus{
		ObservedGeneration: 1, Phase: v1alpha1.PhaseExpired, State: "Expired (" + v1alpha1.ReasonUnanswered + ")",
		CompletionTime: &metav1.Time{Time: now.Time}, InstanceRef: &v1alpha1.ObjectReference{Name: "acme"},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionFalse,
			Reason: v1alpha1.ReasonUnanswered, LastTransitionTime: metav1.Time{Time: now.Time},
			Message: "the sequence ended and the customer did not answer"}},
		Conversation: []v1alpha1.Message{{ID: "step-first", Role: v1alpha1.RoleAssistant, Step: "first",
			State: v1alpha1.MessageSent, At: now, SentAt: &now, Attempts: 1, Instance: "acme",
			GatewayID: "3EB0A9253FA64269E11C9D", Tokens: 900, Text: "Olá, Maria! Vi que você quase garantiu o " +
				"Curso de Violão e parou no caminho. Ficou alguma dúvida?\nhttps://pay.example.com/violao\n\n" +
				"Aqui é Bia, da equipe Escola Acme. Para não receber mais mensagens, responda PARAR."}},
	}
	return ended
}

// sayMemory prints what the manager holds now. What the collector leaves alive is half of its next goal.
func sayMemory(ctx context.Context, cluster *sandbox.Cluster, manager *sandbox.Manager, leads int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settleTime):
	}
	values, err := gauges(ctx, manager.MetricsURL)
	if err != nil {
		return err
	}
	stored, err := storedBytes(ctx, cluster)
	if err != nil {
		return err
	}
	const mebi = 1 << 20
	sayf("%6d leads: resident %.0f MiB, live heap %.1f MiB, stored %d bytes a lead", leads,
		values["process_resident_memory_bytes"]/mebi, values["go_memstats_next_gc_bytes"]/2/mebi, stored)
	return nil
}

// gauges are the metrics without labels that a process exports.
func gauges(ctx context.Context, url string) (values map[string]float64, failed error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("build a request: %w", err)
	}
	response, err := poster.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	defer func() { failed = errors.Join(failed, response.Body.Close()) }()
	values = map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = value
		}
	}
	return values, lines.Err()
}

// storedBytes are the bytes of a lead as the API server stores it, JSON with its managed fields: the mean of a page.
func storedBytes(ctx context.Context, cluster *sandbox.Cluster) (int, error) {
	clients, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		return 0, fmt.Errorf("build a client: %w", err)
	}
	body, err := clients.RESTClient().Get().AbsPath("apis", v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version,
		"namespaces", benchNamespace, "cartrecoveries").Param("limit", strconv.Itoa(pageOfLeads)).DoRaw(ctx)
	if err != nil {
		return 0, fmt.Errorf("list leads: %w", err)
	}
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return 0, fmt.Errorf("read leads: %w", err)
	}
	sum := 0
	for _, item := range page.Items {
		sum += len(item)
	}
	return sum / max(1, len(page.Items)), nil
}
