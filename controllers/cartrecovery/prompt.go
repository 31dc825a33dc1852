package cartrecovery

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
)

// prompt builds what the AI is asked for a message: the same system prompt for first
// messages and answers, and the last messages of the conversation.
func prompt(s situation, wanted message) ([]ai.Message, error) {
	template, err := ai.ParsePrompt(systemPrompt(s))
	if err != nil {
		return nil, err
	}
	system, err := template.Render(promptData(s, wanted))
	if err != nil {
		return nil, err
	}
	instruction := ""
	if wanted.step != nil {
		instruction = ai.StepInstruction(wanted.step.Name)
	}
	return ai.Compose(system, history(s.lead.Status.Conversation), ai.HistoryMessages(s.store), instruction), nil
}

// fixedText is the text of a step that needs no AI.
func fixedText(s situation, wanted message) (string, error) {
	template, err := ai.ParsePrompt(wanted.step.Text)
	if err != nil {
		return "", err
	}
	text, err := template.Render(promptData(s, wanted))
	if utf8.RuneCountInString(text) > v1alpha1.MaxMessageLength {
		return "", &failure.Error{
			Class: failure.Terminal, Code: failure.Misconfigured, Op: "policy: render step text",
			Detail: fmt.Sprintf("with its variables filled in, the text of step %q has more than %d characters", wanted.step.Name, v1alpha1.MaxMessageLength),
		}
	}
	return text, err
}

func systemPrompt(s situation) string {
	switch {
	case s.product != nil && s.product.Spec.SystemPrompt != "":
		return s.product.Spec.SystemPrompt
	case s.store.Spec.AI.SystemPrompt != "":
		return s.store.Spec.AI.SystemPrompt
	default:
		return ai.DefaultSystemPrompt
	}
}

func promptData(s situation, wanted message) ai.PromptData {
	spec := &s.lead.Spec
	data := ai.PromptData{
		Store:       ai.PromptStore{Name: cmp.Or(s.store.Spec.DisplayName, s.store.Name), Locale: s.store.Spec.Locale},
		Product:     ai.PromptProduct{Name: spec.Product.Name},
		Customer:    ai.PromptCustomer{Name: spec.Customer.Name},
		CheckoutURL: spec.CheckoutURL,
		Amount:      spec.Amount,
		Currency:    spec.Currency,
		Trigger:     string(spec.Trigger),
		IsReply:     wanted.replyTo != "",
	}
	if wanted.step != nil {
		data.Step = ai.PromptStep{Name: wanted.step.Name, Instructions: wanted.step.Instructions}
	}
	if product := s.product; product != nil {
		data.Product = ai.PromptProduct{Name: cmp.Or(product.Spec.DisplayName, spec.Product.Name), Description: product.Spec.Description}
		data.Persona = ai.PromptPersona{Name: product.Spec.Persona.Name, Tone: product.Spec.Persona.Tone}
		data.CheckoutURL = cmp.Or(spec.CheckoutURL, product.Spec.CheckoutURL)
		if product.Spec.Coupon != nil {
			data.Coupon = ai.PromptCoupon{Code: product.Spec.Coupon.Code, Text: product.Spec.Coupon.Text}
		}
	}
	return data
}

// history is the conversation as the AI sees it: what was really said, and a word for what
// was no text.
func history(conversation []v1alpha1.Message) []ai.Message {
	said := make([]ai.Message, 0, len(conversation))
	for i := range conversation {
		m := &conversation[i]
		switch {
		case m.Role == v1alpha1.RoleCustomer && m.Media != "":
			said = append(said, ai.Message{Role: ai.User, Text: strings.TrimSpace("[" + m.Media + "] " + m.Text)})
		case m.Role == v1alpha1.RoleCustomer:
			said = append(said, ai.Message{Role: ai.User, Text: m.Text})
		case m.Role == v1alpha1.RoleOperator, m.State == v1alpha1.MessageSent, m.State == v1alpha1.MessageUnknown:
			said = append(said, ai.Message{Role: ai.Assistant, Text: m.Text})
		}
	}
	return said
}
