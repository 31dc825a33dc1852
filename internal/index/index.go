// Package index declares the field indexes of the manager's cache: how leads, products
// and instances are found without listing everything.
package index

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// The names of the indexes, for client.MatchingFields. Those with a store are kept by
// namespace too, as every cache index is.
const (
	// StoreByClientID finds Stores by spec.clientID, in all namespaces.
	StoreByClientID = "store.clientID"
	// ProductByStore finds the Products of a Store by its name.
	ProductByStore = "product.store"
	// ProductByPlatformID finds Products by ProductKey.
	ProductByPlatformID = "product.platformID"
	// ProductByName finds Products by ProductNameKey.
	ProductByName = "product.name"
	// InstanceByStore finds the WhatsAppInstances of a Store by its name.
	InstanceByStore = "instance.store"
	// InstanceByGatewayName finds WhatsAppInstances by each of their GatewayNames, in all
	// namespaces.
	InstanceByGatewayName = "instance.gatewayName"
	// LeadByStore finds the unfinished CartRecoveries of a Store by its name.
	LeadByStore = "lead.store"
	// LeadByPhone finds CartRecoveries by LeadPhoneKey of the number that is written to,
	// finished or not.
	LeadByPhone = "lead.phone"
	// LeadByAnyPhone finds CartRecoveries by LeadPhoneKey of any number of the customer,
	// finished or not.
	LeadByAnyPhone = "lead.anyPhone"
	// LeadByEmail finds CartRecoveries by LeadEmailKey of any address of the customer,
	// finished or not.
	LeadByEmail = "lead.email"
	// LeadByMessage finds CartRecoveries by LeadMessageKey: unfinished ones by every message of
	// the conversation, finished ones by the last few.
	LeadByMessage = "lead.message"
	// LeadByClientID finds CartRecoveries by spec.clientID, in all namespaces, finished or not.
	LeadByClientID = "lead.clientID"
	// LeadBySale finds CartRecoveries by LeadSaleKey, finished or not.
	LeadBySale = "lead.sale"
	// LeadByChat finds CartRecoveries by LeadChatKey, finished or not.
	LeadByChat = "lead.chat"
	// SuppressionByPhone finds Suppressions by LeadPhoneKey, and keyed ones by LeadPhoneKey of their HMAC.
	SuppressionByPhone = "suppression.phone"
)

// ProductKey is the value of ProductByPlatformID.
func ProductKey(store string, platform v1alpha1.PlatformName, id string) string {
	return store + "\x00" + string(platform) + "\x00" + id
}

// ProductNameKey is the value of ProductByName: a store's name and a product's, however it
// is capitalised.
func ProductNameKey(store, name string) string {
	return store + "\x00" + strings.ToLower(strings.TrimSpace(name))
}

// LeadPhoneKey is the value of LeadByPhone, LeadByAnyPhone and SuppressionByPhone: a store's name and a
// lead.PhoneHash.
func LeadPhoneKey(store, phoneHash string) string {
	return store + "\x00" + phoneHash
}

// LeadEmailKey is the value of LeadByEmail: a store's name and a lead.EmailHash.
func LeadEmailKey(store, emailHash string) string {
	return store + "\x00" + emailHash
}

// LeadMessageKey is the value of LeadByMessage: a store's name and the gateway's id of a
// message in the conversation, the customer's or one of the store's.
func LeadMessageKey(store, gatewayID string) string {
	return store + "\x00" + gatewayID
}

// LeadSaleKey is the value of LeadBySale: a store's name and a lead.SaleHash.
func LeadSaleKey(store, saleHash string) string {
	return store + "\x00" + saleHash
}

// LeadChatKey is the value of LeadByChat: a store's name and a gateway's id of a chat with the
// customer.
func LeadChatKey(store, chatID string) string {
	return store + "\x00" + chatID
}

// GatewayName is the name an instance has at its gateway.
func GatewayName(instance *v1alpha1.WhatsAppInstance) string {
	if instance.Spec.InstanceName != "" {
		return instance.Spec.InstanceName
	}
	return instance.Namespace + "." + instance.Name
}

// GatewayNames are the names that deliveries may call an instance by: its name at its gateway,
// and its aliases.
func GatewayNames(instance *v1alpha1.WhatsAppInstance) []string {
	names := []string{GatewayName(instance)}
	for _, alias := range instance.Spec.Gateway.Aliases {
		if alias != "" && !slices.Contains(names, alias) {
			names = append(names, alias)
		}
	}
	return names
}

