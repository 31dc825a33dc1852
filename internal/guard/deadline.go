package guard

import (
	"slices"
	"strconv"
	"strings"
)

// What hurries: deadlines, days and scarcity that nobody gave.

var deadlines = slices.Concat(
	phrases(
		`meia-?noite|medianoche|midnight|meio-?dia|mediodia|noon`,
		`(?:so|somente|apenas|only|solo|just|until|till|by|before|antes de|hasta|valid[oa]s?|valid|vale so|ends|ending) (?:for |ate |hasta |until |till |por |para |el fin de |el final de |o fim d[eoa] |o final d[eoa] |the end of )*(?:hoje|hoy|today|tonight|esta semana|esta noite|esta noche|this week|this weekend|este mes|this month|the week|the month|the day|fim do dia|final do dia|end of day|el dia|fin de mes|fim do mes|mes)`,
		`(?:so|somente|apenas|vale|valido|valida|dura|mantenho|seguro|garanto|solo|aplica|tens|tienes|mantengo|only|good|valid|deadline|prazo|plazo)(?: e| es| is)? (?:ate|hasta|until|till|for) (?:o |a |el |la )?(?:amanha|manana|tomorrow|hoje|hoy|today|tonight|esta noite|esta noche|semana que vem|next week|fim de semana|fin de semana|weekend)`,
		`(?:before|by|antes d[eo]|until|ate o|hasta el) (?:tomorrow|amanha|manana|weekend|fim de semana|fin de semana|next week|semana que vem|the end of \S+)`,
		`(?:se|si|if|caso) (?:voce |vc |tu |you )?(?:fech|compr|pag|garant|decid|finaliz|cierr|termin|concl|buy|order|act|sign|check|clos|complet|purchas|enrol)\S*(?: \S+){0,4} (?:hoje|hoy|today|tonight|esta semana|this week|amanha|manana mismo|tomorrow)`,
		`(?:restam|resta|sobram|sobraram|sobrou|restan|quedan|queda|faltam|falta|tenemos|temos|tem|hay|ha)(?: so| solo| apenas| mais| only)*(?: \S+){0,2} (?:vagas?|cupos?|plazas?|unidades?|kits?|lugares)`,
		`(?:so|apenas|solo|only|somente)(?: \S+){0,3} (?:vagas?|lugar|cupos?|spots?|seats?|plazas?)`,
		`(?:only|just|hardly)(?: a)?(?: few| couple| \S+)?(?: \S+)? (?:left|remaining|remain|remains)`,
		`(?:spots?|seats?|places|copies|units|licen[cs]es) (?:left|remain\S*|available|are going|are almost|are running|is left)`,
		`(?:ultim[oa]s|last|final) (?:\S+ )?(?:vagas?|cupos?|plazas?|lugares|unidades|spots?|seats?|places|copies)`,
		`(?:almost|nearly) (?:gone|sold out|full|over)`, `quase (?:esgotad\S+|no fim|acabando|lotad\S+|fechando)`,
		`casi (?:agotad\S+|lleno|llena|se acaba\S*)`,
		`(?:esgotando|acabando|se esgota\S*|agotando\S*|terminandose|selling (?:out|fast)|running out|sold out soon|going fast)`, `(?:vao|va|van a|vai) (?:acabar|esgotar|agotar\S*|encerrar|subir|aumentar)`,
		`se (?:acaban?|agotan?)`, `while (?:supplies|stocks?|it|they) lasts?`, `enquanto (?:durar\S*|houver|tiver)`,
		`hasta agotar\S*`,
		`(?:antes|before) (?:que|de que|it|they|it's|its|the price)(?: \S+){0,3} (?:acab\S+|esgot\S+|agot\S+|sub[ae]\S*|aument\S+|sells?|late|gone|goes|rise\S*|fech\S+|cierr\S+|close\S*|tarde)`,
		`(?:too late|tarde demais|demasiado tarde)`, `corre(?: que|)`, `corra(?: que|)`,
		`(?:hurry|apressa|apresse-se|apresurate|apurate|date prisa|se apresse|se apressa)`, `act (?:now|fast|quickly)`,
		`(?:last call|last chance|ultima chamada|ultimo llamado|ultimo aviso|final notice|ultimo dia|last day|final day|ultimas horas|last hours|final hours|contagem regressiva|countdown|por tempo limitado|last-minute|flash sale|relampago|black friday)`,
		`(?:preco|valor|precio|price|oferta|desconto|descuento|offer|discount|promo\S*|cupom|cupon|coupon|deal|doors?|inscricoes|inscripciones|matriculas?|enrol\S*|registration|turma|carrinho|carrito|cart|condicao|vaga|spot|seat|lote|lugar)(?: \S+){0,4} (?:sobe|subir|subira|subiu|aumenta\S*|goes up|going up|increas\S+|rises?|sube|acaba\S*|termina\S*|encerra\S*|clos\S+|ends?|ending|vence\S*|expir\S+|caduca\S*|cierra\S*|some|desaparece\S*|disappears?|goes away|volta ao normal|vuelve a|goes back|por mais|por outros|only for)`,
		`(?:fecho|fecha|fecham|fechamos|cierra|cierran|closes|close|closing|closed)(?: \S+){0,3} (?:vagas|inscricoes|inscripciones|matriculas|turma|turmas|cupos|enrol\S*|doors?|registration|hoje|hoy|today|tonight|amanha|manana|tomorrow|sunday|monday)`,
		`(?:proximas?|proximos?|next|coming) (?:horas?|minutos?|hours?|minutes?|dias|days)`,
		`daqui a pouco (?:acaba|sobe|fecha)`,
		`(?:seguro|segurar|guardo|guardar|mantenho|manter|hold|holding|keep|aparto|apartar\S*|reservo|reservar)(?: \S+){0,5} (?:ate|until|till|hasta|for you|por mais|so por)`,
		`(?:em|en|in|within|dentro de|daqui a|por|for|faltam?|mais|more|another|otros|otras|outros|outras) (?:poucas?|pocas?|pocos?|poucos?|few|a few|algumas?|algunas?|unas|umas) (?:horas?|hours?|minutos?|minutes?)`,
	),
	evenDenied(phrases(
		`(?:agora ou nunca|ahora o nunca|now or never|hoje ou nunca|hoy o nunca|today or never)`,
		`(?:depois|despues|passando|pasando|pasado|after) (?:de )?(?:hoje|hoy|today|tonight)`,
		`nao (?:\S+ )?mais (?:segurar|garantir|manter|guardar)`, `nao (?:seguro|garanto|mantenho|guardo) mais`,
		`(?:amanha|manana|tomorrow)(?: \S+){0,2} (?:ja era|ya fue|ya no|gone|nao tem mais|nao garanto)`,
		`(?:your|a) (?:one|only|last) shot`,
		`ya no (?:\S+ ){0,2}(?:garantizar\S*|mantener\S*|guardar\S*|garantizo|mantengo|sostener\S*|respeto)`,
		`(?:can't|cannot|won't|can not)(?: \S+)? (?:hold|keep|guarantee|honor)(?: \S+){0,4} (?:longer|anymore|forever)`,
		`(?:nao perca tempo|no pierdas (?:mas )?tiempo|don't wait|dont wait|don't miss|nao deixe (?:passar|para depois|pra depois)|no dejes pasar|no lo dejes)`,
	)),
)

