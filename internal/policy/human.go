package policy

// humanPhrases ask for a person.
var humanPhrases = phrases{
	Portuguese: {
		"atendente", "um atendente", "uma atendente", "humano", "humana", "um humano", "pessoa real", "uma pessoa real",
		"atendimento humano", "suporte humano", "quero atendimento humano", "quero um atendente", "quero uma atendente",
		"preciso de um atendente", "preciso falar com um atendente", "preciso falar com alguém",
		"preciso falar com uma pessoa", "falar com atendente", "falar com um atendente", "falar com uma atendente",
		"falar com o atendente", "falar com humano", "falar com um humano", "falar com uma pessoa",
		"falar com uma pessoa real", "falar com alguém", "falar com vendedor", "falar com um vendedor",
		"falar com o suporte", "falar com suporte", "quero falar com atendente", "quero falar com um atendente",
		"quero falar com uma atendente", "quero falar com humano", "quero falar com um humano",
		"quero falar com uma pessoa", "quero falar com uma pessoa real", "quero falar com alguém",
		"posso falar com um atendente", "posso falar com uma pessoa", "posso falar com alguém",
		"gostaria de falar com um atendente", "gostaria de falar com uma pessoa", "gostaria de falar com alguém",
		"me chama um atendente", "me passa para um atendente",
	},
	Spanish: {
		"agente", "un agente", "asesor", "asesora", "un asesor", "agente humano", "persona real", "una persona real",
		"atención humana", "hablar con una persona", "hablar con una persona real", "hablar con un agente",
		"hablar con un asesor", "hablar con un humano", "hablar con alguien", "quiero hablar con una persona",
		"quiero hablar con un agente", "quiero hablar con un asesor", "quiero hablar con un humano",
		"quiero hablar con alguien", "necesito hablar con alguien", "necesito hablar con una persona",
		"necesito un asesor", "puedo hablar con una persona", "puedo hablar con alguien",
		"me gustaría hablar con una persona",
	},
	English: {
		"human", "a human", "agent", "an agent", "human agent", "live agent", "real person", "a real person",
		"representative", "talk to a human", "talk to a person", "talk to a real person", "talk to an agent",
		"talk to someone", "talk to somebody", "speak to a human", "speak to a person", "speak to a real person",
		"speak to an agent", "speak to someone", "speak with a person", "i want to talk to a human",
		"i want to talk to a person", "i want to talk to someone", "i want to speak to a human",
		"i want to speak to a person", "i want to speak to someone", "i need to talk to a human",
		"i need to talk to someone", "can i talk to a human", "can i talk to a person", "can i talk to someone",
		"can i speak to a human", "can i speak to a person", "can i speak to someone", "let me talk to a human",
		"let me speak to a person",
	},
}

var plainHuman = humanPhrases.plain()

// HumanPhrases are the built-in messages that ask for a person, of some languages, of all
// where none is named: a sorted copy.
func HumanPhrases(languages ...string) []string { return humanPhrases.sorted(languages) }

// AsksForHuman says whether a customer's message, as a whole, is one of the built-in
// phrases that ask for a person, or one of the policy's own; compared as OptsOut does. What
// opts out asks for nobody.
func (p *Policy) AsksForHuman(text string) bool {
	return says(text, plainHuman, p.HandOffKeywords) && !p.OptsOut(text)
}
