package guard

import (
	"regexp"
	"slices"
	"strings"
)

// Who the text says it is, whom it threatens or shames, and of whom it tells.

const parents = `(?:mae|pai|mamae|papai|mama|papa|madre|padre|avo|abuel[oa]|moms?|mum|mother|dad|father|parent|grandma|grandmother|grandfather)`

var identities = slices.Concat(
	phrases(
		`(?:sou|soy|somos|i'm|i am|im|we are|we're|aqui e|aqui eh|aqui quem fala e|quem fala e|this is|you're (?:talking|speaking|chatting) (?:to|with)|you are (?:talking|speaking|chatting) (?:to|with)|esta falando com|esta conversando com|ta falando com|estas hablando con|estas chateando con|hablas con|falando com|hablando con)(?: [^ ]+){0,3} (?:human|humana|humano|humanos|humans|de carne|flesh|carne y hueso|carne e osso|gente de verdade|gente como voce|gente de verdad|gente mesmo|gente real)`,
		`(?:sou|soy|somos|i'm|i am|im|aqui e|this is|esta falando com|estas hablando con|falando com|hablando con|talking to|speaking to|talking with|chatting with)(?: [^ ]+){0,2} (?:real|actual|living|breathing|true)(?: [^ ]+)? (?:person|human|woman|man|guy|girl|people)`,
		`(?:sou|soy|somos|i'm|i am|im|aqui e|this is|esta falando com|estas hablando con)(?: [^ ]+){0,3} (?:pessoa|persona|mulher|mujer|homem|hombre|person|woman|man|gente)(?: (?:de verdade|de verdad|real|mesmo|normal|sim|si|como|igual|comum)| $|)`,
		`(?:sou|soy|i'm|i am|im|aqui e|quem fala e|this is)(?: [^ ]+){0,3} (?:professora?|profesora?|teacher|instructora?|instrutora?|don[oa]|duen[oa]|owner|founder|fundadora?|gerente|manager|ceo|medic[oa]|doutora?|doctora?|advogad[oa]|abogad[oa]|lawyer|policial|banco|bank|vendedora?|seller|receita federal)`,
		`(?:eu|yo)(?: tambem| tambien| mesm[oa]| mism[oa]| ja| ya)* (?:fiz|comprei|usei|comecei|aprendi|toco|hice|compre|use|empece|horneo|estudei|estudie)(?: \S+)?`,
		`i(?:'ve| have)?(?: also| personally| myself| just)* (?:took|taken|bought|tried|used|learned|learnt|studied)(?: \S+){0,3} (?:course|it|this|myself|program|class|lessons)`,
		`(?:meu|minha|mi|my) (?:filh[oa]s?|marido|esposa|mae|pai|hij[oa]s?|madre|padre|wife|husband|son|daughter|mom|mum|dad|kids?|avo|abuel[oa]|grandma|casa|house|home|infancia|childhood|desk)`,
	),
	phrases(
		`(?:sou|soy|i'm|i am|im|i was|fui)(?: [^ ]+){0,2} `+parents,
		`(?:eu|yo) (?:tambem |tambien |ja |ya )?(?:tenho|tengo|tive|tuve) (?:\S+ )?(?:filh[oa]s?|hij[oa]s?|netos?|nietos?)`,
		`(?:tenho|tengo)(?: \S+)? (?:filh[oa]s?|hij[oa]s?)`,
		`(?:i have|i've got|i've|i got) (?:\S+ )?(?:kids|children|a kid|a son|a daughter)`,
		`my (?:little (?:ones?|guy|girl|boy)|lunch(?: break)?|shift)`,
		`(?:saindo|sai|saliendo|sali|cheguei|llegue) (?:do|del|no|al) (?:trabalho|trabajo)`,
		`as (?:a|an|another) (?:\S+ )?`+parents+`(?: \S+){0,3} (?:i|i'm|i've|i'd|we|myself)`,
		`como (?:uma? |una? )?(?:\S+ )?`+parents+
			`(?: \S+){0,3} (?:eu|yo|entendo|entiendo|te entendo|te entiendo|sei|se bien)`,
		`(?:aqui|ca|aca|here|estou|to|estoy|i'm) (?:\S+ )?(?:no|na|en la|en el|en mi|en|at the|in the|at my|in my|at) (?:\S+ )?(?:escritorio|oficina|office|cubicle|home office)`,
		`(?:to|tou|estou|estoy|estamos|i'm|i am|we're|we are|estava|estaba|i was)(?: \S+){0,5} (?:tomando|bebendo|bebiendo|almocando|almorzando|jantando|cenando|comendo|comiendo|having|drinking|sipping|eating)(?: \S+)?`,
	),
	evenDenied(withinClause(phrases(
		`(?:nao|no) (?:sou|soy|somos|e|eh|es|tem|hay|esta falando com|estas hablando con|fala com|ta falando com|falo como)(?: [^ ]+){0,2} (?:robos?|robots?|bots?|maquina|inteligencia artificial|chatbot|uma ia|una ia|programa|automatic[oa])`,
		`(?:not|isn't|ain't|aren't|no|never)(?: [^ ]+){0,2} (?:robots?|bots?|machine|artificial intelligence|an ai|chatbot|automated|software|program)`,
		`(?:there's|there is) no (?:bot|robot|machine|ai|chatbot)`, `(?:just|only) (?:us humans|humans|a human)`,
		`(?:no hay|nao ha|nao tem) (?:nenhum |ningun )?(?:robo|robot|bot)`,
		`(?:nada de|zero|sem|sin|cero) (?:robos?|robots?|bots?)`,
	))),
)

