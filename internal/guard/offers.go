package guard

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// offer is a group of words for one thing that only the store can promise. A word ending in
// * stands for all that begin so.
type offer struct {
	reason Reason
	terms  [][]string
}

func terms(reason Reason, list string) offer {
	made := offer{reason: reason}
	for term := range strings.SplitSeq(list, ",") {
		made.terms = append(made.terms, strings.Fields(term))
	}
	return made
}

var offersKnown = []offer{
	terms(Coupon,
		`cupom,cupons,cupon,cupones,cupao,cupoes,coupon*,voucher*,desconto*,discount*,descuento*,promocao,promocoes,promocion*,
		promotion*,promo,cashback,oferta especial,oferta exclusiva,special offer,condicao especial,condicoes especiais,preco especial,
		special price,precio especial,rebaja,rebajas,mais barato,cheaper,mas barato,rebate`),
	terms(Promise, `frete gratis,envio gratis,entrega gratis,free shipping,free delivery,frete gratuito`),
	terms(Promise, `gratis,gratuito,gratuita,gratuitos,gratuitas,gratuitamente,free,de graca`),
	terms(Promise, `bonus,brinde*,um presente,de presente,presentinho,regalo*,gift*,obsequio*`),
	terms(Promise,
		`garantia*,garantimos,garanto,garantido,garantida,garantidos,garantidas,garantizamos,garantizo,garantizado,
		garantizada,guarantee*,warranty`),
	terms(Promise,
		`reembols*,refund*,devolucao,devolucoes,devolvo,devolve,devolvemos,devolver,devolveremos,devolucion*,dinheiro de volta,money back,moneyback,money-back,
		dinero de vuelta,reintegr*,te regresamos,regresamos tu,regresamos el dinero,regresamos el valor,recuperas tu,recupera tu dinero,recupera seu dinheiro,get it all back`),
	terms(Promise, `vitalici*,lifetime,para sempre,forever,para siempre,de por vida`),
	terms(Deadline,
		`vagas limitadas,ultimas vagas,ultima vaga,ultimas unidades,ultima unidade,limited spots,last spots,cupos limitados,
		plazas limitadas,estoque limitado,poucas vagas,poucas unidades,few spots,few left,pocas plazas,ultimas plazas`),
	terms(Deadline,
		`ultima chance,ultimas chances,last chance,ultima oportunidade,ultima oportunidad,so hoje,somente hoje,apenas hoje,
		today only,only today,solo hoy,hasta hoy,so ate hoje,expira*,expire*,acaba hoje,termina hoje,ends today,termina hoy,acaba hoy,tempo limitado,
		limited time,limited-time,tiempo limitado`),
	terms(Promise, `sem juros,interest free,interest-free,sin intereses,sin interes,juros zero`),
}

// matches says whether a term stands at a place.
func matches(words []string, at int, term []string) bool {
	if at+len(term) > len(words) {
		return false
	}
	for i, want := range term {
		prefix, open := strings.CutSuffix(want, "*")
		if words[at+i] != want && (!open || !strings.HasPrefix(words[at+i], prefix)) {
			return false
		}
	}
	return true
}

// made says whether an offer is made in the clauses: named and not denied.
func (o offer) made(all []clause) bool {
	for i, one := range all {
		for at := range one.words {
			for _, term := range o.terms {
				if matches(one.words, at, term) && !idiom(one.words, at) && !denied(all, i, at+denialFrom(term)) {
					return true
				}
			}
		}
	}
	return false
}

// denialFrom is where the words before a term begin to matter: in "sem juros" the denial
// is what is offered.
func denialFrom(term []string) int {
	if term[0] == "sem" || term[0] == "sin" {
		return -3
	}
	return 0
}

// idiom tells "feel free to ask" from what costs nothing.
func idiom(words []string, at int) bool {
	return words[at] == "free" && (at > 0 && words[at-1] == "feel" || at+1 < len(words) && words[at+1] == "to")
}

// makes says whether the text makes an offer, for a reason, that the prompt does not make.
func (s *subject) makes(reason Reason) bool {
	said := clauses(s.withoutEcho())
	for _, one := range offersKnown {
		if one.reason != reason || !one.made(said) {
			continue
		}
		if reason == Coupon && s.facts.Coupon != "" {
			continue
		}
		if !one.made(s.promptClauses()) {
			return true
		}
	}
	return false
}

func (s *subject) hasPromise() bool { return s.makes(Promise) || s.promisesMore() }

func (s *subject) hasCoupon() bool { return s.hasCode() || s.makes(Coupon) || s.stacksCoupons() }

