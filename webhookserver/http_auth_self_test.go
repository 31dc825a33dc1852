package webhookserver

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
)

var _ = Describe("callers that are asked about with their own tokens", func() {
	It("must be known, and allowed to", func(ctx SpecContext) {
		shop, other := openShop(ctx), openShop(ctx)
		reader := shop.caller(ctx, "get")
		authorizer, err := NewSelfAuthorizer(env.Config)
		Expect(err).NotTo(HaveOccurred())
		for _, forged := range []string{tokenNumber(7), reader[:len(reader)-4] + "AAAA"} {
			_, known, err := authorizer.Authenticate(ctx, forged)
			Expect(err).NotTo(HaveOccurred())
			Expect(known).To(BeFalse())
			allowed, err := authorizer.Authorize(ctx, Caller{}, forged, verbStatus, shop.namespace)
			Expect(err).NotTo(HaveOccurred())
			Expect(allowed).To(BeFalse())
		}
		caller, known, err := authorizer.Authenticate(ctx, reader)
		Expect(err).NotTo(HaveOccurred())
		Expect(known).To(BeTrue())
		Expect(caller.Username).To(HavePrefix("system:serviceaccount:" + shop.namespace + ":backend-"))
		may := func(verb, namespace string) func() (bool, error) {
			return func() (bool, error) { return authorizer.Authorize(ctx, caller, reader, verb, namespace) }
		}
		Eventually(may(verbStatus, shop.namespace)).Should(BeTrue())
		Expect(may(verbConnect, shop.namespace)()).To(BeFalse())
		Expect(may(verbStatus, other.namespace)()).To(BeFalse())
	})
})

// TestSelfAuthorizerBringsTheCallersToken: a question that the operator's own credentials ask is answered for the
// operator, who may do everything.
func TestSelfAuthorizerBringsTheCallersToken(t *testing.T) {
	var brought []string
	status := http.StatusCreated
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		brought = append(brought, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":500}`))
	}))
	defer server.Close()
	authorizer, err := NewSelfAuthorizer(&rest.Config{
		Host: server.URL, BearerToken: "the-operators", Username: "operator", Password: "password",
		TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(server.Certificate())},
	})
	if err != nil {
		t.Fatal(err)
	}
	status = http.StatusInternalServerError
	if _, known, err := authorizer.Authenticate(t.Context(), "callers"); err == nil || known {
		t.Errorf("got %t, %v; want an error where the API server does not answer", known, err)
	}
	allowed, err := authorizer.Authorize(t.Context(), Caller{}, "callers", verbStatus, "shop")
	if err == nil || allowed {
		t.Errorf("got %t, %v; want an error where the API server does not answer", allowed, err)
	}
	got := strings.Join(brought, "\n")
	want := "POST /apis/authentication.k8s.io/v1/selfsubjectreviews Bearer callers\n" +
		"POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews Bearer callers"
	if got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
}

func pemOf(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}
