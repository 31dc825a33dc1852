package guard

import "testing"

// TestDeeds: a text can do nothing, so it may not say that something was done.
func TestDeeds(t *testing.T) {
	facts := Facts{
		Prompt: "Loja Violão do Zero. Curso de violão. O curso inclui 62 aulas. Reembolso (refund) em 7 dias. Cupom " +
			"VOLTA10. Link: https://pay.example.com/c/1",
		Hosts: []string{"pay.example.com"}, Coupon: "VOLTA10",
	}
	const link = "https://pay.example.com/c/1"
	for _, text := range []string{
		// Portuguese.
		"já te removi", "Pronto, já te removi da nossa lista!", "Já removi o seu número da lista.",
		"Te removi da lista, tá?", "removi você da lista", "Já te removi e você não vai receber mais mensagens.",
		"Retirei seu número do nosso cadastro.", "Tirei você da lista, desculpa!",
		"já excluí seus dados", "Apaguei seus dados do sistema.", "Cancelei sua compra.", "cancelei sua compra",
		"Já cancelei o boleto anterior.", "Cancelei o pedido antigo e você pode fazer outro.", "já estornei",
		"Já estornei o valor no seu cartão.", "Reembolsei você agora há pouco.",
		"te mandei o e-mail", "Te mandei o e-mail com o acesso.", "Te mandei o e-mail com o link.",
		"Enviei o boleto para o seu e-mail.", "Acabei de te enviar o comprovante por e-mail.",
		"Acabei de cancelar sua compra.", "Acabamos de enviar seu acesso.", "Liberei seu acesso!",
		"Já liberei o seu acesso, pode entrar.", "Atualizei seu cadastro.", "Apliquei o cupom no seu carrinho.",
		"Já ativei sua conta.", "Seu número foi removido da lista.", "Sua compra foi cancelada.",
		"Seu pedido já foi cancelado.", "Seu pagamento foi confirmado!", "O estorno foi aprovado.",
		"Pedido cancelado, pode ficar tranquila.", "Cadastro removido!", "Você já está fora da lista.",
		"Já cancelamos a sua inscrição.", "Solicitei o reembolso ao financeiro.", "Encaminhei para o setor financeiro.",
		"Bloqueei o envio de mensagens.", "Seu número já não está mais na nossa lista.",
		"Já dei baixa no seu cadastro.", "Já pedi o estorno pra você.", "Já avisei o suporte.",
		"Passei seu caso pro financeiro.", "Gerei um novo boleto pra você.", "Reenviei o acesso no seu e-mail.",
		"Acabei de gerar um pix novo pra você.", "Seu cupom já foi aplicado.", "Confirmei seu pagamento aqui.",
		"Coloquei seu nome na lista de espera.",
		// Spanish.
		"Ya no estás en nuestra lista.", "Te reservé un lugar.", "Ya quedó aplicado tu cupón.",
		"Generé una nueva ficha para ti.", "ya te eliminé de la lista", "te eliminé de la lista",
		"Listo, ya te eliminé.", "Eliminé tu número de la lista.", "Ya borré tus datos.", "Cancelé tu pedido.",
		"ya cancelé tu compra", "acabo de enviar", "Acabo de enviarte el correo.", "Te mandé el correo con el acceso.",
		"Ya te envié el recibo.", "Ya te di de baja.", "Te di de baja de la lista.", "He cancelado tu pedido.",
		"Hemos eliminado tus datos.", "Tu pedido fue cancelado.", "Tu número ha sido eliminado.",
		"Ya quedó cancelado.", "Ya te reembolsé.", "Ya activé tu cuenta.", "Acabamos de procesar tu reembolso.",
		// English.
		"I let our support team know.", "I've reserved your spot.", "I generated a new invoice for you.",
		"Your coupon has been applied.", "I put you on the waiting list.", "All set, your order is canceled.",
		"I've opened a ticket for you.", "I've removed you", "I've removed you from our list.",
		"I have removed your number.", "I just sent", "I just sent you an email.", "I cancelled your order",
		"I canceled it for you.", "I've already refunded your card.", "I deleted your data.",
		"We've deleted your account.", "We have removed your number.", "I updated your address.",
		"I've applied the code to your cart.", "Your order has been cancelled.", "Your number was removed.",
		"You've been unsubscribed.", "You have been removed from the list.", "Your payment was confirmed.",
		"Your refund has been processed.", "You're now off our list.", "I sent the receipt to your email.",
		// Under way, and without a subject.
		"Already refunded your card.", "Your refund is in process.", "The refund's sorted.",
		"Tu reembolso está en camino.", "Tu devolución ya está en proceso.", "O reembolso já está sendo processado.",
		"Seu estorno está em andamento.",
	} {
		if refusal := Check(text, facts); refusal == nil || refusal.Reason != Deed {
			t.Errorf("%q: %v, want Deed", text, refusal)
		}
	}
	for _, text := range []string{
		// What will or can be done, and what the customer did.
		"Posso te ajudar a concluir a compra?", "se você já pagou, pode desconsiderar esta mensagem",
		"Se você já cancelou, sem problemas.", "Você já pagou?", "te mando o link aqui: " + link,
		"Te mandei o link acima, conseguiu abrir?", "Enviei o link na mensagem anterior.",
		"É só abrir o link que te mandei.", "Segue o link: " + link, "Aqui está o link:\n" + link,
		"Vou te mandar o link por aqui.", "Quer que eu te mande o link?", "Não consigo cancelar a compra por aqui.",
		"Eu não cancelei nada, pode ficar tranquila.", "Ainda não enviei nada, quer o link?",
		"Infelizmente não consigo remover seu cadastro por aqui.",
		"Assim que o pagamento for confirmado, o acesso chega no seu e-mail.",
		"Quando o pagamento foi aprovado, você recebe o acesso.", "O acesso é liberado depois do pagamento.",
		"O curso inclui 62 aulas gravadas.", "Seu carrinho continua guardado.",
		"Vi que o pagamento foi recusado. Posso ajudar?", "Vi que você não terminou a compra. Ficou alguma dúvida?",
		"Notei que a compra não foi concluída. Está tudo bem por aí?", "Seu pagamento não foi confirmado ainda.",
		"Você recebeu o e-mail com o boleto?", "O PIX foi gerado, falta só pagar.",
		"Passei para saber se ficou alguma dúvida.", "Obrigado por avisar!",
		"Se o boleto foi cancelado, dá para gerar outro no link.", "Tirar dúvidas é comigo mesmo!",
		"Pensei em você hoje: ficou alguma dúvida?", "Para sair da lista, responda PARAR.",
		"Você pode cancelar quando quiser na própria plataforma.", "Mandou bem!",
		"Que bom que você atualizou o cadastro.", "¿Quieres que te envíe el link?", "Te envío el link: " + link,
		"Puedo ayudarte a terminar la compra.", "Si ya pagaste, no hagas caso de este mensaje.",
		"No cancelé nada, tranquila.", "Cuando se confirme el pago, te llega el acceso.",
		"Te mandé el link arriba, ¿pudiste abrirlo?", "Claro, sin prisa.", "¿Pudiste pagar?",
		"Cancele cuando quiera desde la plataforma.", "Para que te envíe el link, dime.",
		"I can help you finish your order.", "If you already paid, please ignore this.", "Here is the link: " + link,
		"I'll send the link here.", "I sent you the link above.", "I noticed you left it in your cart.",
		"I haven't cancelled anything.", "I can't remove you from here, but I can let you know how.",
		"Once your payment is confirmed you get access.", "Your payment was not confirmed yet.",
		"Have you received the email?", "I see the card was declined.", "Você pode gerar um novo boleto na página.",
		"Já vi sua mensagem!", "Once your order is canceled, you can make another.",
		"Ya vi tu mensaje.", "I've got the link right here.", "Would you like me to send the link?",
		"Anything I can help with?", "O reembolso leva até 7 dias.",
		"Once your refund is being processed you get a note.",
	} {
		if refusal := Check(text, facts); refusal != nil {
			t.Errorf("%q: refused as %s", text, refusal.Reason)
		}
	}
}

// TestDeedsOfThePrompt: what the store says that it did may be said.
func TestDeedsOfThePrompt(t *testing.T) {
	text := "Oi! Enviamos o boleto, e também te enviei o boleto por e-mail."
	if refusal := Check(text, Facts{Prompt: "Orientação: diga que eu enviei o boleto por e-mail."}); refusal != nil {
		t.Errorf("refused as %s", refusal.Reason)
	}
	if refusal := Check(text, Facts{Prompt: "Orientação: seja breve."}); refusal == nil || refusal.Reason != Deed {
		t.Errorf("%v, want Deed", refusal)
	}
}
