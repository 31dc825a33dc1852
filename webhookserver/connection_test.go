package webhookserver

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

func TestConnectionsDue(t *testing.T) {
	c := newConnections()
	for _, row := range []struct {
		name     string
		instance types.UID
		word     string
		second   int
		want     bool
	}{
		{"the first", "a", "connecting", 0, true},
		{"again", "a", "connecting", 4, false},
		{"another word", "a", "disconnected", 4, true},
		{"the first word again", "a", "connecting", 4, true},
		{"another instance", "b", "connecting", 4, true},
		{"no word", "b", "", 4, true},
		{"no word again", "b", "", 5, false},
		{"again after a while", "a", "connecting", 9, true},
	} {
		if got := c.due(row.instance, row.word, noon.Add(time.Duration(row.second)*time.Second)); got != row.want {
			t.Errorf("%s: got %v", row.name, got)
		}
	}
	if c.forget("a"); !c.due("a", "connecting", noon.Add(9*time.Second)) {
		t.Error("what could not be written is not written again")
	}
	for i := range 3 * maxRemembered {
		c.due(types.UID(fmt.Sprint(i)), "x", noon.Add(time.Duration(i)*time.Second))
	}
	if len(c.last) > maxRemembered+1 {
		t.Errorf("%d are remembered", len(c.last))
	}
}

var _ = Describe("a change of the connection", func() {
	annotation := func(ctx context.Context, s phoneShop) string {
		GinkgoHelper()
		var instance v1alpha1.WhatsAppInstance
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(s.instance), &instance)).To(Succeed())
		Expect(instance.Status.Phase).To(Equal(v1alpha1.InstanceConnected))
		return instance.Annotations[v1alpha1.AnnotationConnectionChanged]
	}
	change := func(word string) dialects.Message {
		return dialects.Message{Dialect: "uazapi", Kind: dialects.ConnectionChange, Connection: word}
	}

	It("has the gateway asked, and is not believed itself", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		before := time.Now()
		Expect(shop.hears(ctx, change("disconnected")).Result).To(Equal(resultRecorded))
		first := annotation(ctx, shop)
		at, err := time.Parse(time.RFC3339Nano, first)
		Expect(err).NotTo(HaveOccurred())
		Expect(at).To(And(BeTemporally(">=", before.Add(-time.Second)), BeTemporally("<=", time.Now())))

		By("not for the same word again")
		Expect(shop.hears(ctx, change("disconnected")).Result).To(Equal(resultUnchanged))
		Expect(annotation(ctx, shop)).To(Equal(first))

		By("for another word")
		Expect(shop.hears(ctx, change("connected")).Result).To(Equal(resultRecorded))
		Expect(annotation(ctx, shop)).NotTo(Equal(first))
	})

	It("comes from UAZAPI", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		got := plain(ctx, shop.message("", map[string]any{"EventType": "connection"}))
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(HaveKeyWithValue("result", resultRecorded))
		Expect(annotation(ctx, shop)).NotTo(BeEmpty())
	})

	It("is to be told again when it could not be written", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		hooked.before(func(_ context.Context, verb string, object client.Object) error {
			if _, isInstance := object.(*v1alpha1.WhatsAppInstance); isInstance {
				return apierrors.NewServerTimeout(leadResource, verb, 1)
			}
			return nil
		})
		Expect(plain(ctx, shop.message("", map[string]any{"EventType": "connection"})).Status).To(Equal(http.StatusServiceUnavailable))
		hooked.before(nil)
		Expect(plain(ctx, shop.message("", map[string]any{"EventType": "connection"})).Status).To(Equal(http.StatusOK))
		Expect(annotation(ctx, shop)).NotTo(BeEmpty())
	})

	It("of an instance that is gone is ignored", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		gone := shop.instance.DeepCopy()
		gone.Name, gone.UID = "gone", "gone"
		message := change("connected")
		got, err := server.hear(ctx, gone, &message)
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal(ignored(ignoredNoInstance)))
	})
})
