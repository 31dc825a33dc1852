package guard

import (
	"regexp"
	"slices"
)

// What a product is said to do for somebody's money or health, and what nobody can promise.

const (
	// cures are what is taken because a doctor said so.
	cures = `(?:pastillas?|medicinas?|medicament\S*|remedios?|pills?|meds|medications?|medicines?|comprimidos?|insulina?|inhalers?|antidepres\S*|terapia|therapy|prescriptions?)`
	lands = `(?:brasil|brazil|mundo|world|mercado|market|mexico|colombia|chile|peru|argentina|espana|portugal|pais|internet|country|continente|america\S*|latinoamerica|planeta|planet|usa|states|web)`
)

var results = slices.Concat(
	phrases(
		// Money.
		`(?:renda|faturar\S*|faturamento|lucr[oaeu]\S*|ric[oa]s?|riqueza|salarios?|ingresos|ganancias?|millonari[oa]s?|milionari[oa]s?|sueldos?|make money|making money|income|salary|rich|millionaires?|profits?|profitable|earn|earns|earning|earnings|six figures|financial freedom|liberdade financeira|independencia financeira|libertad financiera)`,
		`(?:ganh\S+|gana\S*|fazer|hacer|faz|haces)(?: \S+){0,3} (?:dinheiro|dinero|grana|plata)`,
		`(?:viver|vivir|vive|living|live)(?: \S+)? (?:de|do|da|off) (?:musica|isso|violao|esto|tus|tu|reposteria|la|this|your|aulas|pasteles)`,
		`(?:get|land|find|getting|landing)(?: \S+){0,3} (?:jobs?|raises?|promotions?|promoted|hired|clients)`,
		`(?:consegu\S+|consig\S+|encontr\S+|encuentr\S+|arrum\S+)(?: \S+){0,2} (?:trabajo|trabalho|emprego|empleo|chamba)`, `(?:a|your|pay) raise`, `promoted|hired|contratad[oa]s?|empregos?|empleos?|promocao no trabalho|aumento de (?:salario|sueldo)|ascenso`,
		`se paga(?: \S+)? (?:sozinh[oa]|sol[oa]|rapido)`, `pays? for itself`,
		`(?:recuper|recoup|make back)\S*(?: \S+){0,3} (?:investimento|inversion|investment|dinheiro|dinero|money|valor)`,
		// Health.
		`(?:cura|curam|curar\S*|curou|curo|cures?|cured|sanar\S*|sana|heal|heals|healed|healing|emagre\S+|adelgaz\S+|lose weight|losing weight|weight loss|perder peso|perda de peso|baj\S+ de peso|baix\S+ de peso|quilos|kilos|lbs)`,
		`(?:ansiedade|ansiedad|anxiety|depressao|depresion|depression|insonia|insomni\S+|pressao alta|presion alta|blood pressure|diabet\S+|cancer|artrite|artritis|arthritis|alzheimer\S*|parkinson|remedios?|medicament\S+|medicine|medication|terapia|terapeutic\S+|therapy|therapeutic|migraine|enxaqueca|enfermedad\S*|doencas?|disease|dolor|dolores|dor nas? \S+|dores|pain)`,
		`(?:baja\S*|baixa\S*|reduz\S*|reduce\S*|lowers?|controla\S*|controls?|melhora\S*|mejora\S*|improves?)(?: \S+){0,2} (?:azucar|acucar|colesterol|cholesterol|pressao|presion|glicose|glucosa|blood sugar|imunidade|inmunidad|immunity|saude|salud|health|sono|sueno|sleep|memoria|memory)`,
		`(?:olvid\S+|esquec\S+|forget|throw(?: out| away)?|bota|botar|tira|tirar|joga|jogar|jogue|dej\S+|para|parar|pare|larg\S+|suspend\S+|abandon\S+|livr\S+|stop|quit|ditch|drop|skip|toss|come off|get off|substitu\S+|sustitu\S+|reemplaza\S*|replaces?|adeus|adios|goodbye|instead of|em vez de|en vez de)(?: \S+){0,3} `+cures,
		`(?:perd[aeo]\S*|pierd\S+|los(?:e|es|ing)|elimin\S+|derret\S+|burns?|melts?|queim\S+|quema\S*)(?: \S+)? (?:peso|weight|pounds|barriga|gordura|grasa|fat|medidas|tallas)`,
		// Savings.
		`(?:sav(?:e|es|ing)|economi[zc]\S+|ahorr\S+|poup\S+)(?: \S+){0,3} (?:thousands|hundreds|fortune|fortuna|milhares|miles|millones|milhoes|bundle|tax|taxes|impostos?|impuestos?)`,
		`(?:keep|pocket)(?: \S+){0,2} (?:thousands|hundreds|a fortune)`,
		// Success.
		`(?:como|like|igual a)(?: um| a| un| una| uma)? (?:profissional|profissionais|profesional|profesionales|pro|professionals?|experts?|expertos?|mestre|chef|virtuos\S+)`,
		`(?:virar|vira|tornar\S*|become|becoming|convertir\S*|conviertes?|volverte|seras|sera|saldras|sair|ser)(?: \S+){0,2} (?:profissional|profesional|experts?|experto|especialista|mestre|fluente|fluent|fera|craque|master)`,
		`(?:resultados?|results?|sucesso|exito|success|aprovacao|aprobacion)(?: \S+)? (?:garantid\S+|guarantee\S*|certos?|certo|imediat\S+|inmediat\S+|comprovad\S+|comprobad\S+|proven|immediate|assegurad\S+|asegurad\S+)`,
		`(?:com certeza|certeza que|seguro que|sem duvida|sin duda|for sure|definitely|certainly|surely|doubtless|garantido que|de certeza)(?: \S+){0,3} (?:vai|vas|will|aprende\S*|consegue\S*|passa\S*|aproba\S*|pass|toca\S*|logra\S*)`,
		`(?:voce|vc|tu|you|you'll|vas a|vai|will)(?: \S+){0,3} (?:passar (?:na|no|em)|ser aprovad[oa]|aprobar (?:el|la)|pass (?:the|your|any)|dominar?\S*|dominas)`,
		`(?:todo mundo|todos|todas|everyone|everybody|all our \S+|todo el mundo)(?: \S+){0,4} (?:consegue\S*|logra\S*|aprende\S*|passa\S*|toca\S*|succeeds?|passes|pass|gets|aprobaron|conseguiram|aprenderam)`,
		`(?:taxa|tasa) de (?:sucesso|aprovacao|exito|aprobacion)`, `(?:success|pass) rate`,
		`(?:melhor|mejor|best|maior|mayor|biggest|top)(?: \S+){0,2} (?:do|del|of|in|en|no|on|da) (?:the )?(?:brasil|mundo|world|mercado|market|mexico|pais|internet|country|america\S*)`,
		`(?:melhor|mejor|best|maior|mayor|biggest|top)(?: \S+)? (?:curso|course|taller|kit|programa?|produto|producto|product|metodo|method|escola|escuela|school|aulas|clases|class|classes|app)(?: \S+){0,3} (?:do|del|de|of|in|en|no|on|da) (?:the |todo |toda |o |el |la )*`+lands,
		`(?:melhor|mejor|best|top)(?: \S+){0,4} (?:out there|around|you can (?:find|get|buy)|money can buy|que existe|que hay|que vas a encontrar|que voce vai (?:encontrar|achar))`,
		`(?:number one|numero um|numero uno|lider (?:do|de|del|no|en)|best-?seller|mais vendido|mas vendido)`,
		`(?:prometo|prometemos|te prometo|lo prometo|i promise|we promise|promise you|juro|te juro|i swear|minha palavra|mi palabra|my word|palavra de honra|assino embaixo|lo firmo|boto a mao no fogo|pongo las manos|pode apostar|bet on it|i assure you|te aseguro|te asseguro|lhe asseguro)`,
		`(?:infalivel|infalible|foolproof|sem erro|can't fail|cannot fail|never fails|no falla|nao falha|nunca falla|nunca falha)`,
		`(?:reconhecid|validad|recomendad|avalad|reconocid|homologad|credenciad)[oa]s? (?:pel[oa]s?|por|ante)(?: \S+)?`,
		`(?:accredited|certified|endorsed|recognized|recommended|approved) by(?: \S+)?`,
		`(?:mec|anvisa|official partner|parceir[oa] oficial|socio oficial)`,
	),
	evenDenied(phrases(
		`(?:nao|no|never|won't|don't|sem|sin|without|nunca)(?: \S+){0,3} (?:precis\S*|necesit\S*|need\S*|depend\S*)(?: \S+){0,4} (?:medicos?|medicas?|doctors?|`+cures+`)`,
		`(?:can't fail|cannot fail|never fails|no falla|nao falha|nunca falla|nunca falha|nao tem erro|nao tem como dar errado|no hay pierde|can't go wrong)`,
	)),
)

