package webhookserver

import (
	"bytes"
	"context"
	"net/http"
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
	// created is called with what is created, where there is one.
	created func(client.Object)
}

func (c *stubClient) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if stores, isStores := list.(*v1alpha1.StoreList); isStores {
		stores.Items = []v1alpha1.Store{c.store}
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

// BenchmarkHotmartCart is one abandoned cart through routes, authentication, parsing and
// decision, without the API server.
func BenchmarkHotmartCart(b *testing.B) {
	options := stubOptions(b)
	options.Clock = clocktesting.NewFakePassiveClock(time.UnixMilli(1767366245123).Add(time.Minute))
	s, err := New(options)
	if err != nil {
		b.Fatal(err)
	}
	handle := s.app.Handler()
	var request fasthttp.RequestCtx
	b.SetBytes(int64(len(benchmarkCart)))
	b.ReportAllocs()
	for b.Loop() {
		request.Request.Reset()
		request.Response.Reset()
		request.Request.Header.SetMethod(http.MethodPost)
		request.Request.SetRequestURI("/api/webhooks/hotmart/" + gen.Store)
		request.Request.Header.Set("X-HOTMART-HOTTOK", "a-secret")
		request.Request.Header.SetContentType("application/json")
		request.Request.SetBodyString(benchmarkCart)
		handle(&request)
		if !bytes.Contains(request.Response.Body(), []byte(`"created"`)) {
			b.Fatalf("%d: %s", request.Response.StatusCode(), request.Response.Body())
		}
	}
}
