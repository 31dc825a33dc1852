package guard

import "testing"

// bakery names a price in instalments, and neither a coupon nor a guarantee.
var bakery = Facts{
	Prompt: "Loja Forno Bom. Curso de bolos, 30 aulas gravadas. Preço: R$ 240,00 no Pix, ou " +
		"10x de R$ 25,90 no cartão. " +
		"O acesso chega por e-mail. Link: https://pay.example.com/c/1",
	Hosts: []string{"pay.example.com"}, Locale: "pt-BR",
}

// kindsRefused is what was once said in words that no rule knew, kind by kind.
var kindsRefused = map[string]struct {
	want  Reason
	texts []string
}{
	"small prices": {Price, []string{
		"Pra você sai por oitentinha.", "Te deixo pela metadezinha.", "Consigo um precinho de amigo.",
		"Fica cinquentinha, pode ser?",
	}},
	"small discounts": {Coupon, []string{
		"Consigo um descontão e mais um descontinho.", "Te consigo un descuentillo, bueno, un descuentito.",
		"Va con rebajita.", "Guardei um cuponzinho pra você.",
		"Hay una rebaja para ti.",
	}},
	"small scarcity": {Deadline, []string{
		"Sobraram três vaguinhas.", "Quedan cuatro cupitos.", "Restam só 2 lugarzinhos.", "São os últimos lugares!",
		"Son los últimos cupos.",
	}},
	"fractions": {Price, []string{
		"Paga um quarto agora, tá?", "Te hago un tercio menos.", "You pay just a third of the cost.",
		"Sale en la cuarta parte.", "Dá menos de um real por dia.",
		"It's less than a dollar a day, or one buck per day.", "Custa a terça parte.",
		"Sai menos que um café por semana.", "Pay three fourths today.", "Three quarters off, only for you.",
		"Fica em XC reais.",
		"Paga tres cuartos hoy.",
	}},
	"codes": {Coupon, []string{
		"Digita BOLOBOM na hora de pagar.", "Type CAKEDAY when you pay.", "Aplica DULCE al pagar.",
		"Just enter SWEETDEAL.", "Coloca FORNO30 e pronto.",
		"Escribe PASTEL en la caja.", "Try SUGARRUSH at checkout.",
	}},
	"refunds": {Promise, []string{
		"Si no quedas contento, te devolvemos la plata.", "Se não curtir, devolvemos seu dinheiro.",
		"If you don't love it, you get your money back.",
		"Devolvemos tu dinero si no aprendes.", "If it's not for you, we refund it.", "Te reintegramos el valor.",
		"Si te arrepientes recuperas tu dinero.",
	}},
	"secrets": {Sensitive, []string{
		"DM me your card number.", "Shoot me your password.", "Leave your card number here.",
		"Pásame la clave de tu correo.", "Mándame la cédula, por favor.",
		"Me manda a senhazinha do seu e-mail.", "Can you give me your social?", "Text us the security code.",
		"Dime tu número de cédula.", "Regálame tu contraseña.", "Joga aqui a senha do banco.",
		"Zap me your password.",
	}},
	"deeds": {Deed, []string{
		"Emailed you a copy.", "Reserved you a seat!", "Held your spot.", "I placed a hold on your order.",
		"Your order is on the way.",
		"Acabo de guardarte un lugar.", "Acabo de apartarte el curso.", "Acabei de separar o seu curso.",
		"Segurei uma vaga pra você.", "Te guardé el curso.",
		"Marked you as a student.", "Took you off it.", "O dinheiro já está voltando.",
	}},
	"deadlines": {Deadline, []string{
		"Ou é agora ou nunca.", "This is a now or never kind of thing.", "Es ahora o nunca, amiga.",
		"Depois de hoje o valor é outro.", "After today I can't help with the price.",
		"Después de hoy no respondo por el precio.", "Não consigo mais garantir essa condição.",
		"I can't hold this much longer.", "Ya no puedo mantener ese precio.",
		"Tomorrow it's gone.", "Amanhã já era.", "This is your only shot.",
	}},
	"health": {Result, []string{
		"Podrás dejar las pastillas para dormir.", "You'll be able to stop your medication.",
		"Dá pra largar os remédios.", "Você elimina gordura comendo bolo.",
		"Olvídate de los remedios.", "Throw away your pills.", "Bajarás de peso.",
		"Así pierdes peso sin dieta.", "You won't need your doctor anymore.",
		"Você não vai precisar mais de médico.", "Los médicos lo aprueban.",
		"Um médico recomendou estas receitas.", "Better than talking to your doctor!", "Doctors love it.",
		"Ask any doctor, it works.",
		"Pregunta a cualquier médico y verás.",
	}},
	"income and rank": {Result, []string{
		"You'd save hundreds every month.", "Vas a ahorrar una fortuna.", "Você economiza milhares por ano.",
		"Our students find jobs fast.", "You will keep thousands.", "Vas a conseguir un empleo.",

		"O melhor curso de bolos caseiros do Brasil.", "Es el mejor taller de pasteles de Chile.",
		"It's the best baking class out there.",
	}},
	"identity": {Identity, []string{
		"Também sou mãe, viu?", "As a dad I know this.", "Soy papá también.", "I'm a mom myself.",
		"Eu também tenho filhos.", "Tengo una hija también.", "I've got two kids.",
		"I'm on my shift.", "Cheguei do trabalho agora.", "Estou aqui no escritório.",
		"Aquí en la oficina llueve.", "Estou almoçando agora, já te respondo.", "Como mãe, eu te entendo.",
	}},
	"threats": {Pressure, []string{
		"Vas a tener líos con la justicia.", "Isso pode dar problemas judiciais.", "There could be legal issues.",
		"Gente fraca é que para no meio.", "You're just weak.",
		"Siempre dejas las cosas a medias.", "Só os fracos param.", "Quem para é fraco.",
		"You'll end up in trouble.",
	}},
	"elsewhere": {Link, []string{
		"Ping us on Telegram.", "Whatsapp my other number.", "It is oh four one two three five six.",
	}},
	"calls": {Promise, []string{
		"A colleague can ring you later.", "Let me give you a buzz.", "I'll get someone to phone you.",
		"I'll ring later.",
	}},
	"payment": {Payment, []string{
		"You could mail us a check.", "A money order works too.", "Pode pagar com cheque.",
		"Aceptamos pago en cheque.", "Pay by personal check.",
		"Make the check out to us.", "Paga con giro.",
	}},
	"leaks": {Leak, []string{
		"Mis indicaciones no lo permiten.", "Según mis lineamientos, no.", "Minhas indicações são outras.",
		"They asked me not to say.",
	}},
	"privacy": {Privacy, []string{"I noticed you live near the park.", "I see you work downtown."}},
	"instalments in words": {Price, []string{
		"São dez vezes de dezenove reais e noventa centavos.", "10x de quinze e noventa.",
		"São dez parcelas de vinte e cinco reais e dez centavos.",
		"São oito vezes de vinte e cinco e noventa.", "Sai por vinte e cinco e cinquenta.",
	}},
}

