package webhookserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/formats"
)

const (
	greeting = "Bem-vindo à nossa loja! Em breve alguém fala com você."
	ownWords = "Oi, aqui é o Pedro, vou ver isso para você."
)

// TestGreetings: what the Business app writes by itself hands nothing over.
func TestGreetings(t *testing.T) {
	second := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	for _, row := range []struct {
		name      string
		lead      *v1alpha1.CartRecovery
		text      string
		at        time.Time
		repeated  bool
		automatic bool
	}{
		{"two seconds after the customer", gen.Lead(noon, heard("m-1")), ownWords, second(2), false, true},
		{"at the same time", gen.Lead(noon, heard("m-1")), ownWords, second(0), false, true},
		{"four seconds after", gen.Lead(noon, heard("m-1")), ownWords, second(4), false, false},
		{"a greeting four seconds after", gen.Lead(noon, heard("m-1")), greeting, second(4), false, true},
		{"a greeting two minutes after", gen.Lead(noon, heard("m-1")), greeting, second(120), false, false},
		{"to who has not written", gen.Lead(noon), ownWords, second(2), false, false},
		{"after our message", gen.Lead(noon, contacted(noon, v1alpha1.MessageSent)), ownWords, second(2), false, false},
		{"the same to others", gen.Lead(noon), ownWords, second(100), true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			own := &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Phone: "5511987654321",
				Text: row.text, At: row.at}
			automatic := isAutomaticOwn(row.lead, own, row.repeated, row.at)
			if automatic != row.automatic {
				t.Fatalf("automatic is %t, want %t", automatic, row.automatic)
			}
			if !handOver(row.lead, own, automatic, row.at) {
				t.Fatal("it was not stored")
			}
			last := row.lead.Status.Conversation[len(row.lead.Status.Conversation)-1]
			if last.Role != v1alpha1.RolePerson || last.Automatic != automatic ||
				lead.HandedOff(row.lead) == automatic {
				t.Errorf("stored %+v, handed off %v", last, lead.HandedOff(row.lead))
			}
		})
	}
	late := &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Text: greeting, At: second(-300)}
	if isAutomaticOwn(gen.Lead(noon, heard("m-1")), late, false, second(1)) {
		t.Error("what came late was judged by when it came")
	}
	edited := &formats.Message{Kind: formats.Edited, FromMe: true, ID: "o-1", Text: greeting}
	if isAutomaticOwn(gen.Lead(noon, heard("m-1")), edited, true, second(1)) {
		t.Error("a machine edits nothing")
	}
}

// TestGreetedAhead: of a greeting and the message that it answers either can come first.
func TestGreetedAhead(t *testing.T) {
	second := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	for _, row := range []struct {
		name       string
		wrote, now int
		at         time.Time
		handedOff  bool
	}{
		{"the greeting came first", 10, 11, second(9), false},
		{"a person wrote, and the customer answers", 10, 12, second(11), true},
		{"a person wrote some time before", 10, 14, second(9), true},
		{"no time", 10, 11, time.Time{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent))
			handOver(recovery, &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Text: greeting}, false,
				second(row.wrote))
			if !hear(recovery, &formats.Message{ID: "m-1", Phone: "5511987654321", Text: "oi", At: row.at},
				gen.Instance, second(row.now)) {
				t.Fatal("it was not stored")
			}
			if lead.HandedOff(recovery) != row.handedOff || recovery.Status.Conversation[1].Automatic == row.handedOff {
				t.Errorf("handed off is %v, %+v", !row.handedOff, recovery.Status.Conversation[1])
			}
		})
	}
	asked := gen.Lead(noon)
	setHandedOff(asked, metav1.ConditionTrue, v1alpha1.ReasonCustomerAsked, "", noon)
	handOver(asked, &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Text: greeting}, false, second(1))
	if handedOff(asked) != "True/CustomerAsked" {
		t.Errorf("what the customer asked for became %s", handedOff(asked))
	}
	hear(asked, &formats.Message{ID: "m-1", Phone: "5511987654321", Text: "oi"}, gen.Instance, second(2))
	if !lead.HandedOff(asked) {
		t.Error("what the customer asked for was taken back")
	}
}

