package policy

// requestWords are the parts of what customers ask for, in the three languages at once:
// "stop mensagem" is usual.
var requestWords = newGrammar(map[string]string{
	"not": `nao|n|nn|num|naum|nau|nem|nunca|jamais|nunca mais|nunca mas|jamas|nunca jamas|no|not|do not|dont|does not|never|pls dont|tampoco`,
	"you": `voces|vcs|vc|voce|ce|ces|tu|ustedes|uds|usted|you|u|you guys|you people|ya all|senhor|senhores|eu|yo|i|que|q`,
	// ask begins a request: what follows it is wanted.
	"ask": `quero que|gostaria que|queria que|preciso que|peco que|pedi que|pedi para|pedi pra|peco para|peco pra|solicito que|exijo que|
		solicito|peco|favor|pode|podem|podes|podia|podiam|poderia|poderiam|pode por favor|podem por favor|da pra|da para|daria pra|tem como|teria como|ha como|
		e posivel|eh posivel|posivel|posso pedir para|posso pedir pra|posso pedir que|preciso|quero|queria|gostaria de|desejo|prefiro|preferia|
		(ja|eu ja) (pedi|falei|disse|avisei|solicitei) [para|pra|que|p]|como (faco|fasco|eu faco|fazer|fas) [para|pra|p]|como posso|como eu posso|como|
		quiero que|pido que|les pido que|le pido que|te pido que|exijo que|necesito que|quisiera que|puede|pueden|puedes|podria|podrian|podrias|
		me puede|me pueden|me podrian|me podria|quiero|quisiera|deseo|solicito|necesito|ya (dije|pedi|les dije|les pedi|le dije|te dije|te pedi) [que]|
		hagan el favor de|haga el favor de|haz el favor de|favor de|como hago para|como puedo|que hago para|
		can you|could you|can u|could u|would you|will you|kindly|you can|you may|i want you to|i would like you to|id like you to|i need you to|
		i want to|i would like to|id like to|i need to|i wish to|want to|can i|may i|
		i (told|asked|said) you to|i said|i told you|i asked you|how do i|how can i|how to|where do i|please|
		(onde|aonde|em que lugar|donde|en donde) [eu|yo] [posso|puedo|devo|debo] [(clico|clicar|aperto|entro|vou|toco|pulso|cliqueo|entrar|hago clic|doy clic|le doy) (para|pra|p|a)]|
		where (can i|should i) [(click|go) to]|where do i (click|go) to|exijo|requeiro|exigimos|pido|les pido|demando`,
	"pre": `[<ask>] [<you>] [por favor|please|me] [<ask>]`,
	// thing is what the store sends; that is a word for it.
	"thing": `mensag*|mensaj*|mesag*|mesaj*|mensg*|mensa|mgs|msg*|msj*|mnsg*|mens|mensagm|sms*|zap|zaps|zapzap|whats*|wats*|wap|wpp|wsp|text|texts|
		spam*|propaganda*|publicidad*|publicidade*|promo|promos|promocao|promocoes|promocion*|promotion*|anuncio*|notific*|contato|contatos|contacto|contactos|contact|
		oferta*|offer*|ads|adverts|advert*|marketing|newsletter*|lembrete*|recordatorio*|reminder*|update|updates|cobranca|cobrancas|comunicado*|textos|divulgacao|divulgacoes`,
	"that": `[<det>] <stuff>`,
	"stuff": `coisa|coisas|cosas|cosa|stuff|things|isso|isto|iso|eso|esto|nada|nada disso|nada mais|mais nada|
		nada mas|mas nada|anything|anything else|this|that|it|them|porcaria|porcarias|merda|merdas|mierda|
		mierdas|tonterias|shit|crap|lixo|bobagem|basura|garbage|junk|these|those`,
	"det": `eses|esas|estas|estes|estos|esos|esa|ese|esta|este|suas|seus|sua|seu|tuas|teus|uma|um|unas|una|un|mais|mas|tantas|tanta|tanto|tantos|todas as|todas|todos|
		as|os|a|o|los|las|la|el|me|these|those|this|that|your|any|any more|more|all|all the|all these|all your|the|so many|such|sus|tus|otro|otra|otros|otras|
		nenhuma|nenhum|ningun|ninguna|qualquer|outra|outras|another|any other|further|de|com|con|with|muitas|muchos|tipo de|ese tipo de|esse tipo de|este tipo de|suas estas`,
	"msg": `[<det>] [<det>] <thing> [<thing>|de (texto|whats*|spam|voces|vcs|marketing|propaganda|publicidad|promocao|vendas|venda|ventas|audio|zap)|promocional|promocionais|
		comercial|comerciais|publicitarias|promocionales|automatica*|chata|chatas|indesejad*|no deseados|asim|asi]`,
	"tail": `mais|nao|n|nao e|nunca mais|nunca|jamais|por aqui|aqui|pra mim|para mim|p mim|pro meu (numero|whats*|celular|zap|telefone)|no meu (numero|whats*|celular|zap|telefone|wpp)|
		para (o meu|meu) (numero|whats*|celular|zap|telefone)|para (esse|este) numero|para o (meu|meu numero)|pra (esse|este) numero|(nese|neste|dese|deste|nesa|nesta) (numero|whats*|celular|zap|telefone|conta)|
		de (voces|vcs|vc|voce)|(da|desa|desta) (loja|empresa|marca)|do (curso|produto|site)|de ustedes|suyos|a (este|mi) (numero|celular|telefono|whats*|movil|cel)|por (whats*|zap|este medio|esta via|ese medio)|
		from (you|you guys|you people|this number|your (company|store|shop))|to (me|this number|my (phone|number|cell))|on (here|whats*|this number)|here|me|us|
		anymore|any more|any longer|again|ever again|ever|more|mas|nunca mas|otra vez|de nuevo|de novo|novamente|outra vez|toda hora|todo dia|todos os dias|toda semana|o tempo todo|o dia todo|
		o dia inteiro|sem parar|direto|tanto|a cada hora|todo el dia|todo el tiempo|a cada rato|todos los dias|a toda hora|every day|everyday|all day|all the time|constantly|non stop|nonstop|
		sobre (iso|isto|eso|esto|o curso|ese curso|este curso|ese produto|este produto|ese asunto|este asunto|el curso)|about (this|that|it|the course)|dese tipo|dese curso|dese produto|deste tipo|disto|diso|
		asim|asi|que nao quero|que no quiero|pois nao quero|nao quero|no quiero|que (ja|eu) (comprei|paguei)|sem (minha|a minha) (autorizacao|permisao)|a partir de hoje|de hoje em diante|desde ya|a partir de agora`,
	"end":  `[<tail>] [<tail>] [<tail>]`,
	"if":   `(se|si|if) [voces|vcs|vc|voce|you|u|me|nao|no|ustedes|tu] (continuar|mandar|insistir|continuarem|mandarem|insistirem|persistir|persistirem|parar|pararem|mandam|continuam|enviarem|enviar|escrever|escreverem|siguen|sigue|sigues|vuelven|vuelves|vuelve|paran|para|paras|dejan|deja|dejas|dont stop|do not stop|keep|continue|this continues|this happens again|text|mesage|contact) [a|de] [mandando|me|de|enviando|escribiendo|a|molestando|escribir|escribirme|molestar|molestarme|enviar|mandar|mandarme|sending|mesaging|texting|insistiendo|insistindo|perturbando|perturbar|incomodando] [de] [mandar|enviar|me] [<msg>|me] [<tail>]`,
	"me":   `me|nos|mi|a mim|pra mim|para mim|us`,
	"stop": `pare|parem|para|parar|pares|parasem|parase|parasen|deixe|deixem|deixa|deixar|deixem|cese|cesem|desista|desistam|deje|dejen|deja|dejar|dejes|dejasen|pares|paren|para ya|dejen ya|ya dejen|ya deja|ya paren|parale|parenle`,
	// send is what the store does, as an infinitive or a gerund.
	"send": `mandar|manda|mandando|enviar|envio|envia|enviando|escrever|escrevendo|encaminhar|chamar|chamando|perturbar|perturbando|incomodar|incomodando|encher|encher o saco|encher o meu saco|encher meu saco|
		contatar|contactar|procurar|importunar|insistir|torar a paciencia|falar comigo|spamar|azucrinar|amolar|atormentar|mandarme|mandarem|enviarem|disparar|
		escribir|escribirme|escribirnos|escribiendo|escribiendome|enviarme|enviandome|mandandome|molestar|molestarme|molestando|molestandome|contactarme|joder|joderme|chingar|
		mensajear|mensajearme|fastidiar|fastidiarme|acosar|acosarme|spamear|spamearme|mandarle|insistirme|hacer spam|receber|recibir|recibiendo|
		mesaging|texting|contacting|writing|sending|bothering|spaming|harasing|emailing|buging|pestering|msging|sms|mesage|anoying|hasling|hitting me up|hiting me up|hiting up|bugging|receiving|geting`,
	"receive": `receber|receba|ver|ser (contatad*|contactad*|incomodad*|importunad*|perturbad*|procurad*|molestad*|acosad*)|que me (mande|mandem|envie|enviem|escreva|escrevam|incomode|incomodem|contate|contatem|chamem|chame|perturbem)|
		que (voces|vcs|vc|voce) (me) (mande|mandem|envie|enviem|escreva|escrevam|incomodem|chamem|procurem)|que (mandem|enviem|mande|envie)|recibir|recibirlos|recibirlas|ver|que me (manden|envien|escriban|escribas|molesten|contacten|llegue|lleguen|sigan (mandando|enviando|escribiendo|molestando))|
		receive|receiving|get|geting|hear|se|be contacted|being contacted|be mesaged|be texted|be bothered|to (receive|get|hear|be contacted)|continuar recebendo|continuar a receber|seguir recibiendo|keep receiving|keep geting`,
	// bid is send as an imperative or a subjunctive.
	"bid": `mande|mandem|manda|mandes|mandar|envie|enviem|envia|envies|enviar|encaminhe|encaminhem|encaminhar|disparem|
		manden|envien|enviarme|mandarme|send|sends|sending|keep sending|continue mandando|continuem mandando|continue enviando|continuem enviando|sigan (enviando|mandando)|siga (enviando|mandando)|(vuelvan|vuelvas|vuelva) a (enviar|mandar|enviarme|mandarme)|
		(volte|voltem) a [me] (mandar|enviar)|tornem a (mandar|enviar)|fique mandando|fiquem mandando|fica mandando|fica enviando`,
	"need": `precisa mandar|precisa enviar|precisam mandar|precisam enviar|precisa mais mandar|precisa mais enviar|precisam mais mandar|precisam mais enviar|
		precisa ficar mandando|precisan mandar`,
	// touch is to turn to somebody, which needs no object.
	"touch": `escreva|escrevam|escreve|escrever|escrevas|contate|contatem|contacte|contactem|contatar|perturbe|perturbem|perturba|perturbar|incomode|incomodem|importune|importunem|procure|procurem|amole|aborreca|aborrecam|encha|encham|enche|
		encha o saco|enche o saco|encham o saco|encha meu saco|encha o meu saco|insista|insistam|insiste|insistas|insistan|
		escribas|escriba|escriban|escribir|escribirme|escriviran|moleste|molesten|molestes|molestar|molestarme|contacten|contactes|contactar|contactarme|fastidies|fastidien|jodas|jodan|joder|chinguen|mensajes|
		(volte|voltem|voltes|torne|tornem) a [me|nos] (escrever|perturbar|incomodar|chamar|procurar|contatar|contactar|entrar em contato)|
		(vuelvas|vuelva|vuelvan) a (escribir|escribirme|escribirnos|molestar|molestarme|contactar|contactarme|contactarnos|buscarme)|rompan|rompas|rompa|
		(fique|fiquem|fica) [me] (perturbando|incomodando|enchendo|insistindo|chamando)|(esten|este|estes|ande|anden) (chingando|molestando|jodiendo|escribiendo|fastidiando)|
		sigas (escribiendo|molestando|insistiendo)|sigan (escribiendo|molestando|insistiendo|jodiendo)|siga (escribiendo|molestando)|
		`,
	"touchen": `mesage|text|contact|write|write to|bother|msg|spam|harass|bug|disturb|txt|dm|hit up|reach out|reach out to|contacting|texting|mesaging`,
	"list": `[<pos>] (negocio|trem|parada|lista|listas|list|lists|grupo|grupos|group|base|base de dados|base de datos|database|mailing|mailing list|mailinglist|contatos|contactos|contacts|agenda|cadastro de mensagens|sistema|system|
		lista de transmisao|lista de contatos|lista de contactos|lista de difusion|lista de envio|lista de envios|lista de mensagens|lista de clientes|contact list|mesaging list|broadcast list|lista vip|grupo de (mensagens|mensajes|whats*|zap|vendas|ventas|ofertas)|divulgacao|disparos|disparo|envios|records|campanha|campanhas) [de voces|de vcs|de ustedes|de contatos|de envio|de difusion|suya]`,
	"pos":   `as suas|a sua|sua|suas|a|o|os|as|esa|ese|esta|este|la|el|su|sus|tu|tus|los|your|the|this|that|all your|any|todas as`,
	"from":  `da|de|do|das|dos|desa|dese|desta|deste|desas|deses|na|nesa|from|of|off|off of|out of|del|de la`,
	"place": `<from> <list>|dai|daqui|diso|disto|de ahi|de aqui|de alli|desa|from here|from there|off|dese trem|dai por favor`,
	"remove": `tire|tira|tirem|tirar|tires|tiren|retire|retira|retirem|retirar|remova|remove|removam|remover|exclua|exclui|excluam|excluir|apague|apaga|apaguem|apagar|elimine|elimina|eliminem|eliminar|delete|deleta|deletem|deletar|
		risca|risquem|rasga|rasgue|rasguem|perde|perca|percam|pierde|pierda|pierdan|boten|
		descadastre|descadastra|descadastrem|descadastrar|descadastro de|desinscreva|desinscreve|desinscrever|risque|bloqueie|bloqueia|bloqueiem|quite|quita|quiten|quitar|quiteme|quitame|quitenme|quitarme|saque|saca|saquen|sacar|sacame|saqueme|saquenme|sacarme|
		borre|borra|borren|borrar|bajame|bajeme|bajenme|borrame|borreme|borrenme|borrarme|eliminen|eliminame|elimineme|eliminenme|eliminarme|remueva|remuevan|remover|remueveme|remuevanme|exclusao de|a exclusao de|remocao de|a remocao de|a retirada de|retirada de|
		take|removing|erase|get|drop|scratch|strike|unlist`,
	"number": `[o|a|el|de] (meu|minha|mi|my|ese|este|esse|the|this) (numero|num|nro|telefone|telefono|tel|celular|cel|movil|contato|contacto|contact|whats*|zap|fone|number|phone|phone number|cell|cellphone|numero de telefone|numero de telefono)`,
	"unsub":  `descadast*|descadrast*|desinscre*|desinscri*|unsub*|unsuscri*|desuscri*|desubscri*|opt out|opting out|optout|opted out|unregister|desasinar|desafiliar*`,
	"baja":   `darme de baja|darse de baja|dar de baja|dame de baja|denme de baja|deme de baja|den de baja|de de baja|baja|la baja|me doy de baja|darnos de baja|dar baixa|baixa`,
	"of":     `<from> [<pos>] (voces|vcs|ustedes|sistema|sistemas|system|systems|base|base de datos|base de dados|banco de dados|banco|lista|list|listas|database|records|servers|empresa|cadastro|registros)|de (voces|vcs|ustedes)|imediatamente|daqui|dai|completamente|completely|por completo|conforme a lgpd|segundo a lgpd|com base na lgpd|de acordo com a lgpd|under gdpr|under the gdpr|as per gdpr|per gdpr|agora|now`,
	// must is what need not be done any more.
	"must": `precisa|precisam|precisas|carece|careces|necesita|necesitan|necesitas|tem que|tem de|tienen que|tiene que|hace falta|hace mas falta|
		(e|eh|es) [mais|mas] (necesario|preciso) [que] [voces|vcs|vc|ustedes]|need to|have to`,
	// turn is to turn to somebody, as an infinitive or after "that".
	"turn": `(escrever|chamar|procurar|contatar|contactar|perturbar|incomodar|importunar|cobrar) [<me>|comigo]|(entrar|entrarem|entren|entrar) em contato [comigo|conosco|com a gente]|falar comigo|
		escribirme|escribirnos|contactarme|contactarnos|buscarme|ponerse en contacto [conmigo]|que me (escriban|escribas|escriba|contacten|contactes|contacte|busquen|escrevam|chamem|contatem|procurem)|
		(<touchen>|be in touch with) [<me>|this number]`,
	"deliver": `(mandar|enviar|mandarem|enviarem|encaminhar|mandarme|enviarme|mandarnos|enviarnos|que me (manden|mandes|mande|envien|envies|envie|mandem|enviem)|send|keep sending)`,
	"contacted": `escribieran|escribiera|escribieras|contactaran|contactara|mandaran|mandara|enviaran|enviara|molestaran|escrevesem|escrevese|mandasem|mandase|
		enviasem|enviase|contatasem|contatase|contactasem|chamasem|chamase|procurasem`,
	"erasure": `exclusao|remocao|retirada|eliminacao|apagamento|eliminacion|remocion|exclusion|supresion|borrado|removal|deletion`,
	"soon":    `[e] (imediat*|inmediat*|total|definitiv*|urgente|permanente|immediate|completo|completa)`,
	"mine":    `[o|a|el] (meu|minha|mi|my) (numero|num|nro|telefone|telefono|tel|celular|cel|movil|contato|contacto|contact|whats*|zap|fone|number|phone|phone number|numero de telefone|numero de telefono|nome e numero)`,
	"times":   `[por|umas|unas|mais de|mas de|more than] (1|2|3|4|5|6|7|8|9|10|15|20|30|50|100|1000|mil|duas|dos|tres|tre|quatro|cuatro|cinco|dez|diez|vinte|varias|muitas|tantas|muchas|many|several|two|three|ten|a thousand|um monte de|trocentas|inumeras) (vezes|vezs|veces|veses|x|times)|twice`,
	"unmoved": `no me interesa|no nos interesa|no estoy interesad*|nao tenho interese|sem interese|nao me interesa|nao estou interesad*|nao quero|no quiero|
		nao vou comprar|no voy a comprar|not interested|im not interested`,
	"weary":  `chega|basta|ya basta|basta ya|ja chega|ja basta`,
	"fed":    `desas|destas|deses|destes|dese|desa|deste|desta|de esas|de estas|de esos|de estos|com esas|com estas|com ese|com esa|of these|of those`,
	"hatred": `spam|golpe|asedio|acoso|perturbacao|harasment|estafa|importunacao|fraude|scam`,
}, strongRequests, weakRequests, politeRequests, bareRequests, neutralWords, eraseRequests, reasons, reasonedRequests)

