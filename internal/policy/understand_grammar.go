package policy

// paymentWords are the parts of what customers say of a payment they made.
var paymentWords = newGrammar(map[string]string{
	"i":    `eu|yo|i|nos|nosotros|we|mas eu|mas|pero|but`,
	"did":  `paguei|comprei|adquiri|pague|compre|pagei|pagey|quitei|transferi|depositei|adquiri|deposite|cancele el pago de|abone`,
	"done": `pago|paga|pagado|pagada|comprado|comprada|quitado|efetuado|efectuado|realizado|realizada|feito|feita|hecho|hecha|enviado|enviada|concluido|concluida|aprovado|aprobado|finalizado|finalizada|confirmado|confirmada|paid|sent|done|made|completed|bought`,
	"it":   `[o|a|os|el|la|los|lo|meu|mi|esse|ese|este|the|my|for the|for|this|your] (pix|boleto|curso|produto|producto|pagamento|pago|compra|pedido|ticket|fatura|cobranca|valor|taxa|acesso|treinamento|mentoria|ebook|livro|libro|oxo|transferencia|deposito|tudo|todo|it|course|product|order|book|invoice|total|payment|everything|com o cartao|com cartao|no cartao|no pix|via pix|pelo pix|por pix|no boleto|no credito|no debito|a vista|con tarjeta|por oxo|en oxo|por transferencia|with card|with my card|by card|via paypal|with paypal|pelo site|no site|por paypal|ele|ela)`,
	"when": `aqui|por aqui|aca|here|ontem|hoje|agora|agora a pouco|agora ha pouco|ha pouco|a pouco|faz pouco|ja|sim|semana pasada|na semana pasada|mes pasado|no mes pasado|de manha|esta manha|hoje cedo|hoje de manha|ontem a noite|anteontem|agorinha|faz (tempo|dias|um tempo|uma hora|duas horas)|ha (dias|uma hora|muito tempo|um tempo)|
		no (sabado|domingo|fim de semana)|na (segunda|terca|quarta|quinta|sexta)|outro dia|esta semana|com voces|de voces|de vcs|ayer|hoy|ahora|ahorita|anoche|hace (rato|poco|un rato|dias|una hora|un momento)|la semana pasada|esta manana|
		yesterday|today|now|just now|already|last (week|night|month)|this morning|earlier|a (minute|while|moment) ago|an hour ago|days ago|this week|on (monday|tuesday|wednesday|thursday|friday|saturday|sunday)|ok|ta|ta bom|sim|viu|gracas a deus|obrigad*|gracias|thanks`,
	"kin": `minha (esposa|mae|filha|irma|mulher|namorada|amiga)|meu (marido|pai|filho|irmao|esposo|namorado|amigo)|mi (esposa|esposo|marido|mujer|mama|papa|hijo|hija|hermana|hermano|novio|novia|amiga|amigo)|my (wife|husband|mom|mother|dad|father|son|daughter|sister|brother|friend|partner)|ela|ele|ella|she|he`,
	// sold is what is sold, by a word that its own name follows.
	"sold": `curso|cursos|metodo|treinamento|mentoria|ebook|e book|livro|programa|formacao|workshop|plano|pacote|combo|produto|producto|libro|programa|entrenamiento|plan|
		paquete|mentoria|course|book|program|bundle|training|package|masterclass|aula|clase|evento|ingreso|ingresso|entrada`,
}, paidClaims, paidAlone, paidDenials, paidNamed, paidTakenBack)

