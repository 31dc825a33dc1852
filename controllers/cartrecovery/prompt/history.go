package prompt

import (
	"slices"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/lead"
)

// heard is the conversation as the AI sees it. It says so when the customer wrote first, or claims to have
// paid.
func heard(s plan.Snapshot) []ai.Message {
	in := wordsOf(s.Store.Spec.Locale)
	conversation := slices.Clone(s.Lead.Status.Conversation)
	for i := range conversation {
		if conversation[i].Role == v1alpha1.RoleAssistant {
			conversation[i].Text = withoutNotice(&s, conversation[i].Text)
		}
	}
	said := history(conversation, s.Lead.Status.Cycle, s.Store.Spec.Locale)
	if lead.WroteFirst(s.Lead) && !lead.Written(s.Lead) {
		said = beforeLast(said, ai.Message{Role: ai.User, Text: in.first})
	}
	if first, _ := plan.PaymentClaims(&s); first != nil {
		said = beforeLast(said, ai.Message{Role: ai.User, Text: in.paid})
	}
	return said
}

// beforeLast puts a line before the last message, where it is never cut off.
func beforeLast(said []ai.Message, line ai.Message) []ai.Message {
	return slices.Insert(said, max(0, len(said)-1), line)
}

// history is what was really said: texts, words in place of media, and a line between two recoveries.
func history(conversation []v1alpha1.Message, cycle int32, locale string) []ai.Message {
	in := wordsOf(locale)
	said := make([]ai.Message, 0, len(conversation)+1)
	last := cycle
	for i := range conversation {
		m := &conversation[i]
		line, ok := line(m, in)
		if !ok {
			continue
		}
		if len(said) > 0 && m.Cycle != last {
			said = append(said, ai.Message{Role: ai.User, Text: in.earlier})
		}
		said, last = append(said, line), m.Cycle
	}
	if len(said) > 0 && last != cycle {
		said = append(said, ai.Message{Role: ai.User, Text: in.earlier})
	}
	return said
}

// line is one message as the AI sees it; false for a message that never reached the customer.
func line(m *v1alpha1.Message, in words) (ai.Message, bool) {
	switch {
	case m.Role == v1alpha1.RoleCustomer && m.Media != "":
		return ai.Message{Role: ai.User, Text: strings.TrimSpace(in.of(m.Media) + " " + m.Text)}, true
	case m.Role == v1alpha1.RoleCustomer:
		return ai.Message{Role: ai.User, Text: m.Text}, true
	case reached(m):
		return ai.Message{Role: ai.Assistant, Text: m.Text}, true
	}
	return ai.Message{}, false
}

// reached says whether a message of the store has reached the customer, as far as anybody knows.
func reached(m *v1alpha1.Message) bool {
	return m.Role == v1alpha1.RolePerson ||
		m.Role == v1alpha1.RoleAssistant && (m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown)
}

// withoutNotice is a message of the store as the AI wrote it: the notice that was added to it is no style
// to go on in, and its next use is no repetition.
func withoutNotice(s *plan.Snapshot, text string) string {
	return strings.TrimSuffix(text, plan.NoticeOf(s))
}
