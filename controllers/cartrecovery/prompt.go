package cartrecovery

import (
	"cmp"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/drafts"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/lead"
)

// jobFor is the text that is asked for: what the AI is told, what its text is judged by, and
// what it may cost.
func jobFor(s plan.Snapshot, wanted plan.Message, request ai.Request) (drafts.Job, error) {
	system, err := renderedPrompt(s, plan.PromptData(s, wanted))
	if err != nil {
		return drafts.Job{}, err
	}
	request.Messages, request.OfferHuman = composed(s, wanted, system), offersPerson(s, wanted)
	request.OfferStop = wanted.ReplyTo != ""
	facts := guardFacts(s, wanted, system)
	look := drafts.ReviewFor(s.Store, request.Endpoint, facts.Prompt)
	return drafts.Job{
		Lead: client.ObjectKeyFromObject(s.Lead), Store: client.ObjectKeyFromObject(s.Store), Text: s.TextID(wanted.ID),
		Due: wanted.Due, Request: request, Endpoint: request.Endpoint.ID(), Estimate: request.EstimateTokens() +
			look.Estimate(request.MaxTokens),
		Review: look,
		Limit:  s.Store.Spec.AI.DailyTokenBudget, Zone: s.Policy.Location,
		Check: func(text string) (reason, detail string) {
			if refusal := guard.Check(text, facts); refusal != nil {
				return string(refusal.Reason), refusal.Detail
			}
			return "", ""
		},
		Rewrite: func(refused, detail string) ai.Request {
			again := request
			again.Messages = ai.Rewrite(request.Messages, refused, detail)
			return again
		},
	}, nil
}

// offersPerson says whether the AI may give the conversation to a person: in an answer to what
// the customer wrote after a person last gave it back.
func offersPerson(s plan.Snapshot, wanted plan.Message) bool {
	asked := lead.LastInbound(s.Lead)
	return wanted.ReplyTo != "" && asked != nil && asked.At.After(plan.ResumedAt(s.Lead))
}

// prompt builds what the AI is asked for a message: the same system prompt for first
// messages and answers, and the last messages of the conversation.
func prompt(s plan.Snapshot, wanted plan.Message) ([]ai.Message, error) {
	system, err := renderedPrompt(s, plan.PromptData(s, wanted))
	if err != nil {
		return nil, err
	}
	return composed(s, wanted, system), nil
}

func composed(s plan.Snapshot, wanted plan.Message, system string) []ai.Message {
	instruction := ""
	if wanted.Step != nil {
		instruction = ai.StepInstruction(wanted.Step.Name)
	}
	said := heard(s)
	return ai.Compose(system, said, ai.HistoryMessages(s.Store), instruction)
}

func renderedPrompt(s plan.Snapshot, data ai.PromptData) (string, error) {
	prompt, field := systemPrompt(s)
	template, err := ai.ParsePrompt(prompt)
	if err != nil {
		return "", plan.InField(field, err)
	}
	text, err := template.Render(data)
	return text, plan.InField(field, err)
}

// systemPrompt is the template of the system prompt, and the field it stands in.
func systemPrompt(s plan.Snapshot) (prompt, field string) {
	switch {
	case s.Product != nil && s.Product.Spec.SystemPrompt != "":
		return s.Product.Spec.SystemPrompt, "spec.systemPrompt of Product " + s.Product.Name
	case s.Store.Spec.AI.SystemPrompt != "":
		return s.Store.Spec.AI.SystemPrompt, "spec.ai.systemPrompt of Store " + s.Store.Name
	default:
		return ai.DefaultSystemPrompt, "the default system prompt"
	}
}

