package guard

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// instructions are what only somebody speaks of who has been given some.
	instructions = regexp.MustCompile(`\b(?:system prompt|prompt d[oe] sistema|prompt del sistema|meu prompt|my prompt|mi prompt|` +
		`(?:minhas|my|mis) (?:instrucoes|instructions|instrucciones|diretrizes|guidelines|directrices)|` +
		`(?:fui|estou) instruid[oa]|i (?:was|am|have been) (?:instructed|programmed)|i was told to|fui programad[oa]|me programaron|` +
		`(?:instrucoes|regras) (?:internas|do sistema|que recebi)|(?:internal|system) (?:instructions|rules)|` +
		`request_human|stop_contacting|wrong_number|devolva so o texto|letra por letra|return its text only|as an ai\b|como uma ia\b|como un ia\b|como ia,|` +
		`(?:modo|mode) (?:desenvolvedor|developer|dan)|developer mode|jailbreak)`)
	// writers are what writes; a product may be about them.
	writers = regexp.MustCompile(`\b(?:ai language model|large language model|language model|modelo de linguagem|modelo de lenguaje|` +
		`openai|chatgpt|gpt-?[345]\w*|llm)\b`)
	labels = regexp.MustCompile(`(?m)^[\s*_#>]*(?:system|assistant|user|sistema|assistente|asistente|usuario|cliente|customer|atendente|bot|ia|ai)[*_]*\s*:`)
	marks  = regexp.MustCompile(`<\|[a-z_]+\|>|\[/?inst\]|<</?sys>>|^#{1,6} |\n#{1,6} |\[(?:o cliente|conversa anterior|the customer|el cliente|earlier conversation)`)
)

// leaks looks for what belongs to the instructions and not to the conversation.
func (s *subject) leaks() bool {
	if instructions.MatchString(s.folded) || labels.MatchString(s.folded) || marks.MatchString(s.folded) {
		return true
	}
	return slices.ContainsFunc(writers.FindAllString(s.folded, -1), func(found string) bool {
		return !strings.Contains(s.promptFolded, found)
	})
}

var (
	asks = regexp.MustCompile(`\b(?:(?:me )?(?:envi[ae]|envie|mand[ae]|pass[ae]|inform[ae]|diga|dig[ao]|confirm[ae]|forneca|compartilh[ae])|preciso|precisamos|necesito|` +
		`necesitamos|qual (?:e|seria) (?:o |a )?(?:seu|sua)|cual es (?:tu|su)|send|tell|give|share|provide|confirm|need|what(?:'s| is) your|` +
		`enviame|dime|dame|comparteme|informame|pode(?:ria)? (?:me )?(?:enviar|mandar|passar|informar|dizer|confirmar)|puedes? (?:enviar|mandar|dar|decir)(?:me)?)\b`)
	//nolint:misspell // Spanish
	secrets = regexp.MustCompile(`\b(?:cpf|cnpj|rg|senhas?|passwords?|passcode|contrasenas?|numero d[oe] (?:seu )?cartao|dados d[oe] (?:seu )?cartao|numero de(?: la| tu)? tarjeta|` +
		`datos de(?: la| tu)? tarjeta|card (?:number|details|data|info)|credit card|cartao de credito|tarjeta de credito|cvv|cvc|codigo de (?:seguranca|verificacao|acesso|confirmacao|seguridad|verificacion|confirmacion)|` +
		`codigo (?:que|por) (?:chegou|recebeu|voce recebeu|sms|llego|recibiste)|(?:security|verification|confirmation|access|sms) code|one-time (?:code|password)|otp|pin|` +
		`ssn|social security|dni|passport|passaporte|pasaporte|token|foto d[oe] (?:seu )?(?:documento|cartao)|numero d[oe] (?:seu )?documento)\b`)
)

// asksSecrets looks for a sentence that asks for something and names a secret, without a
// denial: "nunca envie a sua senha" may be said.
func (s *subject) asksSecrets() bool {
	for _, sentence := range sentenceEnd.Split(s.folded, -1) {
		asked, secret := asks.FindStringIndex(sentence), secrets.FindStringIndex(sentence)
		if asked == nil || secret == nil {
			continue
		}
		if slices.ContainsFunc(clauses(sentence[:max(asked[1], secret[1])]), clause.denies) {
			continue
		}
		return true
	}
	return false
}