// paidClaims are whole statements of having paid or bought.
const paidClaims = `
	[<i>] [<when>] [ja|ya|finalmente|enfim|por fim] (consegui|conseguimos|logre|pude|ya pude|deu pra|deu para) (pagar|comprar|pagarlo|comprarlo|fazer [o|a] <it>|hacer <it>|finalizar <it>|concluir <it>) [<it>] [<it>] [<when>] [<when>]
	(i|ive|i have|finally|i finally|we) (managed to|was able to|were able to|got to) (pay|buy|purchase|buy it|pay it|complete (the|my) (payment|purchase|order)) [<it>] [<when>]
	[<i>] [<when>] [ja|ya] [lo|la] (paguei|pague|pagei) [<when>] (no|via|pelo|por|com o|com|con|en|con la|con mi|no meu|com meu|pela|na) (pix|boleto|cartao|credito|debito|cartao de credito|cartao de debito|tarjeta|tarjeta de credito|tarjeta de debito|oxo|efectivo|transferencia|paypal|mercado pago|app|aplicativo|banco|loterica|site|link) [<when>]
	[<i>] [<when>] [ja|ya] [lo|la|los|las] <did> [tudo] [<it>] [<it>] [<when>] [<when>]
	[<i>] [<when>] (acabei de|acabo de|acabamos de|acabei d) (pagar|comprar|pagarlo|comprarlo|fazer [o|a] <it>|fazer|hacer <it>|efetuar <it>|realizar <it>|finalizar <it>|concluir <it>|adquirir|depositar|transferir|quitar) [<it>] [<it>] [<when>]
	[<i>] [ja|ya] (fiz|efetuei|realizei|finalizei|conclui|fechei|hice|realice|efectue|complete|termine|finalice|mandei|enviei|envie) [o|a|el|la|mi|meu|minha] (pagamento|pago|compra|pix|transferencia|deposito|pedido|inscricao|matricula|inscripcion|comprovante|comprobante) [<it>] [<it>] [<when>]
	[<i>] [ja|ya] (esta|ta|tah|foi|fue|estava|quedo) (pago|paga|pagado|pagada|comprado|comprada|quitado|quitada) [<when>]
	[<i>] [o|a|el|la|mi|meu|esse] (pagamento|pago|pix|boleto|compra|curso|transferencia|deposito|pedido) [ja|ya] [esta|ta|foi|fue|esta sendo] <done> [<when>]
	[ja|ya] (pagado|paguei|pague|comprei|compre|pagadisimo|pagou ja)|pago com sucesso|compra feita|pagamento feito
	(segue|ai esta|aqui esta|aqui ta|ta ai|aqui va|adjunto|ahi esta|ahi va|le mando|te mando|mando|envio|mandei|ja mandei|aqui te dejo|here is|heres|attached is) [o|a|el|la|meu|mi|the|my] (comprovante|comprobante|recibo|receipt|proof of payment|comprobante de pago|comprovante de pagamento|comprovante do pix|payment receipt) [<it>] [<when>]
	[i] [have|had|ive|already|just] [already|just] (paid|bought|purchased|ordered|got) (it|<it>|for it|for that|that|this|this one|one|the course) [<it>] [<when>] [<when>]
	[i|ive|i have|i had|we|weve] (already|just) [have] (paid|bought|purchased|ordered|checked out|made (the|my|a) (payment|purchase)|completed (the|my) (payment|purchase|order)|sent (the|my) payment) [<it>] [<when>]
	[i|ive|i have|we|weve] (paid|purchased|bought) [<it>] [<when>]
	[i|ive|i have] (made|completed|finished|sent) (the|my) (payment|purchase|order|transfer) [<when>]
	(payment|order|purchase|transfer) [is|has been|was|its] (sent|done|made|completed|complete|confirmed)|its [already] paid|it is [already] paid|already (bought|paid|purchased|ordered|done paid)|done paying
	[mas|pero|but] <kin> (ja|ya|already|acabou de|acaba de|just|has already|has) (pagou|comprou|pago|compro|paid|bought|pagar|comprar|fez o pix|fez o pagamento|hizo el pago|lo pago|lo compro) [it|for it] [<it>] [<when>]
	[<i>] (ja|ya) (tinha|havia|he|habia|hemos|habiamos) <done> [<it>] [<it>] [<when>]
	[<i>] (ja|ya) me (inscrevi|matriculei|inscribi|matricule) [<when>]
	ja garanti (o meu|a minha|minha vaga|a minha vaga|meu acesso|o meu acesso|minha compra|meu curso|o meu curso)
	ja (sou|fiz|tenho) (aluno|aluna|minha matricula|minha inscricao|o curso|esse curso)|ya (soy alumno|soy alumna|tengo el curso)|ja tenho [o|esse] (curso|acesso)
`

// paidNamed begin a statement of having paid for something whose name follows.
const paidNamed = `
	[<i>] [<when>] [ja|ya|acabei de|acabo de] [lo|la] (paguei|comprei|adquiri|pague|compre|pagei|quitei|pagar|comprar) [pelo|pela|por] [o|a|el|la|meu|minha|mi|ese|esa|este|esta|os|as] <sold>
	[i|ive|i have|we|weve] [already|just] (paid|bought|purchased|ordered) [for] [the|my|this|your] <sold>
	[i|ive|i have|we|weve] [already|just] (paid|bought|purchased|ordered) [for] (the|my|this|your)
`