// strongRequests ask to be left alone with whatever else a message says.
const strongRequests = `
	<stop> [ya|ja|agora|logo|now] (de|com|d|con|of) [a|o|esa] [<me>] <send> [<me>] [<msg>|<that>]
	<stop> [ya|ja|agora|logo|now] (com|con|c) <msg>
	(cortala|cortenla|cortela|cortem|parala|parenla|parela|terminala|terminenla|acabala|acabenla) [ya] (con|de) (<msg>|<send> [<msg>|<that>])
	<unmoved> [e|y|and] [<you>] (pare|parem|pares|paren|deje|dejen|dejes|stop|quit) [ya|ja] [de|com|con] (<send> [<me>] [<msg>|<that>]|<msg>)
	<unmoved> [e|y|and] [<you>] (nao|no|n|dont) me (<bid> [mais|mas] (<msg>|nada)|<touch>)
	(pare|parem|para|paren) (de|d) <msg>
	<stop> (de|d) [<me>] (ligar|ligando|llamar|llamarme) (e|ou|y|o) [de] [<me>] <send> [<me>] [<msg>|<that>]
	(stop|quit) calling [<me>] (and|or) <send> [<me>] [<msg>|<that>]
	(chega|basta|ya basta|cansei|ja chega|to cansad*|estou cansad*|harto|harta|estoy harto|estoy harta|tired) (de|com|of) [<me>] <send> [<me>] [<msg>|<that>]
	<weary> <fed> [<det>] <thing>
	(chega|basta|ya basta|basta ya|ja chega|nada|enough) (de|com|with|of) [tanta|tanto|esa|ese] (<msg>|perturbacao|encheacao|enchecao|insistencia|asedio|acoso|perseguicao|encheção|iso)
	(stop|quit|end|cese) [<me>] <send> [<me>] [<msg>|<that>]
	(stop|stop with|no more|no further|sem mais|no mas|end|parar|parem|pare|paren|anular|anulen|cease|cancelar|cancele|cancelem|cancela|cancel|desativar|desative|desactivar|suspender|suspenda|suspendam|suspendan|detener|detengan|detenga|cancelo|cancelen|paro|desativo|desativa|desativem|desactivo|desactiva|desactiven|detengo|alto con|alto a|enough) <msg>
	[<you>] <not> [<you>] [mais|mas|longer] (quero|queria|desejo|gostaria de|preciso|aceito|autorizo|autorizei|concordo em|tenho interese em|tenho mais interese em|estou interesad* em|quiero|deseo|quisiera|acepto|autorice|me interesa|want|want to|wish to|would like to|need to|need|care to|tenho vontade de) [mais|mas|any more] [em] <receive> [de|from] [<me>] [mais|mas] [<msg>|<that>] [from you]
	[<you>] <not> [<you>] [mais|mas|longer] (quero|queria|desejo|aceito|preciso de|autorizo|quiero|deseo|acepto|want|need) [mais|mas|any more|any] [<det>] (mensag*|mensaj*|mesag*|msg*|msj*|sms|spam*|contato|contatos|contacto|contact|propaganda*|publicidad*|texts|notific*) [<thing>]
	[<you>] <not> [mais|mas] (quero|quiero) (mais saber|saber mais|mas saber|saber mas|mais nada|nada mais|mas nada|nada mas|saber nada) (de|com) (voces|vcs|vc|ustedes)
	(prefiro|gostaria de|quero|queria|prefiero|quisiera|i prefer|id prefer|id rather|i would rather) <not> [mais|mas] [to] <receive> [mais|mas] [<msg>|<that>]
	<not> [mais] (receber|recibir|receive) [mais|mas|any more] <msg>
	[<you>] <not> (autorizo|autorizei|autorizamos|permito|consinto|autorice|consiento) [mais] [o|a|el|la|seu|su|nenhum|nenhuma] (envio|contato|uso|recebimento|contacto|envio de contato) [de <msg>|do meu (numero|contato|telefone|whats*)|de mi (numero|contacto|telefono|celular)|por (whats*|aqui|telefone)|desas <thing>]
	[<you>] <not> (autorizo|autorizei|permito|permiti|autorice|dei autorizacao|dei permisao|dei meu consentimento|di permiso|di autorizacion|di mi consentimiento) [<you>] (a|para|pra|que|de) [<you>] [<me>] (<send>|<touch>|<bid>) [<me>] [<msg>|<that>]
	[<you>] (never|did not|didnt|do not|dont) [ever] (consent|consented|agree|agreed|opt in|opted in|subscribe|subscribed) (to|for) [receive|receiving|get|getting] <msg>
	[<you>] (never|did not|didnt|do not|dont) [ever] (have|give|gave|given) [<you>] [my|any] (permission|consent) to (<touchen>|<send>|receive) [<me>] [<msg>|<that>]
	[<ask>] (quero|queria|gostaria de|desejo|preciso|solicito|peco para|quiero|want to|i want to|need to|like to|id like to|i would like to|asked to) (ser|be) (removid*|retirad*|excluid*|tirad*|descadastrad*|eliminad*|borrad*|quitad*|sacad*|removed|taken|deleted|unsubscribed) <place>
	(parar|pare|parem|cancelar|suspender|suspenda) [o|os] (envio|envios|disparos)
	(deje|dejen|dejame|dejeme|dejenme|ya deje|ya dejen) (ya) de (molestar|escribir|joder|fastidiar)|(dejame|dejeme|dejenme) de (molestar|escribir|joder|fastidiar|mandar mensajes)
	(cancelar|cancele|cancela|cancelem|suspender|suspenda|suspendam|parar|parem|pare|interromper|interrompa|suspendan|cancelen|detengan|paren) [com] [o|os|el|los|este|ese] (envio|envios|disparo|disparos|recebimento) [de|das|dos] <msg>
	<not> [<me>] [<you>] [<me>] <bid> [<me>] [mais|mas|nunca mais] <msg>
	<not> [<me>] [<you>] [<me>] <bid> [<me>] [mais|mas] (nada|nada mais|mais nada|nada mas|mas nada|anything|anything else|nothing|isso mais|mais iso)
	<not> [<me>] [<you>] [<me>] <bid> [<me>] (mais|mas|nunca mais|nunca mas|anymore|any more)
	<not> [<you>] [<me>] <need> [<me>] [mais] (<msg>|nada|nada mais|mais nada|nunca mais)
	[<you>] <not> [mais|mas|longer] <must> (mais|mas) [<me>] <turn>
	[<you>] <not> [mais|mas] <must> [<me>] <turn> (mais|mas|nunca mais|anymore|any more|any longer|again)
	[<you>] <not> [mais|mas] <must> [mais|mas] [<me>] <deliver> [<me>] (<msg>|mais nada|nada mais|nada|mas nada|nada mas|anything|anything else)
	<not> (e|eh|es) (mais|mas) (necesario|preciso) [que] [<you>] [<me>] (<turn>|<deliver> [<me>] (<msg>|nada))
	(ya|ja) (no|nao) <must> [<me>] (<turn>|<deliver> [<me>] (<msg>|nada))|no need to (<touchen>|contact) [<me>|this number] (anymore|any more|any longer|again)
	(nunca mais|nunca mas|jamais|jamas|never again) [<me>] [<you>] [<me>] (<touch>|chame|chamem|chama|ligue|liguem|busque|busquen|llamen|hablen|hables) [<msg>]
	<not> [me|nos|<you>] (ligue|liguem|liga|llame|llamen|llames|call) [<me>] (nem|ni|ou|o|e|y|or|and) [nao|no] [<me>] (<touch>|<touchen>|<bid>) [<me>] [mais|mas] [<msg>|nada]
	<not> me (hables|hablen|hable|habla|hables) (mas|nunca mas)
	<not> [<me>] [<you>] [<me>] <bid> [<me>] (mais|mas) (informacion|informaciones|informacao|informacoes|info|infos|cosas|coisas|correos|emails|information)
	[me|nos] (mande|mandem|manda|envie|enviem|envia) [<me>] (mais|mas) <msg> (nao|n|naum|num)
	[<ask>|exijo] [a|la|el|o|the|imediata] <erasure> [<soon>] (do|da|de|del|of) <mine> [<of>|<place>] [<of>] [<soon>]
	[<ask>|exijo] [a|la|el|o|the|minha|mi|my] <erasure> [<soon>] <place> [<soon>]
	[<ask>] (fazer|faca|facam|realizar|realize|realizem|efetuar|efetuem|efetue|hacer|hagan|proceder com|proceder) [o|a|ao|meu|mi|el|la] <unsub> [<soon>] [<from> <list>|do <mine>|<number>]
	[<ask>|onde|como] (cancelo|cancelar|paro|parar|suspendo|suspender|desativo|desativar|interrompo|interromper) [com] [o] recebimento [de <msg>|das <thing>|<fed> <thing>]
	(cancelar|cancelo|cancele|cancelen|cancelem|cancela|anular|anulen|encerrar|encerrem|cancel) [la|mi|a|minha|my|this|the] (suscripcion|inscricao|asinatura|subscription|inscripcion|subscricao) (a|as|de|das|to|for|<fed>) (<msg>|<thing>)
	(da|de|den|date|dense|dar|deem|dale) de (baja|baixa) [a|em|no] <number> [<place>|<of>]
	[<you>] <not> (tem|tienen|tiene|tenes|tienes|possuem|posui) [a|o|la|el] [minha|mi|meu|nenhum|nenhuma|ninguna|ningun] (autorizacao|permisao|direito|consentimento|autorizacion|permiso|derecho|consentimiento) (para|pra|p|de|a) [<you>] [<me>] (<send>|<touch>|<bid>) [<me>] [<msg>|<that>]
	[<you>] <not> (autorizo|autorizei|permiti|autorice|di permiso para|pedi|solicite|solicitei|quise|queria) que [<you>] [<me>] <contacted> [<me>] [<msg>|<that>]
	[i am|im|we are|were|my number is|this number is] on (the|a) [national|federal] do not (call|contact|text) (list|registry)
	(some|suma|sumam|sume|desaparece|desapareca|desaparecam|desaparezcan|desaparezca|sai|saia|saiam|salgan|sal) (da minha vida|da minha frente|de mi vida|do meu (whats*|zap|celular|numero|contato)|daqui)
	<not> <bid> <me> (mais|mas|iso|anymore|any more)
	<not> [<me>] [<you>] [<me>] <touch> [<me>|a este numero|to me|this number|comigo] [mais|mas|nunca mais] [<msg>]
	[<you>] (do not|dont|never|never ever|must not|should not|shouldnt) [<you>] [ever] <touchen> [<me>|this number|my (number|phone)] [<msg>]
	<not> [<me>] [<you>] [<me>] (chame|chamem|chama|chamar) (mais|nunca mais)
	<not> (fala|fale|falem|falar|hables|hablen|hable) [mais|mas] (comigo|conmigo) [mais|mas]
	[<you>] <not> (quero|queria|quiero|want) [mais|mas|to] (falar|conversar|hablar|talk|speak|ter contato|contato|tratar|asunto|asunto) [mais|mas] (com|con|to|with) (voces|vcs|vc|voce|ustedes|you)
	<not> [<me>] [<you>] [<me>] (entre|entrem|entrar) [mais] em contato [mais|comigo|conosco]
	[me|nos] [<you>] <remove> [me|nos|eu] [fora] <place>
	<remove> [o] (meu|mi|my) (nome|nombre|name|contato|numero|telefone|whats*|number|cadastro) <from> <list>
	[me|nos] (sair|saio|salir|salgo|get out|leave) <from> <list>
	[me|nos] <remove> [me|nos] <from> [<pos>] (cadastro|cadastros|registro|registros|sistema|sistemas) [de voces|de vcs|de ustedes]
	[i] (want|need) (off|out of|out) <list>
	como (dejo|paro|deixo|dejar|parar|deixar) de (recibir|receber) [de] <msg>
	[me|nos] [o|meu|my] <unsub> [<soon>] [me|<number>|<from> <list>|from (this|your|these|the) <thing>|from all [<thing>]|de mi (numero|contacto)|de todo]
	[me|nos] (dar|darme|dame|denme|deme|den|darse|darnos|doy|me doy) [me] de (baja|baixa) [de (esto|eso|todo esto|todo|aqui|iso|isto)|<number>|de <thing>|de (las|los|sus|estas|estos) <thing>|<from> <list>]
	(solicito|quiero|quero|peco|pido) [o|a|la|mi|meu] (<unsub>|baja) [<soon>] [<from> <list>|<number>]
	[me] (deixe|deixem|deixa|deixar) [me|eu|a gente|nos] (em pas|em paz|en paz|sossegad*|sosegad*)
	(me|nos) (deixe|deixem|deixa|deixar) (queto|queta|quieto|quieta|tranquilo|tranquila)|(deixe|deixem|deixa|deixar) (me|eu|a gente|nos) (queto|queta|quieto|quieta|tranquilo|tranquila)
	[me] (deje|dejen|deja|deje|dejame|dejeme|dejenme|dejarme) [me] [ya] (en paz|em paz|en pas|tranquilo|tranquila|de joder|en pax|quieto|quieta)
	leave (me|us) (alone|the fuck alone|in peace|be|tf alone)
	let me be|leave me be|fuck off|piss off|bug off|back off|go away|get lost|lose my number|loose my number|forget my number|[please] forget me
	(lose|forget|delete|erase) my number
	me esquece|me esqueca|me esquecam|me esqueca por favor|esquece de mim|esqueca de mim|esquecam de mim|esquece que eu existo|esqueca que eu existo|esquece meu numero|esquece o meu numero|esqueca meu numero|esquecam meu numero|
	olvidame|olvidenme|olvideme|olvidate de mi|olvidense de mi|olvida mi numero|olviden mi numero|
	me erra|me larga|me largue|me larguem|larga do meu pe|largue do meu pe|larga meu pe|sai do meu pe|saiam do meu pe|sai fora|sai daqui|(sai|saia|saiam) (da minha conversa|do meu whats*|do meu zap)|cai fora|vaza daqui|some daqui|suma daqui|sumam daqui|some do meu (whats*|zap|celular)|vai encher outro|vai perturbar outro|largate|larguense|pierdete
	(retirar|revogo|revogar|revoke|withdraw|cancelo|revoco|retiro|i revoke|i withdraw) [o|a|my|mi|meu|minha] (consentimento|autorizacao|consent|consentimiento|autorizacion|permisao|permiso|permission) [para|de|for|to] [<msg>|contato|receber <msg>|be contacted|contact me|contactarme|envio de <msg>]
`