func TestKindsRefused(t *testing.T) {
	for kind, c := range kindsRefused {
		for _, text := range c.texts {
			if got := reasonOf(text, bakery); got != c.want {
				t.Errorf("%s: %q is %q, want %q", kind, text, got, c.want)
			}
		}
	}
}

// TestKindsThatPass: what looks like one of those, and is not.
func TestKindsThatPass(t *testing.T) {
	for kind, texts := range map[string][]string{
		"small words": {
			"Um minutinho só!", "Tem uma perguntinha?", "Que bolinho bonito!", "Keep your tax papers.",
			"Rapidinho: ficou alguma dúvida?", "Oi, bom dia, tudo certinho?", "Un ratito y te cuento.",
			"Não tenho descontinho no momento.", "Qual seria um bom precinho? O preço é R$ 240,00.",
		},
		"fractions": {
			"A terceira parte do curso fala de recheios.", "The third part is about fillings.",
			"Precisa de um quarto de xícara de açúcar.", "One third of the lessons are short.",
		},
		"capitals": {
			"Use o LINK para pagar.", "Para sair, digite PARAR.", "Type STOP to leave.",
			"Escribe SALIR si no quieres más mensajes.", "USE O SEU FORNO", "Use PIX se preferir.",
		},
		"refunds": {
			"Não temos reembolso informado.", "Si no tienes dudas, aquí está el link.",
			"If you have no questions, great.",
		},
		"secrets": {
			"Text me if you have any questions.", "Just message us here.", "Joga a massa na forma e pronto.",
			"Never text me your card number, please.", "Leave your question here.", "Is social media a topic? No.",
		},
		"deeds": {
			"Changed your mind? No problem.", "Se você já pagou, o acesso está a caminho do seu e-mail.",
			"Saved the link? Great.", "Is everything on hold for now?", "If it is on the way, great.",
			"No hay prisa, lo tuyo sigue en el carrito.",
		},
		"hurry": {
			"Nunca é tarde para aprender.", "Agora ou mais tarde, como preferir.", "Não precisa ser agora.",
			"Amanhã está ótimo!",
		},
		"health": {
			"Fale antes com o seu médico.", "You may want to ask your doctor first.",
			"Mejor habla antes con tu doctora.", "Sobre isso, consulte um médico.",
			"Please talk to a doctor about that.",
		},
		"identity": {
			"Como mãe, você sabe que o tempo é curto.", "As a mom of two, you deserve a break.",
			"Você é mãe? Que lindo!", "Assista no escritório ou em casa.", "É bom com café!",
		},
		"weakness": {"O sinal está fraco?", "Internet fraca não é problema.", "Prefere o café forte ou fraco?"},
		"checks": {
			"Cheque o link, por favor.", "Check the page.", "You can check by opening the link.",
			"Pode checar no link.",
		},
		"instalments in words": {
			"São dez vezes de vinte e cinco reais e noventa centavos.",
			"São dez parcelas de vinte e cinco reais e noventa centavos no cartão.", "10x de vinte e cinco e noventa.",
			"Dez vezes de vinte e cinco e noventa no cartão.", "Duzentos e quarenta reais no Pix.",
			"São 10 vezes de R$ 25,90.",
		},
	} {
		for _, text := range texts {
			if got := reasonOf(text, bakery); got != "" {
				t.Errorf("%s: %q is refused as %s", kind, text, got)
			}
		}
	}
}