// heard is the conversation as the AI sees it, with what it must know of how it came about: that
// the customer wrote first, or says that they have paid.
func heard(s plan.Snapshot) []ai.Message {
	words := wordsFor(s.Store.Spec.Locale)
	conversation := slices.Clone(s.Lead.Status.Conversation)
	for i := range conversation {
		if conversation[i].Role == v1alpha1.RoleAssistant {
			conversation[i].Text = withoutNotice(&s, conversation[i].Text)
		}
	}
	said := history(conversation, s.Lead.Status.Cycle, s.Store.Spec.Locale)
	if lead.WroteFirst(s.Lead) && !lead.Written(s.Lead) {
		said = beforeLast(said, ai.Message{Role: ai.User, Text: words.first})
	}
	if first, _ := plan.PaymentClaims(&s); first != nil {
		said = beforeLast(said, ai.Message{Role: ai.User, Text: words.paid})
	}
	return said
}

// beforeLast puts a line before the last message: there it is never cut off.
func beforeLast(said []ai.Message, line ai.Message) []ai.Message {
	return slices.Insert(said, max(0, len(said)-1), line)
}

// history is the conversation as the AI sees it: what was really said, words for what was
// no text, and a line between the recoveries.
func history(conversation []v1alpha1.Message, cycle int32, locale string) []ai.Message {
	words := wordsFor(locale)
	said := make([]ai.Message, 0, len(conversation)+1)
	last := cycle
	for i := range conversation {
		m := &conversation[i]
		line, ok := line(m, words)
		if !ok {
			continue
		}
		if len(said) > 0 && m.Cycle != last {
			said = append(said, ai.Message{Role: ai.User, Text: words.earlier})
		}
		said, last = append(said, line), m.Cycle
	}
	if len(said) > 0 && last != cycle {
		said = append(said, ai.Message{Role: ai.User, Text: words.earlier})
	}
	return said
}

// line is one message as the AI sees it; false when the customer has never seen it.
func line(m *v1alpha1.Message, words mediaWords) (ai.Message, bool) {
	switch {
	case m.Role == v1alpha1.RoleCustomer && m.Media != "":
		return ai.Message{Role: ai.User, Text: strings.TrimSpace(words.of(m.Media) + " " + m.Text)}, true
	case m.Role == v1alpha1.RoleCustomer:
		return ai.Message{Role: ai.User, Text: m.Text}, true
	case isOurs(m):
		return ai.Message{Role: ai.Assistant, Text: m.Text}, true
	}
	return ai.Message{}, false
}

// isOurs says whether a message came from the store and reached the customer, as far as
// anybody knows.
func isOurs(m *v1alpha1.Message) bool {
	return m.Role == v1alpha1.RoleOperator ||
		m.Role == v1alpha1.RoleAssistant && (m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown)
}

// mediaWords say in one language what came that is no text.
type mediaWords struct {
	kinds map[string]string
	// other is for a kind that is not in kinds.
	other string
	// earlier stands after what belongs to an earlier recovery.
	earlier string
	// first says that the customer wrote before we did, paid that they say they have paid.
	first, paid string
}

func (w mediaWords) of(kind string) string { return cmp.Or(w.kinds[kind], w.other) }