// weakRequests are such requests only where nothing else in the message speaks against it:
// they can be about something else, or follow a condition.
const weakRequests = `
	(nao|n|naum|num|nn|nem) (quero|queremos) mais|ya no (quiero|queremos)
	<not> aguento mais [receber|ver] <msg>|no aguanto mas [recibir|ver] <msg>
	(mande|mandem|manda|envie|enviem|envia|chame|chamem|chama|escreva|escreve|perturbe|perturba|incomoda|incomode) [<me>] (mais|mais nada|nada mais) (nao|n|naum|num)
	(me|nos) (mande|mandem|manda|envie|enviem|envia) (mais nada|nada mais|mais nada nao|nada mais nao)|(me|nos) (chame|chamem|chama|procure|procura|perturbe|perturba|incomode|incomoda|escreve|escreva|liga|ligue) mais (nao|n|naum)
	me (tirem|tire)|no me (hables|hablen)
	[eu|i|yo|les|le|te|i have|ive] [ja|ya|already|have already] (pedi|falei|disse|avisei|solicitei|dije|asked|told|said) [<times>] [para|pra|p|que|to|for] [<you>] [<times>] [para|pra|p|que|to] (pararem|parar|parem|pare|parasem|parase|dejen|paren|deje|stop|quit) [<times>]
	<if> [eu|yo|que|entao|i|ill] [ja|ya] [te|os|los|las|vos] (bloqueio|denuncio|bloqueo|reporto|proceso|block|report) [voces|vcs|vc|you|tudo|na hora|este numero|ese numero|this number]
	[eu|yo] (te|os|los|las|vos) (bloqueio|denuncio) [ta|ok|na hora]|eu (bloqueio|denuncio) [voces|vcs|vc|tudo|na hora|este numero|ese numero|te]|te (bloqueio|bloqueo|denuncio)
	[eu] (vou|irei|vo|ja vou) [te|lhe] (dar|meter|mandar) [um|o] (block|bloqueio|bloc|blok) [em voces|em vcs|nese numero|neste numero|em vc]|(te|les|los) (voy a dar|doy) [un|el] (block|bloqueo)
	<not> [<you>] [<me>] <need> (mais|mas)
	[<you>] <not> (pedi|solicitei|aceitei|asinei|me cadastrei) [para|pra|p] <receive> <msg>
	quit (it|this|that)|will (block|report) and (block|report)|[ya] (los|te|les|lo) (reporte|bloquee|denuncie)
	[<you>] (nao|no|n|naum|num) (autorizo|permito|consinto|consiento) [iso|esto|eso]
	(pare|parem|parar|paren|pares|parem ai|pare ai) [com iso|c iso|com isto|de uma vez|agora|diso|con eso|con esto]
	<ask> <stop> [com iso|c iso|com isto|de uma vez|con eso|con esto]
	(quantas|cuantas) (veses|vezes|veces) [eu|ja] (vou ter que|vou ter de|preciso|tenho que|terei que|tengo que|hay que) (pedir|falar|dizer|decir|repetir) [para|pra|que] (parar|pararem|parem|pare|paren|dejen)
	(quero|queria|gostaria de|desejo|solicito|quiero) ser (removid*|retirad*|excluid*|descadastrad*|eliminad*)|(i want to|id like to|i would like to|i need to) be (removed|unsubscribed)
	para com iso|para com isto|parem com iso|pare com iso|para de encher|parem de encher|para de graca|ya paren|ya para|ya pare|paren ya|dejen de|
	stop [it|this|that|doing this|doing that|now|already|already please|the spam]
	[me] (exclua|exclui|excluam|remova|remove|removam|apaga|apague|apaguem|bloqueia|bloqueie|bloqueiem|deleta|delete|deletem|descadastra|descadastre|descadastrem|retire|retira|retirem|desinscreva|borre|borren|elimine|eliminen|elimina|borra)
	me (exclua|exclui|excluam|remova|remove|removam|apaga|apague|apaguem|bloqueia|bloqueie|bloqueiem|deleta|delete|deletem|retire|retira|retirem|desinscreva|borre|borren|elimine|eliminen|elimina|borra|tira dai|tirem dai)
	(exclua|exclui|remova|remove|apague|apaga|delete|deleta|bloqueia|bloqueie|descadastre|borrame|borrenme|borreme|eliminame|eliminenme|elimineme|sacame|saquenme|saqueme|quitame|quitenme|quiteme|bloqueame|bloqueenme|remueveme|remuevanme) [me] [ya]
	[<if>] [eu] (vou|vo|irei|to|tou|estou|ja vou|ja estou|vou ter que|vou ter de|terei que) [te|ja|logo] (bloquear|bloqueando|denunciar|denunciando|reportar|reportando|procesar|processar) [e (bloquear|denunciar|reportar|processar)|y (bloquear|denunciar|reportar)] [a] [voces|vcs|vc|voce|tudo|todos|eses numeros|(o|ese|este|esa|esta) (numero|contato|whats*|perfil|empresa|conta|loja|pagina)] [como|por|pra|pro|ao|no|na] [<hatred>|whats*|procon|anatel|meta|policia] [ta|ok] [<if>]
	[eu] [ja] (denunciei|bloquei|bloqueei|reportei) [voces|vcs|vc|o numero|ese numero|este numero|o contato] [como|por] [<hatred>]
	[<if>] (te|los|les|las|la|lo|le|os) (voy|vamos) a (bloquear|denunciar|reportar) [y (bloquear|denunciar|reportar)] [por|como] [<hatred>] [<if>]
	[<if>] (voy|vamos) a (bloquear|bloquearte|bloquearlos|bloquearlas|bloquearles|denunciar|denunciarte|denunciarlos|denunciarles|reportar|reportarte|reportarlos|reportarles) [a] [este numero|ese numero|el numero|ustedes|este contacto] [por|como] [<hatred>]
	[<if>] (i will|ill|i am going to|im going to|im gona|i am|im|gona|going to|ima|i have to|about to) (block|report|blocking|reporting) (you|u|this|this number|your number|it|you guys) [as|for] [<hatred>|if this continues]
	(los|te|las|os) (reporto|bloqueo|denuncio) [por|como] [<hatred>]|(reportado|denunciado|bloqueado|reportados) (por|como|pra|para) <hatred>|will (block|report)|cease and desist|cease|no more|i want out|im out|quiero salir|quero sair|(ya parenle|parenle|parale|ya parale|parele)|no (mesages|texts|spam|calls) please|please no (mesages|texts)|sem (mensag*|msg*|spam|propaganda) [por favor]|
	(blocking|reporting|blocked|reported) (you|this|it|this number|your number) [and (blocking|reporting|blocked|reported)] [you|this|it] [as|for] <hatred>|no more of (this|these|that)|ya no quiero [mas] nada
	blocked|reported|blocking you|reporting you|reported as spam|reported for spam|blocked and reported|reporting this number|blocking this number|bloqueando|denunciando
	nao quero mais nada|no quiero mas nada|no quiero nada mas
	[<not>] (me) (ligue|liguem|liga|llame|llamen|llames) mais
	<not> me (liguem|ligue|liga) mais|no me llamen mas|no me llames mas|dont call me|do not call me|dont call me again|dont email me|do not email me|stop calling me|stop calling|parem de ligar|pare de ligar|parem de me ligar|pare de me ligar|para de me ligar|deja de llamarme|dejen de llamarme|dejen de llamar
	<not> [mais] (receber|recibir) [mais|mas] [<msg>]
	[<you>] <not> (want|need) any more of (this|these|those|that)
	<not> [<you>] [<me>] (mande|mandem|manda|envie|enviem|envia|mandes|manden|envies|envien|send) [<me>] (iso|isto|esto|eso|this|these)
`

