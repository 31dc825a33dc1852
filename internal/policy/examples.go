package policy

// Understood is something that is told from a customer's own words, with examples of it.
type Understood struct {
	// Name of what is understood.
	Name string
	// Examples of it in the three languages.
	Examples []string
	// Not are messages like it that are something else.
	Not []string
}

// Examples are what is told from customers' own words, for the documentation. Every example
// is tried by a test.
func Examples() []Understood {
	return []Understood{
		{
			Name: "an opt-out",
			Examples: []string{
				"n me manda mais msg", "tira meu número daí", "p4rar", "1. sair", "vou denunciar", "🛑",
				"dejen de escribirme", "sáquenme de la lista", "leave me alone", "how do I unsubscribe?",
			},
			Not: []string{"não quero parar o curso no meio", "me tira uma dúvida", "vou bloquear o cartão",
				"no me llegó el mensaje", "cancelar assinatura", "para por favor"},
		},
		{
			Name:     "an opt-out that asks to be erased as well",
			Examples: []string{"LGPD: exclua meus dados", "borren mis datos personales", "delete my data"},
			Not:      []string{"cancela meu cadastro", "apaga o pedido antigo"},
		},
		{
			Name: "a wrong number",
			Examples: []string{"número errado", "não sou a Maria", "esse número não é dela", "se equivocó de número",
				"you have the wrong person"},
			Not: []string{"coloquei o número errado no cadastro", "não é o momento", "não conheço"},
		},
		{
			Name:     "a claim of having paid",
			Examples: []string{"já paguei", "comprei ontem", "acabei de fazer o pix", "ya lo pagué", "I just paid"},
			Not: []string{"como pago?", "paguei e deu erro", "já paguei caro em outro curso", "ainda não paguei",
				"I will pay tomorrow"},
		},
		{
			Name: "a machine",
			Examples: []string{
				"Agradecemos sua mensagem. Responderemos assim que possível.", "Digite 1 para vendas",
				"Gracias por comunicarte con nosotros. ¿Cómo podemos ayudarte?", "Automatic reply: out of office",
			},
			Not: []string{"obrigada pela mensagem, vou pensar", "qual o horário de atendimento?",
				"te respondo logo mais"},
		},
	}
}
