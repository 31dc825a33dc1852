package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// stranger returns a client with connections of its own.
func stranger() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: forgers,
		MaxConnsPerHost: forgers}}
}

func post(ctx context.Context, by *http.Client, url, body string, headers ...string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("build a request: %w", err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := by.Do(request)
	if err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// forged posts carts with a wrong token.
func forged(ctx context.Context, t *target) string {
	by := stranger()
	return flood(ctx, func(ctx context.Context) (int, error) {
		return post(ctx, by, t.url+"/api/webhooks/hotmart/"+client, cart(1), "X-HOTMART-HOTTOK", "guessed")
	})
}

// webhooks are the paths of each platform in turn, and of the URL that finds the platform out.
func webhooks() []string {
	var paths []string
	for _, name := range attacked() {
		paths = append(paths, "webhooks/"+string(name)+"/"+client)
	}
	return append(paths, "webhooks/"+client)
}

// forgedBare posts carts whose credential would be in the body, to each platform in turn and to the URL
// that finds the platform out.
func forgedBare(ctx context.Context, t *target) string {
	by, n := stranger(), atomic.Int64{}
	paths := webhooks()
	body := hostile(8 << 10)
	return flood(ctx, func(ctx context.Context) (int, error) {
		return post(ctx, by, t.url+"/api/"+paths[int(n.Add(1))%len(paths)], body)
	})
}

// largeForged posts the largest body that is taken, of the kind that costs most to read.
func largeForged(ctx context.Context, t *target) string {
	by, n := stranger(), atomic.Int64{}
	paths := append(webhooks(), "whatsapp/webhook")
	bodies := []string{hostile(64 << 10), hostile(1<<20 - 1)}
	return flood(ctx, func(ctx context.Context) (int, error) {
		at := int(n.Add(1))
		return post(ctx, by, t.url+"/api/"+paths[at%len(paths)], bodies[at/len(paths)%len(bodies)])
	})
}

// hostile is a body of many small fields.
func hostile(size int) string {
	var body strings.Builder
	body.WriteByte('{')
	for i := 0; body.Len() < size-20; i++ {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`"k` + strconv.Itoa(i) + `":1`)
	}
	body.WriteByte('}')
	return body.String()
}

// anonymousConnect calls connect with tokens that look like tokens.
func anonymousConnect(ctx context.Context, t *target) string {
	by, n := stranger(), atomic.Int64{}
	encode := base64.RawURLEncoding.EncodeToString
	return flood(ctx, func(ctx context.Context) (int, error) {
		claims := fmt.Sprintf(`{"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:a:%d"}`, n.Add(1))
		forged := encode([]byte(`{"alg":"RS256","kid":"x"}`)) + "." + encode([]byte(claims)) + "." +
			encode([]byte("signature"))
		return post(ctx, by, t.url+"/api/whatsapp/connect/"+client, "", "Authorization", "Bearer "+forged)
	})
}
