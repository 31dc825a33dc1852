package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/lead"
)

// TextID names the text of a message as Store and Product want it now, and after what was
// said so far.
func (s *Snapshot) TextID(messageID string) TextID {
	basis := ""
	if s.Store != nil {
		basis = fmt.Sprintf("%s/%d", s.Store.UID, s.Store.Generation)
	}
	if s.Product != nil {
		basis += fmt.Sprintf("/%s/%d", s.Product.UID, s.Product.Generation)
	}
	return TextID{UID: s.Lead.UID, MessageID: messageID, Basis: basis + "/" + factsHash(triggerOf(s), &s.Lead.Spec) +
		"/" + HeardHash(s.Lead.Status.Conversation)}
}

// factsHash is a hash of what the AI is told of a lead: a text about a cart cannot be used for the PIX that the cart
// has become.
func factsHash(trigger v1alpha1.Trigger, spec *v1alpha1.CartRecoverySpec) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%q%q%q%q%q", trigger, spec.CheckoutURL, spec.Amount, spec.Currency,
		spec.Product.Name, spec.Customer.Name))
	return hex.EncodeToString(sum[:12])
}

// saidBytes is how much of a text tells it from another: less than is kept of one that is
// shortened, which is the same message all the same.
const saidBytes = v1alpha1.ShortenedBytes / 2

// HeardHash is a hash of what others than us wrote: a text for a message that its writer has
// changed since, or from before a person of the store wrote, is never sent.
func HeardHash(conversation []v1alpha1.Message) string {
	sum := sha256.New()
	for i := range conversation {
		if m := &conversation[i]; m.Role == v1alpha1.RoleCustomer || lead.ByPerson(m) {
			begins, _ := lead.Clip(m.Text, v1alpha1.MaxMessageLength, saidBytes)
			_, _ = fmt.Fprintf(sum, "%q%q%v", m.ID, begins, m.EditedAt)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// FreshFor is how long a text that is ready may wait to be sent: after that its coupon or its
// tone may be out of date, and it is written again.
const FreshFor = 15 * time.Minute

// fixedText renders a message's text that a person wrote and that needs no AI.
func fixedText(s Snapshot, wanted Message) (string, error) {
	field := wanted.field
	parsed, err := ai.ParsePrompt(wanted.fixed)
	if err != nil {
		return "", InField(field, err)
	}
	text, err := parsed.Render(PromptData(s, wanted))
	if err != nil {
		return "", InField(field, err)
	}
	if utf8.RuneCountInString(text) > v1alpha1.MaxMessageLength {
		return "", &failure.Error{
			Class: failure.Terminal, Code: failure.Misconfigured, Op: "policy: render text",
			Detail: fmt.Sprintf("with its variables filled in, %s has more than %d characters", field,
				v1alpha1.MaxMessageLength),
		}
	}
	return text, nil
}

// InField says where the template is that does not work.
func InField(field string, err error) error {
	failed, classed := failure.As(err)
	if !classed {
		return err
	}
	named := *failed
	named.Detail = field + ": " + named.Detail
	return &named
}

// PromptData is what the templates of a message may use.
func PromptData(s Snapshot, wanted Message) ai.PromptData {
	spec := &s.Lead.Spec
	data := ai.PromptData{
		Store:       ai.PromptStore{Name: cmp.Or(s.Store.Spec.DisplayName, s.Store.Name), Locale: s.Store.Spec.Locale},
		Product:     ai.PromptProduct{Name: spec.Product.Name},
		Customer:    ai.PromptCustomer{Name: spec.Customer.Name},
		CheckoutURL: spec.CheckoutURL,
		Amount:      spec.Amount,
		Currency:    spec.Currency,
		Trigger:     string(triggerOf(&s)),
		IsReply:     wanted.ReplyTo != "",
	}
	if wanted.Step != nil {
		data.Step = ai.PromptStep{Name: wanted.Step.Name, Instructions: wanted.Step.Instructions}
	}
	if product := s.Product; product != nil {
		data.Product = ai.PromptProduct{Name: cmp.Or(product.Spec.DisplayName, spec.Product.Name),
			Description: product.Spec.Description}
		data.Persona = ai.PromptPersona{Name: product.Spec.Persona.Name, Tone: product.Spec.Persona.Tone}
		data.CheckoutURL = cmp.Or(spec.CheckoutURL, product.Spec.CheckoutURL)
		if product.Spec.Coupon != nil {
			data.Coupon = ai.PromptCoupon{Code: product.Spec.Coupon.Code, Text: product.Spec.Coupon.Text}
		}
	}
	return data
}
