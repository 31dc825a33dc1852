package webhookserver

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/watch"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// fenced is a replica: a server with a cache of its own, whose watch of leads can be held.
type fenced struct {
	*Server
	stall *testenv.Stall
}

// newFenced starts one that runs until the spec is over.
func newFenced(wait time.Duration) fenced {
	GinkgoHelper()
	stalling, stall := env.Stalling("cartrecoveries")
	mgr, err := stalling.NewManager(ctrl.Options{Logger: GinkgoLogr})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	wired := options(mgr.GetAPIReader(), mgr.GetClient(), prometheus.NewRegistry())
	wired.Fence, err = fence.New(ctx, mgr.GetCache(), &v1alpha1.CartRecovery{}, wait)
	Expect(err).NotTo(HaveOccurred())
	made, err := New(wired)
	Expect(err).NotTo(HaveOccurred())
	stop := testenv.Run(mgr).Stop
	DeferCleanup(func() {
		stall.Release()
		cancel()
		Expect(stop()).To(Succeed())
	})
	Expect(mgr.GetCache().WaitForCacheSync(ctx)).To(BeTrue())
	_, err = mgr.GetCache().GetInformer(ctx, &v1alpha1.CartRecovery{})
	Expect(err).NotTo(HaveOccurred())
	return fenced{made, stall}
}

// cartOf is a cart of gen's customer, who gives the address, the phone, or both.
func cartOf(product int, at time.Time, mods ...func(*platforms.Event)) platforms.Event {
	event := told(fmt.Sprint("cart-", product), 0, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart),
		func(e *platforms.Event) {
			e.Product, e.TransactionID, e.OccurredAt = platforms.Product{ID: fmt.Sprint(product),
				Name: fmt.Sprint("Curso ", product)}, "", at
		})
	for _, mod := range mods {
		mod(&event)
	}
	return event
}

func purchaseOf(product int, at time.Time, mods ...func(*platforms.Event)) platforms.Event {
	event := cartOf(product, at)
	event.ID, event.Kind, event.Trigger, event.Attribute, event.TransactionID = fmt.Sprint("sale-",
		product), platforms.Purchased, "", true, fmt.Sprint("HP", product)
	for _, mod := range mods {
		mod(&event)
	}
	return event
}

func (r fenced) deliver(ctx context.Context, shop shop, event platforms.Event) outcome {
	GinkgoHelper()
	done, err := r.take(ctx, shop.store, v1alpha1.PlatformHotmart, event)
	Expect(err).NotTo(HaveOccurred(), event.ID)
	return done
}

// open are the names of the leads that are still worked on.
func (s shop) open(ctx context.Context) []string {
	GinkgoHelper()
	var names []string
	for _, each := range s.leads(ctx) {
		if each.Spec.AbandonedAt != nil && lead.Unsold(&each) {
			names = append(names, each.Name)
		}
	}
	return names
}

// leader sees the leads of a shop in the order in which they were written, as the controllers do.
type leader struct {
	shop  shop
	watch watch.Interface
	// stopped are the leads that were made after a purchase that stops them: they are planned
	// with it from their first moment.
	stopped map[string]bool
	known   map[string]v1alpha1.CartRecovery
}