// politeRequests are weak requests that are still made where they are asked as a question.
const politeRequests = `
	<not> (receber|recibir|receive) (mais|mas|anymore|any more)
	<remove> [me] <number> [<place>|(do|de su|do seu|del) (cadastro|registro) [de voces|de vcs|de ustedes]|do sistema|dos contatos|da base]
	<remove> (contato|numero|contacto|meu (numero|contato) e)
	(remove|delete|block|erase|unsubscribe|unlist|exclude) (me|us) [from (this|that|it)]
	take (me|us|my number|my name) (off|off this|off it|off of this)
`

// bareRequests are whole messages: with anything beside them they can mean another thing.
const bareRequests = `para|para ya|para logo|para com iso|para c iso|para de uma vez|para pora|para caralho|para para|para para para|para ai|pode parar ai|ja deu|ja chega|ya basta|ya estuvo|ya no|
	alto|alto ya|enough|enough already|unsub|unsubs|stop [stop] [stop]|parar [parar] [parar]|pare [pare] [pare]|chega [chega] [chega]|basta [basta] [basta]|sair [sair] [sair]|baja [baja]|
	para baja|quiero baja|enviar baja|sair sair|opt me out|<pre> opt out|
	sumam|suma|desaparece|desapareca|desaparecam|desaparezcan|para (mano|cara|velho|vei|veio|meu deus) [do ceu]|
	(bloquead*|denunciad*|reportad*) [(e|y|and) (bloquead*|denunciad*|reportad*)]|stop all <thing>|cancelar envio|cancelar envios|cancelar recebimento|` + stopSign

