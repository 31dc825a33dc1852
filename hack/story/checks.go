package story

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
)

func (s *Story) kubectl(ctx context.Context, args ...string) (string, error) {
	return s.Kubectl(ctx, append([]string{"-n", Namespace}, args...)...)
}

// deliver returns a function that posts a delivery and checks the status it is answered
// with; it takes what the makers of deliveries return.
func (s *Story) deliver(ctx context.Context, what string, want int) func(delivery, error) error {
	return func(made delivery, err error) error {
		if err != nil {
			return err
		}
		status, body, err := made.post(ctx, s.URL)
		if err != nil {
			return err
		}
		if status != want {
			return fmt.Errorf("%s: answered %d, not %d: %s", what, status, want, body)
		}
		s.Done(fmt.Sprintf("%s  ->  %d %s", what, status, strings.TrimSpace(body)))
		return nil
	}
}

// await waits until a customer's lead is in a phase, and returns it.
func (s *Story) await(ctx context.Context, who customer, phase v1alpha1.Phase) (*v1alpha1.CartRecovery, error) {
	var found *v1alpha1.CartRecovery
	err := s.until(ctx, firstName(who.name)+"'s lead is "+string(phase), func() (bool, error) {
		var err error
		found, err = s.lead(ctx, who)
		return found != nil && found.Status.Phase == phase, err
	})
	if err != nil && found != nil {
		if blocked := apimeta.FindStatusCondition(found.Status.Conditions, v1alpha1.ConditionBlocked); blocked != nil {
			err = fmt.Errorf("%w; the lead is Blocked, %s: %s", err, blocked.Reason, blocked.Message)
		}
	}
	return found, err
}

// until waits for a condition, with a limit.
func (s *Story) until(ctx context.Context, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience+s.Disturbance)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			s.Done(what)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("this did not happen within %s: %s", patience+s.Disturbance, what)
		case <-tick.C:
		}
	}
}

func (s *Story) leads(ctx context.Context) ([]v1alpha1.CartRecovery, error) {
	var list v1alpha1.CartRecoveryList
	err := s.Client.List(ctx, &list, client.InNamespace(Namespace))
	return list.Items, err
}

// lead is the lead of a customer that the webhook server made; nil when there is none.
func (s *Story) lead(ctx context.Context, who customer) (*v1alpha1.CartRecovery, error) {
	leads, err := s.leads(ctx)
	for i := range leads {
		if leads[i].Spec.Customer.Email == who.email && leads[i].Name != "sample-lead" {
			return &leads[i], err
		}
	}
	return nil, err
}

// say prints a message of a conversation.
func (s *Story) say(recovery *v1alpha1.CartRecovery, message v1alpha1.Message) {
	who := "store"
	if message.Role == v1alpha1.RoleCustomer {
		who = firstName(recovery.Spec.Customer.Name)
	}
	s.show(fmt.Sprintf("  %5s: %s", who, strings.ReplaceAll(message.Text, "\n", "\n         ")))
}

func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// Invite prints what can be tried while the demo stays up.
func (s *Story) Invite(on *sandbox.Cluster, manager *sandbox.Manager) {
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", customer{"Rita Alves", "rita@example.com", "+5511944440004"},
		nil)
	if err != nil {
		return
	}
	s.printf(`
It stays up until Ctrl-C. In another terminal:

  export KUBECONFIG=%s PATH="%s:$PATH"
  kubectl -n %s get cartrecoveries --watch

Another abandoned cart, and its purchase:

  curl -X POST %s/api/webhooks/hotmart/acme -H 'X-HOTMART-HOTTOK: %s' -H 'Content-Type: application/json' \
    -d '%s'

  curl -X POST %s/api/webhooks/hotmart/acme -H 'X-HOTMART-HOTTOK: %s' -H 'Content-Type: application/json' \
    -d '%s'

The state of the WhatsApp connection, and the metrics:

  curl %s/api/whatsapp/status/acme -H 'Authorization: Bearer %s'
  curl %s

An answer to the number on the Evolution server, as that server posts it:

  KEY=$(kubectl -n %s get secret %s-gateway -o jsonpath='{.data.webhookKey}' | base64 -d)
  curl -X POST %s/api/whatsapp/webhook/%s/%s -H "X-Cart-Recovery-Key: $KEY" -H 'Content-Type: application/json' \
    -d '{"event":"messages.upsert","instance":"%s.%s","data":{"key":{"remoteJid":"5511933330005@s.whatsapp.net","fromMe":false,"id":"TRY1"},"message":{"conversation":"Oi! Ainda tem vaga?"},"messageType":"conversation"}}'

A real Evolution server instead: EVOLUTION_BASE_URL=https://… EVOLUTION_API_KEY=… make run, then apply a WhatsAppInstance with
spec.gateway.type: Evolution and scan what its pairing Secret holds.

The manager logs to %s.
`, on.Kubeconfig, os.Getenv("KUBEBUILDER_ASSETS"), Namespace, s.URL, hottok, cart.body, s.URL, hottok,
		strings.Replace(string(cart.body), "PURCHASE_OUT_OF_SHOPPING_CART", "PURCHASE_APPROVED", 1),
		s.URL, s.token, manager.MetricsURL,
		Namespace, second, s.URL, Namespace, second, Namespace, second, manager.Log)
}
