package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// The leads that a gateway's message may belong to are found by the number, by the gateway's ids of the chat, and by
// the ids of the message itself and of the one that it quotes.

// maxChats bounds the chat ids of one message that are looked up.
const maxChats = 4

// query is a value of an index of leads.
type query struct{ field, key string }

// queries find the leads of a message.
func queries(store string, message *formats.Message) []query {
	var all []query
	if message.Phone != "" {
		all = append(all, query{index.LeadByAnyPhone, index.LeadPhoneKey(store, lead.PhoneHash(message.Phone))})
	}
	for _, id := range message.ChatIDs[:min(len(message.ChatIDs), maxChats)] {
		all = append(all, query{index.LeadByChat, index.LeadChatKey(store, id)})
	}
	for _, id := range []string{messageID(message), message.Quotes} {
		if id != "" {
			all = append(all, query{index.LeadByMessage, index.LeadMessageKey(store, id)})
		}
	}
	return all
}

// cachedLeads finds the leads that a message may belong to in the cache, each once.
func (s *Server) cachedLeads(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	for _, each := range queries(instance.Spec.StoreRef.Name, message) {
		var leads v1alpha1.CartRecoveryList
		err := s.Client.List(ctx, &leads, client.InNamespace(instance.Namespace),
			client.MatchingFields{each.field: each.key})
		if err != nil {
			return nil, fmt.Errorf("find the leads of a message: %w", err)
		}
		found = index.Together(found, leads.Items)
	}
	return found, nil
}

// liveLeads finds the leads that a message may belong to as the API server has them now: all of
// its number, by their labels, and those that the cache knew by something else. No label tells of
// a chat or of a message that is quoted: those are looked for among all leads of the namespace,
// as far as they fit in a page; else the cache has the last word.
func (s *Server) liveLeads(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message, cached []v1alpha1.CartRecovery,
) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	if message.Phone != "" {
		labels := lead.CustomerKeys(&v1alpha1.LeadCustomer{Phone: message.Phone})
		leads, err := s.live.Leads(ctx, instance.Namespace, instance.Spec.StoreRef.Name, labels)
		if err != nil {
			return nil, err
		}
		found = index.Together(found, leads)
	}
	for i := range cached {
		if leadNamed(found, cached[i].Name) != nil {
			continue
		}
		var read v1alpha1.CartRecovery
		err := s.Live.Get(ctx, client.ObjectKeyFromObject(&cached[i]), &read)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read a lead: %w", err)
		}
		found = append(found, read)
	}
	isTied := func(each v1alpha1.CartRecovery) bool { return bondOf(&each, message) != bondNone }
	if message.Phone != "" && message.Quotes == "" || slices.ContainsFunc(found, isTied) {
		return found, nil
	}
	return s.withTied(ctx, instance, found, isTied)
}

// withTied are leads and, from a page of all leads of the Store, those that a message is tied to.
func (s *Server) withTied(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, found []v1alpha1.CartRecovery,
	isTied func(v1alpha1.CartRecovery) bool,
) ([]v1alpha1.CartRecovery, error) {
	page, err := s.live.Page(ctx, instance.Namespace, instance.Spec.StoreRef.Name)
	if err != nil {
		return nil, fmt.Errorf("look for the leads of a chat: %w", err)
	}
	isNot := func(each v1alpha1.CartRecovery) bool { return !isTied(each) }
	return index.Together(found, slices.DeleteFunc(page, isNot)), nil
}

// fencedLeads finds the leads that a message may belong to once it was written to one: all that
// were made before, from the cache as soon as that has the write, else from the API server.
func (s *Server) fencedLeads(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message, stored *v1alpha1.CartRecovery,
) ([]v1alpha1.CartRecovery, error) {
	err := s.Fence.Await(ctx, stored.Namespace, stored.ResourceVersion)
	if err != nil && !errors.Is(err, fence.ErrNotSeen) {
		return nil, fmt.Errorf("await a message in the cache: %w", err)
	}
	cached, missing := s.cachedLeads(ctx, instance, message)
	if missing != nil || err == nil {
		return cached, missing
	}
	return s.liveLeads(ctx, instance, message, cached)
}

// leadNamed is the lead of this name; nil when there is none.
func leadNamed(leads []v1alpha1.CartRecovery, name string) *v1alpha1.CartRecovery {
	for i := range leads {
		if leads[i].Name == name {
			return &leads[i]
		}
	}
	return nil
}

// isOneOf says whether a number is one of a customer's.
func isOneOf(customer *v1alpha1.LeadCustomer, number string) bool {
	return lead.SamePhone(customer.Phone, number) || slices.ContainsFunc(customer.OtherPhones, sameAs(number))
}