// paidTakenBack say, as whole statements, that nothing was paid.
const paidTakenBack = `
	[<i>] [na verdade|en realidad|mentira|desculpa|perdon] [<i>] (ainda|todavia|aun|todavia yo|aun yo) (nao|no|n|naum) [lo|la|he|hemos] (paguei|comprei|pague|compre|pagado|comprado|pagamos|compramos|pagei|transferi|depositei|deposite|quitei|pago|foi pago|esta pago|ta pago) [<it>] [<it>] [nada] [<when>]
	[<i>] [na verdade|en realidad|mentira] [<i>] (nao|no|n|naum) [lo|la|he|hemos] (paguei|comprei|pague|compre|pagado|comprado|pagamos|pagei|transferi|depositei|deposite|quitei) [<it>] [<it>] [nada] [ainda|todavia|aun|ainda nao|nao|no] [<when>]
	[<i>] [ainda|todavia|aun] (nao|no|n|naum) [lo|la] (consegui|conseguimos|pude|logre|deu pra|deu para|tive como) (pagar|comprar|pagarlo|comprarlo|fazer [o|a] <it>|hacer <it>|finalizar <it>|concluir <it>) [<it>] [<it>] [ainda|todavia] [<when>]
	[<i>] [ainda|todavia|aun] (nao|no|n|naum) (fiz|efetuei|realizei|finalizei|conclui|hice|realice|efectue|complete|termine) [o|a|el|la|nenhum|ningun] (pagamento|pago|compra|pix|transferencia|deposito|pedido) [ainda|todavia] [<when>]
	[<i>] [o|a|el|la|meu|mi] (pagamento|pago|pix|boleto|compra) [ainda|todavia|aun] (nao|no) (foi|esta|ta|fue|ha sido) (feito|feita|pago|paga|hecho|pagado|realizado|efetuado|concluido)
	[actually|sorry] (i|we) [still] (havent|have not|didnt|did not|never|hadnt) [actually|really] (paid|pay|bought|buy|ordered|order|purchased|purchase|made|make) [<it>|for it|(the|my|a) (payment|purchase)] [yet|actually] [<when>]
	[actually|sorry] (i|we) [still] (couldnt|could not|cant|cannot|was not able to|wasnt able to|am unable to|was unable to) (pay|buy|buy it|pay for it|complete (the|my) (payment|purchase|order)) [<it>] [yet]
	[i|its|it is|actually] not [yet] paid [yet]|i have yet to pay|i lied [i|about paying]
`

// paidAlone are claims only as a whole message.
const paidAlone = `pago|pago ja|paga|comprado|ja comprado|pago pago|ya pago|paid`

// paidDenials are what, anywhere in a message, says that the payment failed, is to come, or
// was another one.
const paidDenials = `erro|error|recusad*|recusou|negad*|negou|rechaz*|declined|refused|failed|falhou|fallo|nao pasou|no paso|nao foi (aprovad*|possivel|autorizad*|concluid*|processad*)|no fue (aprobad*|posible)|nao deu|nao deu certo|nao consegui|nao conseguimos|no pude|no logre|no consegui|nao pude|unable to|wasnt able|was not able|couldnt|could not|did not go through|didnt go through|
	estorn*|devolvid*|reembols*|refund*|cancel*|voltou|caro|outro curso|outra loja|outro lugar|otro curso|otro lado|otra tienda|somewhere else|another course|elsewhere|other course|
	ainda nao|todavia no|aun no|not yet|nao paguei|no pague|no he pagado|nao comprei|no compre|havent|didnt pay|did not pay|amanha|depois|manana|tomorrow|later|vou pagar|voy a pagar|
	nao gostei|nao gostamos|no me gusto|didnt like|did not like|metade|errado por engano|falsa|se eu|quando eu|quero saber|quase|nearly|almost|casi|nao caiu|expirou|vencid*|expired|travou`

// strangerWords are the parts of what those say who are not the customer.
var strangerWords = newGrammar(map[string]string{
	"num":    `numero|num|nro|telefone|tel|celular|whats*|zap|contato|telefono|movil|contacto|number|phone|cell|fone|cel|linha|linea`,
	"this":   `ese|este|esa|esta|aqui|o|el|meu|mi|this|my|the|aki`,
	"err":    `erado|errado|equivocado|equivocada|erada|trocado|trocada|incorreto|incorreta|incorrecto|incorrecta|wrong`,
	"who":    `pessoa|persona|person|cliente|contato|numero|num|telefone|destinatario`,
	"is":     `e|eh|es|is`,
	"name":   `(aname|acapital) [aname|acapital|da|de|do|dos|das|del] [aname|acapital|da|de|do|dos] [aname|acapital]`,
	"listed": `aname [aname|acapital|da|de|do|dos|das|del] [aname|acapital] [aname|acapital]`,
	"her":    `dela|dele|deles|desa pessoa|desta pessoa|dese cliente|desa cliente|desa mulher|dese homem|de la persona|de esa persona|de ella|de el|suyo|hers|his|theirs`,
	"fill":   `think|think you|acho que|acredito que|creio que|deve ser|deve ser um|parece que|creo que|me parece que|i think|i believe|you must|sinto muito|lamento|perdao|sorry|mas|pero|but|olha|amigo|amiga|moca|moco|voce|vc|vcs|voces|ta|esta|voce esta|vc ta|usted|ustedes|tu|you|you guys|i think you`,
	"tail":   `mais|nao|mas|parca|mano|irmao|cara|amigao|bro|buddy|dude|man|pal|viu|ai|anymore|any more|now|agora|ha muito tempo|faz tempo|desde|ya|sorry|amigo|amiga|here|aqui`,
}, strangerClaims, strangerNames, strangerAlone, strangerNamesAlone, strangerWishes)