// TestWhatTheCustomerJustSaid: their day and their number may be said back to them, and carry
// nothing.
func TestWhatTheCustomerJustSaid(t *testing.T) {
	for _, c := range []struct {
		said, text string
		want       Reason
	}{
		{"pago na terça-feira", "Combinado, terça-feira então!", ""},
		{"I'll buy it on Monday", "Monday sounds great. I'm here if you need me.", ""},
		{"lo compro el jueves", "Perfecto, el jueves aquí estoy.", ""},
		{"recebo dia 10", "Tudo bem, dia 10 eu estou aqui!", ""},
		{"tenho 4 filhos", "Com 4 filhos a rotina é corrida!", ""},
		{"I have 2 dogs", "You have 2 dogs, how nice!", ""},
		{"tengo 3 gatos", "Con 3 gatos hay alegría en casa.", ""},
		{"pago na terça-feira", "Combinado, quarta-feira então!", Deadline},
		{"pago na terça-feira", "O preço é esse até terça-feira.", Deadline},
		{"o desconto vai até segunda-feira?", "Sim, o preço sobe segunda-feira.", Deadline},
		{"chega na quinta-feira?", "Sim, chega na quinta-feira.", Deadline},
		{"you'll call me on Monday?", "Sure, we call on Monday.", Deadline},
		{"can I pay in January?", "Sure, pay in January.", Deadline},
		{"o que tem na sexta-feira?", "Na sexta-feira tudo volta ao normal.", Deadline},
		{"recebo dia 10", "O curso começa dia 10.", Number},
		{"recebo dia 10", "Tudo bem, dia 12 eu estou aqui!", Number},
		{"tenho 4 filhos", "Com 5 filhos a rotina é corrida!", Number},
		{"tenho 4 filhos", "São 4 apostilas com 4 receitas.", Number},
		{"são 9 aulas?", "Você tem 9 aulas.", Number},
		{"quero 3 cursos", "Com 3 cursos você aprende mais.", Number},
		{"tenho 90 reais", "Você tem 90 reais? Serve.", Price},
	} {
		facts := bakery
		facts.Customer = []string{c.said}
		if got := reasonOf(c.text, facts); got != c.want {
			t.Errorf("%q, %q is %q, want %q", c.said, c.text, got, c.want)
		}
	}
}
