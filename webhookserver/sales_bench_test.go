package webhookserver

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// stubClient has one Store with its clientID and its Secret, and stores everything in no time.
type stubClient struct {
	client.Client
	store v1alpha1.Store
	// leads are those that are found, whatever is asked for.
	leads []v1alpha1.CartRecovery
	// created is called with what is created, where there is one.
	created func(client.Object)
}

func (c *stubClient) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if stores, isStores := list.(*v1alpha1.StoreList); isStores {
		stores.Items = []v1alpha1.Store{c.store}
	}
	if leads, isLeads := list.(*v1alpha1.CartRecoveryList); isLeads {
		leads.Items = slices.Clone(c.leads)
	}
	return nil
}

func (c *stubClient) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	if secret, isSecret := object.(*corev1.Secret); isSecret {
		secret.Data = map[string][]byte{"hotmart": []byte("a-secret")}
		return nil
	}
	if claim, isClaim := object.(*v1alpha1.ClientIDClaim); isClaim {
		claim.Spec.Namespace = c.store.Namespace
		return nil
	}
	return apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("cartrecoveries").GroupResource(), key.Name)
}

func (c *stubClient) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	if c.created != nil {
		c.created(object)
	}
	return nil
}

func (c *stubClient) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return nil
}

func (c *stubClient) Status() client.SubResourceWriter { return stubStatus{} }

// stubStatus stores every status in no time.
type stubStatus struct{ client.SubResourceWriter }

func (stubStatus) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return nil
}

const benchmarkCart = `{"id":"0b6f3c1e-7a54-4a0e-9d0c-2f6f3e1d5a01","creation_date":1767366245123,` +
	`"event":"PURCHASE_OUT_OF_SHOPPING_CART","version":"2.0.0","data":{"affiliate":false,"offer":{"code":"n82b9jqz"},` +
	`"product":{"id":1001,"name":"Curso de Violão"},"checkout_country":{"iso":"BR","name":"Brasil"},` +
	`"buyer":{"name":"Maria Souza","email":"maria@example.com","phone":"11987654321"}}}`

const benchmarkPurchase = `{"id":"0b6f3c1e-7a54-4a0e-9d0c-2f6f3e1d5a02","creation_date":1767366255123,` +
	`"event":"PURCHASE_APPROVED","version":"2.0.0","data":{"product":{"id":1001,"name":"Curso de Violão"},` +
	`"buyer":{"name":"Maria Souza","email":"maria@example.com","phone":"11987654321"},` +
	`"purchase":{"transaction":"HP1","status":"APPROVED","payment":{"type":"CREDIT_CARD"},` +
	`"price":{"value":149.9,"currency_value":"BRL"}}}}`

// BenchmarkHotmartCart is one abandoned cart through routes, authentication, parsing and
// decision, without the API server.
func BenchmarkHotmartCart(b *testing.B) {
	benchmarkDelivery(b, stubOptions(b), benchmarkCart, resultCreated)
}

// BenchmarkHotmartKnownCart is a cart whose lead exists and learns nothing of it.
func BenchmarkHotmartKnownCart(b *testing.B) {
	options := stubOptions(b)
	known := options.Client.(*stubClient)
	known.leads = []v1alpha1.CartRecovery{createdBy(b, options, benchmarkCart)}
	benchmarkDelivery(b, options, benchmarkCart, resultUnchanged)
}

// BenchmarkHotmartPurchase is a purchase that stops the lead of a cart.
func BenchmarkHotmartPurchase(b *testing.B) {
	options := stubOptions(b)
	known := options.Client.(*stubClient)
	known.leads = []v1alpha1.CartRecovery{createdBy(b, options, benchmarkCart)}
	benchmarkDelivery(b, options, benchmarkPurchase, resultStopped)
}

// createdBy is the lead that a delivery makes.
func createdBy(b *testing.B, options Options, body string) v1alpha1.CartRecovery {
	b.Helper()
	var made v1alpha1.CartRecovery
	stub := options.Client.(*stubClient)
	stub.created = func(object client.Object) {
		if recovery, isLead := object.(*v1alpha1.CartRecovery); isLead {
			recovery.DeepCopyInto(&made)
		}
	}
	defer func() { stub.created = nil }()
	deliverBody(b, benchmarkServer(b, options), &fasthttp.RequestCtx{}, body, resultCreated)
	return made
}

func benchmarkServer(b *testing.B, options Options) fasthttp.RequestHandler {
	b.Helper()
	options.Clock = clocktesting.NewFakePassiveClock(time.UnixMilli(1767366245123).Add(time.Minute))
	s, err := New(options)
	if err != nil {
		b.Fatal(err)
	}
	return s.app.Handler()
}

func benchmarkDelivery(b *testing.B, options Options, body, want string) {
	b.Helper()
	handle := benchmarkServer(b, options)
	var request fasthttp.RequestCtx
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		deliverBody(b, handle, &request, body, want)
	}
}

func deliverBody(b *testing.B, handle fasthttp.RequestHandler, request *fasthttp.RequestCtx, body, want string) {
	request.Request.Reset()
	request.Response.Reset()
	request.Request.Header.SetMethod(http.MethodPost)
	request.Request.SetRequestURI("/api/webhooks/hotmart/" + gen.Store)
	request.Request.Header.Set("X-HOTMART-HOTTOK", "a-secret")
	request.Request.Header.SetContentType("application/json")
	request.Request.SetBodyString(body)
	handle(request)
	if !bytes.Contains(request.Response.Body(), []byte(`"`+want+`"`)) {
		b.Fatalf("%d: %s", request.Response.StatusCode(), request.Response.Body())
	}
}
