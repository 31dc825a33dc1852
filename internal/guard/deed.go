package guard

import (
	"regexp"
	"strings"
)

// A text can do nothing but be read. Who says in it that something was removed, cancelled,
// paid back or sent says what did not happen: this file looks for such statements, in the
// first person ("já te removi") and in the passive voice ("seu pedido foi cancelado").

// deed finds a statement of a deed among the words of a clause; its group named verb is what
// was done.
type deed struct {
	pattern *regexp.Regexp
	// wanted are words before it that make it a wish or an offer: "quer que te envie".
	wanted map[string]bool
	// supposed is true where an "if" earlier in the sentence excuses it: "if you paid, it is on its way".
	supposed bool
}

const (
	didPortuguese = `removi|retirei|tirei|apaguei|deletei|descadastrei|cancelei|estornei|reembolsei|devolvi|enviei|mandei|encaminhei|liberei|ativei|reativei|` +
		`agendei|reservei|registrei|atualizei|alterei|corrigi|troquei|emiti|apliquei|adicionei|cadastrei|bloqueei|desbloqueei|solicitei|notifiquei|processei|aprovei|prorroguei|` +
		`reenviei|gerei|confirmei|dei baixa|pedi o estorno|pedi o reembolso|pedi o cancelamento|avisei o suporte|avisei a equipe|avisei o financeiro|` +
		`(?:guardei|separei|segurei|garanti) (?:uma?|sua|seu|a sua|o seu|essa|esse|tua|teu) (?:vaga|lugar|cupom|desconto|preco|valor|curso|pedido|condicao|kit)|abri um chamado|abri um ticket|deixei ativado|coloquei (?:voce|seu nome|seu numero)|passei seu (?:caso|pedido|contato)`
	weDidPortuguese = `removemos|retiramos|tiramos|excluimos|apagamos|descadastramos|cancelamos|estornamos|reembolsamos|devolvemos|enviamos|mandamos|encaminhamos|liberamos|` +
		`ativamos|agendamos|registramos|atualizamos|alteramos|corrigimos|processamos|aprovamos|solicitamos|bloqueamos`
	doPortuguese = `(?:remover|retirar|tirar|excluir|apagar|deletar|descadastrar|cancelar|estornar|reembolsar|devolver|enviar|mandar|encaminhar|liberar|ativar|agendar|` +
		`registrar|atualizar|alterar|corrigir|trocar|gerar|reenviar|reservar|emitir|aplicar|adicionar|bloquear|solicitar|processar|aprovar|confirmar|separar|guardar|garantir|avisar|gravar)`
	didSpanish = `elimine|borre|quite|saque|cancele|reembolse|devolvi|envie|mande|reenvie|active|agende|registre|actualice|cambie|corregi|aplique|agregue|bloquee|solicite|` +
		`avise|procese|libere|confirme|genere|reserve|guarde (?:un|una|tu|el|la|ese|esa)|aparte (?:un|una|tu|el|la|ese|esa)|eliminamos|borramos|quitamos|sacamos|cancelamos|reembolsamos|devolvimos|enviamos|mandamos|activamos|registramos|actualizamos|procesamos|solicitamos|bloqueamos`
	doneSpanish = `eliminado|borrado|quitado|sacado|cancelado|reembolsado|devuelto|enviado|mandado|activado|registrado|actualizado|cambiado|corregido|aplicado|agregado|` +
		`bloqueado|solicitado|procesado|liberado|confirmado|dado de baja`
	doSpanish = `(?:eliminar|borrar|quitar|sacar|cancelar|reembolsar|devolver|enviar|mandar|reenviar|activar|agendar|registrar|actualizar|cambiar|corregir|aplicar|bloquear|` +
		`solicitar|procesar|liberar|confirmar|reservar|guardar|apartar|anotar|apuntar|inscribir|generar|emitir|avisar|dar de baja|darte de baja|darle de baja)(?:te|le|lo|la|los|telo|tela|selo)?`
	didEnglish = `removed|deleted|erased|unsubscribed|cancelled|canceled|refunded|sent|resent|emailed|e-mailed|updated|changed|booked|scheduled|applied|activated|processed|` +
		`confirmed|issued|blocked|forwarded|notified|submitted|registered|unlocked|upgraded|extended|reserved|generated|opened a ticket|opened a case|put you on|let (?:our|the) (?:\w+ )?team know|reset|taken you off|took you off|opted you out`
	undone = `(?:removid|retirad|excluid|apagad|deletad|descadastrad|cancelad|estornad|reembolsad|devolvid|liberad|aprovad|confirmad|enviad|eliminad|borrad|activad|ativad|` +
		`aprobad|bloquead|procesad|processad|aplicad|reservad|registrad|agendad|atualizad|actualizad)[oa]s?|dad[oa] de baja|devuelt[oa]s?`
	undoneEnglish = `removed|deleted|erased|unsubscribed|cancelled|canceled|refunded|processed|approved|confirmed|activated|blocked|sent|emailed|updated|applied|reserved|taken off`
)

