package webhookserver

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/formats"
)

func sentOfUs(id, text string) formats.Message {
	return formats.Message{Format: "evolution", Kind: formats.Sent, FromMe: true, ID: id, Text: text,
		Phone: "5511987654321"}
}

// inState gives the message of ours a state, a time before noon and no id at the gateway.
func inState(state v1alpha1.MessageState, age time.Duration) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		m := &l.Status.Conversation[0]
		m.State, m.At, m.GatewayID, m.SentAt, m.Text, m.Instance = state, v1alpha1.NewTimestamp(noon.Add(-age)), "",
			nil, "Oi, tudo bem?", gen.Instance
	}
}

// TestConfirmSent: what a gateway says it has sent settles what nobody knew, and nothing else.
func TestConfirmSent(t *testing.T) {
	for name, row := range map[string]struct {
		lead     func(*v1alpha1.CartRecovery)
		instance string
		text     string
		want     bool
	}{
		"nobody knows": {inState(v1alpha1.MessageUnknown, time.Minute), gen.Instance,
			" Oi,\u2060 tudo  bem?", true},
		"claimed, and its caller is gone": {inState(v1alpha1.MessageClaimed, time.Minute), gen.Instance,
			"Oi, tudo bem?", true},
		"claimed, and its caller may wait": {inState(v1alpha1.MessageClaimed, 5*time.Second), gen.Instance,
			"Oi, tudo bem?", false},
		"of the cycle before": {inState(v1alpha1.MessageUnknown, 8*24*time.Hour), gen.Instance, "Oi, tudo bem?",
			false},
		"claimed after it went": {inState(v1alpha1.MessageClaimed, -time.Hour), gen.Instance, "Oi, tudo bem?",
			false},
		"certainly not sent": {inState(v1alpha1.MessageFailed, time.Minute), gen.Instance, "Oi, tudo bem?",
			false},
		"another text":             {inState(v1alpha1.MessageUnknown, time.Minute), gen.Instance, "Oi!", false},
		"sent from another number": {inState(v1alpha1.MessageUnknown, time.Minute), "another", "Oi, tudo bem?", false},
		"sent, and the id is known already": {func(l *v1alpha1.CartRecovery) {
			inState(v1alpha1.MessageSent, time.Minute)(l)
			l.Status.Conversation[0].GatewayID = "g-9"
		}, gen.Instance, "Oi, tudo bem?", false},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(noon, contacted(noon.Add(-time.Hour), v1alpha1.MessageSent), row.lead)
			message := sentOfUs("g-9", row.text)
			message.At = noon.Add(-30 * time.Second)
			if got := confirmSent(recovery, row.instance, &message, noon); got != row.want {
				t.Fatalf("confirmed %t", got)
			}
			m := recovery.Status.Conversation[0]
			if row.want && (m.State != v1alpha1.MessageSent || m.GatewayID != "g-9" || m.SentAt == nil ||
				!m.SentAt.Time.Equal(message.At)) {
				t.Errorf("it is %+v", m)
			}
		})
	}
}

// TestConfirmTheLast: of two messages that say the same it is the last.
func TestConfirmTheLast(t *testing.T) {
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageUnknown), inState(v1alpha1.MessageUnknown,
		5*time.Minute))
	last := recovery.Status.Conversation[0]
	last.ID, last.At = "c1-step-first", v1alpha1.NewTimestamp(noon.Add(-time.Minute))
	recovery.Status.Conversation = append(recovery.Status.Conversation, last)
	message := sentOfUs("g-9", last.Text)
	confirmSent(recovery, gen.Instance, &message, noon)
	if states := recovery.Status.Conversation; states[0].State != v1alpha1.MessageUnknown ||
		states[1].State != v1alpha1.MessageSent {
		t.Errorf("confirmed %+v", states)
	}
}

// TestSentLater: what waits falls due in order, and there is an end to it.
func TestSentLater(t *testing.T) {
	waiting := newSentLater()
	for _, after := range []int{3, 1, 2} {
		told := waitingSent{message: sentOfUs("g", "Oi"), due: noon.Add(time.Duration(after) * time.Second)}
		if !waiting.add(told) {
			t.Fatal("there is room")
		}
	}
	if _, due := waiting.take(noon); due {
		t.Error("nothing is due yet")
	}
	for _, after := range []int{1, 2, 3} {
		at := noon.Add(time.Duration(after) * time.Second)
		if told, due := waiting.take(noon.Add(time.Hour)); !due || !told.due.Equal(at) {
			t.Errorf("took %s, due %t, want %s", told.due, due, at)
		}
	}
	if _, left := waiting.next(); left {
		t.Error("nothing waits any more")
	}
	for range maxSentLater {
		waiting.add(waitingSent{due: noon})
	}
	if waiting.add(waitingSent{due: noon}) {
		t.Error("there is no room for one more")
	}
}

var _ = Describe("What a gateway says it has sent", func() {
	unknown := func(state v1alpha1.MessageState, age time.Duration) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			ours(l)
			m := &l.Status.Conversation[0]
			m.State, m.GatewayID, m.SentAt, m.At = state, "", nil, v1alpha1.NewTimestamp(time.Now().Add(-age))
		}
	}

	It("settles a message of which nobody knew whether it went", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, unknown(v1alpha1.MessageUnknown, time.Minute))
		told := sentOfUs("g-7", "Oi, tudo bem?")
		Expect(shop.hears(ctx, told).Result).To(Equal(resultRecorded))
		settled := shop.current(ctx)
		Expect(settled.Status.Conversation[0]).To(And(HaveField("State", v1alpha1.MessageSent),
			HaveField("GatewayID", "g-7")))
		cached(ctx, settled)
		Expect(shop.hears(ctx, told).Reason).To(Equal(formats.ReasonSentByAPI))
		Expect(shop.current(ctx).ResourceVersion).To(Equal(settled.ResourceVersion))
	})

	It("settles a message whose sender was killed in the call", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, unknown(v1alpha1.MessageClaimed, time.Second))
		told := sentOfUs("g-7", "Oi, tudo bem?")
		Expect(shop.hears(ctx, told).Result).To(Equal(resultIgnored), "its sender may still write the answer")
		Expect(shop.current(ctx).Status.Conversation[0].State).To(Equal(v1alpha1.MessageClaimed))
		Eventually(func() v1alpha1.MessageState { return shop.current(ctx).Status.Conversation[0].State }).
			WithTimeout(answerNever + 10*time.Second).WithPolling(100 * time.Millisecond).Should(
			Equal(v1alpha1.MessageSent))
		Expect(shop.current(ctx).Status.Conversation[0].GatewayID).To(Equal("g-7"))
	})

	It("takes no conversation over, whatever it says", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		Expect(shop.hears(ctx, sentOfUs("g-7", "by another program")).Reason).To(Equal(formats.ReasonSentByAPI))
		Expect(shop.current(ctx).Status.Conditions).To(BeEmpty())
	})
})
