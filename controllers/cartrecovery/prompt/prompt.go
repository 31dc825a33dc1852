// Package prompt writes what the AI is asked for a message, and the facts that its text is judged by. It is
// pure: a Snapshot and a message in, a Prompt out.
package prompt

import (
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/lead"
)

// Prompt is what the AI is asked for one message.
type Prompt struct {
	// Messages are the system prompt, the same for first messages and answers, and the last messages of the
	// conversation.
	Messages []ai.Message
	// OffersPerson says that the AI may hand the conversation over to a person.
	OffersPerson bool
	// OffersStop says that the AI may end the messages to the customer.
	OffersStop bool
	// Facts are what its text is judged by.
	Facts guard.Facts
}

// For writes the prompt of a message. The error, classed Misconfigured, names the field whose template
// cannot be used.
func For(s plan.Snapshot, wanted plan.Message) (Prompt, error) {
	template, field := systemPrompt(s)
	system, err := ai.ParsePrompt(template)
	if err != nil {
		return Prompt{}, plan.InField(field, err)
	}
	data := plan.PromptData(s, wanted)
	rendered, err := system.Render(data)
	if err != nil {
		return Prompt{}, plan.InField(field, err)
	}
	return Prompt{
		Messages:     ai.Compose(rendered, heard(s), ai.HistoryMessages(s.Store), instruction(wanted)),
		OffersPerson: offersPerson(s, wanted),
		OffersStop:   wanted.ReplyTo != "",
		Facts:        factsOf(s, data, system, rendered),
	}, nil
}

// systemPrompt is the template of the system prompt, and the field it stands in.
func systemPrompt(s plan.Snapshot) (template, field string) {
	switch {
	case s.Product != nil && s.Product.Spec.SystemPrompt != "":
		return s.Product.Spec.SystemPrompt, "spec.systemPrompt of Product " + s.Product.Name
	case s.Store.Spec.AI.SystemPrompt != "":
		return s.Store.Spec.AI.SystemPrompt, "spec.ai.systemPrompt of Store " + s.Store.Name
	default:
		return ai.DefaultSystemPrompt, "the default system prompt"
	}
}

// instruction says which step a message is; "" for an answer.
func instruction(wanted plan.Message) string {
	if wanted.Step == nil {
		return ""
	}
	return ai.StepInstruction(wanted.Step.Name)
}

// offersPerson is true for an answer to what the customer wrote after a person last gave the conversation
// back.
func offersPerson(s plan.Snapshot, wanted plan.Message) bool {
	asked := lead.LastInbound(s.Lead)
	return wanted.ReplyTo != "" && asked != nil && asked.At.After(plan.ResumedAt(s.Lead))
}