var quoted = regexp.MustCompile(`["“«]([^"“”«»\n]{1,300})["”»]`)

// withoutEcho is the folded text without quotations of a whole message of the customer: a
// question that is repeated offers nothing.
func (s *subject) withoutEcho() string {
	if !quoted.MatchString(s.folded) {
		return s.folded
	}
	said := foldAll(s.facts.Customer)
	return quoted.ReplaceAllStringFunc(s.folded, func(quote string) string {
		inner := strings.Join(strings.Fields(strings.Trim(quote, "\"“”«»")), " ")
		short, isCut := strings.CutSuffix(inner, "...")
		for _, message := range said {
			message = strings.Join(strings.Fields(message), " ")
			if inner == message || isCut && len(short) > 20 && strings.HasPrefix(message, short) {
				return " "
			}
		}
		return quote
	})
}

var (
	codeWord  = regexp.MustCompile(`[\p{L}\p{N}]+(?:[_-][\p{L}\p{N}]+)*`)
	codeNames = set(
		"cupom cupons cupon cupones cupao coupon coupons codigo codigos code codes voucher vouchers promocode")
	codeVerbs = set(
		`use usa usar usas usando using utilize utiliza aplique aplica aplicar apply insira insere digite digita digitar
		digitando enter entering type typing punch ingresa ingrese ingresar teclea escribe escreve escreva coloque coloca pon poe bota introduce try`)
	codeLinks = set("e eh is es de do promocional desconto descuento discount code codigo promo especial")
	plainCaps = set(`pix qr sms cpf vip ok faq pdf cep url id link brl usd rs parar pare sair stop
		salir baja cancelar remover sim yes ajuda help whatsapp`)
	unitNumber = regexp.MustCompile(`^\d+(?:x|h|hs|hrs|min|m|d|o|a|k|kg|gb|mb|am|pm|h\d+|st|nd|rd|th)$`)
)

// hasCode looks for coupon codes that were not given: letters with digits near a word for a
// coupon or after "use", and capitals or lower case right behind "cupom".
func (s *subject) hasCode() bool {
	for line := range strings.Lines(s.text) {
		words := joinLetters(codeWord.FindAllString(line, -1))
		for i, word := range words {
			if s.strangeCode(words, i, word) {
				return true
			}
		}
	}
	return false
}

// joinLetters puts words together that were spelled: "P R O M O 5 0".
func joinLetters(words []string) []string {
	joined := make([]string, 0, len(words))
	for i := 0; i < len(words); {
		end := i
		for end < len(words) && utf8.RuneCountInString(words[end]) == 1 {
			end++
		}
		if end-i >= 4 {
			joined = append(joined, strings.Join(words[i:end], ""))
			i = end
			continue
		}
		joined = append(joined, words[i])
		i++
	}
	return joined
}

func (s *subject) strangeCode(words []string, i int, word string) bool {
	folded := fold(word)
	if plainCaps[folded] || unitNumber.MatchString(folded) || strings.EqualFold(word, s.facts.Coupon) {
		return false
	}
	mixed := mixesDigits(folded)
	capitals := len(word) >= 4 && word == strings.ToUpper(word) && word != strings.ToLower(word)
	var suspect bool
	switch {
	case mixed:
		suspect = nearAny(words, i, 5, codeNames) || nearAny(words[:i], i, 3, codeVerbs)
	case capitals:
		suspect = followsCode(words, i) || followsCodeVerb(words, i)
	}
	return suspect && !holdsWord(s.promptFolded, folded)
}

func mixesDigits(word string) bool {
	return strings.ContainsAny(word, "0123456789") && strings.Trim(word, "0123456789-_") != ""
}

// nearAny says whether one of the words around a place is in a set.
func nearAny(words []string, at, distance int, wanted map[string]bool) bool {
	for i := max(0, at-distance); i < min(len(words), at+distance+1); i++ {
		if i != at && wanted[fold(words[i])] {
			return true
		}
	}
	return false
}

// followsCodeVerb says whether capitals come right behind "use" or "digite", where that is not in
// capitals itself.
func followsCodeVerb(words []string, at int) bool {
	return at > 0 && codeVerbs[fold(words[at-1])] && words[at-1] != strings.ToUpper(words[at-1])
}

// followsCode says whether a word comes right behind "cupom", or with "é" or "de" between.
func followsCode(words []string, at int) bool {
	for i := at - 1; i >= max(0, at-3); i-- {
		word := fold(words[i])
		if codeNames[word] {
			return true
		}
		if !codeLinks[word] {
			return false
		}
	}
	return false
}