// neutralWords are what is said beside a weak request and takes nothing back.
const neutralWords = `
	(nao|no|n|not|ja|i am not|im not|estou sem|sem|eu nao|yo no) [tenho|tengo|estou|estoy|to|me|mais|mas|eu] (interese|interesa|interesad*|interested) [<end>|nise|niso|em nada|nese curso|no curso]
	nao|no|n|nao quero|no quiero|nao quero iso|nao quero nada|no quiero nada|no quiero esto|nao quero comprar|nao quero mais comprar|nao vou comprar|nao vou comprar nada|no voy a comprar|eu nao quero|eu nao quero nada|nao preciso|nao me interesa|no me interesa|not interested|im not interested|i dont want it|i dont want this|no thanks|no thank you
	[eu|yo|i] [ja] (falei|disse|pedi|avisei|expliquei) [iso|que nao|que nao quero|pra parar|para parar|mil vezes|varias vezes|antes|isso antes|que nao tenho interese]|ja pedi|ja falei|ja disse|ya dije|ya lo dije|ya pedi|ya les dije|ya les dije que no|ya dije que no|i said stop|i already told you|i told you already|i said no
	(que|q) (saco|chato|chata|chatice|inferno|insistencia|perturbacao|encheacao|enchecao|merda|molesto|molestos|molesta|molestia|pesado|pesados|pesadez|fastidio|insistentes|intensos|intenso|cansones|lata|chatos)|na moral|papo reto|na boa|[que] saco|pelo amor de deus|por el amor de dios|for gods sake|cansei|cansei diso|[ja] (cansei|cansad*|to cansad*|estou cansad*|harto|harta|estoy harto|estoy harta|im tired|im sick|sick|tired) (de|of|desas|destas|dese|deste) <msg>|to cansad*|estou cansad*|nao aguento mais|no aguanto mas|me cansei|me canse|chega|basta|ya|enough|ja deu|ta chato|tao chato|muito chato|chatos|chato|que coisa chata|
	[voces|vcs|vc|voce] (sao|e|eh|tao|estao|ta) [muito|mt|mto|demais|tao] (chato|chatos|chata|insistente|insistentes|inconveniente|inconvenientes|insuportavel|insuportaveis|pesados|spam) [demais|de mais|dms|pra caramba|pra caralho|viu]|son muy (pesados|insistentes|molestos)
	(iso|isto|eso|this|esto) (e|eh|es|is|ta sendo|ja e|ja eh) <hatred>|im done|i am done|shut up|cala a boca
	desisti|mudei de ideia|desisto|nao sou cliente|nao autorizei|nao autorizei iso|nunca autorizei|nao pedi|nao pedi iso|nunca pedi|nunca pedi iso|nao me cadastrei|nao sei quem e|nao sei quem eh|nao sei quem sao|no los conozco|nunca comprei nada|nunca compre nada|yo no autorice|no soy cliente|i never signed up|i didnt sign up|i did not sign up|[i] (never|didnt|did not) (sign|signed) up for (this|that|it|any of this|these|<msg>)|unauthorized|(youre|you are|u are) (spaming|harasing|bothering) me|i never asked for this
	[mas|y|e|and|or|ou|o] <if>
	mais uma [<thing>] [dessa|desas]|mais uma vez|one more [<thing>]|una mas|otro mensaje|outra mensagem
	opcao [1|2|3|4|5|6|7|8|9|0]|option [1|2|3|4|5|6|7|8|9|0]|opcion [1|2|3|4|5|6|7|8|9|0]|1|2|3|4|5|6|7|8|9|0|item [1|2|3]
	lgpd|gdpr|lei geral de protecao de dados|conforme a lgpd|urgente|aviso|atencao|por lei|imediatamente|` + stopSign

