package guard

import (
	"regexp"
	"strings"
)

// Portuguese and Spanish make a thing smaller, and dearer, by its ending: a "descontinho" is a
// discount all the same. Only the words that the rules know are given back their own form.

// smallEnding finds a word with such an ending; its groups are what stands before it, and the plural.
var smallEnding = regexp.MustCompile(`^(\p{L}+)(?:inh|it)[oa](s?)$`)

// stems are the words that are known in their small form, by what stands before the ending.
var stems = stemWords(`descont:desconto prec:preco preci:precio metad:metade mitad:mitad vagu:vaga vag:vaga cupon:cupon
	cupom:cupom rebaj:rebaja descuent:descuento cup:cupo codig:codigo codigu:codigo codigo:codigo plac:plaza
	lugar:lugar unidad:unidade parcel:parcela cuot:cuota present:presente regal:regalo ofert:oferta promo:promo
	promocion:promocion promoca:promocao valor:valor brind:brinde bonus:bonus centav:centavo real:real pes:peso dolar:dolar
	garanti:garantia reembols:reembolso vint:vinte trint:trinta quarent:quarenta cinquent:cinquenta sessent:sessenta
	setent:setenta oitent:oitenta novent:noventa treint:treinta cuarent:cuarenta cincuent:cincuenta sesent:sesenta
	ochent:ochenta veint:veinte cem:cem cen:cem cent:cento cien:cien mil:mil dez:dez duzent:duzentos trezent:trezentos
	chav:chave clav:clave senh:senha cartao:cartao tarjet:tarjeta contrasen:contrasena cedul:cedula pastill:pastilla`)

func stemWords(list string) map[string]string {
	all := map[string]string{}
	for pair := range strings.FieldsSeq(list) {
		stem, base, _ := strings.Cut(pair, ":")
		all[stem], all[base] = base, base
	}
	return all
}

// withoutDiminutives gives the known words of a folded text back their own form.
func withoutDiminutives(folded string) string {
	if !strings.Contains(folded, "inh") && !strings.Contains(folded, "it") {
		return folded
	}
	return codeWord.ReplaceAllStringFunc(folded, func(word string) string {
		found := smallEnding.FindStringSubmatch(word)
		if found == nil {
			return word
		}
		if base := baseOf(found[1]); base != "" {
			return numbered(base, found[2] != "")
		}
		return word
	})
}

// baseOf is the word that a small form was made of; "" where nobody knows it.
func baseOf(stem string) string {
	if base, known := stems[stem]; known {
		return base
	}
	for _, link := range []string{"ez", "ec", "z", "c"} {
		if short, linked := strings.CutSuffix(stem, link); linked && stems[short] != "" {
			return stems[short]
		}
	}
	return ""
}

// numbered is a word in the plural where it is to be.
func numbered(base string, plural bool) string {
	switch last := base[len(base)-1:]; {
	case !plural || last == "s":
		return base
	case last == "m":
		return strings.TrimSuffix(base, "m") + "ns"
	case last == "l" && base != "mil":
		return strings.TrimSuffix(base, "l") + "is"
	case last == "a", last == "e", last == "o":
		return base + "s"
	}
	return base + "es"
}