func TestIsAutomaticAnswer(t *testing.T) {
	const away = "Olá! Recebi sua mensagem e respondo assim que puder."
	said := func(text string, at time.Time) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{
				ID: fmt.Sprint("m-", len(l.Status.Conversation)), Role: v1alpha1.RoleCustomer, Text: text,
				At: v1alpha1.NewTimestamp(at),
			})
		}
	}
	sent := contacted(noon, v1alpha1.MessageSent)
	for _, row := range []struct {
		name string
		lead *v1alpha1.CartRecovery
		text string
		now  time.Time
		want bool
	}{
		{"at once", gen.Lead(noon, sent), away, noon.Add(time.Second), true},
		{"in the time that it takes to read", gen.Lead(noon, sent), away, noon.Add(5 * time.Second), false},
		{"at once, in a conversation with a person", gen.Lead(noon, heard("m-1"), sent),
			"quanto custa o plano completo?", noon.Add(time.Second), false},
		{"a short one at once", gen.Lead(noon, sent), "sim", noon.Add(time.Second), false},
		{"at once, of who writes first", gen.Lead(noon), away, noon.Add(time.Second), false},
		{"the second time", gen.Lead(noon, said(away, noon)), away, noon.Add(time.Hour), false},
		{"the third time", gen.Lead(noon, said(away, noon), said(" "+away, noon)), away, noon.Add(time.Hour), true},
		{"impatience", gen.Lead(noon, said("oi?", noon), said(" oi?", noon)), "oi?", noon.Add(time.Hour), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := &formats.Message{ID: "m-9", Phone: "5511987654321", Text: row.text}
			if got := isAutomaticAnswer(row.lead, message, row.now); got != row.want {
				t.Fatalf("got %v", got)
			}
			if !hear(row.lead, message, gen.Instance, row.now) || lead.Find(row.lead.Status.Conversation,
				"m-9").Automatic != row.want {
				t.Error("it was not stored, or not marked")
			}
		})
	}
}

func TestOwnTexts(t *testing.T) {
	texts := newOwnTexts()
	note := func(number, chat, text string, hours int) bool {
		return texts.repeated(number, chat, text, noon.Add(time.Duration(hours)*time.Hour))
	}
	for i, step := range []struct {
		number, chat, text string
		hours              int
		want               bool
	}{
		{"n", "a", greeting, 0, false},
		{"n", "a", greeting, 0, false},
		{"n", "b", greeting, 1, false},
		{"n", "c", "  " + greeting, 2, true},
		{"n", "a", greeting, 3, true},
		{"other", "d", greeting, 3, false},
		{"n", "d", "oi", 3, false},
		{"n", "e", "oi", 3, false},
		{"n", "f", "oi", 3, false},
		{"n", "", greeting, 3, false},
		{"n", "d", greeting, 40, false},
	} {
		if got := note(step.number, step.chat, step.text, step.hours); got != step.want {
			t.Errorf("step %d: got %v", i, got)
		}
	}
	for i := range 3 * maxTexts {
		note("n", "a", strings.Repeat(fmt.Sprint(i, " "), 20), 50)
	}
	if texts.texts.Len() > maxTexts {
		t.Errorf("%d texts are remembered", texts.texts.Len())
	}
}

// TestPairedPhone: who tries it with the paired phone itself is told apart.
func TestPairedPhone(t *testing.T) {
	instance := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Status.Phone = "+5511987654321" })
	self := formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Phone: "551187654321",
		Text: "Funciona mesmo?"}
	if !isPairedPhone(instance, &self) {
		t.Fatal("it is not told apart")
	}
	elsewhere, theirs := self, self
	elsewhere.Phone, theirs.FromMe = "5521911112222", false
	if isPairedPhone(instance, &elsewhere) || isPairedPhone(instance, &theirs) ||
		isPairedPhone(gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Status.Phone = "" }),
			&formats.Message{FromMe: true}) {
		t.Error("others are taken for it")
	}
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent))
	if !noteSelf(recovery, &self, noon) || lead.HandedOff(recovery) || handedOff(recovery) != "False/PairedPhone" ||
		!recovery.Status.Conversation[1].Automatic {
		t.Errorf("condition %q, conversation %+v", handedOff(recovery), recovery.Status.Conversation)
	}
	if noteSelf(recovery, &self, noon) {
		t.Error("it was stored twice")
	}
	taken := gen.Lead(noon)
	handOff(taken, noon)
	if noteSelf(taken, &self, noon); !lead.HandedOff(taken) {
		t.Error("a person's conversation was taken from them")
	}
}
