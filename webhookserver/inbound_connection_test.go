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
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// numbered is an instance of this UID.
func numbered(uid string) *v1alpha1.WhatsAppInstance {
	instance := gen.In("shop", gen.InstanceObject())
	instance.Name, instance.UID = uid, types.UID(uid)
	return instance
}

func TestConnectionsDue(t *testing.T) {
	c := newConnections()
	at := func(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }
	for _, row := range []struct {
		name     string
		instance string
		word     string
		second   int
		want     string
	}{
		{"the first", "a", "connecting", 0, resultRecorded},
		{"again", "a", "connecting", 4, resultUnchanged},
		{"another word", "a", "disconnected", 4, resultGathered},
		{"that again", "a", "disconnected", 4, resultUnchanged},
		{"the first word again", "a", "connecting", 4, resultGathered},
		{"another instance", "b", "connecting", 4, resultRecorded},
		{"no word", "c", "", 4, resultRecorded},
		{"no word again", "c", "", 5, resultUnchanged},
		{"again after a while", "b", "connecting", 9, resultRecorded},
	} {
		if got := c.due(numbered(row.instance), row.word, at(row.second)); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
	if next, waiting := c.next(); !waiting || !next.Equal(at(5)) || len(c.take(at(4))) != 0 {
		t.Errorf("the next is at %s, %v", next, waiting)
	}
	if due := c.take(at(6)); len(due) != 1 || due[0].Name != "a" || len(c.take(at(60))) != 0 {
		t.Errorf("due are %v", due)
	}
	if got := c.due(numbered("a"), "open", at(10)); got != resultGathered {
		t.Errorf("within the pause after the second write: %s", got)
	}
	if c.forget("a"); c.due(numbered("a"), "open", at(10)) != resultRecorded {
		t.Error("what could not be written is not written again")
	}
	for i := range 3 * maxRemembered {
		c.due(numbered(fmt.Sprint(i)), "x", at(i))
	}
	if len(c.last) > maxRemembered+1 {
		t.Errorf("%d are remembered", len(c.last))
	}
}

// TestFlappingConnection: however often a connection comes and goes, it is written for once in
// a pause, and once more at the end.
func TestFlappingConnection(t *testing.T) {
	c, writes := newConnections(), 0
	for i := range 10_000 {
		now := noon.Add(time.Duration(i) * time.Millisecond)
		if c.due(numbered("a"), []string{"open", "close"}[i%2], now) == resultRecorded {
			writes++
		}
		writes += len(c.take(now))
	}
	if writes != 2 {
		t.Errorf("%d writes in ten seconds", writes)
	}
	if next, waiting := c.next(); !waiting || !next.Equal(noon.Add(10*time.Second)) {
		t.Errorf("the last change is lost: %s %v", next, waiting)
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
	change := func(word string) formats.Message {
		return formats.Message{Format: "uazapi", Kind: formats.ConnectionChange, Connection: word}
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

		By("for another word once more, when the pause is over")
		for range 10 {
			Expect(shop.hears(ctx, change("connected")).Result).NotTo(Equal(resultRecorded))
		}
		Expect(annotation(ctx, shop)).To(Equal(first))
		server.askAgain(ctx, time.Now().Add(connectionPause))
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
		Expect(plain(ctx, shop.message("", map[string]any{"EventType": "connection"})).Status).To(
			Equal(http.StatusServiceUnavailable))
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
