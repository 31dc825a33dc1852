package main

import (
	"fmt"
	"strings"

	"cartrecovery.dev/operator/hack/docs/sections"
	"cartrecovery.dev/operator/internal/ai"
)

// described is a product of the length that many have: 60 words.
const described = "Curso de violão do zero para adultos: 60 aulas em vídeo de 10 a 20 minutos, em quatro módulos, " +
	"com apostila em PDF e cifras. Acesso por um ano, no celular ou no computador. Suporte por e-mail em até dois " +
	"dias úteis. Garantia de 7 dias: o valor inteiro de volta. Pagamento por PIX, boleto ou cartão em até 12 vezes."

// said is a message of a conversation, and written one of the AI's.
const (
	said    = "Oi! Quanto tempo tenho de acesso, e posso assistir no celular?"
	written = "Oi, Maria! O acesso é de um ano, no celular ou no computador. Ficou mais alguma dúvida sobre o curso?"
)

// costs are what texts cost in tokens at most, as the operator itself estimates them before it asks, with the defaults
// of all settings.
func costs() (string, error) {
	var lines [][]string
	for _, each := range []struct {
		what    string
		isReply bool
	}{{"a first message, or a step", false}, {"an answer, with 6 messages before it", true}} {
		writes, reviews, err := estimates(each.isReply)
		if err != nil {
			return "", err
		}
		lines = append(lines, []string{each.what, thousands(writes), thousands(reviews), thousands(writes + reviews)})
	}
	return sections.Table([]string{"text", "writing it", "its review", "together"}, lines), nil
}

// estimates are the tokens of a text and of its review.
func estimates(isReply bool) (writes, reviews int64, err error) {
	template, err := ai.ParsePrompt(ai.DefaultSystemPrompt)
	if err != nil {
		return 0, 0, err
	}
	data := ai.PromptData{
		Store: ai.PromptStore{Name: "Escola Acme", Locale: "pt-BR"}, Trigger: "AbandonedCart", IsReply: isReply,
		Product:     ai.PromptProduct{Name: "Curso de Violão", Description: described},
		Persona:     ai.PromptPersona{Name: "Bia", Tone: "calorosa, direta, sem gírias"},
		Customer:    ai.PromptCustomer{Name: "Maria Souza"},
		CheckoutURL: "https://pay.example.com/violao?ref=7f3a", Amount: "297.00", Currency: "BRL",
	}
	rendered, err := template.Render(data)
	if err != nil {
		return 0, 0, err
	}
	var history []ai.Message
	instruction := ai.StepInstruction("first")
	if isReply {
		instruction = ""
		for range ai.DefaultHistoryMessages / 2 {
			history = append(history, ai.Message{Role: ai.Assistant, Text: written},
				ai.Message{Role: ai.User, Text: said})
		}
	}
	request := ai.Request{
		Model: ai.DefaultModel, MaxTokens: ai.DefaultMaxTokens, OfferHuman: isReply, OfferStop: isReply,
		Messages: ai.Compose(rendered, history, ai.DefaultHistoryMessages, instruction),
	}
	review := ai.ReviewRequest{Model: ai.DefaultModel, Facts: ai.Given(rendered, data), Draft: written}
	return request.EstimateTokens(), review.EstimateTokens(), nil
}

// thousands is a number with commas, rounded up to tens: an estimate is no exact one.
func thousands(number int64) string {
	text := fmt.Sprint((number + 9) / 10 * 10)
	var groups []string
	for ; len(text) > 3; text = text[:len(text)-3] {
		groups = append([]string{text[len(text)-3:]}, groups...)
	}
	return strings.Join(append([]string{text}, groups...), ",")
}
