package policy

import "strings"

// notice is a fixed text in the languages of the built-in words.
type notice map[string]string

// in is the notice in the language of a locale: Portuguese, Spanish, else English.
func (n notice) in(locale string) string {
	language, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if text, ok := n[language]; ok {
		return text
	}
	return n[English]
}

var (
	optOutConfirmation = notice{
		Portuguese: "Tudo bem, você não vai mais receber mensagens nossas por aqui.",
		Spanish:    "De acuerdo, no recibirá más mensajes nuestros por aquí.",
		English:    "All right, you will not get any more messages from us here.",
	}
	// firstMessageNotice says who writes as far as it is known. Neither a store nor a persona
	// needs a name, and no article tells its gender.
	firstMessageNotice = notice{
		Portuguese: `{{if and .Persona.Name .Store.Name}}Aqui é {{.Persona.Name}}, da equipe {{.Store.Name}}. ` +
			`{{else if or .Persona.Name .Store.Name}}Aqui é {{or .Persona.Name .Store.Name}}. {{end}}` +
			`Para não receber mais mensagens, responda PARAR.`,
		Spanish: `{{if and .Persona.Name .Store.Name}}Le escribe {{.Persona.Name}}, de {{.Store.Name}}. ` +
			`{{else if or .Persona.Name .Store.Name}}Le escribe {{or .Persona.Name .Store.Name}}. {{end}}` +
			`Para no recibir más mensajes, responda BAJA.`,
		English: `{{if and .Persona.Name .Store.Name}}This is {{.Persona.Name}} from {{.Store.Name}}. ` +
			`{{else if or .Persona.Name .Store.Name}}This is {{or .Persona.Name .Store.Name}}. {{end}}` +
			`Reply STOP to get no more messages.`,
	}
	wrongNumberApology = notice{
		Portuguese: "Desculpe o engano! Não vamos mais escrever para este número.",
		Spanish:    "Disculpe la confusión. No volveremos a escribir a este número.",
		English:    "Sorry about the mix-up! We will not write to this number again.",
	}
	paymentThanks = notice{
		Portuguese: "Agradecemos o aviso! Agora é só aguardar a confirmação do pagamento. Se precisar de algo, é só " +
			"escrever por aqui.",
		Spanish: "¡Gracias por avisar! Ahora solo falta que se confirme el pago. Si necesita algo, escriba por aquí.",
		English: "Thanks for letting us know! Now the payment only has to be confirmed. If you need anything, just " +
			"write here.",
	}
)

// defaultConfirmation is the sentence that confirms an opt-out, in the language of a
// locale.
func defaultConfirmation(locale string) string { return optOutConfirmation.in(locale) }

// DefaultFirstMessageNotice is the template of what stands under a first message in a
// locale: who writes, and how to stop. It uses the variables of the system prompt.
func DefaultFirstMessageNotice(locale string) string { return firstMessageNotice.in(locale) }

// WrongNumberApology is what a stranger who has the customer's number gets, once.
func WrongNumberApology(locale string) string { return wrongNumberApology.in(locale) }

// PaymentThanks is what a customer gets, once, who says that they have paid already. It
// promises nothing: only the platform knows.
func PaymentThanks(locale string) string { return paymentThanks.in(locale) }
