package platforms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// readySample reads an example of config/samples/platforms, as somebody applies it: the
// platform that its Store describes, and the secret of its Secret.
func readySample(t *testing.T, file string) (Platform, Place, string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", "platforms", file+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(content, []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("%d documents, want a Secret and a Store", len(documents))
	}
	var secret corev1.Secret
	var store v1alpha1.Store
	for i, into := range []any{&secret, &store} {
		if err := yaml.UnmarshalStrict(documents[i], into); err != nil {
			t.Fatal(err)
		}
	}
	entry := &store.Spec.Platforms[0]
	ref := entry.SecretRefs[0]
	if ref.Name != secret.Name || secret.StringData[ref.Key] == "" {
		t.Fatalf("the Store names %+v, the Secret %s has %v", ref, secret.Name, secret.StringData)
	}
	platform, err := Configured(entry)
	if err != nil {
		t.Fatal(err)
	}
	return platform, Place{Region: "BR"}, secret.StringData[ref.Key]
}

// signing is how a platform proves where a delivery comes from.
type signing func(body []byte, secret string) (header, value string)

func base64HMAC(header string) signing {
	return func(body []byte, secret string) (string, string) {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		return header, base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
}

func hexHMAC(header string) signing {
	return func(body []byte, secret string) (string, string) {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		return header, hex.EncodeToString(mac.Sum(nil))
	}
}

func tokenIn(header string) signing {
	return func(_ []byte, secret string) (string, string) { return header, secret }
}

// TestReadySamples: each platform that is described as an example, by a delivery of its own,
// signed as it signs: what each means, and that nobody else is believed.
func TestReadySamples(t *testing.T) {
	lara := Customer{Name: "Lara", Phone: "+5531988776655", Email: "lara.melo@example.com"}
	davi := Customer{Name: "Davi", Phone: "+5531988776655", Email: "davi.rocha@example.com"}
	nina := Customer{Name: "Nina Dias", Phone: "+5531988776655", Email: "nina.dias@example.com"}
	otto := Customer{Name: "Otto Vale", Phone: "+5531988776655", Email: "otto.vale@example.com"}
	ivan := Customer{Name: "Ivan Reis", Phone: "+5531988776655", Email: "ivan.reis@example.com"}
	cactus, filter := Product{"11223344", "Cacto Mini"}, Product{"93", "Filtro de Barro"}
	hammock, backpack := Product{"8899", "Rede de Descanso"}, Product{"4455", "Mochila Serra"}
	club, workshop := Product{"pH7kQ2", "Clube de Leitura"}, Product{"pr-1", "Oficina de Marcenaria"}
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 8, 3, hour, minute, second, 0, time.UTC)
	}
	consent := v1alpha1.NewTimestamp(at(12, 40, 30))
	due := v1alpha1.NewTimestamp(time.Date(2026, 8, 7, 2, 59, 59, 0, time.UTC))
	tested := map[string]bool{}
	const payWoo = "https://loja.example.com/finalizar/order-pay/4812/?key=wc_order_k1"
	for _, test := range []struct {
		sample, delivery string
		change           change
		topic            string
		sign             signing
		want             Event
	}{
		{"shopify", "shopify-cart", nil, "checkouts/create", base64HMAC("X-Shopify-Hmac-Sha256"), Event{
			ID: "998877665544/checkouts/create", Name: "checkouts/create", Kind: Abandoned,
			Trigger: v1alpha1.TriggerAbandonedCart, Customer: lara, Product: cactus, Amount: "309.70", Currency: "BRL",
			TransactionID: "998877665544", OccurredAt: at(12, 41, 12),
			CheckoutURL: "https://loja-do-cacto.example.com/7788/checkouts/ac/77aa/recover?key=9f",
			Consent: &v1alpha1.Consent{Basis: v1alpha1.ConsentOptedIn, Source: "$.customer.sms_marketing_consent",
				At: &consent},
		}},
		{"shopify", "shopify-cart", change{"completed_at": "2026-08-03T09:50:00-03:00"}, "checkouts/update",
			base64HMAC("X-Shopify-Hmac-Sha256"), Event{
				ID: "998877665544/checkouts/update", Name: "checkouts/update", Kind: Ignored, Reason: reasonNotUsed,
			}},
		{"shopify", "shopify-order", nil, "orders/paid", base64HMAC("X-Shopify-Hmac-Sha256"), Event{
			ID: "6677889900112/orders/paid", Name: "orders/paid", Kind: Purchased, Attribute: true, Customer: lara,
			Product: cactus, Amount: "309.70", Currency: "BRL", TransactionID: "6677889900112",
			OccurredAt: at(13, 0, 5), Consent: &v1alpha1.Consent{Basis: v1alpha1.ConsentOptedOut,
				Source: "$.buyer_accepts_marketing"},
		}},
		{"shopify", "shopify-refund", nil, "refunds/create", base64HMAC("X-Shopify-Hmac-Sha256"), Event{
			ID: "509562969/refunds/create", Name: "refunds/create", Kind: Reversed, TransactionID: "6677889900112",
			OccurredAt: time.Date(2026, 8, 6, 14, 0, 0, 0, time.UTC),
		}},
		{"shopify", "shopify-order", change{"financial_status": "refunded", "buyer_accepts_marketing": nil},
			"orders/updated",
			base64HMAC("X-Shopify-Hmac-Sha256"), Event{
				ID: "6677889900112/refunded", Name: "refunded", Kind: Reversed, Customer: lara, Product: cactus,
				Amount: "309.70", Currency: "BRL", TransactionID: "6677889900112", OccurredAt: at(13, 0, 5),
			}},
		{"shopify", "shopify-order", change{"financial_status": "pending"}, "orders/create",
			base64HMAC("X-Shopify-Hmac-Sha256"), Event{
				ID: "6677889900112/orders/create", Name: "unmapped", Kind: Ignored, Reason: reasonUnknown,
			}},
		{"woocommerce", "woocommerce-order", change{"status": "pending", "date_paid": nil}, "",
			base64HMAC("X-WC-Webhook-Signature"), Event{
				ID: "4812/pending", Name: "pending", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
				Customer: davi, Product: filter, CheckoutURL: payWoo, Amount: "129.90", Currency: "BRL",
				TransactionID: "4812", OccurredAt: at(12, 45, 10),
			}},
		{"woocommerce", "woocommerce-order", nil, "", base64HMAC("X-WC-Webhook-Signature"), Event{
			ID: "4812/processing", Name: "processing", Kind: Purchased, Attribute: true, Customer: davi,
			Product: filter, CheckoutURL: payWoo, Amount: "129.90", Currency: "BRL", TransactionID: "4812",
			OccurredAt: at(12, 45, 9),
		}},
		{"woocommerce", "woocommerce-order", change{"status": "refunded"}, "", base64HMAC("X-WC-Webhook-Signature"),
			Event{
				ID: "4812/refunded", Name: "refunded", Kind: Reversed, Customer: davi, Product: filter,
				CheckoutURL: payWoo, Amount: "129.90", Currency: "BRL", TransactionID: "4812",
				OccurredAt: at(12, 45, 9),
			}},
		{"nuvemshop", "nuvemshop-cart", nil, "", hexHMAC("X-Linkedstore-HMAC-SHA256"), Event{
			ID: "34567/checkout/abandoned", Name: "checkout/abandoned", Kind: Abandoned,
			Trigger: v1alpha1.TriggerAbandonedCart, Customer: nina, Product: hammock,
			CheckoutURL: "https://loja.example.com/checkout/v3/proxy/34567/ab12", Amount: "178.50",
			Currency: "BRL", TransactionID: "34567", OccurredAt: at(12, 10, 0),
			Consent: &v1alpha1.Consent{Basis: v1alpha1.ConsentOptedOut, Source: "$.order.contact_accepts_marketing"},
		}},
		{"nuvemshop", "nuvemshop-order", nil, "", hexHMAC("X-Linkedstore-HMAC-SHA256"), Event{
			ID: "871254/order/paid", Name: "order/paid", Kind: Purchased, Attribute: true, Customer: nina,
			Product: hammock, Amount: "178.50", Currency: "BRL", TransactionID: "871254", OccurredAt: at(13, 0, 0),
		}},
		{"nuvemshop", "nuvemshop-order", change{"order": absent}, "", hexHMAC("X-Linkedstore-HMAC-SHA256"), Event{
			ID: "871254/order/paid", Name: "order/paid", Kind: Unusable, TransactionID: "871254",
			Missing: "$.order.contact_email | $.contact_email | $.order.customer.email | $.customer.email",
		}},
		{"yampi", "yampi-cart", nil, "", base64HMAC("X-Yampi-Hmac-SHA256"), Event{
			ID: "5511/cart.reminder", Name: "cart.reminder", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
			Customer: otto, Product: backpack,
			CheckoutURL: "https://seguro.loja-da-serra.example.com/cart?cart_token=9f8e", Amount: "249.90",
			OccurredAt: at(12, 20, 0),
		}},
		{"yampi", "yampi-order", nil, "", base64HMAC("X-Yampi-Hmac-SHA256"), Event{
			ID: "90011/order.paid", Name: "order.paid", Kind: Purchased, Attribute: true, Customer: otto,
			Product: backpack, Amount: "249.90", TransactionID: "78287001122", OccurredAt: at(12, 50, 0),
		}},
		{"yampi", "yampi-order", change{"event": "order.status.updated", "resource.status.data.alias": "refunded"}, "",
			base64HMAC("X-Yampi-Hmac-SHA256"), Event{
				ID: "90011/refunded", Name: "refunded", Kind: Reversed, Customer: otto, Product: backpack,
				Amount: "249.90", TransactionID: "78287001122", OccurredAt: at(12, 50, 0),
			}},
		{"hubla", "hubla-cart", nil, "", tokenIn("x-hubla-token"), Event{
			ID: "ld-88/lead.abandoned_checkout", Name: "lead.abandoned_checkout", Kind: Abandoned,
			Trigger: v1alpha1.TriggerAbandonedCart, Customer: Customer{Name: "Rosa Pires", Phone: "+5531988776655",
				Email: "rosa.pires@example.com"}, Product: club,
			CheckoutURL: "https://pay.hub.la/pH7kQ2?ld=88", OccurredAt: at(12, 0, 0),
		}},
		{"hubla", "hubla-invoice", nil, "", tokenIn("x-hubla-token"), Event{
			ID: "in-4411/invoice.payment_succeeded", Name: "invoice.payment_succeeded", Kind: Purchased,
			Attribute: true, Customer: Customer{Name: "Rosa", Phone: "+5531988776655", Email: "rosa.pires@example.com"},
			Product: club, Amount: "59.90", Currency: "BRL", TransactionID: "in-4411", OccurredAt: at(12, 30, 0),
		}},
		{"hubla", "hubla-invoice", change{"type": "invoice.refunded"}, "", tokenIn("x-hubla-token"), Event{
			ID: "in-4411/invoice.refunded", Name: "invoice.refunded", Kind: Reversed,
			Customer: Customer{Name: "Rosa", Phone: "+5531988776655", Email: "rosa.pires@example.com"}, Product: club,
			Amount: "59.90", Currency: "BRL", TransactionID: "in-4411", OccurredAt: at(12, 30, 0),
		}},
		{"guru", "guru-transaction", change{"status": "abandoned", "dates.confirmed_at": nil}, "", nil, Event{
			ID: "9a8b7c6d-0000/abandoned", Name: "abandoned", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
			Customer: ivan, Product: workshop, CheckoutURL: "https://clkdmg.site/subscribe/oficina", Amount: "397.00",
			Currency: "BRL", TransactionID: "9a8b7c6d-0000", OccurredAt: at(12, 0, 0),
		}},
		{"guru", "guru-transaction", change{"status": "billet_printed", "dates.confirmed_at": nil}, "", nil, Event{
			ID: "9a8b7c6d-0000/billet_printed", Name: "billet_printed", Kind: Abandoned,
			Trigger: v1alpha1.TriggerBoletoPending, Customer: ivan, Product: workshop,
			CheckoutURL: "https://clkdmg.site/subscribe/oficina", Amount: "397.00", Currency: "BRL",
			TransactionID: "9a8b7c6d-0000", OccurredAt: at(12, 0, 0),
			Payment: &v1alpha1.Payment{
				Method: v1alpha1.PaymentBoleto, BoletoLine: "34191.79001 01043.510047 91020.150008 5 99990000039700",
				URL: "https://boleto.example.com/9a8b", ExpiresAt: &due,
			},
		}},
		{"guru", "guru-transaction", change{"contact.phone_local_code": "31", "contact.phone_number": "988776655"}, "",
			nil, Event{
				ID: "9a8b7c6d-0000/approved", Name: "approved", Kind: Purchased, Attribute: true, Customer: ivan,
				Product: workshop, CheckoutURL: "https://clkdmg.site/subscribe/oficina", Amount: "397.00",
				Currency: "BRL", TransactionID: "9a8b7c6d-0000", OccurredAt: at(12, 5, 0),
			}},
		{"guru", "guru-transaction", change{"status": "chargeback"}, "", nil, Event{
			ID: "9a8b7c6d-0000/chargeback", Name: "chargeback", Kind: Reversed, Customer: ivan, Product: workshop,
			CheckoutURL: "https://clkdmg.site/subscribe/oficina", Amount: "397.00", Currency: "BRL",
			TransactionID: "9a8b7c6d-0000", OccurredAt: at(12, 5, 0),
		}},
	} {
		tested[test.sample] = true
		t.Run(test.sample+" "+test.want.Name+" "+string(test.want.Kind), func(t *testing.T) {
			platform, place, secret := readySample(t, test.sample)
			body := changed(t, "samples/"+test.delivery+".json", test.change)
			headers := map[string]string{"X-Shopify-Topic": test.topic}
			if test.sign != nil {
				name, value := test.sign(body, secret)
				headers[name] = value
			}
			delivery := Delivery{Body: body, ContentType: "application/json", Header: func(name string) string {
				return headers[name]
			}}
			if err := platform.Verify(delivery, [][]byte{[]byte(secret)}); err != nil {
				t.Fatalf("not believed: %v", err)
			}
			if err := platform.Verify(delivery, [][]byte{[]byte("another")}); !errors.Is(err, ErrBadCredential) {
				t.Errorf("under another secret: %v", err)
			}
			got, err := platform.Parse(delivery, place)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %d events, %v", len(got), err)
			}
			checkEvent(t, got[0])
			checkPrivate(t, got[0])
			if printed(t, got[0]) != printed(t, test.want) {
				t.Errorf("\n got %s\nwant %s", printed(t, got[0]), printed(t, test.want))
			}
		})
	}
	for _, sample := range readySamples(t) {
		if !tested[sample] {
			t.Errorf("config/samples/platforms/%s.yaml has no delivery here", sample)
		}
	}
}

// readySamples are the examples of config/samples/platforms.
func readySamples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "samples", "platforms", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".yaml")
	}
	return files
}

// TestWooCommercePing: WooCommerce tries a URL with a form that is not signed.
func TestWooCommercePing(t *testing.T) {
	platform, _, _ := readySample(t, "woocommerce")
	pinger, pings := platform.(Pinger)
	if !pings || !pinger.IsPing(Delivery{Body: []byte("webhook_id=7"),
		ContentType: "application/x-www-form-urlencoded"}) {
		t.Error("its test of a URL is refused")
	}
	for _, body := range []string{"", "webhook_id=", "webhook_id=7&status=processing", `{"webhook_id":7}`,
		"webhook_id=x"} {
		if pinger.IsPing(Delivery{Body: []byte(body)}) {
			t.Errorf("%q is taken for a test", body)
		}
	}
}
