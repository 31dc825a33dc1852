package policy

// optOutPhrases stop everything for a customer, in every store: the words that integrators
// of WhatsApp gateways use in Brazil, the ones that carriers in the United States must
// honour, and how people say it. None is an ordinary answer to a question ("não", "no").
var optOutPhrases = phrases{
	Portuguese: {
		"parar", "pare", "parem", "pode parar", "sair", "cancelar", "remover", "descadastrar", "chega",
		"cancelar inscrição", "cancelar mensagens", "descadastre-me", "me descadastre", "me descadastra", "quero me descadastrar",
		"parar mensagens", "parar de receber", "parar de receber mensagens", "quero parar de receber", "quero parar de receber mensagens",
		"pare de enviar mensagens", "pare de mandar mensagem", "pare de mandar mensagens", "pare de me mandar mensagem",
		"pare de me mandar mensagens", "para de mandar mensagem", "para de me mandar mensagem",
		"não quero mais", "não quero mais receber", "não quero mais receber mensagem", "não quero mais receber mensagens",
		"não quero mais mensagens", "não quero receber", "não quero receber mensagens", "não quero receber mais mensagens",
		"não mande mais", "não mande mais mensagem", "não mande mais mensagens", "não me mande mais", "não me mande mais mensagem",
		"não me mande mais mensagens", "não envie mais", "não envie mais mensagens", "não me envie mais mensagens",
		"me tire da lista", "me tira da lista", "me tire dessa lista", "me tira dessa lista", "me remova", "me remova da lista",
		"me exclua da lista", "remover da lista", "sair da lista", "quero sair", "quero sair da lista",
	},
	Spanish: {
		"baja", "darse de baja", "dar de baja", "darme de baja", "dame de baja", "denme de baja", "quiero darme de baja",
		"salir", "detener", "basta", "no más", "no más mensajes", "no quiero más", "no quiero más mensajes",
		"no quiero recibir más", "no quiero recibir mensajes", "no quiero recibir más mensajes", "no enviar más", "no envíen más mensajes",
		"no me escriban más", "no me escribas más", "no me escriba más", "no me manden más mensajes",
		"cancelar suscripción", "anular suscripción", "desuscribir", "desuscribirme",
		"sácame de la lista", "sáquenme de la lista", "bórrame de la lista", "bórrenme de la lista",
	},
	English: {
		"stop", "stop all", "stopall", "unsubscribe", "unsubscribe me", "opt out", "optout", "remove me", "end", "quit", "cancel",
		"please stop", "stop it", "stop messages", "stop messaging me", "stop texting me", "stop writing to me", "stop sending messages",
		"stop sending me messages", "no more messages", "remove me from the list", "remove me from your list", "take me off the list",
		"take me off your list", "do not contact me", "don't contact me", "dont contact me", "do not message me", "don't message me",
		"dont message me", "do not text me", "don't text me", "dont text me",
	},
}

var plainOptOut = optOutPhrases.plain()

// OptOutWords are the built-in opt-out words of some languages, of all where none is named:
// a sorted copy.
func OptOutWords(languages ...string) []string { return optOutPhrases.sorted(languages) }

// OptsOut says whether a customer's message, as a whole, is one of the built-in opt-out
// words or the policy's own; case, accents, punctuation and courtesies around it do not
// matter.
func (p *Policy) OptsOut(text string) bool {
	return says(text, plainOptOut, p.OptOutKeywords)
}