// doctors may be named to send the customer to them.
var (
	doctors = phrases(`(?:doctors?|medic[oa]s?|doctora?s?|doutora?s?|physicians?)`)
	advice  = regexp.MustCompile(
		` (?:fal[ae]|falar|fale|convers[ae]|conversar|consult\S+|pergunt[ae]\S*|pregunt[ae]\S*|habl[ae]\S*|hablar|talk|talking|speak|check|` +
			`checking|ask|asking|see|seeing|procur[ae]|procurar|busca|buscar|acude|ve|vaya|orientacao|orientacion|opiniao|opinion|advice|confirm[ae]|confirmar)` +
			`(?: \S+){0,4} (?:doctors?|medic[oa]s?|doctora?|doutora?|physician) `)
	insteadOf = regexp.MustCompile(
		` (?:instead|vez|lugar|rather|than|cheaper|better than|without|sem|sin|any|every|all|our|qualquer|cualquier|todo|todos|nosso|nossa|nuestro|nuestra) `)
)

// advisesDoctor says whether a sentence sends the customer to a doctor, and not past one.
func advisesDoctor(said *sentence) bool {
	return advice.MatchString(said.words) && !insteadOf.MatchString(said.words)
}

// hasResult looks for a claim about money, health or success that the facts do not make.
func (s *subject) hasResult() bool {
	return s.sayAny(results, nil) || s.sayAny(doctors, advisesDoctor)
}