func (s shop) leader(ctx context.Context) *leader {
	GinkgoHelper()
	watching, err := env.Client.Watch(ctx, &v1alpha1.CartRecoveryList{}, client.InNamespace(s.namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watching.Stop)
	return &leader{shop: s, watch: watching, stopped: map[string]bool{}, known: map[string]v1alpha1.CartRecovery{}}
}

// open are the names of the leads that are worked on, once everything was seen.
func (l *leader) open(ctx context.Context) []string {
	GinkgoHelper()
	leads := l.shop.leads(ctx)
	behind := func() bool {
		return slices.ContainsFunc(leads, func(each v1alpha1.CartRecovery) bool {
			return l.known[each.Name].ResourceVersion != each.ResourceVersion
		})
	}
	for behind() {
		var event watch.Event
		Eventually(ctx, l.watch.ResultChan()).Should(Receive(&event))
		l.see(event.Object.(*v1alpha1.CartRecovery))
	}
	return slices.DeleteFunc(l.shop.open(ctx), func(name string) bool { return l.stopped[name] })
}

func (l *leader) see(seen *v1alpha1.CartRecovery) {
	if before, known := l.known[seen.Name]; seen.Spec.AbandonedAt != nil && (!known || before.Spec.AbandonedAt == nil) {
		others := slices.Collect(maps.Values(l.known))
		l.stopped[seen.Name] = lead.StoppedByAny(seen, others, v1alpha1.KillSwitchCustomer) != nil
	}
	l.known[seen.Name] = *seen
}

var _ = Describe("two replicas, each with a cache of its own", func() {
	// wait is long beside what a watch takes, and short beside the spec.
	const wait = 150 * time.Millisecond
	var replicas [2]fenced

	BeforeEach(func() {
		for i := range replicas {
			replicas[i] = newFenced(wait)
		}
	})

	It("have a purchase stop what the other made while its own watch stands still", func(ctx SpecContext) {
		shop := openShop(ctx)
		ours, theirs := replicas[0], replicas[1]
		ours.stall.Hold()
		for product := range 3 {
			Expect(theirs.deliver(ctx, shop, cartOf(product, time.Now())).Result).To(Equal(resultCreated))
		}
		done := ours.deliver(ctx, shop, purchaseOf(9, time.Now()))
		Expect(done.Leads).To(HaveLen(4))
		Expect(shop.open(ctx)).To(BeEmpty())
	})

	It("have a cart start nothing after a purchase that its own cache does not know", func(ctx SpecContext) {
		shop := openShop(ctx)
		leader := shop.leader(ctx)
		ours, theirs := replicas[0], replicas[1]
		ours.stall.Hold()
		theirs.deliver(ctx, shop, purchaseOf(9, time.Now()))
		ours.deliver(ctx, shop, cartOf(1, time.Now()))
		Expect(leader.open(ctx)).To(BeEmpty())
	})

	It("have a purchase that was stored before stop what came since", func(ctx SpecContext) {
		shop := openShop(ctx)
		ours, theirs := replicas[0], replicas[1]
		sale := purchaseOf(9, time.Now())
		ours.deliver(ctx, shop, sale)
		ours.stall.Hold()
		// A lead that a replica made and died before it looked for a purchase.
		left := gen.In(shop.namespace, gen.Lead(time.Now()))
		left.Labels = lead.Labels(shop.store.Name, left.Spec.Customer)
		Expect(env.Client.Create(ctx, left)).To(Succeed())
		Expect(ours.deliver(ctx, shop, sale).Leads).To(ContainElement(left.Name))
		Expect(shop.open(ctx)).To(BeEmpty())
		Expect(theirs.deliver(ctx, shop, sale).Result).To(Equal(resultUnchanged))
	})

	It("have every purchase that was acknowledged stop every cart before and after it, in any order",
		func(ctx SpecContext) {
			random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 1))
			for round := range 12 {
				shop := openShop(ctx)
				leader := shop.leader(ctx)
				at := time.Now()
				events := []platforms.Event{
					cartOf(1, at), cartOf(2, at), cartOf(3, at, byPhoneOnly), cartOf(1, at, byPhoneOnly),
					purchaseOf(4, at), purchaseOf(1, at, byEmailOnly),
				}
				random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				for i := range replicas {
					if random.IntN(2) == 0 {
						replicas[i].stall.Hold()
					}
				}
				var group sync.WaitGroup
				for _, event := range events {
					on := replicas[random.IntN(len(replicas))]
					deliver := func() {
						defer GinkgoRecover()
						on.deliver(ctx, shop, event)
					}
					if random.IntN(2) == 0 {
						deliver()
					} else {
						group.Go(deliver)
					}
				}
				group.Wait()
				Expect(leader.open(ctx)).To(BeEmpty(), "round %d, seed %d: %s", round, GinkgoRandomSeed(),
					order(events))
				for i := range replicas {
					replicas[i].stall.Release()
				}
			}
		})
})