// strangerClaims say so without a name.
const strangerClaims = `
	[<fill>] [<this>] <num> [agora|ahora|now|ya] (e|eh|es|pertence|pertenece) [agora|ahora] (de|a) (outra|otra|outro|otro) (pessoa|persona|dono|dona|dueno|duena|cliente|familia) [agora|ahora|now]
	[<fill>] [<this>] <num> [now|actually] (belongs to|is) (someone else|somebody else|someone elses|somebody elses|another person|another persons|a different person) [now]
	[<fill>] (ligou|ligaram|discou|discaram|chamou|chamaram|mandou|mandaram|enviou|enviaram|marco|marcaron|llamo|llamaron) (errado|erado|equivocado|mal) [<tail>]
	[<fill>] [<fill>] [e|eh|es|its|it is|is|com|com o|com a|para o|pro|do|no|con|tem|tiene|tienes|tienen] [<this>|a|la] (<num>|<who>) [<is>|esta|ta|is] [o|a|el|la|the] <err> [<tail>]
	[<fill>] [<fill>] [e|eh|es|its|it is|this is|con la|com a|para a|pra|the|a] [a|la|the] (wrong|equivocada|erada|errada) (<num>|<who>|chat|one) [<tail>]
	[<fill>] [<fill>] [you|u] [have|got|have got|ve|youve|youve got|texted|called|mesaged|are texting|dialed|contacted|reached|are talking to|are mesaging|must have] [got] [the] wrong (<num>|<who>) [<tail>]
	[<fill>] [<fill>] (erou|errou|eraram|erraram|confundiu|se enganou|enganou|se equivoco|se equivocaron|te equivocaste|te equivocas|se equivoca|se confundio|te confundiste|trocou) [de|o|no|do|na|con el|el|a] (<num>|<who>) [<tail>]
	[<fill>] [<fill>] (mandou|mandaram|mandando|enviou|enviaram|enviando|ligou|ligaram|falando|falou|chamou|chamaram|chamando|escreveu|hablando|hablas|habla|escribio|escribiendo|mando|mandou mensag*|mandaram mensag*|mando mensaj*|mandaron mensaj*|escribiste|estas hablando|esta hablando|esta falando|talking) (para|pra|pro|no|com|ao|a|al|con|con el|con la|to|to the) [a|o|la|el|the] (<num> <err>|<who> <err>|<err> <who>|<err> <num>|outra pessoa|otra persona) [<tail>]
	[<fill>] [<fill>] [me] (confundiu|confundiram|confundindo|confundio|confundiste|confundieron|confundiendo|estas confundiendo|confunden|confundes|confunde) [me] (com|con) (outra pessoa|otra persona|alguem|alguien|alguien mas|outro cliente|otro cliente) [<tail>]
	(youre|you are|u are|youve|you have|you) (confusing|confused|mistaking|mistaken) me (with|for) (someone|somebody|someone else|somebody else|another person)
	[<fill>] [<this>] [<num>] [<this>] [ya] (nao|no|n) (e|eh|es) [mais|mas] [o|a|el|la] [<num>] <her> [<tail>]
	[<fill>] (este|ese) [<num>] ya no es su (numero|telefono|celular) [<tail>]
	[<fill>] [<this>] [<num>] (nao|no|n) (pertence|pertenece) [mais|mas] (a ela|a ele|a ella|a el|a ese|a esa|a esa persona|a esa pessoa|a esse cliente|a ese cliente) [<tail>]
	[<fill>] [eu|yo] (nao|no|n) (sou|soy) (esa|ese|a|o|la|el|quem|quien) [pessoa|persona|cliente|moca|moco|senhora|senhor] [que] [voce|vc|voces|vcs|ud|usted|ustedes|tu] [esta|ta|estao|pensa|procura|busca|buscan|buscas|cree|crees|creen|quer|querem|quiere] [procurando|buscando|falando|pensando|achando] [<tail>]
	[<fill>] (nao|no|n) (sou|soy|e|eh|es) (esa|essa|ese) (pessoa|persona) [<tail>]
	[<fill>] (im|i am|am) not (the|that|this) (person|customer|one) [you are|youre|you] [looking for|want|think]
	[<fill>] [voce|vc|voces|tu|usted] [se] (enganou-se|enganou|enganaram) [de (<num>|<who>)]
	[<fill>] [e|eh] engano|[<fill>] (esta|estas|estan) (equivocado|equivocada|equivocados) [de (<num>|<who>)]
	[<fill>] [aqui|aki] (nao|no|n) (tem|ha|existe|hay|mora|vive) [aqui] (ninguem|nenhuma pessoa|nadie|alguem|ninguna persona) [aqui] (com|con) (ese|esse|este) (nome|nombre) [aqui] [<tail>]
	(nao|no|n) (tem|ha|conheco|conozco|hay) (ninguem|a ninguem|nadie|a nadie) (com|con|de) (ese|esse|este) (nome|nombre) [aqui]
	[there is|theres] (no one|nobody|noone) [here|lives here] (by|with|has) (that|this) name [here]|no one by that name [here]|nobody by that name [here]|
	[<fill>] (nao|no|n) (conheco|conozco) (essa|esa|esta|ese|a essa|a esa) (pessoa|persona|mulher|moca|cliente|senhora|homem|mujer|senora) [<tail>]
	[<fill>] i (dont|do not) know (this|that|who this|who that) (person|woman|man|is) [<tail>]
	[<fill>] (ela mudou|ele mudou|ela trocou|ele trocou|cambio) de (numero|celular|telefone|telefono)|(ela|ele|ella|el|esa pesoa|esa persona) (nao|ya no|no) (usa|tem|tiene) [mais|mas] (ese|este) <num>|(comprei|peguei|adquiri) (ese|este) (numero|chip|linha) (agora|ha pouco|recentemente|faz pouco tempo|semana pasada)|(este|ese) (numero|chip|linha|linea|telefono) (agora|ahora) (e|eh|es) (meu|mio|de outra pesoa|de otra persona)|numero (era|antigo) (dela|dele|de outra pesoa)
	(nao e|nao eh|no es) (comigo|conmigo|para mim|pra mim|para mi) (esa|ese|esta|este|a) (mensag*|mensaj*|conversa)|(essa|ese|este) (mensag*|mensaj*) (nao|no) (e|eh|es) (pra|para) (mim|mi)
`

