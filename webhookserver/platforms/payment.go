package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// This file reads how an open payment can be made. Platforms agree on the facts and on no
// name for them, so that every name is understood of every platform.

// The limits that CartRecovery's schema sets.
const (
	maxPixCode    = 1024
	maxBoletoLine = 128
	// leastBoletoLine is how many digits a boleto's number has at least.
	leastBoletoLine = 10
)

// The names of the facts. Of a boleto's two numbers the one that a customer types in comes
// first.
var (
	pixCodeNames = []string{
		"pix_code", "pixCode", "copia_e_cola", "copiaecola", "pix_copia_cola", "pix_copia_e_cola", "pixCopiaECola",
		"pix_emv", "emv", "brcode", "qr_code", "qrCode", "qrcode", "pix_qr_code", "pix_qrcode", "pixQrCode",
		"qr_code_text", "pix", "chave_pix_copia_cola",
	}
	boletoLineNames = []string{
		"digitable_line", "digitableLine", "linha_digitavel", "linhaDigitavel", "typeable_line", "boleto_line",
		"billet_line", "billet_number", "boleto_number", "boleto_barcode", "billet_barcode", "bank_slip_code",
		"bankslip_code", "bank_slip_barcode", "barcode", "barCode", "bar_code", "codigo_barras", "codigoBarras",
		"trans_barcode", "billetBarcode",
	}
	paymentURLNames = []string{
		"boleto_URL", "boleto_url", "boletoUrl", "billet_url", "billetUrl", "bank_slip_url", "bankSlipUrl",
		"bankslip_url", "bankslipUrl", "boleto_link", "link_boleto", "linkBoleto", "trans_bankslip", "pix_url",
		"pixUrl", "payment_url", "paymentUrl", "pix_qrcode", "pix_qr_code", "qr_code_url", "qrCodeUrl", "qrcode_image",
		"qr_code", "qrCode", "qrcode", "url", "link",
	}
	paymentExpiryNames = []string{
		"pix_expiration", "pix_expiration_date", "pixExpirationDate", "pix_expires_at", "boleto_expiry_date",
		"boleto_expiration_date", "billet_expiration", "billet_expiration_date", "bank_slip_expiration", "expires_at",
		"expiresAt", "expiration_date", "expirationDate", "expiration", "due_date", "dueDate", "vencimento",
		"data_vencimento", "dataVencimento", "vencimentoBoleto",
	}
	// paymentObjects are objects of a payment that hold its facts.
	paymentObjects = []string{"pix", "boleto", "billet", "bank_slip", "bankslip", "bankSlip", "slip", "payment"}
)

// paymentOf reads how an open payment can be made: the method that is told, and the facts
// out of the objects and out of the payment objects within them. It is nil unless an event
// starts a recovery, and where nothing is told.
func paymentOf(event *Event, place Place, method string, from ...fields) *v1alpha1.Payment {
	if event.Kind != Abandoned || event.Trigger == v1alpha1.TriggerAbandonedCart {
		return nil
	}
	var all []fields
	for _, each := range from {
		all = append(all, each)
		for _, name := range paymentObjects {
			if inner := each.Inner(name); inner != nil {
				all = append(all, inner)
			}
		}
	}
	made := v1alpha1.Payment{Method: methodOf(method, event.Trigger)}
	if event.Trigger != v1alpha1.TriggerPaymentRefused {
		made.PixCode = firstFact(all, pixCodeNames, pixCodeOf)
		made.BoletoLine = firstFact(all, boletoLineNames, boletoLineOf)
		made.URL = firstFact(all, paymentURLNames, linkOf)
		made.ExpiresAt = expiryOf(all, place)
	}
	if made == (v1alpha1.Payment{}) {
		return nil
	}
	return &made
}

// firstFact reads the first of the named fields that is what is looked for.
func firstFact(from []fields, names []string, read func(lax.Value) string) string {
	for _, each := range from {
		for _, name := range names {
			if fact := read(each.At(name)); fact != "" {
				return fact
			}
		}
	}
	return ""
}

// expiryOf reads until when can be paid.
func expiryOf(from []fields, place Place) *v1alpha1.Timestamp {
	for _, each := range from {
		for _, name := range paymentExpiryNames {
			if at := timestampOf(each.At(name), place); at != nil {
				return at
			}
		}
	}
	return nil
}

func timestampOf(value lax.Value, place Place) *v1alpha1.Timestamp {
	at := timeOf(value, place.Zone)
	if at.IsZero() {
		return nil
	}
	stamp := v1alpha1.NewTimestamp(at)
	return &stamp
}

// pixCodeOf reads what a customer copies into their bank's app. Half of it is of no use, and
// an address is none.
func pixCodeOf(value lax.Value) string {
	text := lax.Clean(value.Text(), maxPixCode+1)
	if len(text) > maxPixCode || len(text) < leastBoletoLine || strings.Contains(text, "://") ||
		strings.HasPrefix(text, "data:") ||
		strings.HasPrefix(text, "{") {
		return ""
	}
	return text
}

// boletoLineOf reads the number of a boleto: digits, with what sets them apart.
func boletoLineOf(value lax.Value) string {
	text := value.Clean(maxBoletoLine + 1)
	digits := 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r != ' ' && r != '.' && r != '-':
			return ""
		}
	}
	if digits < leastBoletoLine || len(text) > maxBoletoLine {
		return ""
	}
	return text
}

// methodOf reads a method of payment by the platform's name for it; without one, by what the
// recovery is about.
func methodOf(name string, trigger v1alpha1.Trigger) v1alpha1.PaymentMethod {
	name = strings.ToLower(name)
	contains := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(name, part) {
				return true
			}
		}
		return false
	}
	switch {
	case trigger == v1alpha1.TriggerPixPending || contains("pix"):
		return v1alpha1.PaymentPix
	case trigger == v1alpha1.TriggerBoletoPending && name == "" || contains("boleto", "billet", "slip"):
		return v1alpha1.PaymentBoleto
	case contains("card", "cart", "credit", "debit"):
		return v1alpha1.PaymentCard
	case trigger == v1alpha1.TriggerBoletoPending:
		return v1alpha1.PaymentBoleto
	case name == "":
		return ""
	}
	return v1alpha1.PaymentOther
}