// reasons are why somebody must not be written to, or the question of how it came about. Beside
// one of them a verb is enough of a request; see reasonedRequests.
const reasons = `
	[eu|yo] (nao|nunca|n|jamais|jamas|no) (autorizei|pedi|solicitei|aceitei|asinei|autorice|solicite|acepte|permiti) [voces|vcs] [nada|iso|isto|eso|esto|nada diso|nada disto|nada de eso|nenhum contato|<msg>]
	[eu|yo] (nao|nunca|n|no) (pedi|solicitei|aceitei|quis|autorizei|quise|acepte|autorice) [para|pra|p] (receber|recibir) [iso|isto|nada|nada diso|eso|esto|<msg>]
	[eu|yo] (nao|nunca|n|no) me (cadastrei|inscrevi|registrei|registre|inscribi|suscribi) [em nada|nisto|niso|nisso|nese site|nesa lista|em lugar nenhum|em lista nenhuma|en nada|en esto|en eso|en ninguna parte]
	[eu|yo] (nao|nunca|n|no) (dei|passei|di|deixei) [o|a] (meu numero|meu contato|mi numero|meu telefone|mi telefono|autorizacao|permisao|permiso) [para|pra|a] [voces|vcs|isso|ustedes]
	[i|we] (never|didnt|did not|dont|do not|havent) [even] (consent|consented|agree|agreed|subscribe|subscribed|ask|asked|opt in|opted in|request|requested|sign up|signed up|give you my number|gave you my number) [to|for|in] [any of] [this|that|it|these|those|<msg>]
	(how|where) (did|do|have) (you|u|you guys|you people) (get|got|gotten|find|have) my (number|info|contact|phone|phone number|details) [from]|who gave you my (number|contact|phone number|info)
	[como|onde] [foi que|que] [voces|vcs|vc] (conseguiram|conseguiu|pegaram|pegou|acharam|achou|arrumaram|arrumou|descobriram|obtiveram) [o] meu (numero|contato|telefone|whats*|zap)
	(de onde|da onde|onde) [foi que|que] [voces|vcs|vc] (tiraram|pegaram|conseguiram|tirou|pegou|conseguiu|acharam) [o] meu (numero|contato|telefone|whats*|zap)|quem (deu|passou|pasou|forneceu) [o] meu (numero|contato|telefone|whats*) [para voces|pra voces|pra vcs|para vcs|a voces]
	(de donde|como|donde) (sacaron|consiguieron|obtuvieron|sacaste|conseguiste|tienen|tienes) mi (numero|contacto|telefono|celular|whats*)|quien (les|te|le) (dio|paso) mi (numero|contacto|telefono)
`

