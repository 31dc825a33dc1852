package guard

import (
	"regexp"
	"slices"
	"strings"
)

// What lowers a price without naming one: halves, two for one, nothing to pay.

const (
	// fraction is a part of a whole in words, the halves apart.
	fraction = `(?:(?:um|un|one|a|1|dois|dos|two|2|tres|three|3|just a|only a) (?:tercos?|tercios?|quartos?|cuartos?|quintos?|sextos?|decimos?|thirds?|fourths?|quarters?|fifths?|sixths?|tenths?)|` +
		`(?:a|uma|la|una) (?:terca|tercera|quarta|cuarta|quinta|sexta|decima) parte)`
	// treat is what a price is called smaller than.
	treat = `(?:caf\S+|pao|paozinho|pan|coffee|latte|pizza|soda|refri\S*|tinto|cervej\S+|cerveza|beer|lanche|sandwich|empanada|chicle|chocolate|snack)`
	// oneCoin is the smallest amount, which is told where the price is divided by days.
	oneCoin = `(?:um|un|a|one|1) (?:real|dolar|dollar|buck|peso|euro|sol)`
)

var bargains = slices.Concat(
	phrases(
		`(?:pag[auo]\S*|pay|pays|paying|cust[ae]\S*|cuesta|costs?|sai|sale|queda|fica|faco|fazer|hago|hacer|deixo|dejo|dou|doy|dar|tiro|tirar|quito|quitar|knock|take|give|cai|baja|baixa|drops?)(?: \S+){0,3} `+fraction,
		fraction+
			` (?:off|less|menos|a menos|de desconto|de descuento|cheaper|mais barato|mas barato|(?:do|del|of) (?:the |your |seu |tu )?(?:preco|valor|precio|price|total|cost|bill)|(?:do que|de lo que|of what)(?: \S+){0,2} (?:vale|custa|cuesta|costs?|worth|paga\S*|pay)|now|today|agora|hoje|ahora|hoy|down|upfront)`,
		`(?:menos|less|abaixo|under|below) (?:de|do que|que|than)? ?`+oneCoin,
		`(?:menos|less) (?:que|de|do que|than) (?:o preco de |the price of )?(?:um|un|una|uma|a) `+treat,
		oneCoin+` (?:por|al|ao|a|per) (?:dia|day|mes|month|semana|week)`,
		`(?:preco|precio|price) (?:camarada|amigo|de amigo|de amiga|de banana|de verdade so|friendly)`,
		`(?:um terco|un tercio|(?:one|a) third|(?:one|a) quarter|um quarto|un cuarto) (?:off|(?:do|del|of) (?:the |your |seu |tu )?(?:preco|valor|precio|price|total|cost|bill))`,
		`(?:leve|leva|lleva|llevate|get|take) (?:um|uma|dois|duas|tres|dos|two|three|\d) (?:e |y |and )?(?:pague|paga|pagas|pay|por|for the price)(?: \S+)?`,
		`(?:pague|paga|pagas|pay|compre|compra|buy)(?: for| por| just| so| solo)? (?:um|uma|uno|una|one|\d) (?:e |y |and )?(?:leve|leva|levar|lleva|llevas|llevate|get|ganhe|take)(?: \S+)?`,
		`(?:dois|duas|dos|two|2) (?:pelo preco de|por|for|al precio de|for the price of) (?:um|uma|uno|una|one|1)`,
		`bogo`, `[2-9]x1`,
		`(?:cubro|cubrimos|cobrimos|match|igualo|igualamos|cobre)(?: \S+){0,3} (?:oferta|preco|precio|price|offer|concorren\S+|competencia|competitor\S*)`,
		`(?:abaixo|abaixar|abaixamos|baixo|baixar|baixamos|bajo|bajar|bajarte|bajamos|rebajo|rebajar|lower|drop|cut|reduce|reduzo|reduzir|diminuo|diminuir|knock|shave|slash|melhorar|mejorar|beat)(?: \S+){0,3} (?:preco|valor|precio|price|off|cost)`,
		`(?:pague|paga|pagas|pay) (?:quanto|o que|lo que|what|whatever|as much as)(?: \S+){0,2} (?:quiser|puder|quieras|puedas|want|can|like)`,
		`(?:faz|faca|haz|hazme|me faz|make me) (?:um|uma|una|an) (?:proposta|oferta|oferta|offer)`,
		`name your price|pon tu precio|ponle precio|voce faz o preco`,
		`(?:at|a|em|por|pelo|al) (?:cost|costo|custo|preco de custo)`,
		`(?:valor|preco|precio|price) (?:mais baixo|menor|menos|reducid\S+|reduzid\S+|simbolic\S+|antig\S+|antigu\S+|old|lower|reduced)`,
		`(?:old|last year's|antig\S+|previous) price`,
		`(?:pay|paga|pague|pagas|pagame)(?: me| us| nos)? (?:after|later|afterwards|depois (?:de|que)|despues de|cuando (?:puedas|termines|quieras)|quando (?:puder|terminar|quiser|der))(?: \S+)?`, `fiado`,
		`(?:dobro|doble|triplo|triple|double|twice)(?: \S+){0,3} (?:desconto|descuento|discount|dinheiro|dinero|money|refund|reembolso|valor|acesso|acceso|access|tempo|garantia|savings)`,
		`(?:desconto|descuento|discount|dinheiro|dinero|money|reembolso|valor)(?: \S+){0,3} (?:em dobro|dobrad\S+|el doble|doble|double|doubled|triplicad\S+|duplicad\S+)`,
	),
	evenDenied(phrases(
		`(?:pay|paying|paga|pagas|pague|pagar|pagando)(?: absolutely| absolutamente)? (?:nothing|nada|zero|cero)`,
		`(?:nao|no) (?:paga|pagas|pague|pagues|pagara|pagaras|vai pagar|vas a pagar|cobramos|cobro|te cobro|te cobramos|se cobra|custa|cuesta)(?: \S+)? (?:nada|centavo|nunca|agora|ahora)`,
		`(?:nothing|not a cent|not a penny|not a dime) (?:to pay|due|down|upfront|today)`,
		`(?:won't|don't|doesn't|will not|do not|never)(?: have to)? (?:pay|cost|owe)(?: you)?(?: \S+)? (?:anything|cent|penny|thing|dime|now|until|nothing)`,
		`(?:zero|cero|no|sem|sin) (?:down|down payment|entrada|enganche|upfront|anticipo|sinal|taxas?|fees?|comisiones|acrescimo|recargo|interest|juros|interes|intereses)`,
		`(?:i'll|we'll|i will|we will|i|we|i can|we can)(?: only| just)? (?:bill|charge|invoice) you(?: \S+)? (?:after|later|next|when|once|in)`,
		`(?:te |lhe |se )?(?:cobramos|cobro|cobra-se|cobrar)(?: \S+)? (?:depois|despues|mes que vem|no mes que vem|el mes que viene|mais tarde|luego)`,
		`(?:entra|entre|acessa|acesse|comeca|comece|empieza|empiezas|start|estuda|estude|usa|use|llevatelo|leva|leve|try|prueba|pruebalo|experimenta|haz)(?: \S+){0,5} (?:e|y|and)(?: so| solo| only)? (?:paga|pague|pagas|pay|me paga|nos paga|me pagas|nos pagas)(?: \S+){0,3} (?:depois|despues|later|after|afterwards|quando|cuando|when|if|se|si|mes|month)`,
	)),
)