// promises are lasting promises and extras, beside those of offersKnown.
var promises = slices.Concat(
	evenDenied(phrases(
		`(?:nunca|jamais|nao|no|never|doesn't|won't|not)(?: \S+)? (?:acaba|acabar|expira|expirar|vence|vencer|termina|terminar|expires?|ends?|caduca|caducan|run out|runs out|se pierde)`,
		`(?:vida toda|vida inteira|toda (?:a |la )?vida|vida entera|for life|life-?long|eternamente|etern[oa]|pra sempre|ilimitad[oa]s?|unlimited|sem prazo(?: de \S+)?|sin fecha limite|indefinid\S+|no expiration|no expiry|sem data para acabar)`,
		`(?:on the house|on us|on me|por conta da casa|por nossa conta|por minha conta|por mi cuenta|por nuestra cuenta|invita la casa|corre por nuestra cuenta|na faixa|cortesia|de cortesia|complimentary|sin costo|sem custo|sem pagar|sin pagar|no cost|no charge|free of charge|without charge|without paying|0800)`,
		`(?:risk-?free|zero risco|cero riesgo|no risk|sem risco|sin riesgo)`,
	)),
	phrases(
		`(?:throw in|thrown in|de quebra|de yapa|de pilon|de lambuja|como extra|as an extra|as a thank you|como agradecimento|como agradecimiento|leva junto|vai junto|te incluyo|te incluo|incluo|te agrego|te sumo|te adiciono|mais um curso|another course|otro curso|outro curso)`,
		`(?:i'll|i will|we'll|we will|vou|voy a|te|eu)(?: \S+)? (?:include|add|incluir|adicionar|agregar|coloco|ponho|pongo)(?: \S+){0,3} (?:extra|bonus|livro|libro|book|curso|course|aula|clase|session|sesion|sessao|ebook|e-book|kit|planilha|template|apostila)`,
		`(?:mentoria|mentorias|mentoring|mentorship|coaching|one-on-one|1:1|aulas? particular(?:es)?|clases? privadas?|private (?:class|lesson|session|call)s?|asesoria|consultoria|grupo vip|vip|acompanhamento|acompanamiento|aulas? ao vivo|clases? en vivo|live (?:class|lesson|session|call|workshop)(?:es|s)?|encontros ao vivo)`,
		`(?:24 7|24 horas por dia|24 horas al dia|around the clock|a qualquer hora do dia|suporte eterno)`,
		`(?:pelo correio|por correo postal|por mensajeria|by mail|by post|na sua casa|a tu casa|a domicilio|to your door|ships? (?:today|tomorrow)|chega (?:amanha|hoje)|llega (?:manana|hoy)|arrives? (?:today|tomorrow))`,
		`(?:alguem|uma pessoa|a equipe|um atendente|a gerente|o gerente|alguien|una persona|un asesor|el equipo|someone|our team|a colleague|a manager|an agent)(?: \S+){0,3} (?:vai te|vai entrar|vai ligar|te liga|entrara em|te llamara|te contactara|te llama|va a llamarte|va a contactarte|will call|will contact|will reach|will email|will get back)`,
		`(?:someone|somebody|anyone|i'll|i will|we'll|we will|we can|i can|let me|our team|colleague|manager|advisor|agent)(?: \S+){0,3} (?:ring|phone|call|buzz) you`,
		`(?:i'll|i will|we'll|we will) (?:ring|phone)(?: \S+)?`,
		`giv(?:e|es|ing) you a (?:ring|call|buzz|bell)`,
		`(?:certificad\S+|certificate\S*|diplomas?)`,
	),
)

// promisesMore looks for a promise that the facts do not make.
func (s *subject) promisesMore() bool { return s.sayAny(promises, nil) }
