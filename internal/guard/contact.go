package guard

import "slices"

// Where else a customer is sent: a search, another app, another number.

const (
	elsewhere = `(?:google|bing|yahoo|internet|web|youtube|instagram|insta|ig|facebook|face|fb|tiktok|tik-?tok|telegram|app store|play store|mercado ?livre|mercado ?libre|amazon|olx|navegador|browser|twitter|linkedin|discord|shopee|signal|skype|messenger|snapchat|pinterest|reddit|hotmart|kiwify)`
	ownNumber = `(?:outr[oa]|otr[oa]|another|other|my|meu|minha|mi|my own|my personal|personal|pessoal|novo|new|nuevo) (?:\S+ )?(?:numero|number|whats\S*|zap|celular|cell|phone|telefone|telefono|e-?mail|correo|line|linea|linha|perfil|profile|chat|site|sitio|pagina|page|link|url|enlace|loja|tienda)`
)

var contacts = slices.Concat(
	phrases(
		`(?:search|google|googles?|googling|look|lookup|pesquis\S+|busca\S*|busque\S*|procur\S+|joga|jogue|digita|digite|teclea|escribe|find|encontr\S+|acha|ache|check|type)(?: \S+){0,8} `+elsewhere+``,
		`(?:google|googla|googleia|da um google|da um search)(?: it| us| for| por| isso| esto| nosso| nuestro|)`,
		`(?:ping|buzz|shoot|hmu|snap|whatsapp|marca|marque|chama|chame|chamar|fala|fale|falar|segue|siga|seguir|sigue|siguenos|add|adiciona|adicione|agrega\S*|escribe\S*|escribeme|escreve|escreva|manda|mande|envia|envie|message|text|dm|follow|find|contact|call|liga|ligue|llama|llamame|contacta|entra|entre|acessa|acesse|join|unete|visit\S*|go|vai|va|anda|pasa|hit me up|reach|hablame|hablemos|continuamos|continue|seguimos)(?: \S+){0,6} (?:instagram|insta|ig|facebook|face|fb|telegram|tiktok|youtube|twitter|linkedin|discord|messenger|signal|skype|direct|inbox|dms?|grupo|group|canal|channel|bio|`+ownNumber+`)`,
		`(?:link|enlace)(?: \S+){0,3} (?:na|in|en la|no|en el|in the|in my) (?:bio|perfil|profile|stories|descricao|descripcion|description)`,
		`(?:outro|outra|otro|otra|another|alternat\S+|different|diferente|secret|secreto) (?:link|enlace|site|sitio|url|website|web|pagina|page|endereco|direccion|checkout)`,
		`(?:tinyurl|bitly|encurtad\S+|acortad\S+|shortened|shortener)`, `arroba|w w w|https?`,
		`(?:site|sitio|website|pagina|page|portal|web|dominio|domain) (?:chamad[oa]|called|llamad[oa]|named|que se chama|que se llama)(?: \S+)`,
		`(?:punto|ponto|dot) (?:com|net|org|br|mx|shop|store|online|site|io|app)`,
		`(?:\S+) (?:slash|barra|diagonal) (?:\S+)`,
	),
)

// sendsElsewhere looks for another place or number that the facts do not name.
func (s *subject) sendsElsewhere() bool { return s.sayAny(contacts, nil) }