// romanAmount is an amount that is written as kings are numbered.
var romanAmount = regexp.MustCompile(`\b[IVXLCDM]{2,}\s+(?:reais|pesos|d[oó]lares|dollars|bucks|euros|soles)\b`)

var (
	halfWords = set("metade mitad half")
	// halvesSaid are what may be halved without a price: "na metade do curso".
	halvesSaid = set(
		`curso aulas aula course lessons clases modulos modules caminho camino way hour hora horas time tempo tiempo dia day
		conteudo contenido semana week year ano mes month minuto minute livro book part parte pessoas people alunos`)
	halfFact = regexp.MustCompile(`\b(?:50 ?%|metade|mitad|half|cinquenta por cento|cincuenta por ciento)`)
)

// hasBargain looks for what lowers a price without naming one.
func (s *subject) hasBargain() bool {
	return s.halves() || romanAmount.MatchString(s.text) || s.sayAny(bargains, nil)
}

// halves looks for a half that is not of the lessons or an hour.
func (s *subject) halves() bool {
	words := spoken(s.folded)
	for at, word := range words {
		base, joined, _ := strings.Cut(word, "-")
		if !halfWords[base] || joined != "" && joined != "price" && joined != "off" || at > 1 && words[at-1] == "a" &&
			words[at-2] == "and" {
			continue
		}
		after := words[at+1 : min(len(words), at+5)]
		if !slices.ContainsFunc(after, func(next string) bool { return halvesSaid[next] }) &&
			!halfFact.MatchString(s.promptFolded) {
			return true
		}
	}
	return false
}