// strangerAlone say so only as a whole message: "cliquei no errado, foi engano" is another mistake.
const strangerAlone = `[<fill>] (foi|fue|e|eh|es|houve|deve ter sido|debe ser) [um|uma|un|una] (engano|equivocacion|equivoco|error de numero|erro de numero)`

// strangerNamesAlone say so with a name only as a whole message: "meu nome não é Ana, é Anna" corrects us.
const strangerNamesAlone = `[<fill>] (meu|mi|my|o meu) (nome|nombre|name) (nao e|nao eh|no es|is not|isnt|n e|n eh) [o|a] <name> [<tail>]`

// strangerWishes are what only a customer wants: who has the number for somebody else may buy too.
const strangerWishes = `(quero|queria|gostaria de|gostaria|quiero|quisiera|pretendo|preciso|vou|voy a|vamos|posso|puedo|podemos|da pra|quer|quiere|queremos) [eu|yo] [de] (comprar|comprarlo|comprarla|pagar|pagarlo|saber|adquirir|fechar|ver o preco|conhecer|entender|parcelar|usar|fazer o curso|presentear|regalar|dar de presente|o curso|el curso|o link|el link|esse curso|este curso)|
	como (pago|compro|faco|fazo|eu pago|eu compro|posso pagar|puedo pagar|comprar|pagar|hago)|(quanto|cuanto) (custa|e|eh|fica|sai|cuesta|vale|es|sale)|qual (o|e o|eh o) (preco|valor)|tem (desconto|boleto|pix|parcelamento|cupom)|hay (descuento|cupon)|(manda|mande|envia|mandame|envie|me manda) [me] [o|el] (link|boleto|pix)|
	(i want|i would like|id like|can i|i wish|i will|ill|i need|she wants|he wants|we want) [to] (buy|pay|know|purchase|order|get it|learn|see the price|the course)|how (much|do i pay|can i pay|to pay|do i buy)|send me the link|any discount`

