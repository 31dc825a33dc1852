package guard

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// instructions are what only somebody speaks of who has been given some.
	instructions = regexp.MustCompile(
		`\b(?:system prompt|prompt d[oe] sistema|prompt del sistema|meu prompt|my prompt|mi prompt|` +
			`(?:minhas|my|mis) (?:instrucoes|instructions|instrucciones|diretrizes|guidelines|directrices)|` +
			`(?:fui|estou) instruid[oa]|i (?:was|am|have been) (?:instructed|programmed)|i was told to|fui programad[oa]|me programaron|` +
			`(?:instrucoes|regras) (?:internas|do sistema|que recebi)|(?:internal|system) (?:instructions|rules)|` +
			`request_human|stop_contacting|wrong_number|devolva so o texto|letra por letra|return its text only|as an ai\b|como uma ia\b|como un ia\b|como ia,|` +
			`(?:modo|mode) (?:desenvolvedor|developer|dan)|developer mode|jailbreak)`)
	// told are ways to speak of having been told something.
	told = never(phrases(
		`me (?:orientaram|mandaram|instruiram|configuraram|treinaram|programaram|ordenaram|disseram (?:para|pra|que)|pediram (?:para|pra|que)|ensinaram|dijeron que|pidieron que|ordenaron|indicaron|instruyeron|entrenaron|configuraron|mandaron)(?: \S+)?`,
		`(?:fui|estou|fomos|fue|he sido|estoy) (?:orientad|instruid|configurad|treinad|programad|entrenad|criad|cread|diseñad|disenad|desenhad)[oa]s?`,
		`i(?:'m|'ve| am| was| have|'ve been| have been| am being)?(?: been)? (?:told|instructed|trained|configured|set up|programmed|designed|asked|supposed|required) (?:to|not to|that)`,
		`(?:minha|minhas|meu|meus|mi|mis|my) (?:orientacao|orientacoes|instrucao|tarefa|configuracao|regras?|reglas?|rules?|indicacao|indicacoes|indicacion|indicaciones|lineamientos|pautas|script|roteiro|guion|briefing|configuration|treinamento|training|entrenamiento|ordens|ordenes|orders|directives?|programacao|programacion|programming|contexto|context window)`,
		`(?:as|las|the|os|los) (?:regras|instrucoes|reglas|instrucciones|rules|instructions|orientacoes|limites|guidelines) (?:dizem|mandam|sao|que recebi|que tengo|dicen|indican|son|say|tell|are|i was given|i got|que me deram|que me dieron)`,
		`they (?:told|asked|instructed|trained|want) me (?:to|not)`,
		`(?:texto|text|mensagem|message|mensaje) (?:inicial|oculto|oculta|hidden|do sistema|del sistema|de sistema)`,
		`(?:temperature|temperatura|tokens|max_tokens|api key|chave de api|clave de api)(?: \S+)?`,
	))
	// writers are what writes; a product may be about them.
	writers = regexp.MustCompile(
		`\b(?:ai language model|large language model|language model|modelo de linguagem|modelo de lenguaje|` +
			`openai|chatgpt|gpt-?[345]\w*|llm)\b`)
	labels = regexp.MustCompile(
		`(?m)^[\s*_#>]*(?:system|assistant|user|sistema|assistente|asistente|usuario|cliente|customer|atendente|bot|ia|ai)[*_]*\s*:`)
	marks = regexp.MustCompile(
		`<\|[a-z_]+\|>|\[/?inst\]|<</?sys>>|^#{1,6} |\n#{1,6} |\[(?:o cliente|conversa anterior|the customer|el cliente|earlier conversation)`)
)

// leaks looks for what belongs to the instructions and not to the conversation.
func (s *subject) leaks() bool {
	if instructions.MatchString(s.folded) || labels.MatchString(s.folded) || marks.MatchString(s.folded) ||
		s.sayAny(told, nil) {
		return true
	}
	return slices.ContainsFunc(writers.FindAllString(s.folded, -1), func(found string) bool {
		return !strings.Contains(s.promptFolded, found)
	})
}