// Register adds every index to the cache. It must be called once, before the manager
// starts. With keys, leads are found by the HMACs of their number too (see LeadByPhone).
func Register(ctx context.Context, indexer client.FieldIndexer, keys *suppressionkeys.Keys) error {
	for _, entry := range []struct {
		object client.Object
		field  string
		values client.IndexerFunc
	}{
		{&v1alpha1.Store{}, StoreByClientID, storeClientID},
		{&v1alpha1.Product{}, ProductByStore, productStore},
		{&v1alpha1.Product{}, ProductByPlatformID, productPlatformIDs},
		{&v1alpha1.Product{}, ProductByName, productName},
		{&v1alpha1.WhatsAppInstance{}, InstanceByStore, instanceStore},
		{&v1alpha1.WhatsAppInstance{}, InstanceByGatewayName, instanceGatewayName},
		{&v1alpha1.CartRecovery{}, LeadByStore, leadStore},
		{&v1alpha1.CartRecovery{}, LeadByPhone, leadPhone(keys)},
		{&v1alpha1.CartRecovery{}, LeadByAnyPhone, leadPhones},
		{&v1alpha1.CartRecovery{}, LeadByEmail, leadEmails},
		{&v1alpha1.CartRecovery{}, LeadByMessage, leadMessages},
		{&v1alpha1.CartRecovery{}, LeadByClientID, leadClientID},
		{&v1alpha1.CartRecovery{}, LeadBySale, leadSales},
		{&v1alpha1.CartRecovery{}, LeadByChat, leadChats},
		{&v1alpha1.Suppression{}, SuppressionByPhone, suppressionPhone(keys)},
		{&v1alpha1.CartRecovery{}, LeadOfStore, leadOfStore},
	} {
		if err := indexer.IndexField(ctx, entry.object, entry.field,
			panics.Values(entry.values)); err != nil { //nolint:contextcheck,nolintlint // a cache has none
			return fmt.Errorf("register cache index %s: %w", entry.field, err)
		}
	}
	return nil
}

func storeClientID(object client.Object) []string {
	if store, ok := object.(*v1alpha1.Store); ok {
		return []string{store.Spec.ClientID}
	}
	return nil
}

func productStore(object client.Object) []string {
	if product, ok := object.(*v1alpha1.Product); ok {
		return []string{product.Spec.StoreRef.Name}
	}
	return nil
}

func productPlatformIDs(object client.Object) []string {
	product, ok := object.(*v1alpha1.Product)
	if !ok {
		return nil
	}
	keys := make([]string, 0, len(product.Spec.PlatformIDs))
	for _, id := range product.Spec.PlatformIDs {
		keys = append(keys, ProductKey(product.Spec.StoreRef.Name, id.Platform, id.ID))
	}
	return keys
}

func productName(object client.Object) []string {
	if product, ok := object.(*v1alpha1.Product); ok {
		return []string{ProductNameKey(product.Spec.StoreRef.Name, product.Spec.DisplayName)}
	}
	return nil
}

func instanceStore(object client.Object) []string {
	if instance, ok := object.(*v1alpha1.WhatsAppInstance); ok {
		return []string{instance.Spec.StoreRef.Name}
	}
	return nil
}

func instanceGatewayName(object client.Object) []string {
	if instance, ok := object.(*v1alpha1.WhatsAppInstance); ok {
		return GatewayNames(instance)
	}
	return nil
}

func leadStore(object client.Object) []string {
	if recovery, ok := object.(*v1alpha1.CartRecovery); ok && !lead.Finished(recovery) {
		return []string{recovery.Spec.StoreRef.Name}
	}
	return nil
}

func leadPhone(keys *suppressionkeys.Keys) client.IndexerFunc {
	return func(object client.Object) []string {
		recovery, ok := object.(*v1alpha1.CartRecovery)
		if !ok || recovery.Spec.Customer.Phone == "" {
			return nil
		}
		store, number := recovery.Spec.StoreRef.Name, recovery.Spec.Customer.Phone
		return append(phoneKeys(store, &v1alpha1.LeadCustomer{Phone: number}), keyedPhoneKeys(keys, store, number)...)
	}
}

// keyedPhoneKeys are the LeadPhoneKeys of the HMACs that keyed Suppressions of a number can have, in every form of it.
func keyedPhoneKeys(keys *suppressionkeys.Keys, store, number string) []string {
	if keys.Count() == 0 {
		return nil
	}
	var made []string
	for _, hash := range lead.PhoneHashes(number) {
		for _, mac := range keys.All(store, hash) {
			made = append(made, LeadPhoneKey(store, mac))
		}
	}
	return made
}

func leadPhones(object client.Object) []string {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	if !ok {
		return nil
	}
	return phoneKeys(recovery.Spec.StoreRef.Name, &recovery.Spec.Customer)
}