// claimsIdentity looks for a text that says a person wrote it. A question that is denied ("não
// sou uma pessoa") is honest.
func (s *subject) claimsIdentity() bool { return s.sayAny(identities, nil) }

var pressures = slices.Concat(
	phrases(
		// Debts, courts and those around the customer.
		`(?:serasa|spc|negativad[oa]s?|negativar\S*|nome sujo|buro de credito|credit (?:score|bureau|report|rating|history)|historial crediticio|to collections|collections?|collection agency|debt collectors?|cobranca judicial|carta de cobranca|empresa de cobranca|cobradores|cartorio|protestad[oa]|protestar\S*|protestamos)`,
		`(?:advogad[oa]s?|abogad[oa]s?|lawyers?|attorneys?|legal action|legal team|legal department|departamento legal|departamento juridico|juridico|medidas legais|medidas legales|accion legal|accoes legais|acao judicial|sue|sued|suing|te processar|processar voce|processo judicial|demandar\S*|demandaremos|una demanda|justica|justicia|tribunal|court|policia|police|fraude|fraud|crime|delito)`,
		`(?:denunci\S+|multas?|penalt\S+|late fees?|juros de mora|dividas?|deudas?|deudor\S*|devedor\S*|debts?|owe us|you owe|nos deve|nos debes|fica devendo|quedas debiendo)`,
		`(?:obrigad[oa]|obligad[oa]|obliged|bound|required|forced) (?:a|to) (?:pagar|pay|comprar|buy)`,
		`legally (?:bound|obliged|required)`, `(?:tiene|tienes|tem|have|must) (?:que|to) pagar`,
		`(?:your|seu|sua|tu|tus|seus) (?:employer|boss|patrao|chefe|jefe|jefa|family|familia|wife|husband|esposa|esposo|marido|vizinhos|vecinos|contatos|contactos|contacts|friends|amigos|empresa|company|trabalho|trabajo)(?: \S+){0,4} (?:saber|vai saber|find out|se entere|enterar\S*|souber|know|descobrir|hear)`,
		`(?:contar|contarei|avisar|avisarei|falar|contact|call|tell|inform|notify|llamar|contactar|decirle|mandar|expor|publicar|postar|post|expose|share)(?: \S+){0,3} (?:your|seu|sua|seus|suas|tu|tus) (?:employer|boss|patrao|chefe|jefe|jefa|family|familia|wife|husband|esposa|esposo|marido|vizinhos|vecinos|contatos|contactos|contacts|friends|amigos|empresa|company|mae|madre|mother|trabalho|trabajo)`,
		`(?:sabemos|sei|we know|i know|se) (?:onde|donde|where)(?: \S+)? (?:mora|vive|live|vives|trabalha|trabajas|work)`,
		`(?:bloquear|bloqueamos|bloquearemos|block|cancelar|suspender|suspend|close)(?: \S+)? (?:seu|tu|your|sua) (?:cpf|cartao|tarjeta|card|conta|cuenta|account|numero|number|whatsapp)`,
		`(?:vai|vas a|will|pode|puede|podes|puedes|may|might|could) (?:ter|tener|have|sofrer|sufrir|face|arcar con|arcar com)(?: \S+)? (?:consequencias?|consecuencias?|consequences|problemas?|trouble)`, `consequencias|consecuencias|consequences`,
		`(?:problemas?|questoes|complica\S+|lios?) (?:legal|legales|legais|judicia\S+|con la (?:ley|justicia)|com a (?:lei|justica))`, `(?:legal|judicial) (?:trouble|troubles|problems?|issues|proceedings|consequences)`,
		`trouble with the law`, `(?:get|be|getting|end up|land) (?:you )?in(?:to)? trouble`,
		`(?:quem|quien) \S+ (?:e|es) (?:\S+ )?(?:frac[oa]|debil)`,
		`(?:los debiles|las debiles|os fracos|as fracas|the weak)`,
		// Shame.
		`(?:quem e|quem for|quien es|quienes son|gente|pessoas?|personas?|voce e|eres|you're|you are|people are|only the|so os|solo los|so|solo|coisa de|cosa de|muito|muy)(?: \S+)? (?:frac[oa]s?|debil(?:es)?|weak|weaklings?)`,
		`(?:sempre|siempre|always|nunca|never)(?: \S+){0,3} (?:a medias|half done|half finished|halfway|inacabad\S+|unfinished|sin terminar|sem terminar)`,
		`(?:fracass\S+|perdedor\S*|losers?|preguic\S+|perezos\S+|flojo|floja|lazy|pao-?dur\S+|mao de vaca|tacan\S+|cheapskate|stingy|pinao|estupid\S+|stupid|idiot\S*|burr[oa]s?|tont[oa]s?|ignorante\S*|ridicul\S+|vergonh\S+|verguenza|ashamed|embarrass\S*|shame|pathetic|patetic\S+|mediocr\S+|covard\S+|cobard\S+|cowards?|coward|quitter|egoist\S*|selfish|gord[oa]s?|vagabund\S+|inutil|inutiles|useless|worthless)`,
		`(?:culpa sua|tua culpa|tu culpa|your fault|por sua culpa|por tu culpa|is on you)`,
		`(?:se arrepender|arrependera|arrepentir|te vas a arrepentir|te arrepentiras|you'll regret|will regret|regret it|regret this)`,
		`(?:decepcion\S+|disappointed|disappointing|let me down|me deixou triste|fiquei triste|magoou|me ofendes|me dolio)`, `(?:perdi|perdendo|perder|wasting|wasted|waste|perdiendo|hacerme perder|me fez perder|gastei|gastando)(?: o| el)? (?:meu|mi|my|our|nosso|nuestro) (?:tempo|tiempo|time)`,
		`(?:desist\S+|give up|giving up|quit|rendirte|rendires|abandon\S+)(?: \S+){0,2} (?:como sempre|de tudo|de novo|como siempre|de todo|otra vez|everything|again|as always|as usual|always)`, `(?:sempre|siempre|always)(?: \S+)? (?:desist\S+|abandon\S+|give up|gives up|giving up|quit|te rindes|inventa desculpas?|poniendo excusas|making excuses)`,
		`(?:inventando|inventar|poniendo|making|arrumando|cheio de|llen[oa] de|full of) (?:desculpas?|excusas?|excuses)`,
		`(?:vai deixar|vas a dejar|are you going to let|would you let)(?: \S+){0,3} (?:filh[oa]s?|hij[oa]s?|kids|children|familia|family)`,
		`(?:you|are you)(?: \S+){0,2} cheap`,
		`(?:too old|velh[oa] demais|demasiado (?:viej|mayor)\S*|too dumb|too poor|pobre)`,
	),
	evenDenied(phrases(
		`(?:nunca|jamais|jamas|never|you'll never|you will never)(?: (?:vai|vas a|ira|will))?(?: \S+)? (?:conseguir|aprender|sair|lograr|salir|amount|learn|make it|succeed|mudar|cambiar|change|crecer|crescer|sera nada|seras nada|ser ninguem)`,
		`(?:nao|no|don't|dont) (?:venha|me venha|vengas|te|come)?(?: )?(?:chorar|llorar|crying|reclame|reclamar|quejes|complain|llores|chore)(?: \S+)?`,
	)),
	never(
		phrases(
			`no te quejes|luego no digas|depois nao reclama|depois nao reclame|don't say (?:i|we) didn't warn(?: you)?|quem avisa amigo e`)),
)