const (
	readily  = `(?:ja|esta|ta|tudo|pronto|prontinho|certo|listo|ya|quedo|ficou|all|set|done|it's|its|you're|youre|now|ok|okay|feito|hecho|combinado|ja ta)`
	finally  = `(?:com sucesso|aqui|por aqui|pra voce|para voce|para ti|for you|successfully|con exito|agora|ahora|now|ja|ya|mesmo|viu|ta|sim|conforme pediu|as requested|no sistema|en el sistema|in the system|do meu lado)`
	willDo   = `remover|te remover|retirar|cancelar|estornar|reembolsar|excluir|apagar|liberar|ativar|reservar|prorrogar|estender|aplicar|desbloquear|descadastrar|trocar|alterar|emitir`
	willDoEs = `(?:eliminar|borrar|quitar|cancelar|reembolsar|activar|liberar|reservar|extender|aplicar|desbloquear|dar de baja|darte de baja|cambiar|devolver)(?:te|lo|la|los|telo|tela)?`
	willDoEn = `cancel|remove|delete|refund|unlock|activate|reserve|extend|apply|unsubscribe|upgrade|issue|waive|reset|take you off|reverse|process`
)

const (
	// didAlone are deeds told without saying whose.
	didAlone = `(?:emailed|e-mailed|texted|refunded|unsubscribed|upgraded|credited|notified) (?:you|your|it|the|them|him|her|our)|` +
		`(?:saved|reserved|held|booked|got|snagged|grabbed) (?:you|your) (?:a |an |one |the )?(?:seat|spot|place|slot|copy)|saved you|reserved you|booked you|took you off|taken you off|marked you|put you (?:on|down)|signed you up|` +
		`(?:cancelled|canceled|removed|deleted|unlocked|activated|applied|updated|reset|extended) (?:you|your|it|the|them|that)`
	// underWay is what goes on without the text, goods what is brought.
	underWay = `(?:refund|money back|payout|chargeback|reembolso|estorno|devolucao|devolucion)`
	goods    = `(?:refund|money|dinheiro|dinero|order|package|parcel|pedido|pacote|paquete|encomenda|receipt|recibo|invoice|` +
		`nota fiscal|factura|acesso|acceso|access|e-?mail|correo)`
	coming = `on its way|on the way|coming back|heading back|a caminho|voltando|en camino|volviendo`
	goesOn = coming +
		`|being processed|processing|in process|in progress|underway|under way|done|complete|completed|issued|submitted|sorted|in the works|` +
		`em andamento|sendo processad[oa]|em processamento|caindo|saindo|chegando|feit[oa]|encaminhad[oa]|en proceso|en curso|en tramite|` +
		`siendo procesad[oa]|procesandose|hech[oa]|list[oa]|resolvid[oa]`
)