// hasDeadline looks for a deadline, a day or a scarcity that the facts do not name. What ends on
// a day that they name may end.
func (s *subject) hasDeadline() bool {
	return s.hasStrangeDay() && s.hasStrangeDay(s.customerDays()...) || !s.namesGivenDay() && s.makes(Deadline) ||
		s.sayAny(deadlines, s.endsOnGivenDay)
}

// hasStrangeDay looks for a day of the week or a month that neither the facts
// name nor are named beside them.
func (s *subject) hasStrangeDay(named ...string) bool {
	said := daysIn(spoken(s.folded))
	if len(said) == 0 {
		return false
	}
	known := append(daysIn(spoken(s.promptFolded)), named...)
	return slices.ContainsFunc(said, func(day string) bool { return !slices.Contains(known, day) })
}

func (s *subject) namesGivenDay() bool {
	said := daysIn(spoken(s.folded))
	return len(said) > 0 && !s.hasStrangeDay()
}

func (s *subject) endsOnGivenDay(said *sentence) bool {
	return len(daysIn(spoken(said.words))) > 0 && !s.hasStrangeDay()
}

// daysIn are the days of the week and the months that words name, each in one way.
func daysIn(words []string) []string {
	var found []string
	for at, word := range words {
		name, _, _ := strings.Cut(word, "-")
		before, after := wordAt(words, at-1), wordAt(words, at+1)
		day, known := dayNames[name]
		switch {
		case known && (!shortDays[name] || shortDayAfter[after] || name != word || shortDayBefore[before] &&
			!notDays[after]):
			found = append(found, strconv.Itoa(day))
		case months[name], ambiguousMonths[name] && monthBefore[before]:
			found = append(found, name[:3])
		}
	}
	return found
}

// notDays stand behind "na segunda" where that is "in the second".
var notDays = set("vez aula parte tentativa opcao compra pagina modulo etapa semana linha mensagem")

// wordAt is the word at a place; "" beyond the ends.
func wordAt(words []string, at int) string {
	if at < 0 || at >= len(words) {
		return ""
	}
	return words[at]
}