// otherPayments are ways to pay that only the store's own words open.
var otherPayments = phrases(
	`(?:venmo|cash ?app|zelle|western union|moneygram|cripto\S*|crypto\S*|bitcoins?|ethereum|gift ?cards?|vale-?presente|tarjetas? de regalo|nequi|picpay|wise|revolut|efecty|usdt|paypal|mercado ?pago|apple pay|google pay|oxxo|spei|klarna|afterpay|pagseguro|payoneer|skrill)`,
	`(?:transfer\S*|transfier\S*|deposit\S*|wire|transferencia)(?: \S+){0,7} (?:conta|cuenta|account|direto|directo|directamente|diretamente|directly|para mim|pra mim|a mi nombre|to me|clabe|iban|chave|banco|bank)`,
	`(?:pix|paga|pague|pagar|pay|send|manda|mande|envia|envie|faz|faca)(?: \S+){0,6} (?:direto|directo|directamente|diretamente|directly|straight)(?: \S+){0,2} (?:comigo|pra mim|para mim|conmigo|a mi|me|to me|na minha|a mi cuenta|to my|na conta|a la cuenta|na chave|a la clave|pra chave|para a chave)`,
	`(?:minha|meu|mi|my|nossa|nuestra|our|esta|essa|esta otra|outra|otra) (?:chave|clave|pix|conta bancaria|cuenta bancaria|conta|cuenta|bank account|clabe|iban)(?: pix)?`,
	`money orders?`, `(?:giro|orden) (?:postal|de pago)`, `(?:con|por|un) giros?`,
	`(?:make|write) (?:the |a |your )?checks? (?:out|payable)`, `(?:with|com|con|em|en|por|um|un) cheques?`,
	`(?:by|via|with) (?:a |an )?(?:\S+ )?checks?`,
	`(?:mail|send|write|post)(?: us| me| in)? (?:a|an|the|your) (?:\S+ )?check`,
	`chave (?:do )?pix`, `clabe`, `iban`, `(?:numero|number) (?:da|de|of) (?:conta|cuenta|account)`,
	`(?:pagar|paga|pague|pay|pagas)(?: \S+){0,3} (?:em dinheiro|en efectivo|in cash|na entrega|contra entrega|on delivery|em maos|por fora|outside|fora da plataforma|fuera de la plataforma)`,
)

// otherPayment looks for a way to pay that the facts do not name.
func (s *subject) otherPayment() bool { return s.sayAny(otherPayments, nil) }

// stacked are coupons used in a way that nobody gave.
var stacked = phrases(
	`(?:som\S*|acumul\S*|combin\S*|junt\S*|stack\S*|sum[ae]\S*|mistur\S*)(?: \S+){0,6} (?:cup\S*|coupons?|descontos?|descuentos?|discounts?|codigos?|codes?|promo\S*)`,
	`(?:cup\S*|coupons?|descontos?|descuentos?|discounts?|codigos?|codes?|promo\S*)(?: \S+){0,6} (?:som\S*|acumul\S*|acumulativ\S*|combin\S*|junt\S*|stack\S*|sum[ae]\S*|cumulativ\S*)`,
	`(?:cup\S*|coupons?|codigos?|codes?|desconto|descuento|discount|aplica|aplique|apply|use|usa|\S*\d+)(?: \S+){0,4} (?:duas|dos|2|tres|3|three|two|varias|many|muitas|muchas|several) (?:vezes|veces|times)`,
	`(?:cup\S*|coupons?|codigos?|codes?|apply|use|usa|aplica)(?: \S+){0,4} twice`,
	`(?:outro|outra|mais um|mais uma|otro|otra|another|additional|extra|bigger|better|maior|mayor|second|segundo|secreto?|secret|exclusiv\S+|novo|nuevo|new) (?:desconto|descontos|descuento|descuentos|discount|discounts|cupom|coupon|cupon|codigo|code)`,
	`(?:desconto|descontinho|descuento|discount|cupom|coupon|cupon|codigo|code) (?:\S+ )?(?:extra|adicional|a mais|maior|mayor|mas grande|secreto|secret|exclusivo|novo|nuevo|melhor|mejor)`,
	`(?:cup\S*|coupons?|codigo|code|\S*\d+) (?:\S+ ){0,4}(?:para|pra|on|en|em|for|with|no|na) (?:qualquer|todos?|todas?|cualquier|any|every|everything|anything|tudo|outros?|outras?|otros?|otras?|other)(?: \S+)?`,
	`(?:cup\S*|coupons?|codigo|code|\S*\d+) (?:\S+ ){0,3}(?:tambem|tambien|also|inclusive|incluso) (?:para|pra|no|na|em|en|on|for|works|vale|serve|sirve)(?: \S+)?`,
	`(?:esse|este|the|este|o|el) (?:cupom|cupon|coupon|codigo|code) (?:\S+ ){0,3}(?:amig[oa]s?|familia|familiares|friends?|family)`,
)

// stacksCoupons looks for another use of a coupon than the one that was given.
func (s *subject) stacksCoupons() bool { return s.sayAny(stacked, nil) }
