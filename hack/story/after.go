package story

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/simulator"
)

// nothingTwice asks the simulated gateways what they were told to send.
func (s *Story) nothingTwice(context.Context) error {
	if s.Services.Gateway == nil || s.Services.Evolution == nil {
		return nil
	}
	sent := append(s.Services.Gateway.Sent(), s.Services.Evolution.Sent()...)
	if twice := sentTwice(sent); twice != "" {
		return fmt.Errorf("a message went out twice: %s", twice)
	}
	s.Done(fmt.Sprintf("%d messages went out, none of them twice", len(sent)))
	return nil
}

// sentTwice is the text of a message that was sent again, "" without one.
func sentTwice(sent []simulator.SentMessage) string {
	seen := map[string]bool{}
	for _, message := range sent {
		for _, mark := range []string{message.TrackID, message.Number + " " + message.Text} {
			if mark != "" && seen[mark] {
				return message.Text
			}
			seen[mark] = true
		}
	}
	return ""
}

// Remember is what a told story leaves behind: the leads with their phases, and the opt-outs.
func (s *Story) Remember(ctx context.Context) (map[string]v1alpha1.Phase, error) {
	leads, err := s.leads(ctx)
	if err != nil {
		return nil, err
	}
	left := map[string]v1alpha1.Phase{}
	for i := range leads {
		left[leads[i].Name] = leads[i].Status.Phase
	}
	var suppressions v1alpha1.SuppressionList
	if err := s.Client.List(ctx, &suppressions, client.InNamespace(Namespace)); err != nil {
		return nil, fmt.Errorf("list Suppressions: %w", err)
	}
	for i := range suppressions.Items {
		left[suppressions.Items[i].Name] = ""
	}
	return left, nil
}

// GoOn goes on with a story that was told, after an operator was installed again: a customer is recovered, and who
// opted out before is not written to.
func (s *Story) GoOn(ctx context.Context) error {
	s.Step("Rui leaves the checkout, and Maria does once more")
	before := len(s.sentTo(s.answers))
	late := customer{"Rui Dias", "rui@example.com", "+5511922220006"}
	for _, who := range []customer{s.answers, late} {
		cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", who, nil)
		if err := s.deliver(ctx, "Hotmart: "+firstName(who.name)+" left the checkout", http.StatusOK)(cart,
			err); err != nil {
			return err
		}
	}
	contacted, err := s.await(ctx, late, v1alpha1.PhaseContacted)
	if err != nil {
		return err
	}
	s.say(contacted, contacted.Status.Conversation[0])
	if after := len(s.sentTo(s.answers)); after != before {
		return fmt.Errorf("who opted out, Maria, was written to: %d messages, and %d before", after, before)
	}
	return s.nothingTwice(ctx)
}

// sentTo are the messages to a customer at the simulated UAZAPI server.
func (s *Story) sentTo(who customer) []simulator.SentMessage {
	var found []simulator.SentMessage
	for _, message := range s.Services.Gateway.Sent() {
		if strings.HasSuffix(phone.Digits(who.phone), message.Number) || strings.HasSuffix(message.Number,
			phone.Digits(who.phone)) {
			found = append(found, message)
		}
	}
	return found
}

// TellAndCount is Tell, and before everything is shown it waits until the Store's status has what the story came to.
func (s *Story) TellAndCount(ctx context.Context) error {
	if err := s.Begin(ctx); err != nil {
		return err
	}
	return inTurn(ctx, append(s.ending(), s.count, s.showEverything)...)
}

// count waits until the Store has counted, which it does every half minute at the most.
func (s *Story) count(ctx context.Context) error {
	if s.buysLate == (customer{}) {
		return nil
	}
	s.Step("The Store counts, every half minute")
	s.Disturbance += patience
	var revenue string
	seen := 0 // for a second, after which the operator's cache has it, too
	err := s.until(ctx, "the Store has counted what was recovered", func() (bool, error) {
		var store v1alpha1.Store
		err := s.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: "acme"}, &store)
		if store.Status.Summary != nil && store.Status.Summary.Revenue != "" {
			revenue = store.Status.Summary.Revenue
			seen++
		}
		return seen >= 20, err
	})
	if err == nil {
		s.Done("recovered: " + revenue)
	}
	return err
}
