package index_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
)

// formerHash is the hash that an earlier version gave a number: of all its digits.
func formerHash(t *testing.T, number string) string {
	t.Helper()
	for at, key := range phone.Keys(number) {
		if key == phone.Digits(number) {
			return lead.PhoneHashes(number)[at]
		}
	}
	t.Fatalf("%s has no former key", number)
	return ""
}

// TestFormsOfANumber: leads and Suppressions are found by every form of a number, those that an
// earlier version stored too.
func TestFormsOfANumber(t *testing.T) {
	const inTheCart, atWhatsApp = "+525512345678", "5215512345678"
	kept := &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "kept"}}
	kept.Spec = v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store}}
	for name, set := range map[string]func(*v1alpha1.SuppressionSpec){
		"the number":            func(s *v1alpha1.SuppressionSpec) { s.Phone = inTheCart },
		"the other form":        func(s *v1alpha1.SuppressionSpec) { s.Phone = "+" + atWhatsApp },
		"the hash":              func(s *v1alpha1.SuppressionSpec) { s.PhoneHash = lead.PhoneHash(inTheCart) },
		"the hash of its day":   func(s *v1alpha1.SuppressionSpec) { s.PhoneHash = formerHash(t, atWhatsApp) },
		"the other one of then": func(s *v1alpha1.SuppressionSpec) { s.PhoneHash = formerHash(t, inTheCart) },
	} {
		made := kept.DeepCopy()
		set(&made.Spec)
		for _, form := range []string{inTheCart, atWhatsApp} {
			if is, err := index.Suppressed(t.Context(), cache(t, made), nil, gen.Namespace, gen.Store, form,
				noon); err != nil || !is {
				t.Errorf("%s: %s is not suppressed (%v)", name, form, err)
			}
		}
	}
	reader := cache(t, gen.Lead(noon, func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = inTheCart }))
	for _, hash := range []string{lead.PhoneHash(atWhatsApp), formerHash(t, atWhatsApp), formerHash(t, inTheCart)} {
		for _, field := range []string{index.LeadByPhone, index.LeadByAnyPhone} {
			if found(t, reader, field, index.LeadPhoneKey(gen.Store, hash)) != 1 {
				t.Errorf("%s does not find it by %s", field, hash)
			}
		}
	}
}

func TestLeadByChatAndMessage(t *testing.T) {
	written := func(l *v1alpha1.CartRecovery) {
		l.Status.ChatIDs, l.Status.WhatsAppID = []string{"7@lid", "551187654321@s.whatsapp.net"}, "551187654321"
		for i := range 6 {
			l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{
				ID: fmt.Sprint("c0-", i), Role: v1alpha1.RoleAssistant, GatewayID: fmt.Sprint("g-", i),
				At: v1alpha1.NewTimestamp(noon),
			})
		}
	}
	open := cache(t, gen.Lead(noon, written))
	over := cache(t, gen.Lead(noon, written, func(l *v1alpha1.CartRecovery) {
		l.Status.CompletionTime = &metav1.Time{Time: noon}
	}))
	for _, row := range []struct {
		field, key string
		open, over int
	}{
		{index.LeadByChat, index.LeadChatKey(gen.Store, "7@lid"), 1, 1},
		{index.LeadByChat, index.LeadChatKey(gen.Store, "551187654321@s.whatsapp.net"), 1, 1},
		{index.LeadByChat, index.LeadChatKey(gen.Store, "8@lid"), 0, 0},
		{index.LeadByChat, index.LeadChatKey("another", "7@lid"), 0, 0},
		{index.LeadByMessage, index.LeadMessageKey(gen.Store, "g-5"), 1, 1},
		{index.LeadByMessage, index.LeadMessageKey(gen.Store, "g-0"), 1, 0},
	} {
		if a, b := found(t, open, row.field, row.key), found(t, over, row.field, row.key); a != row.open ||
			b != row.over {
			t.Errorf("%s %q: open %d, over %d", row.field, row.key, a, b)
		}
	}
}

func found(t *testing.T, reader client.Reader, field, key string) int {
	t.Helper()
	var leads v1alpha1.CartRecoveryList
	if err := reader.List(t.Context(), &leads, client.InNamespace(gen.Namespace),
		client.MatchingFields{field: key}); err != nil {
		t.Fatal(err)
	}
	return len(leads.Items)
}
