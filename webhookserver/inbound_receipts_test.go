package webhookserver

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/formats"
)

func TestMark(t *testing.T) {
	at := func(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }
	stamp := func(second int) *v1alpha1.Timestamp { value := v1alpha1.NewTimestamp(at(second)); return &value }
	for _, row := range []struct {
		name            string
		mark            mark
		message         v1alpha1.Message
		changed         bool
		delivered, read *v1alpha1.Timestamp
	}{
		{name: "nothing"},
		{name: "delivered", mark: mark{}.with(formats.Delivered, at(1)), changed: true, delivered: stamp(1)},
		{name: "read", mark: mark{}.with(formats.Read, at(2)), changed: true, delivered: stamp(2), read: stamp(2)},
		{name: "both", mark: mark{}.with(formats.Read, at(2)).with(formats.Delivered, at(1)), changed: true,
			delivered: stamp(1), read: stamp(2)},
		{name: "the earlier one", mark: mark{}.with(formats.Delivered, at(2)).with(formats.Delivered,
			at(1)).with(formats.Delivered, at(3)), changed: true, delivered: stamp(1)},
		{name: "neither", mark: mark{}.with("Played", at(1))},
		{name: "known", mark: mark{delivered: at(1)}, message: v1alpha1.Message{DeliveredAt: stamp(5)},
			delivered: stamp(5)},
		{name: "half known", mark: mark{read: at(9)}, message: v1alpha1.Message{DeliveredAt: stamp(5)}, changed: true,
			delivered: stamp(5), read: stamp(9)},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := row.message
			if got := row.mark.on(&message); got != row.changed {
				t.Errorf("changed %t, want %t", got, row.changed)
			}
			want := v1alpha1.Message{DeliveredAt: row.delivered, ReadAt: row.read}
			if diff := cmp.Diff(want, message); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if row.mark.on(&message) {
				t.Error("changed twice")
			}
		})
	}
}

func TestMarkAllOnlyOurs(t *testing.T) {
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent), atTheGateway("g-1", "oi"), heard("m-2"),
		func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[1].GatewayID = "m-2"
		})
	if markAll(recovery, map[string]mark{"m-2": {read: noon}, "": {read: noon}, "g-2": {read: noon}}) {
		t.Errorf("marked %+v", recovery.Status.Conversation)
	}
	if !markAll(recovery, map[string]mark{"g-1": {read: noon}}) || recovery.Status.Conversation[0].ReadAt == nil {
		t.Error("ours was not marked")
	}
}

func TestReceiptsWait(t *testing.T) {
	name := func(i int) types.NamespacedName {
		return types.NamespacedName{Namespace: "shop", Name: fmt.Sprint(i)}
	}
	r := newReceipts(10*time.Second, v1alpha1.MaxConversation)
	if _, waiting := r.due(); waiting {
		t.Error("something waits")
	}
	if _, taken := r.next(); taken != nil {
		t.Error("something was there")
	}
	for i := range 100 {
		addReceipt(r, name(1), "g-1", formats.Delivered, noon.Add(time.Duration(i)),
			noon.Add(time.Duration(i)*time.Second))
	}
	addReceipt(r, name(2), "g-2", formats.Read, noon, noon.Add(3*time.Second))
	addReceipt(r, name(1), "g-1", formats.Read, noon.Add(time.Second), noon.Add(4*time.Second))
	if due, waiting := r.due(); !waiting || !due.Equal(noon.Add(10*time.Second)) {
		t.Errorf("due at %s: later receipts must not put the first one off", due)
	}
	first, taken := r.next()
	if first != name(1) || len(taken.marks) != 1 ||
		taken.marks["g-1"] != (mark{delivered: noon, read: noon.Add(time.Second)}) {
		t.Errorf("first %v %+v", first, taken)
	}
	if second, _ := r.next(); second != name(2) {
		t.Errorf("second %v", second)
	}
}

func TestReceiptsAreBounded(t *testing.T) {
	name := func(i int) types.NamespacedName { return types.NamespacedName{Name: fmt.Sprint(i)} }
	r, dropped := newReceipts(time.Second, v1alpha1.MaxConversation), 0
	for i := range maxReceiptLeads + 25 {
		dropped += addReceipt(r, name(i), "g", formats.Read, noon, noon)
	}
	if dropped != 25 || len(r.leads) != maxReceiptLeads || len(r.order) != maxReceiptLeads {
		t.Errorf("%d dropped, %d and %d wait", dropped, len(r.leads), len(r.order))
	}
	if first, _ := r.next(); first != name(25) {
		t.Errorf("the first is %v: the one that waits longest is dropped", first)
	}
	for i := range 1000 {
		addReceipt(r, name(30), fmt.Sprint(i), formats.Read, noon, noon)
	}
	if got := len(r.leads[name(30)].marks); got > v1alpha1.MaxConversation {
		t.Errorf("%d ids of one lead", got)
	}
}