// reasonedRequests are requests only in a message that gives one of the reasons.
const reasonedRequests = `
	me (tira|tire|tirem|apaga|apaguem|saque|saquen|borren)|(tira|tire|tirem|retire|retirem|remova|removam|exclua|excluam|apaga|apague|apaguem|deleta|deletem|quiten|borren|eliminen|saquen) [ele|o|isso|iso|lo|dai|daqui|ja|ya]
	(quitenlo|borrenlo|eliminenlo|saquenlo|borralo|eliminalo|quitalo)|(remove|delete|erase|lose|scrub) (it|this|that) [now|please]|take it off [your list|the list]
`

// eraseRequests ask for what is known of a customer to be erased.
const eraseRequests = `
	<remove> [me] [de|todos|todas|todo|all|all of] [os|as|los|the] (meus|minhas|mis|my|meu|mi|sus) [personal|dados] (dados|datos|data|info|information|informacoes|informacao|informacion|registros|records|details) [pesoais|personales] [<of>] [<of>]
	[<ask>] [a|la|o] (exclusao|eliminacao|remocao|apagamento|eliminacion|supresion|borrado|cancelacion|deletion|erasure|removal) [total|completa|imediata] (de|dos|das|of) [todos|todas|all] [os|as|los] (meus|mis|my|minhas) [personal] (dados|datos|data|information|informacoes|informacion) [pesoais|personales] [<of>] [<of>]
	[<ask>] [exercer|ejercer|exercise] [o|el|my|meu|mi|the] (direito ao esquecimento|derecho al olvido|right to be forgotten|right to erasure|direito de exclusao|derecho de supresion|derecho de cancelacion|derechos arco)
	(quero|queria|quiero|exijo|i want|i would like|id like|i need|please have) [que] [todos|all] [os] (meus|mis|my) [personal] (dados|datos|data|information|info|details) [pesoais|personales] [sejam|sean] (apagad*|excluid*|deletad*|eliminad*|borrad*|removid*|deleted|erased|removed) [<of>] [<of>]
	[i] (request|demand|require|want|ask for) [the|immediate] (deletion|erasure|removal) of [all] [of] my [personal] (data|information|info|details) [<of>]
	(gdpr|lgpd|data) (erasure|deletion|exclusao|erase) [request]|<ask> data deletion
	<remove> (tudo|todo|everything) [o] (que|lo que) [voces|vcs|you|ustedes] (tem|tiene|tienen|have|sabem) (de|sobre|on|about) (mim|mi|me)
	(delete|erase) (everything|all) [that] you have (on|about) me
	forget [all] my data
`