var _ = Describe("a purchase of a Store that was deleted", func() {
	It("is asked for again, and stops its leads once the Store is back", func(ctx SpecContext) {
		shop := openShop(ctx)
		name := shop.post(ctx, hotmart(cartEvent)).Body["lead"]
		made := shop.leads(ctx)[0]
		Expect(made.Spec.ClientID).To(Equal(shop.namespace))
		Expect(made.Spec.ReceivedAt.Time).To(BeTemporally("~", time.Now(), time.Minute))
		cached(ctx, &made)
		again := shop.store.DeepCopy()
		Expect(env.Client.Delete(ctx, shop.store)).To(Succeed())
		Eventually(func() error {
			return hooked.Get(ctx, client.ObjectKeyFromObject(again), &v1alpha1.Store{})
		}).ShouldNot(Succeed())
		body := hotmart(purchaseEvent)
		for _, path := range []string{"/api/webhooks/hotmart/", "/api/webhooks/"} {
			Eventually(func() int {
				return call(ctx, http.MethodPost, path+shop.namespace, body, "X-HOTMART-HOTTOK", hottok).Status
			}).
				Should(Equal(http.StatusServiceUnavailable))
			Expect(call(ctx, http.MethodPost, path+shop.namespace, body).Header.Get("Retry-After")).NotTo(BeEmpty())
		}
		again.ResourceVersion, again.UID = "", ""
		keep(ctx, again)
		got := shop.post(ctx, body)
		Expect(got.Body).To(HaveKeyWithValue("result", "stopped"))
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("lead", name))
		Expect(shop.leads(ctx)).To(HaveLen(1))
	})

	It("is not found where no lead is left", func(ctx SpecContext) {
		Expect(call(ctx, http.MethodPost, "/api/webhooks/hotmart/nobody", hotmart(purchaseEvent)).Status).To(
			Equal(http.StatusNotFound))
	})
})

var _ = Describe("a delivery that names no buyer", func() {
	nobody := change{"data.buyer.phone": nil, "data.buyer.email": nil}

	DescribeTable("and that no lead knows is shown on the Store, and counted",
		func(ctx SpecContext, event, reason string, changes ...change) {
			shop := openShop(ctx)
			before := count("hotmart", resultUnusable)
			for range 2 {
				got := shop.post(ctx, hotmart(event, append(changes, nobody)...))
				Expect(got.Status).To(Equal(http.StatusOK))
				Expect(got.Body).To(And(HaveKeyWithValue("result", "unusable"), HaveKeyWithValue("reason", reason)))
			}
			Expect(count("hotmart", resultUnusable)).To(Equal(before + 2))
			Expect(shop.leads(ctx)).To(BeEmpty())
			Eventually(func(g Gomega) {
				var store v1alpha1.Store
				g.Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(shop.store), &store)).To(Succeed())
				g.Expect(store.Status.LastUnusableDelivery).To(And(Not(BeNil()), HaveField("Reason", reason),
					HaveField("Event", event)))
			}).Should(Succeed())
		},
		Entry("a purchase", purchaseEvent, v1alpha1.UnusableNoSale),
		Entry("a refund", refundEvent, v1alpha1.UnusableNoSale),
		Entry("a purchase without a sale", purchaseEvent, v1alpha1.UnusableNoCustomer,
			change{"data.purchase.transaction": nil}),
	)

	It("is of the buyer of its transaction", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.post(ctx, hotmart(cartEvent))
		Expect(shop.post(ctx, hotmart(purchaseEvent)).Body).To(HaveKeyWithValue("result", "stopped"))
		got := shop.post(ctx, hotmart(refundEvent, nobody, change{"data.product": map[string]any{}}))
		Expect(got.Body).To(HaveKeyWithValue("result", "reversed"), got.Raw)
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Reversal.TransactionID", "HP1")))
	})

	It("is of the buyer of its transaction while the watch stands still", func(ctx SpecContext) {
		shop, theirs := openShop(ctx), newFenced(50*time.Millisecond)
		theirs.stall.Hold()
		at := time.Now()
		theirs.deliver(ctx, shop, purchaseOf(1, at))
		refund := purchaseOf(1, at.Add(time.Minute), func(e *platforms.Event) {
			e.ID, e.Kind, e.Customer, e.Product = "refund", platforms.Reversed, platforms.Customer{},
				platforms.Product{}
		})
		Expect(theirs.deliver(ctx, shop, refund).Result).To(Equal(resultReversed))
	})

	It("stops the lead that knows its transaction", func(ctx SpecContext) {
		shop, theirs := openShop(ctx), newFenced(50*time.Millisecond)
		at := time.Now()
		cart := purchaseOf(1, at, func(e *platforms.Event) {
			e.ID, e.Kind, e.Trigger, e.Attribute = "cart", platforms.Abandoned, v1alpha1.TriggerAbandonedCart, false
		})
		Expect(theirs.deliver(ctx, shop, cart).Result).To(Equal(resultCreated))
		bought := purchaseOf(1, at.Add(time.Minute), func(e *platforms.Event) {
			e.Kind, e.Attribute, e.Customer, e.Missing = platforms.Unusable, false, platforms.Customer{}, "data.buyer"
		})
		Expect(theirs.deliver(ctx, shop, bought).Result).To(Equal(resultStopped))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Purchase.TransactionID", bought.TransactionID)))
	})
})