var (
	asks = regexp.MustCompile(
		`\b(?:(?:me )?(?:envi[ae]|envie|mand[ae]|pass[ae]|inform[ae]|diga|dig[ao]|confirm[ae]|forneca|compartilh[ae])|preciso|precisamos|necesito|` +
			`necesitamos|qual|cual|me (?:da|das|passa|pasas|diz|dices|fala|manda|mandas|envia|envias)|send|tell|give|share|provide|confirm|need|what(?:'s| is) your|` +
			`digit[ae]|escrev[ae]|escrib[ae]\w*|tecle\w+|type|dit[ae]|dict[ae]\w*|responda? com|responde con|reply with|read me|leia|lee(?:me)?|fal[ae]|mandame|mandanos|pasame|dila|dilo|dictame|regala(?:me)?|cuentame|facilita(?:me)?|facilite|dejame|joga|solta|bota|zap|escribeme|(?:text|message|dm|drop|shoot|whatsapp|leave|ping|type|slide)(?: it| that| over)? (?:me|us|your|the|here|in)|whats your|manda(?:me|nos)|pasa(?:me|nos)?|` +
			`(?:tira|tire|toma|take|envia|manda|send)\s+(?:\S+ )?(?:uma |una |a )?(?:foto|print|selfie|photo|picture|screenshot|captura)|quais|cuales son|what are|preenche|preencho|lleno|fill in|` +
			`enviame|dime|dame|comparteme|informame|pode(?:ria)? (?:me )?(?:enviar|mandar|passar|informar|dizer|confirmar)|puedes? (?:enviar|mandar|dar|decir)(?:me)?)\b`)
	secrets = regexp.MustCompile(
		`\b(?:cpf|cnpj|rg|senhas?|passwords?|passcode|contrasenas?|numero d[oe] (?:seu )?cartao|dados d[oe] (?:seu )?cartao|numero de(?: la| tu)? tarjeta|` +
			`datos de(?: la| tu)? tarjeta|card (?:number|details|data|info)|credit card|cartao de credito|tarjeta de credito|cvv|cvc|codigo de (?:seguranca|verificacao|acesso|confirmacao|seguridad|verificacion|confirmacion)|` +
			`codigo (?:que|por) (?:chegou|recebeu|voce recebeu|sms|llego|recibiste)|(?:security|verification|confirmation|access|sms) code|one-time (?:code|password)|otp|pin|` +
			`(?:\d+|dezesseis|sixteen|dieciseis|tres|three|quatro|four|cuatro|ultimos|last|primeiros|first|primeros|todos os|all the|os|los|the) (?:\d+ |tres |three |quatro |four |cuatro )?(?:numeros|digitos|digits|numbers)|` +
			`(?:data de )?validade|expir\w+ date|expiration|fecha de (?:vencimiento|nacimiento|expiracion)|(?:foto|print|photo|picture|frente|verso|front|back|reverso|atras|selfie)\b[^.!?\n]{0,30}\b(?:cartao|tarjeta|card|documento|identidade|identidad|id|rg|ine|passport)|` +
			`chave pix|clave (?:pix|bancaria|interbancaria|del banco)|agencia|conta bancaria|cuenta bancaria|bank (?:account|details|login)|routing|clabe|iban|data de nascimento|date of birth|birth ?date|birthday|nome d[ae] (?:sua )?mae|mother'?s (?:maiden )?name|` +
			`curp|rfc|cedula|carteira de motorista|driver'?s licen[cs]e|(?:la|tu|su) clave|(?:three|3) digits|identidade|identidad|login|usuario e senha|usuario y contrasena|(?:seu|tu|your) (?:endereco|direccion|home address|documento|cartao|tarjeta|card|id)\b|codigo d[eo] (?:sms|whatsapp)|codigo de (?:\d+|seis|quatro|cuatro|six) |(?:six|6)[- ]digit|codigo\b[^.!?\n]{0,30}\b(?:sms|chegou|llego|recebeu|recibiste|celular|telefone|telefono)|code\b[^.!?\n]{0,30}\b(?:sms|text|received|got|sent you|phone)|` +
			`ssn|social security|dni|passport|passaporte|pasaporte|token|foto d[oe] (?:seu )?(?:documento|cartao)|numero d[oe] (?:seu )?documento)\b`)
)

var (
	// onPage is where data may be asked for, here where it may not.
	onPage = regexp.MustCompile(
		`\b(?:na|en la|on the|at the|at|no|en el) (?:propria |propia |mesma |misma |nossa |nuestra |payment )?(?:pagina|page|checkout|tela|pantalla)\b`)
	here = regexp.MustCompile(
		`\b(?:aqui|por aqui|here|aca|(?:envi|mand|pass|dig)[ae](?:me)?|me|this chat|neste chat)\b`)
)

// socialNumber is how a number of the state is called for short, "your social", which is no
// "social media".
var socialNumber = regexp.MustCompile(`\byour social\s*(?:[,:]|$|(?:number|and|over|so|here|please|for|to)\b)`)

// asksSecrets looks for a sentence that asks for something and names a secret, without a
// denial: "nunca envie a sua senha" may be said.
func (s *subject) asksSecrets() bool {
	for _, sentence := range sentenceEnd.Split(s.folded, -1) {
		if onPage.MatchString(sentence) && !here.MatchString(sentence) {
			continue
		}
		asked, secret := asks.FindStringIndex(sentence), secrets.FindStringIndex(sentence)
		if secret == nil {
			secret = socialNumber.FindStringIndex(sentence)
		}
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
