package policy

import (
	"strings"

	"cartrecovery.dev/operator/internal/clip"
)

// MostTogether is how many messages in a row are read as one request.
const MostTogether = 4

// longestTogether bounds each of them, in characters: who writes more says it in one.
const longestTogether = 120

// OptsOutTogether says whether the last of a customer's messages in a row, oldest first, ends a
// request to be left alone that none of them is by itself: "não quero", "receber mais mensagens".
// A message is only joined to the one before it where one of them needs the other: an answer such
// as "não" before "me manda mensagem" is no beginning of it.
func (p *Policy) OptsOutTogether(texts []string) bool {
	texts = texts[max(0, len(texts)-MostTogether):]
	for _, text := range texts {
		if len(clip.Characters(text, longestTogether)) < len(text) || p.OptsOut(text) {
			return false
		}
	}
	for from := len(texts) - 2; from >= 0; from-- {
		if whole, fits := together(texts[from:]); fits && p.OptsOut(whole) {
			return true
		}
	}
	return false
}

// together is messages as one, and whether each needs what is before it.
func together(texts []string) (whole string, fits bool) {
	for i, text := range texts {
		text = strings.TrimSpace(text)
		if i < len(texts)-1 {
			text = strings.TrimRight(text, ".,… ")
		}
		if i > 0 && !goesOn(whole, text) {
			return "", false
		}
		whole = strings.TrimSpace(whole + " " + text)
	}
	return whole, true
}

// openWords are words that no statement ends in, and goingOn words that none begins with.
var (
	openWords = wordSet(
		`me nos de da do das dos d para pra p que q com con of to from the my meu minha mi o a os as la el los las um uma quero
		preciso gostaria queria quiero quisiera want to dont pode podem puede pueden can could you poderia por favor please mande mandem
		envie enviem mandes manden envies envien send`)
	goingOn = wordSet(
		`mais mas any more anymore de da do das dos desa dese desta deste desas deses daqui dai of from off the que q receber recibir
		receive receiving mandar enviar escrever escribir chamar contatar contactar sair salir ser me mensagem mensagens mensaje mensajes
		messages mesages msg msgs texts meu mi my o a os as esas eses estas estos this these`)
)

// goesOn says whether a message needs what was written before it, or that needs the message.
func goesOn(before, text string) bool {
	said, next := clauses(before), clauses(text)
	if len(said) != 1 || len(next) == 0 || said[0].asks {
		return false
	}
	words := said[0].words
	if len(words) == 1 && noWords[words[0]] {
		return false
	}
	return openWords[said[0].lastWord()] || goingOn[next[0].words[0]]
}