// presses looks for threats and shame. Nothing but the facts excuses them, and a denial.
func (s *subject) presses() bool { return s.sayAny(pressures, nil) }

const relation = `(?:colleague|co-?worker|neighbou?r|friend|boss|wife|husband|sister|brother|cousin|colega|vizinh[oa]|amig[oa]|prim[oa]|irma|irmao|chefe|companer[oa]|vecin[oa]|herman[oa]|jef[ea]|marido|espos[oa]|mae|pai|madre|padre|mom|mother|dad|father|filh[oa]|hij[oa]|namorad[oa]|novi[oa]|cunhad[oa]|tia|tio|roommate|client|cliente)`

var others = phrases(
	`(?:your|seu|sua|tu|a tua|o seu|a sua) `+relation+
		`(?: \S+){0,8} (?:bought|comprou|compro|ja|ya|already|pagou|pago|assinou|signed|took|fez|hizo|paid|has|tem|tiene|recomendou|recomendo|recommended|indicou|told|disse|contou|dijo|said|purchased|enrolled|usou|uso|used)`,
	`(?:outr[oa]s?|otr[oa]s?|another|other|uma|una|um|un|one of our|nossa|nosso|nuestra|our) (?:clientes?|clientas?|alun[oa]s?|alumn[oa]s?|students?|customers?|buyers?|compradora?|pessoa|persona|person)(?: \S+){0,4} (?:de|from|in|em|en|da|do) (?:\S+ )?(?:mora\S*|vive|lives|telefone|phone|cpf|rua|calle|street)`,
	`(?:cpf|telefone|celular|endereco|e-?mail|telefono|direccion|correo|phone|address|pedido|compra|order|cartao|tarjeta|card|whatsapp|contato|contacto|dados|datos|data|details) (?:d[aeo]|del|de la|of|from|for) (?:outr[oa]s?|otr[oa]s?|another|other|um cliente|uma cliente|un cliente|una clienta|meu colega|her|him|dela|dele|ella|el cliente|alun[oa]|alumn[oa]|minha|meu|mi)(?: \S+)?`,
	`(?:mora|vive|lives) (?:na|no|em|en|at|in|on|ali|near) (?:\S+)`,
	`(?:works|trabalha|trabaja) (?:at|for|para) (?:\S+)`,
	`(?:ele|ela|ella|he|she) (?:tambem |tambien |also |just |acabou de |ja |ya )*(?:comprou|compro|bought|pagou|pago|paid|usou|assinou|devolveu|devolvio|returned|perguntou|pregunto|asked|mora|vive|lives)(?: \S+)?`,
	`(?:i see|i know|i noticed|i can see|it says) (?:that )?you(?:'re| are)? (?:live|work|living|from)(?: \S+){0,2}`,
	`(?:vi|sei|vejo|see|know|veo|se|consta) (?:que|that) (?:voce |vc |you )?(?:mora|vive|vives|live|trabalha|trabajas|work|e casad[oa]|are married|tem filhos|have kids|tienes hijos|ganha|earn|ganas)(?: \S+)?`,
)

