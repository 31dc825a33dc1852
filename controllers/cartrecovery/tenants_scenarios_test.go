package cartrecovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/simulator"
)

// absurdUsage is a chat completion that says it cost more tokens than fit into a number.
const absurdUsage = `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant",` +
	`"content":"Oi! Posso ajudar?"},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":4611686018427387904,"completion_tokens":4611686018427387904}}`

const (
	badLeads  = 20
	goodLeads = 3
	// workers are those of the replica: half of them for a namespace, a quarter for a number or Store.
	workers = 8
	// patient is how long the specs wait for thirty messages on a busy machine: what is bounded is how many
	// workers a tenant holds, not how long that takes.
	patient = time.Minute
)

// attack is what one tenant does. Its faults hold until held is closed, which is after the specs' end.
type attack struct {
	name  string
	begin func(bad *world, held <-chan struct{})
	// beside is what it does while the others are served, until they are; nil for nothing.
	beside func(bad *world, served <-chan struct{})
	// check says what must hold of the tenant itself when all others were served.
	check func(bad *world)
}

var attacks = []attack{
	{"an AI that tells more tokens than a number holds", func(bad *world, _ <-chan struct{}) {
		bad.openai.Fail(http.StatusOK, absurdUsage, nil, -1)
	}, nil, func(bad *world) {
		Eventually(bad.sent).WithTimeout(patient).Should(HaveLen(badLeads), "its own messages go as well")
		for n := 1; n <= badLeads; n++ {
			Expect(bad.lead(fmt.Sprintf("hotmart-%d", n)).Status.TokensUsed).To(BeNumerically(">", 0))
		}
	}},
	{"a gateway that hangs", func(bad *world, held <-chan struct{}) {
		for _, path := range []string{sendPath, findPath} {
			bad.whatsapp.Fail(simulator.Fault{Path: path, Times: -1, HoldUntil: held})
		}
	}, nil, func(bad *world) {
		Expect(bad.calling.atMost()).To(BeNumerically("<=", workers/4), "no more workers wait for one number")
	}},
	{"an AI that hangs, for many Stores", func(bad *world, held <-chan struct{}) {
		bad.openai.HoldUntil(held)
		for n := range 4 {
			name := fmt.Sprintf("store-%d", n)
			store := gen.In(bad.namespace, gen.StoreObject(steps(v1alpha1.Step{Name: "first", After: after(soonDue)})))
			store.Name, store.Spec.ClientID = name, name
			store.Spec.AI = v1alpha1.AISettings{
				BaseURL: bad.aiServer.URL() + "/v1", APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "ai",
					Key: "key"},
			}
			bad.create(store)
			bad.pair(name, func(i *v1alpha1.WhatsAppInstance) { i.Spec.StoreRef.Name = name })
			bad.abandon(from(500+n), inStore(name))
		}
	}, nil, func(bad *world) {
		Expect(bad.asking.atMost()).To(BeNumerically("<=", workers/2), "no more writers wait for one namespace")
	}},
	{"a gateway that repeats the token", func(bad *world, _ <-chan struct{}) {
		token := bad.token(gen.Instance)
		bad.whatsapp.Fail(simulator.Fault{
			Path: sendPath, Times: -1, Status: http.StatusOK, Body: fmt.Sprintf(`{"messageid":%q,"status":%q}`, token,
				token),
		})
	}, nil, func(bad *world) {
		token := bad.token(gen.Instance)
		for n := 1; n <= badLeads; n++ {
			Expect(json.Marshal(bad.lead(fmt.Sprintf("hotmart-%d", n)))).NotTo(ContainSubstring(token))
		}
	}},
	{"headers of 3 MB", func(bad *world, _ <-chan struct{}) {
		bad.whatsapp.Fail(simulator.Fault{
			Path: sendPath, Times: -1, Status: http.StatusOK, Body: `{"messageid":"A"}`,
			Header: http.Header{"X-Padding": {strings.Repeat("x", 3<<20)}},
		})
	}, nil, func(bad *world) {
		for n := 1; n <= badLeads; n++ {
			Expect(bad.state(fmt.Sprintf("hotmart-%d", n), gen.FirstID)()).NotTo(Equal(v1alpha1.MessageSent))
		}
	}},
	{"a Store that names a Secret which is for somebody else", func(bad *world, _ <-chan struct{}) {
		bad.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: bad.namespace, Name: "billing",
				Annotations: map[string]string{v1alpha1.AnnotationAllowedHosts: "api.billing.example"},
			},
			StringData: map[string]string{"key": "of the billing"},
		})
		store := gen.In(bad.namespace, gen.StoreObject(steps(v1alpha1.Step{Name: "first", After: after(soonDue)})))
		store.Name, store.Spec.ClientID = "thief", "thief"
		store.Spec.AI = v1alpha1.AISettings{
			BaseURL: bad.aiServer.URL() + "/v1", APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "billing",
				Key: "key"},
		}
		bad.create(store)
		bad.pair("thief", func(i *v1alpha1.WhatsAppInstance) { i.Spec.StoreRef.Name = "thief" })
		bad.abandon(from(600), inStore("thief"))
	}, nil, func(bad *world) {
		// It is the first of its leads.
		Eventually(bad.blocked("hotmart-1")).WithTimeout(patient).Should(Equal(v1alpha1.ReasonSecretNotAllowed))
	}},
	{"a customer who never stops", func(*world, <-chan struct{}) {}, func(bad *world, served <-chan struct{}) {
		Eventually(bad.state("hotmart-1", gen.FirstID)).WithTimeout(patient).Should(Equal(v1alpha1.MessageSent))
		text := strings.Repeat("E se eu pagar depois? ", 90)
		answers := func() int { return len(bad.lead("hotmart-1").Status.AnsweredAt) }
		// Some of it at least, also where the others are served before it begins.
		for n := 0; n < 3 || !isClosed(served); n++ {
			bad.says("hotmart-1", fmt.Sprintf("in-%d", n), text)
			if n%3 == 2 {
				// The next one is written once that one is answered, or never will be.
				before := answers()
				Eventually(func() bool {
					return answers() > before || before == policy.DefaultMaxAnswersPerHour || isClosed(served)
				}).
					WithTimeout(patient).Should(BeTrue())
			}
		}
	}, func(bad *world) {
		Eventually(func() []v1alpha1.Timestamp { return bad.lead("hotmart-1").Status.AnsweredAt }).ShouldNot(BeEmpty())
		status := bad.lead("hotmart-1").Status
		Expect(len(status.AnsweredAt)).To(BeNumerically("<=", policy.DefaultMaxAnswersPerHour))
		stored, err := json.Marshal(status.Conversation)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(stored)).To(BeNumerically("<", 2*v1alpha1.MaxConversationBytes))
	}},
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// token is the gateway's token of an instance.
func (w *world) token(instance string) string {
	GinkgoHelper()
	for _, each := range w.whatsapp.Instances() {
		if each.Name == w.namespace+"."+instance {
			return each.Token
		}
	}
	Fail("the instance " + instance + " is not at the gateway")
	return ""
}

