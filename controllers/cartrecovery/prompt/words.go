package prompt

import (
	"cmp"
	"strings"
)

// words say in one language what the conversation holds besides texts.
type words struct {
	kinds map[string]string
	// other is for a kind that kinds does not name.
	other string
	// earlier stands after the messages of an earlier recovery.
	earlier string
	// first says that the customer wrote before the store did; paid says that they claim to have paid.
	first, paid string
}

func (w words) of(kind string) string { return cmp.Or(w.kinds[kind], w.other) }

var (
	portuguese = words{
		kinds: map[string]string{
			"audio":    "[o cliente enviou um áudio, que você não pode ouvir]",
			"image":    "[o cliente enviou uma imagem, que você não pode ver]",
			"video":    "[o cliente enviou um vídeo, que você não pode ver]",
			"document": "[o cliente enviou um documento, que você não pode abrir]",
			"sticker":  "[o cliente enviou uma figurinha]",
			"location": "[o cliente enviou uma localização, que você não pode ver]",
			"contact":  "[o cliente enviou um contato, que você não pode ver]",
			"poll":     "[o cliente enviou uma enquete]",
		},
		other:   "[o cliente enviou algo que você não pode ver]",
		earlier: "[o que vem antes é de uma conversa anterior, sobre outra tentativa de compra]",
		first:   "[o cliente escreveu primeiro: nós ainda não tínhamos escrito sobre esta compra]",
		paid: "[o cliente diz que já pagou; a confirmação ainda não chegou: não ofereça nada, não cobre e não " +
			"mande o link]",
	}
	spanish = words{
		kinds: map[string]string{
			"audio":    "[el cliente envió un audio, que no puedes escuchar]",
			"image":    "[el cliente envió una imagen, que no puedes ver]",
			"video":    "[el cliente envió un video, que no puedes ver]",
			"document": "[el cliente envió un documento, que no puedes abrir]",
			"sticker":  "[el cliente envió un sticker]",
			"location": "[el cliente envió una ubicación, que no puedes ver]",
			"contact":  "[el cliente envió un contacto, que no puedes ver]",
			"poll":     "[el cliente envió una encuesta]",
		},
		other:   "[el cliente envió algo que no puedes ver]",
		earlier: "[lo anterior es de una conversación pasada, sobre otro intento de compra]",
		first:   "[el cliente escribió primero: todavía no le habíamos escrito sobre esta compra]",
		paid: "[el cliente dice que ya pagó; la confirmación aún no llegó: no ofrezcas nada, no cobres y no " +
			"mandes el enlace]",
	}
	english = words{
		kinds: map[string]string{
			"audio":    "[the customer sent a voice message, which you cannot hear]",
			"image":    "[the customer sent a picture, which you cannot see]",
			"video":    "[the customer sent a video, which you cannot see]",
			"document": "[the customer sent a document, which you cannot open]",
			"sticker":  "[the customer sent a sticker]",
			"location": "[the customer sent a location, which you cannot see]",
			"contact":  "[the customer sent a contact, which you cannot see]",
			"poll":     "[the customer sent a poll]",
		},
		other:   "[the customer sent something that you cannot see]",
		earlier: "[what comes before is an earlier conversation, about another attempt to buy]",
		first:   "[the customer wrote first: we had not written about this purchase yet]",
		paid: "[the customer says that they have paid; it is not confirmed yet: offer nothing, ask for no " +
			"payment and give no link]",
	}
)

// wordsOf returns the words in the language of a locale; English for languages that are not here.
func wordsOf(locale string) words {
	language, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	switch language {
	case "pt":
		return portuguese
	case "es":
		return spanish
	}
	return english
}
