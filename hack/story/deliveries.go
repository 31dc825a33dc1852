package story

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Kiwify signs with HMAC-SHA1
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// The secrets of config/samples/secret.yaml.
const (
	hottok      = "sample-hottok"
	kiwifyToken = "sample-kiwify-token"
	eduzzKey    = "sample-eduzz-key"
)

// customer of a cart.
type customer struct{ name, email, phone string }

// delivery is one webhook of a sales platform, signed as that platform signs.
type delivery struct {
	platform string
	body     []byte
	query    url.Values
	header   http.Header
}

func hotmart(event string, who customer, more map[string]any) (delivery, error) {
	data := map[string]any{
		"product": map[string]any{"id": 1001, "name": "Curso de Violão"},
		"buyer": map[string]any{"name": who.name, "email": who.email, "phone": who.phone,
			"checkout_phone": who.phone},
	}
	maps.Copy(data, more)
	body, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("demo-%d", time.Now().UnixNano()), "creation_date": time.Now().UnixMilli(),
		"event": event, "version": "2.0.0", "data": data,
	})
	return delivery{platform: "hotmart", body: body, header: http.Header{"X-Hotmart-Hottok": {hottok}}}, err
}

func kiwify(fields map[string]any) (delivery, error) {
	body, err := json.Marshal(fields)
	mac := hmac.New(sha1.New, []byte(kiwifyToken))
	mac.Write(body)
	return delivery{platform: "kiwify", body: body, query: url.Values{"signature": {hex.EncodeToString(mac.Sum(nil))}}},
		err
}

func kiwifyCart(who customer) (delivery, error) {
	return kiwify(map[string]any{
		"id": "demo-cart-kiwify", "status": "abandoned", "name": who.name, "email": who.email, "phone": who.phone,
		"country": "br", "product_id": "violao-turma-7", "product_name": "Curso de Violão", "checkout_link": "aBcD123",
		"store_id": "demo", "created_at": time.Now().UTC().Format(time.RFC3339Nano),
	})
}

func kiwifyPaid(who customer) (delivery, error) {
	return kiwify(map[string]any{
		"order_id": "demo-order-kiwify", "order_status": "paid", "webhook_event_type": "order_approved",
		"payment_method": "pix", "Product": map[string]any{"product_id": "violao-turma-7",
			"product_name": "Curso de Violão"},
		"Customer":    map[string]any{"full_name": who.name, "email": who.email, "mobile": who.phone},
		"Commissions": map[string]any{"charge_amount": 29700, "currency": "BRL"},
		"updated_at":  time.Now().UTC().Format("2006-01-02 15:04"),
	})
}

func eduzz(event string, data map[string]any) (delivery, error) {
	body, err := json.Marshal(map[string]any{
		"id": "demo-" + event, "event": event, "sentDate": time.Now().UTC().Format(time.RFC3339Nano), "data": data,
	})
	mac := hmac.New(sha256.New, []byte(eduzzKey))
	mac.Write(body)
	return delivery{platform: "eduzz", body: body,
		header: http.Header{"X-Signature": {hex.EncodeToString(mac.Sum(nil))}}}, err
}

func eduzzCart(who customer) (delivery, error) {
	return eduzz("sun.cart_abandonment", map[string]any{
		"customer":  map[string]any{"name": who.name, "email": who.email, "phone": who.phone},
		"productId": []string{"2001"}, "saleRecoveryUrl": "https://sun.eduzz.com/c_demo",
		"updatedAt": time.Now().UTC().Format(time.RFC3339Nano), "transactionId": "demo",
	})
}

func eduzzPaid(who customer) (delivery, error) {
	return eduzz("myeduzz.invoice_paid", map[string]any{
		"id": "demo-invoice", "status": "paid",
		"buyer": map[string]any{"name": who.name, "email": who.email, "cellphone": who.phone},
		"items": []any{map[string]any{"productId": "2001", "name": "Curso de Violão"}},
		"paid":  map[string]any{"currency": "BRL", "value": 297.0},
	})
}

// post posts a delivery and returns the status and the answer.
func (d delivery) post(ctx context.Context, base string) (int, string, error) {
	target := base + "/api/webhooks/" + d.platform + "/acme"
	if len(d.query) > 0 {
		target += "?" + d.query.Encode()
	}
	return call(ctx, http.MethodPost, target, d.body, d.header)
}

// call makes a JSON request and returns the status and the answer.
func call(ctx context.Context, method, target string, body []byte, header http.Header) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("build request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	maps.Copy(request.Header, header)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("call the webhook server: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return 0, "", fmt.Errorf("read the answer: %w", err)
	}
	return answer.StatusCode, string(content), nil
}