func leadEmails(object client.Object) []string {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	if !ok {
		return nil
	}
	return emailKeys(recovery.Spec.StoreRef.Name, &recovery.Spec.Customer)
}

// phoneKeys are the LeadPhoneKeys of all numbers of a customer, in every form that
// lead.PhoneHashes knows, each once.
func phoneKeys(store string, customer *v1alpha1.LeadCustomer) []string {
	key := func(hash string) string { return LeadPhoneKey(store, hash) }
	return customerKeys(customer.Phone, customer.OtherPhones, lead.PhoneHashes, key)
}

// emailKeys are the LeadEmailKeys of all addresses of a customer, each once.
func emailKeys(store string, customer *v1alpha1.LeadCustomer) []string {
	hashes := func(email string) []string { return []string{lead.EmailHash(email)} }
	key := func(hash string) string { return LeadEmailKey(store, hash) }
	return customerKeys(customer.Email, customer.OtherEmails, hashes, key)
}

func customerKeys(one string, others []string, hashes func(string) []string, key func(string) string) []string {
	keys := make([]string, 0, 1+len(others))
	for at := -1; at < len(others); at++ {
		value := one
		if at >= 0 {
			value = others[at]
		}
		for _, hash := range hashes(value) {
			if hash == "" {
				continue
			}
			if made := key(hash); !slices.Contains(keys, made) {
				keys = append(keys, made)
			}
		}
	}
	return keys
}

// maxFinishedMessages bounds by how many of its messages a finished lead is found: they are
// kept for weeks, and who quotes one quotes the last.
const maxFinishedMessages = 4

func leadMessages(object client.Object) []string {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	if !ok {
		return nil
	}
	var keys []string
	conversation := recovery.Status.Conversation
	if lead.Finished(recovery) {
		conversation = conversation[max(0, len(conversation)-maxFinishedMessages):]
	}
	for i := range conversation {
		message := &conversation[i]
		switch {
		case message.GatewayID != "":
			keys = append(keys, LeadMessageKey(recovery.Spec.StoreRef.Name, message.GatewayID))
		case message.Role != v1alpha1.RoleAssistant:
			keys = append(keys, LeadMessageKey(recovery.Spec.StoreRef.Name, message.ID))
		}
	}
	return keys
}

func leadClientID(object client.Object) []string {
	if recovery, ok := object.(*v1alpha1.CartRecovery); ok && recovery.Spec.ClientID != "" {
		return []string{recovery.Spec.ClientID}
	}
	return nil
}

func leadSales(object client.Object) []string {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	if !ok {
		return nil
	}
	sales := lead.SalesOf(recovery)
	keys := make([]string, 0, len(sales))
	for _, sale := range sales {
		keys = append(keys, LeadSaleKey(recovery.Spec.StoreRef.Name, sale))
	}
	return keys
}

// leadChats are the chats of a lead: those that messages came in with, and that of the account
// that the gateway found for the number.
func leadChats(object client.Object) []string {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	if !ok {
		return nil
	}
	ids := recovery.Status.ChatIDs
	if id := recovery.Status.WhatsAppID; id != "" {
		ids = append(slices.Clip(ids), phone.JID(id))
	}
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		if key := LeadChatKey(recovery.Spec.StoreRef.Name, id); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// unreadable stands in SuppressionByPhone for the HMAC of every Suppression whose key is not there.
const unreadable = "unreadable"

func suppressionPhone(keys *suppressionkeys.Keys) client.IndexerFunc {
	return func(object client.Object) []string {
		suppression, ok := object.(*v1alpha1.Suppression)
		if !ok {
			return nil
		}
		store := suppression.Spec.StoreRef.Name
		switch spec := &suppression.Spec; {
		case spec.PhoneHMAC != "" && keys.Knows(spec.PhoneHMAC):
			return []string{LeadPhoneKey(store, spec.PhoneHMAC)}
		case spec.PhoneHMAC != "":
			return []string{LeadPhoneKey(store, unreadable)}
		case spec.PhoneHash != "":
			return []string{LeadPhoneKey(store, spec.PhoneHash)}
		}
		return phoneKeys(store, &v1alpha1.LeadCustomer{Phone: suppression.Spec.Phone})
	}
}

// LeadOfStore finds all CartRecoveries of a Store by its name, finished or not.
const LeadOfStore = "lead.ofStore"

func leadOfStore(object client.Object) []string {
	if recovery, ok := object.(*v1alpha1.CartRecovery); ok {
		return []string{recovery.Spec.StoreRef.Name}
	}
	return nil
}