// ours gives the lead a message that the gateway knows as g-1.
func ours(l *v1alpha1.CartRecovery) { atTheGateway("g-1", "Oi, tudo bem?")(l) }

func receipt(status formats.Status, id string) formats.Message {
	return formats.Message{Format: "uazapi", Kind: formats.Receipt, FromMe: true, ID: id, Status: status,
		Phone: "5511987654321"}
}

// statusWrites counts the patches of leads' statuses in a namespace, from now on.
func statusWrites(namespace string) *atomic.Int32 {
	var writes atomic.Int32
	hooked.before(func(_ context.Context, verb string, object client.Object) error {
		if _, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch status" &&
			object.GetNamespace() == namespace {
			writes.Add(1)
		}
		return nil
	})
	return &writes
}

// receiptsDropped is how many leads' receipts the server says that it dropped.
func receiptsDropped() float64 {
	GinkgoHelper()
	families, err := registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == "cartrecovery_receipts_dropped_total" {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return -1
}

var _ = Describe("receipts", func() {
	It("are stored together, once, however often they come", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		phase := shop.current(ctx).Status.Phase
		writes := statusWrites(shop.namespace)
		delivered, read := receipt(formats.Delivered, "g-1"), receipt(formats.Read, "g-1")
		delivered.At, read.At = time.Now().Add(-3*time.Second).Truncate(time.Second),
			time.Now().Add(-2*time.Second).Truncate(time.Second)
		for range 50 {
			Expect(shop.hears(ctx, delivered).Result).To(Equal(resultGathered))
			Expect(shop.hears(ctx, read).Result).To(Equal(resultGathered))
		}
		Eventually(func() *v1alpha1.Timestamp { return shop.current(ctx).Status.Conversation[0].ReadAt }).ShouldNot(
			BeNil())
		message := shop.current(ctx).Status.Conversation[0]
		Expect(message.DeliveredAt.Time).To(BeTemporally("==", delivered.At))
		Expect(message.ReadAt.Time).To(BeTemporally("==", read.At))
		Expect(shop.lead.Status.Phase).To(Equal(phase))

		cached(ctx, shop.lead)
		for range 100 {
			Expect(shop.hears(ctx, read).Result).To(Equal(resultUnchanged))
		}
		Consistently(writes.Load, 3*testWindow).Should(BeEquivalentTo(1))
	})

	It("of what was read before it was said to be delivered cost nothing more", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		shop.hears(ctx, receipt(formats.Read, "g-1"))
		Eventually(func() *v1alpha1.Timestamp {
			return shop.current(ctx).Status.Conversation[0].DeliveredAt
		}).ShouldNot(BeNil())
		cached(ctx, shop.lead)
		Expect(shop.hears(ctx, receipt(formats.Delivered, "g-1")).Result).To(Equal(resultUnchanged))
	})

	It("of messages that are not ours are ignored", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours, heard("m-1"))
		writes := statusWrites(shop.namespace)
		Expect(shop.hears(ctx, receipt(formats.Read, "m-1")).Reason).To(Equal(ignoredReceipt))
		foreign := receipt(formats.Read, "g-9")
		Expect(shop.hears(ctx, foreign)).To(Equal(unmatched(ignoredUnknownMessage)))
		foreign.FromMe = false
		Expect(shop.hears(ctx, foreign)).To(Equal(ignored(ignoredReceipt)))
		Consistently(writes.Load, 3*testWindow).Should(BeZero())
	})

	It("of another store's messages are ignored", func(ctx SpecContext) {
		openPhoneShop(ctx, ours)
		other := openPhoneShop(ctx)
		Expect(other.hears(ctx, receipt(formats.Read, "g-1")).Reason).To(Equal(ignoredUnknownMessage))
	})

	It("that are faster than the gateway's word that the message went are not lost", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[0].State = v1alpha1.MessageClaimed
		})
		Expect(shop.hears(ctx, receipt(formats.Delivered, "g-1")).Result).To(Equal(resultGathered))
		Expect(shop.hears(ctx, receipt(formats.Delivered, "of-something-else")).Result).To(Equal(resultGathered))
		confirmed := shop.current(ctx)
		confirmed.Status.Conversation[0].State, confirmed.Status.Conversation[0].GatewayID = v1alpha1.MessageSent, "g-1"
		Expect(env.Client.Status().Update(ctx, confirmed)).To(Succeed())
		Eventually(func() *v1alpha1.Timestamp {
			return shop.current(ctx).Status.Conversation[0].DeliveredAt
		}).ShouldNot(BeNil())
	})

	It("that are faster, of a number that is hidden, are looked up once more", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[0].State = v1alpha1.MessageClaimed
		})
		hidden, foreign := receipt(formats.Read, "g-1"), receipt(formats.Read, "of-something-else")
		hidden.Phone, foreign.Phone = "", ""
		confirmed := shop.current(ctx).DeepCopy()
		confirmed.Status.Conversation[0].State, confirmed.Status.Conversation[0].GatewayID = v1alpha1.MessageSent, "g-1"

		wanted := options(env.Client, hooked, prometheus.NewRegistry())
		wanted.ReceiptWindow = time.Hour
		patient, err := New(wanted)
		Expect(err).NotTo(HaveOccurred())
		for _, message := range []formats.Message{hidden, hidden, foreign} {
			Expect(patient.hear(ctx, shop.instance, &message)).To(Equal(outcome{Result: resultGathered}))
		}
		Expect(env.Client.Status().Update(ctx, confirmed)).To(Succeed())
		cached(ctx, confirmed)

		By("when the server stops, at the latest")
		writes := statusWrites(shop.namespace)
		patient.recordReceiptsLeft(ctx)
		Expect(shop.current(ctx).Status.Conversation[0].ReadAt).NotTo(BeNil())
		Expect(writes.Load()).To(BeEquivalentTo(1))

		By("or after a while")
		shop = openPhoneShop(ctx, func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[0].State = v1alpha1.MessageClaimed
		})
		Expect(shop.hears(ctx, hidden).Result).To(Equal(resultGathered))
		confirmed = shop.current(ctx).DeepCopy()
		confirmed.Status.Conversation[0].State, confirmed.Status.Conversation[0].GatewayID = v1alpha1.MessageSent, "g-1"
		Expect(env.Client.Status().Update(ctx, confirmed)).To(Succeed())
		Eventually(func() *v1alpha1.Timestamp { return shop.current(ctx).Status.Conversation[0].ReadAt }).ShouldNot(
			BeNil())
	})

	It("get through although the lead is written at the same time, and although a write fails", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		tries := 0
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); !isLead || verb != "patch status" {
				return nil
			}
			switch tries++; tries {
			case 1:
				return apierrors.NewServerTimeout(leadResource, verb, 1)
			case 2:
				var current v1alpha1.CartRecovery
				Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(object), &current)).To(Succeed())
				current.Status.TokensUsed = 7
				return env.Client.Status().Update(ctx, &current)
			}
			return nil
		})
		shop.hears(ctx, receipt(formats.Read, "g-1"))
		Eventually(func() *v1alpha1.Timestamp { return shop.current(ctx).Status.Conversation[0].ReadAt }).ShouldNot(
			BeNil())
		Expect(shop.current(ctx).Status.TokensUsed).To(BeEquivalentTo(7))
	})

	It("are dropped, and counted, when they cannot be stored", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		before := receiptsDropped()
		refuseWrites("patch status")
		shop.hears(ctx, receipt(formats.Read, "g-1"))
		Eventually(receiptsDropped).Should(Equal(before + 1))
		Expect(shop.current(ctx).Status.Conversation[0].ReadAt).To(BeNil())
	})

	It("that still wait are stored when the server stops", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		wanted := options(env.Client, hooked, prometheus.NewRegistry())
		wanted.ReceiptWindow = time.Hour
		patient, err := New(wanted)
		Expect(err).NotTo(HaveOccurred())
		running, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- patient.Start(running) }()
		Eventually(patient.Addr).ShouldNot(BeNil())
		message := receipt(formats.Read, "g-1")
		Expect(patient.hear(ctx, shop.instance, &message)).To(HaveField("Result", resultGathered))
		stop()
		Eventually(done).Should(Receive(BeNil()))
		Expect(shop.current(ctx).Status.Conversation[0].ReadAt).NotTo(BeNil())
	})

	It("of a lead that is deleted are forgotten", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		before := receiptsDropped()
		Expect(server.storeReceipts(ctx, types.NamespacedName{Namespace: shop.namespace, Name: "gone"},
			map[string]mark{"g-1": {read: noon}})).To(Succeed())
		Expect(receiptsDropped()).To(Equal(before))
	})

	It("come from UAZAPI", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		got := call(ctx, http.MethodPost, "/api/whatsapp/webhook", shop.uazapiReceipt("Delivered", "g-1"))
		Expect(got.Body).To(HaveKeyWithValue("result", resultGathered), got.Raw)
		Expect(call(ctx, http.MethodPost, "/api/whatsapp/webhook", shop.uazapiReceipt("Read", "g-1")).Status).To(
			Equal(http.StatusOK))
		Eventually(func() *v1alpha1.Timestamp { return shop.current(ctx).Status.Conversation[0].ReadAt }).ShouldNot(
			BeNil())
	})
})

// addReceipt lets one receipt wait.
func addReceipt(r *receipts, name types.NamespacedName, id string, status formats.Status, at, now time.Time) int {
	return r.merge(name, &gathered{marks: map[string]mark{id: mark{}.with(status, at)}}, now)
}