var deeds = []deed{
	// "Emailed you the receipt", "Saved you a seat!"
	{pattern: regexp.MustCompile(
		`^ (?:just |already |also |ok |okay |so |and |went ahead and |gone ahead and )*(?P<verb>` + didAlone + `) `)},
	// "I've put a hold on your spot."
	{pattern: regexp.MustCompile(
		` (?P<verb>(?:put|placed|have|got|putting|placing) (?:a|another) hold on|(?:put|placed|got|have) (?:it|that|this|your \S+|the \S+|one|a \S+) on hold) `)},
	// "Your refund is on its way."
	{pattern: regexp.MustCompile(` ` + underWay +
		`(?:'s)?(?: is| are| has| e| es| esta| ta| ja| ya| va| vai| now| already| all| been| tudo| todo)* (?P<verb>` +
		goesOn + `) `)},
	{supposed: true, pattern: regexp.MustCompile(` ` + goods +
		`(?:'s)?(?: is| are| esta| estao| estan| ta| ja| ya| va| vai| now| already)* (?P<verb>` + coming + `) `)},
	// "Prontinho, cancelado!"
	{pattern: regexp.MustCompile(`^ (?:` + readily + ` )*(?P<verb>` + undone + `|` + undoneEnglish +
		`|resolvid[oa]|resuelt[oa]|conclu[ia]d[oa]|estornad[oa]|baixa dada)(?: ` + finally +
		`)*(?: (?:o|a|el|la|your|the|seu|sua|tu|da|do|de la|de|del|from) \S+(?: \S+)?)? $`)},
	{pattern: regexp.MustCompile(
		` (?:acesso|acceso|cupom|cupon|desconto|descuento|boleto|matricula|inscricao|inscripcion|vaga|lugar|cuenta|conta|spot|seat|refund|access|account|coupon|order|subscription|seats?|reembolso|estorno) (?:ja |ya |already |now )?(?P<verb>` + undone + `|` + undoneEnglish + `|garantid[oa]|unlocked|secured)(?: ` + finally + `)* $`)},
	{pattern: regexp.MustCompile(` (?:ta|tao|ficou|deixei|consta|deje) (?:tudo |ja |todo |ya |como )*(?P<verb>` +
		undone + `) `)},
	{pattern: regexp.MustCompile(
		` (?:vou|vamos|irei|posso|consigo|podemos|estou) (?:te |lhe |ja |agora |o |a |logo )*(?P<verb>` + willDo +
			`) `)},
	{pattern: regexp.MustCompile(` (?:voy a|vamos a|puedo|podemos|estoy por) (?:ya |ahora )*(?P<verb>` + willDoEs +
		`) `)},
	{pattern: regexp.MustCompile(
		` (?:i'll|i will|i can|we'll|we can|we will|let me|i'm going to|i am going to|i'm) (?:just |now |go ahead and |also )*(?P<verb>` + willDoEn + `) `)},
	{pattern: regexp.MustCompile(` (?P<verb>` + didPortuguese + `) `)},
	{pattern: regexp.MustCompile(` (?:ja|te|ja te|ja lhe|lhe|eu) (?P<verb>exclui) `)},
	{pattern: regexp.MustCompile(` ja (?:te |lhe |o |a |os |as )?(?P<verb>` + weDidPortuguese + `) `)},
	{pattern: regexp.MustCompile(` acab(?:ei|amos) de (?:te |lhe |o |a )?(?P<verb>` + doPortuguese + `)(?:-\w+)? `)},
	{pattern: regexp.MustCompile(
		` (?:fo[ij]|foram|ja foi|ja esta|ja estao|esta tudo|ya esta|ya estan|ya quedo|quedo|quedaron|ya quedaste|fue|fueron|ha sido|han sido|has sido|ja fo[ij]) (?:ja |ya |tudo |todo )?(?P<verb>` + undone + `) `)},
	{pattern: regexp.MustCompile(
		` (?:pedido|compra|cadastro|numero|contato|assinatura|inscricao|dados|estorno|reembolso|orden|registro|suscripcion|contacto|datos) (?:ja |ya )?(?P<verb>` +
			undone + `|feito|feita|realizado|realizada|solicitado|hecho|hecha) `)},
	{pattern: regexp.MustCompile(
		` (?P<verb>(?:ja (?:esta|ta)|ya estas|ya esta|nao esta(?: mais)?|ja nao esta(?: mais)?|ya no estas?|you are|you're|you are now|you're now) (?:fora|fuera|off|na|en) (?:da|de la|de nuestra|de nossa|do|the|our|la|nuestra|nossa|minha) (?:nossa |our )?(?:lista|list|grupo|base)) `)},
	{
		pattern: regexp.MustCompile(
			` (?:ya (?:te |le |lo |la |les |los |te lo |se lo |te la |se la )?|(?:te|le|lo|la) )(?P<verb>` +
				didSpanish + `|di de baja|dimos de baja) `),
		wanted: set("que quieres quiere prefieres gustaria para cuando no"),
	},
	{pattern: regexp.MustCompile(` (?:he|hemos) (?:ya )?(?P<verb>` + doneSpanish + `) `)},
	{pattern: regexp.MustCompile(` (?:acabo|acabamos) de (?P<verb>` + doSpanish + `) `)},
	{pattern: regexp.MustCompile(
		` (?:i|we|i've|we've|ive|weve|i have|we have) (?:just |already |now |also |gone ahead and |have |went ahead and )*(?P<verb>` + didEnglish + `) `)},
	{pattern: regexp.MustCompile(
		` (?:order|subscription|account|number|charge) is (?:now )?(?P<verb>cancelled|canceled|removed|deleted|refunded|unsubscribed) `)},
	{pattern: regexp.MustCompile(
		` (?:has been|have been|was|were|is now|are now|you've been|you have been|been) (?:just |already |now |successfully )*(?P<verb>` + undoneEnglish + `) `)},
}