// affixesOfRequests stand around a request and change nothing of it.
var affixesOfRequests = []string{
	"gente", "galera", "pessoal", "amigo", "amiga", "moça", "moço", "cara", "mano", "senhor", "senhora", "senhores",
	"sr", "sra", "ei", "ow", "opa", "olha", "então", "ok", "okay", "tá", "ta bom", "tá bom", "blz", "beleza", "viu",
	"hein", "né", "porra", "caralho", "krl", "pqp", "cacete", "droga", "merda", "caramba", "inferno",
	"ae", "agora", "agora mesmo", "já", "ja", "logo", "imediatamente", "urgente", "urgentemente", "pelo amor de deus",
	"por deus", "de uma vez", "de uma vez por todas", "desde já", "sério", "serio", "pfv", "pf", "pfvr", "pls", "plz",
	"fazendo favor", "faz favor", "faça o favor", "faca o favor", "por obséquio", "gentileza", "grato", "grata", "att",
	"atenciosamente", "tchau", "adeus", "abs", "fica com deus", "obrigado pela atenção", "obrigada pela atenção",
	"obrigado pelo contato", "obrigada pelo contato", "vlw", "valeu", "tks", "thx", "ty", "desculpa", "desculpe",
	"com licença", "aí", "nao obrigado", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0",
	"vê se", "ve si", "opção", "opción", "option", "pela LGPD", "conforme a LGPD", "com base na LGPD",
	"de acordo com a LGPD", "hey", "yo", "bro", "man", "dude", "guys", "now", "right now", "immediately", "asap",
	"just", "seriously", "god", "ffs", "sir", "madam", "sorry", "cheers", "kindly", "the fuck", "goddamn", "already",
	"ya", "ahora", "ahora mismo", "oiga", "oigan", "oye", "señor", "señora", "señorita", "joven", "che", "hombre",
	"de una vez por todas", "de una vez", "de inmediato", "inmediatamente", "por dios", "carajo", "coño", "joder",
	"güey", "wey", "perdón", "disculpe", "disculpa", "saludos", "les agradezco", "se lo agradezco", "te agradezco",
	"por fa", "porfa", "porfis", "plis", "hi there", "good morning", "good afternoon", "good evening", "hello there",
	"oie", "oii", "oiê", "eai", "e aí", "bom dia a todos", "buen día", "ok obrigado", "thank u",
}