var (
	portuguese = mediaWords{
		kinds: map[string]string{
			"audio":    "[o cliente enviou um áudio, que você não pode ouvir]",
			"image":    "[o cliente enviou uma imagem, que você não pode ver]",
			"video":    "[o cliente enviou um vídeo, que você não pode ver]",
			"document": "[o cliente enviou um documento, que você não pode abrir]",
			"sticker":  "[o cliente enviou uma figurinha]",
			"location": "[o cliente enviou uma localização, que você não pode ver]",
			"contact":  "[o cliente enviou um contato, que você não pode ver]",
			"poll":     "[o cliente enviou uma enquete]",
		},
		other:   "[o cliente enviou algo que você não pode ver]",
		earlier: "[o que vem antes é de uma conversa anterior, sobre outra tentativa de compra]",
		first:   "[o cliente escreveu primeiro: nós ainda não tínhamos escrito sobre esta compra]",
		paid: "[o cliente diz que já pagou; a confirmação ainda não chegou: não ofereça nada, não cobre e não " +
			"mande o link]",
	}
	spanish = mediaWords{
		kinds: map[string]string{
			"audio":    "[el cliente envió un audio, que no puedes escuchar]",
			"image":    "[el cliente envió una imagen, que no puedes ver]",
			"video":    "[el cliente envió un video, que no puedes ver]",
			"document": "[el cliente envió un documento, que no puedes abrir]",
			"sticker":  "[el cliente envió un sticker]",
			"location": "[el cliente envió una ubicación, que no puedes ver]",
			"contact":  "[el cliente envió un contacto, que no puedes ver]",
			"poll":     "[el cliente envió una encuesta]",
		},
		other:   "[el cliente envió algo que no puedes ver]",
		earlier: "[lo anterior es de una conversación pasada, sobre otro intento de compra]",
		first:   "[el cliente escribió primero: todavía no le habíamos escrito sobre esta compra]",
		paid: "[el cliente dice que ya pagó; la confirmación aún no llegó: no ofrezcas nada, no cobres y no " +
			"mandes el enlace]",
	}
	english = mediaWords{
		kinds: map[string]string{
			"audio":    "[the customer sent a voice message, which you cannot hear]",
			"image":    "[the customer sent a picture, which you cannot see]",
			"video":    "[the customer sent a video, which you cannot see]",
			"document": "[the customer sent a document, which you cannot open]",
			"sticker":  "[the customer sent a sticker]",
			"location": "[the customer sent a location, which you cannot see]",
			"contact":  "[the customer sent a contact, which you cannot see]",
			"poll":     "[the customer sent a poll]",
		},
		other:   "[the customer sent something that you cannot see]",
		earlier: "[what comes before is an earlier conversation, about another attempt to buy]",
		first:   "[the customer wrote first: we had not written about this purchase yet]",
		paid: "[the customer says that they have paid; it is not confirmed yet: offer nothing, ask for no " +
			"payment and give no link]",
	}
)

// wordsFor are the words in the language of a locale; English for those not known here.
func wordsFor(locale string) mediaWords {
	language, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	switch language {
	case "pt":
		return portuguese
	case "es":
		return spanish
	}
	return english
}

// customerWords is how many of the customer's last messages say which language is theirs.
const customerWords = 6

// guardFacts is what a text of the AI is judged by; system is the rendered system prompt it
// was written with. The customer chose their name, so what a prompt says with it is no
// fact: the prompt is rendered once more for a customer without one.
func guardFacts(s plan.Snapshot, wanted plan.Message, system string) guard.Facts {
	data := plan.PromptData(s, wanted)
	facts := guard.Facts{
		Coupon: data.Coupon.Code,
		Locale: s.Store.Spec.Locale,
		Hosts:  append([]string{s.Lead.Spec.CheckoutURL}, s.Policy.AllowedLinkHosts...),
	}
	if s.Product != nil {
		facts.Hosts = append(facts.Hosts, s.Product.Spec.CheckoutURL)
	}
	data.Customer = ai.PromptCustomer{Name: "Cliente"}
	if anonymous, err := renderedPrompt(s, data); err == nil {
		system = anonymous
	}
	facts.Prompt = ai.Given(system, data)
	said := s.Lead.Status.Conversation
	for i := range said {
		m := &said[i]
		switch {
		case isOurs(m):
			if facts.Last != "" {
				facts.Earlier = append(facts.Earlier, facts.Last)
			}
			facts.Last = withoutNotice(&s, m.Text)
		case m.Role == v1alpha1.RoleCustomer && m.Text != "":
			facts.Customer = append(facts.Customer, m.Text)
		}
	}
	facts.Customer = facts.Customer[max(0, len(facts.Customer)-customerWords):]
	return facts
}

// withoutNotice is a message of ours as the AI wrote it: what the notice says is no style to
// go on in, and no repetition.
func withoutNotice(s *plan.Snapshot, text string) string {
	return strings.TrimSuffix(text, plan.NoticeOf(s))
}