// accented finds a Spanish first person past, which only its accent tells from a request:
// "cancelé tu pedido", "cancele su pedido".
var accented = regexp.MustCompile(
	`(?:^|[^\pL])(no |no te |no le |no lo |no la )?(?:elimin|borr|quit|saqu|cancel|reembols|envi|mand|reenvi|activ|agend|registr|actualiz|cambi|apliqu|agregu|bloque|solicit|proces|liber|confirm|gener|reserv)é(?:[^\pL]|$)`)

var (
	sendingVerbs = regexp.MustCompile(
		`^(?:enviei|mandei|encaminhei|enviamos|mandamos|encaminhamos|enviar|mandar|encaminhar|envie|mande|reenvie|enviado|mandado|enviada|` +
			`reenviar|sent|resent|forwarded)`)
	// ownWords are what a text does send: itself, and its link.
	ownWords = regexp.MustCompile(
		` (?:link|links|enlace|liga|url|mensagem|mensagens|mensaje|mensajes|message|messages|texto|text|aqui|acima|abaixo|above|below|arriba|abajo|por aqui) `)
	// otherWays are what no text sends.
	otherWays = regexp.MustCompile(
		` (?:e-mails?|emails?|correos?|mails?|sms|comprovantes?|comprobantes?|recibos?|receipts?|notas?|acesso|acceso|senha|contrasena|password) `)
	// supposing begins a clause that states nothing: "se você cancelou".
	supposing = set(
		`se si if caso quando cuando when once after assim apos depois despues tras unless until ate hasta enquanto mientras`)
)

// claimsDeed looks for a statement that something was done, which the prompt does not make.
func (s *subject) claimsDeed() bool {
	supposedIn := -1
	for _, one := range clauses(s.withoutEcho()) {
		switch {
		case supposing[one.words[0]]:
			supposedIn = one.sentence
		case s.claimsIn(one, supposedIn == one.sentence):
			return true
		}
	}
	past := accented.FindStringSubmatch(strings.ToLower(s.text))
	return len(past) == 2 && past[1] == "" && !s.onlySends()
}

// onlySends is whether the text speaks of a link or of messages, which it may have sent.
func (s *subject) onlySends() bool {
	return ownWords.MatchString(" " + strings.Join(spoken(s.folded), " ") + " ")
}

// claimsIn says whether a clause states a deed; supposed is true behind an "if".
func (s *subject) claimsIn(one clause, supposed bool) bool {
	said := " " + strings.Join(one.words, " ") + " "
	for _, known := range deeds {
		at := known.pattern.FindStringSubmatchIndex(said)
		if at == nil || known.supposed && supposed {
			continue
		}
		before := clause{words: strings.Fields(said[:at[0]])}
		if before.denies() || known.wanted[before.last()] {
			continue
		}
		group := 2 * known.pattern.SubexpIndex("verb")
		verb := said[at[group]:at[group+1]]
		if sendingVerbs.MatchString(verb) && ownWords.MatchString(said) && !otherWays.MatchString(said) ||
			holdsWord(s.promptFolded, verb) {
			continue
		}
		return true
	}
	return false
}

// last is the clause's last word; "" where it has none.
func (c clause) last() string {
	if len(c.words) == 0 {
		return ""
	}
	return c.words[len(c.words)-1]
}