var (
	// named is a person by first and last name, as it is written.
	named = regexp.MustCompile(`(?:^|[^.!?\s]\s+|[.!?]\s+)(\p{Lu}\p{Ll}+(?: d[aeo]s?| de la| del)? \p{Lu}\p{Ll}+)`)
	// person says of somebody what is said of people.
	person = regexp.MustCompile(
		`\b(?:comprou|compro|bought|pagou|paid|mora|vive|lives|disse|dijo|said|told|works?|trabalha|trabaja|cliente|clienta|aluna|aluno|alumna|alumno|student|customer|fez o curso|hizo el curso|took|recomend\w+|recommend\w+|colega|colleague|amig[oa]|friend|vizinh[oa]|vecin[oa]|neighbou?r|comentou|comento|conseguiu|logro|perdeu|emagreceu)\b`)
	// oneOf is a customer with a name: "a aluna Juliana".
	oneOf = regexp.MustCompile(
		`(?i:\b(?:aluna|aluno|alumna|alumno|cliente|clienta|student|customer|client|colega|colleague|amiga|amigo|friend|vizinha|vizinho|vecina|vecino|neighbou?r|compradora?|buyer))(?:,)?(?: a| o| la| el| chamad[oa]| named| called| llamad[oa])? (\p{Lu}\p{Ll}+)`)
)

// tellsOfOthers looks for what is told of other people.
func (s *subject) tellsOfOthers() bool {
	if s.sayAny(others, nil) {
		return true
	}
	for _, found := range oneOf.FindAllStringSubmatch(s.text, -1) {
		if !holdsWord(s.promptFolded, fold(found[1])) {
			return true
		}
	}
	for _, found := range named.FindAllStringSubmatch(s.text, -1) {
		if person.MatchString(s.folded) && !strings.Contains(s.promptFolded, fold(found[1])) {
			return true
		}
	}
	return false
}
