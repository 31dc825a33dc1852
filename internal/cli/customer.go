package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
)

// This file finds everything that is stored of one customer.

const (
	// maxIdentities is how many numbers, and how many addresses, one customer may have. More are a placeholder that
	// checkouts send for everybody, and its leads are other people's.
	maxIdentities = 8
	// maxLinks is how often it is looked further, from what was found to what that leads to. Each time a number or an
	// address comes to it at least, so it ends before.
	maxLinks = 2 * maxIdentities
	// maxLine bounds a line with a number or an address.
	maxLine = 4096
)

// selector is which customer a command is about.
type selector struct {
	phone, email         string
	phoneFile, emailFile string
	store                string
	direct, scan         bool
}

func (s *selector) bind(flags *pflag.FlagSet) {
	flags.StringVar(&s.phone, "phone", "", "The customer's number, such as +5511999990000")
	flags.StringVar(&s.email, "email", "", "The customer's e-mail address")
	flags.StringVar(&s.phoneFile, "phone-file", "",
		"Read the number from a file, or with - from the input: it is then in no history and no list of processes")
	flags.StringVar(&s.emailFile, "email-file", "", "Read the e-mail address from a file, or with - from the input")
	flags.StringVar(&s.store, "store", "", "Look at one Store only")
	flags.BoolVar(&s.direct, "direct", false,
		"Take only leads that have the number or the address themselves, not those that these lead to")
	flags.BoolVar(&s.scan, "scan", false, "Look through all leads of the namespace: finds also who wrote about a "+
		"lead from the number, and takes long where there are many")
}

// readsInput says whether who the customer is comes from the input.
func (s *selector) readsInput() bool { return s.phoneFile == "-" || s.emailFile == "-" }

// customer is whom the flags name.
func (s *selector) customer(command *cobra.Command, in io.Reader) (*v1alpha1.LeadCustomer, error) {
	if s.phone != "" && s.phoneFile != "" || s.email != "" && s.emailFile != "" {
		return nil, usageErrorf(command, "a number or an address is given twice: by a flag and by a file")
	}
	number, err := orFile(s.phone, s.phoneFile, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", given("--phone", s.phoneFile), err)
	}
	email, err := orFile(s.email, s.emailFile, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", given("--email", s.emailFile), err)
	}
	made := &v1alpha1.LeadCustomer{Email: strings.ToLower(email)}
	if number != "" {
		normal, ok := phone.Normalize(number, "")
		if !ok || !strings.HasPrefix(number, "+") {
			return nil, usageErrorf(command,
				"%s: expected a number with a plus sign and the country code, such as +5511999990000",
				given("--phone", s.phoneFile))
		}
		made.Phone = normal
	}
	switch {
	case made.Phone == "" && made.Email == "":
		return nil, usageErrorf(command, "name the customer: --phone or --phone-file, --email or --email-file, or both")
	case made.Email != "" && !strings.Contains(made.Email, "@"):
		return nil, usageErrorf(command, "%s: expected an address such as ana@example.com",
			given("--email", s.emailFile))
	}
	return made, nil
}

// given is the flag that a value came with: itself, or that of a file.
func given(flag, file string) string {
	if file != "" {
		return flag + "-file"
	}
	return flag
}