// strangerNames say so with the name of somebody; see aName.
const strangerNames = `
	[<fill>] [aqui|eu|yo|oi] (nao|no|n|naum) (sou|soy|me chamo|me lamo) [o|a|el|la] <name> [<tail>]
	[<fill>] [aqui|aki|este|ese] [<num>] (nao|no|n|naum) (e|eh|es) [mais|mas] [o|a|el|la|da|do|de|del] [<num>] [da|do|de|del] <name> [<tail>]
	[<fill>] (<this> <num>) [ya] (nao|no|n) (e|eh|es|pertence|pertenece) [mais|mas] [a|ao|o|el] [<num>] [da|do|de|del|a|al] <name> [<tail>]
	[<fill>] (nao|no|n) (e|eh|es) [mais|mas] [o|el] <num> (da|do|de|del) <name> [<tail>]
	[<fill>] (nao|no|n) (conheco|conozco) [nenhuma|nenhum|ninguna|ningun|a|o|esa|esse|a ninguna|a ningun|esa tal de|essa tal de|quem seja] [a|o] <listed> [<tail>]
	[<fill>] [aqui] (nao|no|n) (tem|ha|mora|vive|hay|existe|trabalha) [aqui] [nenhuma|nenhum|ninguna|ningun|a|o|la|el] <listed> [aqui|nese numero|nesse numero] [<tail>]
	[<fill>] (this is|its|it is|im|i am|this|that is) (not|isnt|aint) <name> [s] [number|phone] [<tail>]|[<fill>] (this|it|that) (isnt|is not|aint) <name> [s] [number|phone] [<tail>]|[<fill>] (im|i am|am) not <name> [<tail>]|[<fill>] not <listed>|<this> <num> (doesnt|does not) belong to <name> [<tail>]|no <listed> here
	[<fill>] (i dont know|i do not know|there is no|theres no|i know no) [any|a|anyone named|anybody named|anyone called] <listed> [here] [<tail>]|[<fill>] (no one|nobody) (named|called) <name> [here]
	[<fill>] [a|o|la|el] <listed> (nao|no|n) (usa|tem|tiene|mora|vive|esta) [mais] (aqui|ese numero|este numero)|<listed> (doesnt|does not) (live here|use this number|have this number) [anymore]|<listed> (ya no|nao) (usa|tiene|tem|vive) (este numero|ese numero|aqui) [mais]|<listed> (trocou|mudou|cambio) de <num>
`

// noNames are words with a capital that are nobody's name.
var noNames = wordSet(
	`premium basico vip plus pro gold platinum completo expert brasileiro brasileira brazilian american mexican spanish english portuguese british canadian
	parana paulista sao paulo rio bahia minas goias ceara pernambuco amazonas lisboa espana spain argentina chile colombia peru eua usa mexicano mexicana espanola argentino argentina pix boleto hotmart kiwify eduz excel curso whatsap instagram facebok google youtube paypal mercado visa mastercard elo nubank itau brasil bradesco caixa
	brazil mexico portugal internet pdf certificado titular dono dona mesmo mesma unico unica cliente comprador aluno aluna responsavel hora momento problema medo mentira verdade golpe virus robo bot
	segunda terca quarta quinta sexta sabado domingo monday tuesday wednesday thursday friday saturday sunday lunes martes miercoles jueves viernes ola oi hola hi helo sim nao yes no deus dios god senhor senhora
	natal black friday ebok kindle amazon shope magalu android iphone windows mac apple zom tiktok telegram telefone numero celular nada isso interesada interesado interested ingles espanol portugues`)

// firstNames are frequent first names, which tell a name where it is written small.
var firstNames = wordSet(
	`maria ana joao jose antonio francisco carlos paulo pedro lucas luiz luis marcos gabriel rafael daniel marcelo bruno eduardo felipe raimundo rodrigo
	manoel mateus andre fernando fabio leonardo gustavo guilherme leandro tiago thiago anderson ricardo marcio jorge alexandre roberto edson diego vitor victor sergio claudio mateus matheus
	thais juliana marcia fernanda patricia aline sandra camila amanda bruna jesica leticia julia luciana vanesa mariana gabriela vera vitoria larisa claudia beatriz rita luana sonia renata eliane
	josefa simone natalia cristiane carla debora rosangela jaqueline rosa daniela aparecida marlene terezinha raimunda andreia fabiana lucia raquel angela rafaela joana luzia elaine carolina alice
	helena laura sofia isabela valentina manuela heloisa cecilia eloa livia lorena bianca priscila tatiana monica viviane silvia cristina regina adriana elisangela simone denise roseli solange
	miguel arthur davi bernardo heitor enzo nicolas samuel henrique igor caio renan vinicius wesley jeferson wilson nelson mauro rogerio renato reinaldo valdir osvaldo sebastiao
	guadalupe juana margarita veronica elena leticia alejandra alejandro juan manuel javier jesus arturo enrique raul hector oscar ramon alberto ernesto guilermo pablo santiago mateo sebastian
	ximena camila valeria lupita fernanda daniela karla paola lucia ines pilar carmen dolores mercedes isabel marta teresa cristina rocio esperanza consuelo julio cesar ignacio andres martin
	john james robert michael david wiliam richard joseph thomas charles christopher matthew mathew anthony mark donald steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason
	jefrey ryan jacob gary eric jonathan stephen lary justin scot brandon benjamin jack tom tim mike bob jim joe steve chris matt dave dan sam nick alex ben peter
	mary jenifer linda elizabeth barbara susan jesica sarah karen lisa nancy bety sandra ashley kimberly emily dona michele carol amanda melisa deborah stephanie rebeca sharon kathlen
	anna jane jean kate katie emma olivia sophia grace helen rachel heather ruth diane alison lauren kely anne`)

