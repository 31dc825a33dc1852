package platforms

import (
	"slices"
	"strings"
	"unicode"
)

// commonWords are words for events that platforms, old backends and the tools in between
// write. Each means the same of every platform that does not give it a meaning of its own.
var commonWords = map[string]outcome{
	"paid":                  sold,
	"pago":                  sold,
	"paga":                  sold,
	"pagado":                sold,
	"approved":              sold,
	"aprovado":              sold,
	"aprovada":              sold,
	"aprobado":              sold,
	"order_paid":            sold,
	"order_approved":        sold,
	"order.paid":            sold,
	"orders/paid":           sold,
	"orders_paid":           sold,
	"order/paid":            sold,
	"purchase_approved":     sold,
	"purchase_paid":         sold,
	"sale_approved":         sold,
	"sale_paid":             sold,
	"compra_aprovada":       sold,
	"venda_aprovada":        sold,
	"pagamento_aprovado":    sold,
	"pagamento_confirmado":  sold,
	"payment_approved":      sold,
	"payment_confirmed":     sold,
	"payment_received":      sold,
	"invoice_paid":          sold,
	"pix_paid":              sold,
	"boleto_paid":           sold,
	"billet_paid":           sold,
	"bank_slip_paid":        sold,
	"compra_paga":           sold,
	"venda_paga":            sold,
	"pedido_pago":           sold,
	"pedido_aprovado":       sold,
	"pix_pago":              sold,
	"boleto_pago":           sold,
	"pagamento_recebido":    sold,
	"payment_paid":          sold,
	"payment_succeeded":     sold,
	"charge_paid":           sold,
	"transaction_paid":      sold,
	"transaction_approved":  sold,
	"subscription_paid":     onlyStop,
	"completed":             onlyStop,
	"complete":              onlyStop,
	"purchase_complete":     onlyStop,
	"purchase_completed":    onlyStop,
	"order_completed":       onlyStop,
	"concluido":             onlyStop,
	"concluida":             onlyStop,
	"finalizado":            onlyStop,
	"finalizada":            onlyStop,
	"subscription_renewed":  onlyStop,
	"assinatura_renovada":   onlyStop,
	"refunded":              refunded,
	"refund":                refunded,
	"order_refunded":        refunded,
	"purchase_refunded":     refunded,
	"sale_refunded":         refunded,
	"reembolsado":           refunded,
	"reembolsada":           refunded,
	"reembolso":             refunded,
	"compra_reembolsada":    refunded,
	"estornado":             refunded,
	"estornada":             refunded,
	"chargeback":            chargedBack,
	"chargedback":           chargedBack,
	"charged_back":          chargedBack,
	"purchase_chargeback":   chargedBack,
	"sale_chargeback":       chargedBack,
	"purchase_protest":      chargedBack,
	"dispute":               chargedBack,
	"pix_expired":           paymentExpired,
	"pix_expirado":          paymentExpired,
	"boleto_expired":        paymentExpired,
	"boleto_expirado":       paymentExpired,
	"billet_expired":        paymentExpired,
	"bank_slip_expired":     paymentExpired,
	"purchase_expired":      paymentExpired,
	"payment_expired":       paymentExpired,
	"invoice_expired":       paymentExpired,
	"order_expired":         paymentExpired,
	"expired":               paymentExpired,
	"expirado":              paymentExpired,
	"expirada":              paymentExpired,
	"boleto_vencido":        paymentExpired,
	"abandoned_cart":        cartLeft,
	"cart_abandoned":        cartLeft,
	"cart_abandonment":      cartLeft,
	"abandoned_checkout":    cartLeft,
	"checkout_abandoned":    cartLeft,
	"checkout_abandonment":  cartLeft,
	"carrinho_abandonado":   cartLeft,
	"checkout_abandonado":   cartLeft,
	"abandono_de_carrinho":  cartLeft,
	"abandono_de_checkout":  cartLeft,
	"ping":                  pinged,
	"test":                  pinged,
	"teste":                 pinged,
	"webhook_test":          pinged,
	"webhook.test":          pinged,
	"endpoint.verification": pinged,
}

// pinged is a test of the webhook and nothing else.
var pinged = outcome{kind: Ignored, reason: reasonPing}

// commonMeaning looks a word up that a platform gives no meaning of its own; unknown where
// nobody does.
func commonMeaning(word string) outcome {
	for _, spelled := range [...]string{strings.ToLower(strings.TrimSpace(word)), plainWord(word)} {
		if meaning, found := commonWords[spelled]; found {
			return meaning
		}
	}
	return unknown
}

// plainWord is a word as the tables spell it, however it is put together: "Purchase Approved",
// "purchase.approved" and "purchaseApproved" are purchase_approved.
func plainWord(word string) string {
	var plain strings.Builder
	small := false
	for _, r := range strings.TrimSpace(word) {
		if r == ' ' || r == '.' || r == '-' || r == '/' || r == ':' {
			r = '_'
		}
		if small && unicode.IsUpper(r) {
			plain.WriteByte('_')
		}
		small = unicode.IsLower(r)
		plain.WriteRune(withoutAccent(unicode.ToLower(r)))
	}
	return plain.String()
}

// withoutAccent is a letter of Portuguese or Spanish without its accent.
func withoutAccent(r rune) rune {
	switch r {
	case 'á', 'à', 'â', 'ã':
		return 'a'
	case 'é', 'ê':
		return 'e'
	case 'í':
		return 'i'
	case 'ó', 'ô', 'õ':
		return 'o'
	case 'ú', 'ü':
		return 'u'
	case 'ç':
		return 'c'
	}
	return r
}

// meaningOf looks up what a platform's own word for an event means.
func meaningOf(table map[string]outcome, word string) outcome {
	for _, spelled := range [...]string{strings.ToLower(strings.TrimSpace(word)), plainWord(word)} {
		if meaning, found := table[spelled]; found {
			return meaning
		}
	}
	return commonMeaning(word)
}

// Words returns the words that mean the same of every platform, by what they do, for the
// documentation.
func Words() []Row {
	var rows []Row
	for _, word := range sortedKeys(commonWords) {
		rows = append(rows, Row{Event: quoted(word), Meaning: commonWords[word].event("", "").words()})
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return rank(a) - rank(b) })
	return rows
}