// orFile is a value, or else the first line of a file; "-" is the input.
func orFile(value, path string, in io.Reader) (string, error) {
	if path == "" {
		return strings.TrimSpace(value), nil
	}
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the caller's own file
		if err != nil {
			return "", fmt.Errorf("read who the customer is: %w", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	line, err := bufio.NewReader(io.LimitReader(in, maxLine)).ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read who the customer is: %w", err)
	}
	return "", errors.New("read who the customer is: the first line is empty")
}

// record is what is stored of a customer in one Store.
type record struct {
	store string
	// customer has every number and address that is known to be theirs.
	customer     v1alpha1.LeadCustomer
	leads        []v1alpha1.CartRecovery
	suppressions []v1alpha1.Suppression
}

// empty says whether nothing is stored.
func (r *record) empty() bool { return len(r.leads) == 0 && len(r.suppressions) == 0 }

// finder looks for what is stored of a customer in a namespace.
type finder struct {
	reader    client.Reader
	namespace string
	selector
	given v1alpha1.LeadCustomer
	// known are the records that were found before, by Store: who the customer is stays known when the leads that told
	// it are gone.
	known map[string]*record
}

func newFinder(reader client.Reader, namespace string, which selector, given *v1alpha1.LeadCustomer) *finder {
	return &finder{reader: reader, namespace: namespace, selector: which, given: *given, known: map[string]*record{}}
}

// find looks in every Store that has something of the customer, and in those where something was.
func (f *finder) find(ctx context.Context) ([]*record, error) {
	leads, err := f.leadsOf(ctx, &f.given)
	if err != nil {
		return nil, err
	}
	suppressions, err := f.suppressionsOf(ctx, &f.given)
	if err != nil {
		return nil, err
	}
	stores := map[string]bool{}
	for i := range leads {
		stores[leads[i].Spec.StoreRef.Name] = true
	}
	for i := range suppressions {
		stores[suppressions[i].Spec.StoreRef.Name] = true
	}
	for store := range f.known {
		stores[store] = true
	}
	if f.store != "" {
		stores = map[string]bool{f.store: true}
	}
	var records []*record
	for store := range stores {
		found, err := f.inStore(ctx, store)
		if err != nil {
			return nil, err
		}
		f.known[store] = found
		records = append(records, found)
	}
	slices.SortFunc(records, func(a, b *record) int { return strings.Compare(a.store, b.store) })
	return records, nil
}

// inStore looks for what one Store has, and from each lead further to what else is its customer's.
func (f *finder) inStore(ctx context.Context, store string) (*record, error) {
	found := &record{store: store, customer: f.given}
	if before := f.known[store]; before != nil {
		found.customer = before.customer
	}
	for range maxLinks {
		leads, err := f.leadsOf(ctx, &found.customer)
		if err != nil {
			return nil, err
		}
		found.leads = slices.DeleteFunc(leads, func(each v1alpha1.CartRecovery) bool {
			return each.Spec.StoreRef.Name != store
		})
		linked, err := f.linked(found)
		if err != nil {
			return nil, err
		}
		if !hasMore(linked, &found.customer) {
			break
		}
		found.customer = *linked
	}
	suppressions, err := f.suppressionsOf(ctx, &found.customer)
	found.suppressions = slices.DeleteFunc(suppressions, func(each v1alpha1.Suppression) bool {
		return each.Spec.StoreRef.Name != store
	})
	return found, err
}

// linked is a customer with what their leads add. A customer who has too much of it is several people.
func (f *finder) linked(found *record) (*v1alpha1.LeadCustomer, error) {
	if f.direct {
		return &found.customer, nil
	}
	linked := lead.Linked(&found.customer, found.store, found.leads)
	if numbers, addresses := identities(&linked); numbers > maxIdentities || addresses > maxIdentities {
		return nil, fmt.Errorf("the leads of the Store %s lead from the customer to %d numbers and %d addresses: "+
			"one of them is a placeholder that a checkout gives for everybody, and other people's leads would be "+
			"taken for the customer's. With --direct only leads that have the number or the address themselves are "+
			"taken", found.store, numbers, addresses)
	}
	return &linked, nil
}

// identities are how many numbers and addresses a customer has.
func identities(customer *v1alpha1.LeadCustomer) (numbers, addresses int) {
	count := func(one string, others []string) int {
		return len(slices.DeleteFunc(append([]string{one}, others...), func(each string) bool { return each == "" }))
	}
	return count(customer.Phone, customer.OtherPhones), count(customer.Email, customer.OtherEmails)
}

func hasMore(a, than *v1alpha1.LeadCustomer) bool {
	return len(a.OtherPhones) > len(than.OtherPhones) || len(a.OtherEmails) > len(than.OtherEmails)
}

// leadsOf are the leads of a customer in all Stores of the namespace, by the labels that every way of writing a number
// has, or with scan among all leads.
func (f *finder) leadsOf(ctx context.Context, customer *v1alpha1.LeadCustomer) ([]v1alpha1.CartRecovery, error) {
	if f.scan {
		return f.scanned(ctx, customer)
	}
	var found []v1alpha1.CartRecovery
	for _, key := range lead.CustomerKeys(customer) {
		var list v1alpha1.CartRecoveryList
		err := f.reader.List(ctx, &list, client.InNamespace(f.namespace), client.HasLabels{key})
		if err != nil {
			return nil, fmt.Errorf("find the leads of the customer: %w", err)
		}
		found = index.Together(found, slices.DeleteFunc(list.Items, func(each v1alpha1.CartRecovery) bool {
			return !lead.SameCustomer(&each.Spec.Customer, customer)
		}))
	}
	return found, nil
}

// scanned looks through all leads.
func (f *finder) scanned(ctx context.Context, customer *v1alpha1.LeadCustomer) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	options := []client.ListOption{client.InNamespace(f.namespace), client.Limit(pageSize)}
	err := pages(ctx, f.reader, options, func(list *v1alpha1.CartRecoveryList) {
		for i := range list.Items {
			if concerns(&list.Items[i], customer) {
				found = append(found, list.Items[i])
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("look through the leads: %w", err)
	}
	return found, nil
}

// concerns says whether a lead is a customer's, or has messages that came from one of their numbers.
func concerns(recovery *v1alpha1.CartRecovery, customer *v1alpha1.LeadCustomer) bool {
	if lead.SameCustomer(&recovery.Spec.Customer, customer) {
		return true
	}
	for _, chat := range append(slices.Clone(recovery.Status.ChatIDs), phone.JID(recovery.Status.WhatsAppID)) {
		number, ok := phone.FromJID(chat)
		if ok && lead.SameCustomer(&v1alpha1.LeadCustomer{Phone: "+" + number}, customer) {
			return true
		}
	}
	return false
}

// suppressionsOf are the Suppressions of a customer's numbers in all Stores of the namespace. Keyed ones cannot be
// found without their key.
func (f *finder) suppressionsOf(ctx context.Context, customer *v1alpha1.LeadCustomer) ([]v1alpha1.Suppression, error) {
	hashes := hashesOf(customer)
	if len(hashes) == 0 {
		return nil, nil
	}
	labelled, err := labels.NewRequirement(v1alpha1.LabelPhoneKey, selection.In, hashes)
	if err != nil {
		return nil, fmt.Errorf("find the Suppressions of the customer: %w", err)
	}
	var list v1alpha1.SuppressionList
	err = f.reader.List(ctx, &list, client.InNamespace(f.namespace),
		client.MatchingLabelsSelector{Selector: labels.NewSelector().Add(*labelled)})
	if err != nil {
		return nil, fmt.Errorf("find the Suppressions of the customer: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(each v1alpha1.Suppression) bool {
		return !slices.Contains(hashes, lead.SuppressedHash(&each))
	}), nil
}

// hashesOf are the hashes of all numbers of a customer, in every way that they were ever written.
func hashesOf(customer *v1alpha1.LeadCustomer) []string {
	var hashes []string
	for _, number := range append([]string{customer.Phone}, customer.OtherPhones...) {
		for _, hash := range lead.PhoneHashes(number) {
			if !slices.Contains(hashes, hash) {
				hashes = append(hashes, hash)
			}
		}
	}
	return hashes
}

// ledgerOf are the entries of the ledgers about leads, by their names.
func ledgerOf(ctx context.Context, reader client.Reader, namespace string, names map[string]bool) (
	[]v1alpha1.LedgerEntry, error) {
	var entries []v1alpha1.LedgerEntry
	options := []client.ListOption{client.InNamespace(namespace), client.Limit(ledgerPage)}
	err := pages(ctx, reader, options, func(list *v1alpha1.RecoveryLedgerList) {
		for i := range list.Items {
			for _, entry := range list.Items[i].Spec.Entries {
				if names[entry.Lead] {
					entries = append(entries, entry)
				}
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledgers: %w", err)
	}
	return entries, nil
}

// isDenied says whether an error is a right that is missing.
func isDenied(err error) bool { return apierrors.IsForbidden(err) }