// machineWords are the parts of what machines say.
var machineWords = newGrammar(map[string]string{
	"soon": `em breve|asim que posivel|asim que poder|asim que poss*|o mais breve posivel|o mais rapido posivel|o quanto antes|logo que posivel|logo mais|en breve|a la brevedad|lo antes posible|lo mas pronto posible|pronto|tan pronto|cuanto antes|shortly|soon|as soon as|asap|within|at our earliest|lo mas rapido`,
	"ours": `nosso|nosa|nossa|nossos|nuestro|nuestra|nuestros|our`,
}, certainlyMachines, likelyMachines)

// certainlyMachines are words that people do not write to a store.
const certainlyMachines = ` (mensag*|resposta|respuesta|mensaje|atendimento) (automatica|automatico)|(automatic|automated|auto) (reply|response|mesage|answer)|autoreply|autoresponder|autoresposta|
	(out of office|out of the office|fora do escritorio|fuera de la oficina|fora do horario de (atendimento|expediente)|fuera del horario de atencion|fuera de horario de atencion|fuera de nuestro horario|fora do noso horario|outside [of] our (business|office|working|opening) hours)|
	(digite|marca|tecle|aperte|pressione|escolha|responda com|envie|marque|oprima|presione|escriba|digita|escribe|responda|responde|elige|reply with|press|type|reply|enter|send|select|text) [a|o|la|el|the|com|con] [opcao|numero|opcion|option|number|tecla] [o numero|el numero] (1|2|3|4|5|0|01|9) (para|pra|-|/|e|y|for|to|se|si|if|ou|o|or)|
	(digite|escolha|selecione|informe|elija|elige|seleccione|selecciona|escoja|choose|select|pick|indique) [uma|a|una|la|one|an|the] [das|de|da|of] [as|las|the|seguintes|following|siguientes] [seguintes|following|siguientes] (opcao|opcoes|opcion|opciones|option|options)|
	/ (opcao|opcion|option) (invalida|invalid|no valida|nao reconhecida|nao encontrada) /|/ invalid option /|(sua|su|tu|your) (posicao na fila|posicion en la fila|posicion en la cola|position in the queue)|(transferindo|transferindo voce|transfiriendo|transferring you) (para|a|to) (um|un|one of|uno de|an)|voce sera atendid*|(atendimento|conversa|chat|sesao|sesion) [foi|fue|sera] (encerado|encerada|encerrado|finalizado|finalizada|cerrado|cerada|closed) (por|due to) (inatividade|inactividad|inactivity|falta)|(na|en la) fila de (atendimento|atencion) /|
	(digite|escolha|selecione|informe|envie|responda com|escriba|escribe|marque|enter|type) [o|el|the] (numero|number) (da|de la|of the|of your) (opcao|opcion|option)|
	(sou um|soy un|im a|i am a) (bot|robo|robot|chatbot)|(sou|sou o|sou a|eu sou o|eu sou a|soy el|soy la|soy|im the|i am the|im|i am|im your|i am your|falando com o|falando com a|com o noso|a nosa|o noso) (asistente virtual|atendente virtual|virtual asistant|chatbot|robo de atendimento|bot de|robo da|asistencia virtual|automated asistant)|
	(this is an|this is a) (automated|automatic|system generated)|(nao|no|do not|dont|please do not) (responda|reply) (a|to) (esa|ese|esta|este|this) (mensag*|mesag*|mensaj*|email)|
	(nao perturbe|modo foco|modo de conducao|do not disturb|driving mode|no molestar) (ao|enquanto|mientras|while|ativado|activado|is on|turned)|
	<ours> horario de (atendimento|funcionamento|atencion|servicio|expediente) (e|eh|es|/|de|das|sera|sao)|horario de (atendimento|funcionamento|atencion) / (segunda|seg|lunes|de|das)|<ours> (business|office|opening|working|support) hours (are|is|/)|
	(seu|su|your|tu) (protocolo|numero de protocolo|numero de folio|numero de ticket|ticket|numero de atendimento|ticket number|folio) (e|eh|es|is|de atendimento|numero|/)|numero do protocolo|protocolo de atendimento`

