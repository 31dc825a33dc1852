package prompt

import (
	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
)

// customerTexts is from how many of their last messages the customer's language is told.
const customerTexts = 6

// factsOf is what a text of the AI is judged by. The customer chose their name, so what the system prompt
// says with it is no fact: it is rendered once more for a customer without one.
func factsOf(s plan.Snapshot, data ai.PromptData, system *ai.Prompt, rendered string) guard.Facts {
	facts := guard.Facts{
		Coupon: data.Coupon.Code,
		Locale: s.Store.Spec.Locale,
		Hosts:  append([]string{s.Lead.Spec.CheckoutURL}, s.Policy.AllowedLinkHosts...),
	}
	if s.Product != nil {
		facts.Hosts = append(facts.Hosts, s.Product.Spec.CheckoutURL)
	}
	data.Customer = ai.PromptCustomer{Name: "Cliente"}
	if anonymous, err := system.Render(data); err == nil {
		rendered = anonymous
	}
	facts.Prompt = ai.Given(rendered, data)
	said := s.Lead.Status.Conversation
	for i := range said {
		m := &said[i]
		switch {
		case reached(m):
			if facts.Last != "" {
				facts.Earlier = append(facts.Earlier, facts.Last)
			}
			facts.Last = withoutNotice(&s, m.Text)
		case m.Role == v1alpha1.RoleCustomer && m.Text != "":
			facts.Customer = append(facts.Customer, m.Text)
		}
	}
	facts.Customer = facts.Customer[max(0, len(facts.Customer)-customerTexts):]
	return facts
}