// tenants are a bad world and nine good ones, and one operator for all.
func tenants() (bad *world, good []*world) {
	GinkgoHelper()
	bad = newWorld()
	for range 9 {
		good = append(good, newWorld())
	}
	bad.neighbours = good
	return bad, good
}

// served makes leads in all good worlds and waits until each got its one message.
func served(good []*world) {
	GinkgoHelper()
	for _, w := range good {
		for n := range goodLeads {
			w.abandon(from(n))
		}
	}
	for i, w := range good {
		Eventually(w.sent).WithTimeout(patient).Should(HaveLen(goodLeads), "tenant %d", i)
		for track, times := range w.trackIDs() {
			Expect(times).To(Equal(1), "message %s of tenant %d", track, i)
		}
	}
}

var _ = Describe("Ten tenants", func() {
	attacked := func(those []attack) {
		bad, good := tenants()
		held := make(chan struct{})
		DeferCleanup(func() { close(held) })
		for _, each := range those {
			each.begin(bad, held)
		}
		for n := range badLeads {
			bad.abandon(from(100 + n))
		}
		bad.start(func(r *replica) { r.Concurrency, r.Writers = workers, workers })
		done := make(chan struct{})
		var beside sync.WaitGroup
		for _, each := range those {
			if each.beside != nil {
				beside.Go(func() {
					defer GinkgoRecover()
					each.beside(bad, done)
				})
			}
		}
		served(good)
		close(done)
		beside.Wait()
		for _, each := range those {
			each.check(bad)
		}
	}
	for _, each := range attacks {
		It("are served while one has "+each.name, func() { attacked([]attack{each}) })
	}
	It("are served while one has all of it", func() {
		// Of two faults of one call the first counts, and what is not sent is not answered; what each
		// alone leads to is checked above.
		all := make([]attack, 0, len(attacks))
		for _, each := range attacks {
			all = append(all, attack{name: each.name, begin: each.begin, check: func(*world) {}})
		}
		attacked(all)
	})
})

// broken is a gateway whose client has a fault.
type broken struct {
	gateway.Gateway
	panics *atomic.Int32
}

func (b broken) SendText(ctx context.Context, text gateway.Text) (gateway.Receipt, error) {
	if b.panics.Add(-1) >= 0 {
		panic("maria 5511987600001")
	}
	return b.Gateway.SendText(ctx, text)
}

var _ = Describe("A panic", func() {
	It("in a call to the gateway is one message's failure: it is told, looked up, and the others go", func() {
		w := newWorld()
		left := &atomic.Int32{}
		left.Store(1)
		w.start(func(r *replica) {
			r.Connector.Types[v1alpha1.GatewayUAZAPI] = uazapi.Type().With(func(client *http.Client,
				endpoint gateway.Endpoint) (gateway.Gateway, error) {
				made, err := uazapi.New(client, endpoint)
				return broken{made, left}, err
			})
		})
		first := w.abandon()
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonInternalError))
		Expect(w.state(first, gen.FirstID)()).To(Equal(v1alpha1.MessageClaimed))
		second := w.abandon(from(2))
		Eventually(w.state(second, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(11 * plan.Grace / 10)
		Eventually(w.state(first, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.trackIDs()).To(HaveKeyWithValue(lead.TrackID(first, gen.FirstID), 1))
	})

	It("in the work on one lead is an event on it, and the others are worked on", func() {
		w := newWorld()
		first := w.abandon()
		second := w.abandon(from(2))
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if recovery.Name == first && kind == claims {
				panic("maria 5511987600001")
			}
			return write()
		}))
		Eventually(w.state(second, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonInternalError))
		Expect(w.state(first, gen.FirstID)()).To(BeEmpty())
	})
})