// likelyMachines are words that a person may write, but hardly two of them in one message.
const likelyMachines = ` agradecemos|agradecemos (o|a|seu|sua|pelo|pela|el|su|tu)|obrigad* (por entrar em contato|por falar com|pelo contato|pelo seu contato|por nos contatar|por nos chamar|pela mensag*|pela sua mensag*|por escrever)|gracias por (comunicarte|comunicarse|contactarnos|contactar|contactarte|escribirnos|escribir|su mensaje|tu mensaje|su contacto|tu contacto|enviar tu mensaje|enviarnos)|
	(thank you|thanks) for (contacting|reaching out|your mesage|mesaging|geting in touch|writing|your interest|conecting)|
	(nao|no) (podemos|posso|puedo|conseguimos|consigo|conseguiremos|podremos) [te|le|lhe|lo] (responder|atender|atende lo|atenderte|atenderle|atenderlo|atende-lo|responderte|responderle)|(nao|no) (estamos|estou|estoy|nos encontramos|me encontro|me encuentro) (disponiv*|disponib*|atendendo|atendiendo|en este momento)|
	(cant|cannot|can not|unable to|not able to) (respond|reply|answer|take your (call|mesage)|come to the phone)|(we are|we re|were|i am|im|currently) (currently|not|away|unavailable|closed|out) [available|unavailable|closed|away|of ofice]|
	(retornaremos|responderemos|retornarei|responderei|entraremos em contato|retornamos|te responderemos|le responderemos|atenderemos|te atenderemos|le atenderemos|te contactaremos|le contactaremos|nos pondremos en contacto|nos comunicaremos|te responderei|lhe responderemos|iremos te responder|iremos responder|vamos te responder|retornar seu contato|retornaremos seu contato|daremos retorno|em breve retorno)|
	(we will|we ll|well|someone will|a representative will|our team will|an agent will|one of our agents will) (get back|respond|reply|be in touch|contact you|return|be with you|get in touch)|
	(como|em que|en que|em como|no que|how) (podemos|posso|puedo|can we|can i|may i|may we) [te|lhe|le] (ajudar|ajuda-lo|ajudalo|ajudar voce|ayudar|ayudarte|ayudarle|ayudarlo|help|asist|atender|servir|servirle|servirte)|let us know how we can (help|asist)|
	(deixe|deja|deje|please leave|leave) [aqui|us|me] [a|o|su|tu|seu|sua|um|un|una|your] (mensag*|mensaj*|mesage|recado|nome|duvida|nombre|name|consulta)|
	(seja|sea|se) [muito] (bem vind*|benvind*|bienvenid*)|bem vind* (a|ao|as)|bienvenid* a|welcome to|
	(estou|estamos|estoy|i am|im|we are) (de ferias|em ferias|de vacaciones|on vacation|on holiday|dirigindo|conduciendo|manejando|driving|em reuniao|en una reunion|in a meting|ausente|ausentes|indisponivel|indisponible)|menu principal|main menu|
	(asistente|atendente|atendimento|asistant|asistencia) (virtual|digital)|virtual asistant|chatbot|(um|uno|un|one) (de|dos|of) (nosos|noso|nuestros|our) (atendentes|asesores|agentes|consultores|especialistas|agents|representatives|vendedores|ejecutivos)|
	<ours> (equipe|time|equipo|team|horario|central|atendimento|loja fisica|site|horarios|store hours|office)|(horario|horarios) de (atendimento|funcionamento|atencion)|(segunda|lunes|monday) (a|a la|to|through|ate) (sexta|viernes|friday|sabado|domingo)|(seg|lun|mon) a (sex|vie|fri)|
	para (agilizar|melhor atende|melhor atende-lo|que possamos|brindarte|brindarle|una mejor) [o|a|seu|su|tu|lo|um|mejor]|(aguarde|espere) (um momento|um instante|que|un momento|na linha|o atendimento)|em instantes|(recebemos|hemos recibido|recibimos|we have received|weve received|we received) (sua|a sua|su|tu|your) (mensag*|mensaj*|mesage|solicitacao|solicitud|request|contato)|
	(mensag*|mensaje) (foi|fue) (recebida|recibido)|<soon>`
