package webhookserver

import (
	"cmp"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// This file decides what a sales event means for the leads there are. Pure functions.

// clockSkew is how far a platform's clock may be ahead of ours.
const clockSkew = 2 * time.Minute

// What CartRecovery's schema takes.
var (
	phoneForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,18}$`)
	amountForm   = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	urlForm      = regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`)
)

const (
	maxURL         = 2048
	maxEmail       = 254
	maxName        = 200
	maxEventID     = 200
	maxProductID   = 128
	maxTransaction = 128

	maxPixCode       = 1024
	maxBoletoLine    = 128
	maxConsentSource = 128

	// defaultCurrency is what the schema sets a Store's spec.currency to.
	defaultCurrency = "BRL"
)

// report is an event of a sales platform for one Store, and when it came.
type report struct {
	store    *v1alpha1.Store
	platform v1alpha1.PlatformName
	event    platforms.Event
	// product is nil where the event's product has no Product.
	product *v1alpha1.Product
	now     time.Time

	// bare is what said returns, once it was asked for, and resolved what policy does.
	bare     *v1alpha1.CartRecovery
	resolved *policy.Policy
	// lifted is a request to stop that the customer's Suppression no longer stands for.
	lifted *v1alpha1.Stop
}

// policy is the policy that holds for the event's lead.
func (r *report) policy() *policy.Policy {
	if r.resolved == nil {
		resolved := policy.Resolve(r.store, r.product)
		r.resolved = &resolved
	}
	return r.resolved
}

// fitting drops what CartRecovery's schema would refuse: a lead without an amount is worth
// more than none.
func fitting(event platforms.Event) platforms.Event {
	event.ID = bounded(event.ID, maxEventID)
	event.TransactionID = bounded(event.TransactionID, maxTransaction)
	event.Customer.Name = bounded(event.Customer.Name, maxName)
	event.Product.ID = bounded(event.Product.ID, maxProductID)
	event.Product.Name = bounded(event.Product.Name, maxName)
	event.Customer.Phone = matching(event.Customer.Phone, phoneForm, 20)
	event.Amount = matching(event.Amount, amountForm, 24)
	event.Currency = matching(event.Currency, currencyForm, 3)
	event.CheckoutURL = matching(event.CheckoutURL, urlForm, maxURL)
	if utf8.RuneCountInString(event.Customer.Email) > maxEmail {
		event.Customer.Email = ""
	}
	event.Payment, event.Consent = fittingPayment(event.Payment), fittingConsent(event.Consent)
	return event
}

func fittingPayment(told *v1alpha1.Payment) *v1alpha1.Payment {
	if told == nil {
		return nil
	}
	payment := *told
	// Half a code pays nothing.
	if utf8.RuneCountInString(payment.PixCode) > maxPixCode {
		payment.PixCode = ""
	}
	if utf8.RuneCountInString(payment.BoletoLine) > maxBoletoLine {
		payment.BoletoLine = ""
	}
	payment.URL = matching(payment.URL, urlForm, maxURL)
	payment.TransactionID = bounded(payment.TransactionID, maxTransaction)
	switch payment.Method {
	case "", v1alpha1.PaymentPix, v1alpha1.PaymentBoleto, v1alpha1.PaymentCard, v1alpha1.PaymentOther:
	default:
		payment.Method = v1alpha1.PaymentOther
	}
	return &payment
}

func fittingConsent(told *v1alpha1.Consent) *v1alpha1.Consent {
	if told == nil || told.Basis != v1alpha1.ConsentOptedIn && told.Basis != v1alpha1.ConsentOptedOut {
		return nil
	}
	consent := *told
	consent.Source = bounded(consent.Source, maxConsentSource)
	return &consent
}

// currencyOf is the currency of an event's amount: the platform's, else the Store's.
func currencyOf(store *v1alpha1.Store, event *platforms.Event) string {
	switch {
	case event.Currency != "" || event.Amount == "":
		return event.Currency
	case currencyForm.MatchString(store.Spec.Currency):
		return store.Spec.Currency
	}
	return defaultCurrency
}

// isAnonymous says whether the event names nobody.
func (r *report) isAnonymous() bool {
	return r.event.Customer.Phone == "" && r.event.Customer.Email == ""
}

func matching(value string, form *regexp.Regexp, most int) string {
	if utf8.RuneCountInString(value) > most || !form.MatchString(value) {
		return ""
	}
	return value
}

// bounded cuts a text to its first characters.
func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// leadName is the name of the event's lead.
func (r *report) leadName() string {
	return lead.Name(lead.Identity{
		ClientID: r.store.Spec.ClientID, Platform: r.platform, ProductID: productKey(r.event.Product.ID,
			r.event.Product.Name),
		Email: r.event.Customer.Email, Phone: r.event.Customer.Phone,
	})
}

// productKey tells one product of a platform from another.
func productKey(id, name string) string {
	if id != "" {
		return id
	}
	return name
}

// refusal is why an abandoned cart starts nothing, whatever leads there are; "" when it
// may.
func (r *report) refusal(suppressed bool) string {
	_, wanted := r.policy().Steps(r.event.Trigger)
	switch {
	case r.event.Customer.Phone == "":
		return ignoredNoPhone
	case !wanted:
		return ignoredNoSequence
	case suppressed:
		return ignoredSuppressed
	case r.now.Sub(r.occurred().Time) > r.policy().ExpireAfter:
		return ignoredTooOld
	}
	return ""
}

// maxOpenLeads is how many open leads a customer has in a Store before a further cart starts none:
// nobody leaves so many checkouts, but whoever can post for a platform can say so.
const maxOpenLeads = 20

// tooManyOpen says whether a customer has as many open leads as they may.
func tooManyOpen(leads []v1alpha1.CartRecovery) bool {
	open := 0
	for i := range leads {
		if isOpen(&leads[i]) && isUnsold(&leads[i]) {
			open++
		}
	}
	return open >= maxOpenLeads
}

// scope is the killSwitchScope that holds for the event's lead.
func (r *report) scope() v1alpha1.KillSwitchScope {
	return r.policy().KillSwitchScope
}

// startOn joins what a cart event says, and a purchase that stops it, to a lead that exists;
// it says whether that changed anything. A lead that is over stays as it is, but one that the
// event re-opens, and one that was bought or reversed before its cart was known: that starts
// nothing any more.
func (r *report) startOn(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) (changed bool) {
	switch r.fitOf(recovery) {
	case fitJoins:
		return r.add(recovery, r.started().Join(lead.Bought(purchase)))
	case fitReopens:
		r.reopen(recovery, purchase)
		return true
	case fitCooling, fitEarlier, fitClosed:
	}
	return false
}

// saying changes a lead and says whether it did, and whether its spec says something new: a
// time that only the annotations keep (see internal/lead) is written, and no news.
func saying(recovery *v1alpha1.CartRecovery, change func(*v1alpha1.CartRecovery) bool) (changed, says bool) {
	before := recovery.DeepCopy()
	changed = change(recovery)
	return changed, changed && !reflect.DeepEqual(before.Spec, recovery.Spec)
}

// isUnsold says whether neither a purchase nor a reversal of a lead is known.
func isUnsold(recovery *v1alpha1.CartRecovery) bool {
	return lead.Unsold(recovery)
}

// startedOn is the answer to a cart event whose lead exists; says tells whether it said
// something new.
func startedOn(stored *v1alpha1.CartRecovery, says bool) outcome {
	switch {
	case stored.Spec.Purchase != nil:
		return outcome{Result: resultIgnored, Reason: ignoredAlreadyPurchased, Lead: stored.Name}
	case lead.Over(stored) || stored.Spec.Reversal != nil:
		return outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished, Lead: stored.Name}
	case says:
		return outcome{Result: resultRecorded, Lead: stored.Name}
	}
	return outcome{Result: resultUnchanged, Lead: stored.Name}
}

// leadOf finds the lead that a cart event is about: its own, or the same cart under another
// name, where the customer gave an e-mail address in one event and none, or another, in the
// other. One that is worked on counts first, then one that was bought or reversed, then one
// that is over; nil when there is none.
func (r *report) leadOf(leads []v1alpha1.CartRecovery) *v1alpha1.CartRecovery {
	about := r.about(leads)
	if len(about) == 0 {
		return nil
	}
	own := r.leadName()
	return slices.MinFunc(about, func(a, b *v1alpha1.CartRecovery) int {
		switch closer := cmp.Compare(closeness(a), closeness(b)); {
		case closer != 0:
			return closer
		case b.Name == own:
			return 1
		case a.Name == own:
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
}

// closeness orders the leads that a cart event is about.
func closeness(recovery *v1alpha1.CartRecovery) int {
	switch {
	case !isUnsold(recovery):
		return 1
	case lead.Over(recovery):
		return 2
	}
	return 0
}

// about are the leads that an event is about: its own, and those of its product and
// customer under other names.
func (r *report) about(leads []v1alpha1.CartRecovery) []*v1alpha1.CartRecovery {
	if len(leads) == 0 {
		return nil
	}
	var about []*v1alpha1.CartRecovery
	event := r.said()
	customer := lead.Linked(&event.Spec.Customer, r.store.Name, leads)
	for i := range leads {
		each := &leads[i]
		if each.Spec.StoreRef.Name != r.store.Name {
			continue
		}
		twin := lead.SameCustomer(&each.Spec.Customer, &customer) && lead.SameProduct(&each.Spec, &event.Spec)
		if each.Name == event.Name || twin {
			about = append(about, each)
		}
	}
	return about
}

func (r *report) customer() v1alpha1.LeadCustomer {
	return v1alpha1.LeadCustomer{Name: r.event.Customer.Name, Phone: r.event.Customer.Phone,
		Email: r.event.Customer.Email}
}

func (r *report) eventProduct() v1alpha1.LeadProduct {
	return v1alpha1.LeadProduct{ID: r.event.Product.ID, Name: r.event.Product.Name}
}

// add joins facts to a lead that the event is about, which learns its product's id of it where
// only the name was known. It says whether that changed anything.
func (r *report) add(recovery *v1alpha1.CartRecovery, facts lead.Facts) (changed bool) {
	changed = lead.Add(recovery, facts)
	if changed && recovery.Spec.ClientID == "" {
		recovery.Spec.ClientID = r.store.Spec.ClientID
	}
	if id := r.event.Product.ID; id != "" && recovery.Spec.Product.ID == "" && recovery.Spec.Platform == r.platform {
		recovery.Spec.Product.ID, changed = id, true
	}
	return changed
}

// newLead is the event's lead, with what every event says of it.
func (r *report) newLead() *v1alpha1.CartRecovery {
	fresh := *r.said()
	fresh.Labels = maps.Clone(fresh.Labels)
	return &fresh
}

// said is newLead's original, to read only.
func (r *report) said() *v1alpha1.CartRecovery {
	if r.bare == nil {
		r.bare = r.makeLead()
	}
	return r.bare
}

func (r *report) makeLead() *v1alpha1.CartRecovery {
	customer := r.customer()
	created := &v1alpha1.CartRecovery{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.store.Namespace, Name: r.leadName(),
			Labels: lead.Labels(r.store.Name, customer)},
		Spec: v1alpha1.CartRecoverySpec{
			StoreRef: v1alpha1.ObjectReference{Name: r.store.Name},
			Platform: r.platform,
			Customer: customer,
			Product:  r.eventProduct(),
			ClientID: r.store.Spec.ClientID,
		},
	}
	if r.product != nil {
		created.Spec.ProductRef = &v1alpha1.ObjectReference{Name: r.product.Name}
		if created.Spec.Product.Name == "" {
			created.Spec.Product.Name = r.product.Spec.DisplayName
		}
	}
	return created
}

// leadWith is the event's lead with these facts.
func (r *report) leadWith(facts lead.Facts) *v1alpha1.CartRecovery {
	created := r.newLead()
	received := v1alpha1.NewTimestamp(r.now)
	created.Spec.ReceivedAt = &received
	lead.Add(created, facts)
	return created
}

// started is what a cart event says of its lead.
func (r *report) started() lead.Facts {
	facts, at := lead.FactsOf(r.said()), r.occurred()
	facts.Start = &lead.Start{
		Trigger: r.event.Trigger, AbandonedAt: at, EventID: r.event.ID, CheckoutURL: r.event.CheckoutURL,
		Amount: r.event.Amount, Currency: r.event.Currency, Phone: r.event.Customer.Phone,
	}
	facts.FirstAbandoned = at.Time
	facts.Payment, facts.Consent = r.payment(), r.event.Consent
	facts.Sales = lead.SaleHash(r.event.TransactionID)
	return facts
}

// payment is the open payment of a cart event; nil for none. One that the platform tells nothing
// of is one all the same: it can expire.
func (r *report) payment() *v1alpha1.Payment {
	method, isOpen := openPayments[r.event.Trigger]
	if r.event.Payment == nil && !isOpen {
		return nil
	}
	payment := &v1alpha1.Payment{}
	if r.event.Payment != nil {
		payment = r.event.Payment.DeepCopy()
	}
	if payment.Method == "" {
		payment.Method = method
	}
	if payment.TransactionID == "" {
		payment.TransactionID = r.event.TransactionID
	}
	// Without the platform's time a repetition would look like a new payment.
	if at := r.occurred(); payment.CreatedAt == nil && at.Equal(r.event.OccurredAt) {
		payment.CreatedAt = &at
	}
	return payment
}

// openPayments are the triggers of a payment that was made out and not paid.
var openPayments = map[v1alpha1.Trigger]v1alpha1.PaymentMethod{
	v1alpha1.TriggerPixPending:    v1alpha1.PaymentPix,
	v1alpha1.TriggerBoletoPending: v1alpha1.PaymentBoleto,
}

// purchased is what a purchase says of the leads that it is about.
func (r *report) purchased() lead.Facts {
	return r.ofSale().Join(lead.Bought(r.purchase(!r.event.Attribute)))
}

// reversed is what a refund or chargeback says of the leads that it is about.
func (r *report) reversed() lead.Facts {
	return r.ofSale().Join(lead.TakenBack(r.reversal()))
}

// ended is what the end of an open payment says of the leads that it is about.
func (r *report) ended() lead.Facts {
	return r.ofSale().Join(lead.Expired(r.event.TransactionID, r.occurred()))
}

// ofSale is what every event of a sale says: of whom and what it is, and which sale.
func (r *report) ofSale() lead.Facts {
	facts := lead.FactsOf(r.said())
	facts.Consent = r.event.Consent
	return facts.Join(lead.OfSale(r.event.TransactionID))
}

// occurred is when the event happened by the platform's clock; now, where that tells no time
// or one to come. An old one stays: a delivery that is repeated days later is as old as it was.
func (r *report) occurred() v1alpha1.Timestamp {
	at := r.event.OccurredAt
	if at.IsZero() || at.After(r.now.Add(clockSkew)) {
		at = r.now
	}
	return v1alpha1.NewTimestamp(at)
}

// recognise gives a purchase that these leads know the time that they keep of it: delivered
// again, one that tells no time of its own would be a new one.
func (r *report) recognise(leads []v1alpha1.CartRecovery) {
	if at, known := lead.PurchasedAt(leads, r.event.ID); known {
		r.event.OccurredAt = at
	}
}

func (r *report) purchase(unattributed bool) *v1alpha1.Purchase {
	return &v1alpha1.Purchase{
		EventID: r.event.ID, TransactionID: r.event.TransactionID,
		Amount: r.event.Amount, Currency: r.event.Currency,
		At: r.occurred(), Unattributed: unattributed,
	}
}

func (r *report) reversal() *v1alpha1.Reversal {
	kind := v1alpha1.ReversalRefund
	if r.event.Chargeback {
		kind = v1alpha1.ReversalChargeback
	}
	return &v1alpha1.Reversal{
		EventID: r.event.ID, Kind: kind, TransactionID: r.event.TransactionID,
		At: r.occurred(),
	}
}

// note is a lead that an event is written to.
type note struct {
	lead  *v1alpha1.CartRecovery
	facts lead.Facts
	// about is the report of the event, on leads that it is about; nil on those of other
	// products that a purchase stops.
	about *report
}

// add joins the facts to the lead as it was read last, and says whether that changed it. A
// lead of another product that was finished meanwhile stays as it is.
func (n *note) add(recovery *v1alpha1.CartRecovery) (changed bool) {
	facts := recognised(n.facts, recovery)
	switch {
	case n.about != nil:
		return n.about.add(recovery, facts)
	case lead.Reaches(facts.Purchase.At.Time, recovery):
		return lead.Add(recovery, facts)
	}
	return false
}

// recognised gives a purchase that a lead knows the time that it keeps of it, as recognise does
// for what the cache knew.
func recognised(facts lead.Facts, recovery *v1alpha1.CartRecovery) lead.Facts {
	purchase := facts.Purchase
	if purchase == nil {
		return facts
	}
	at, known := lead.PurchasedAt([]v1alpha1.CartRecovery{*recovery}, purchase.EventID)
	if !known || at.Equal(purchase.At.Time) {
		return facts
	}
	told := *purchase
	told.At = v1alpha1.NewTimestamp(at)
	facts.Purchase, facts.LastPurchase, facts.Purchases = nil, time.Time{}, ""
	return facts.Join(lead.Bought(&told))
}

// planPurchase decides which of the leads that the customer has in the store a purchase is
// written to. scope is the killSwitchScope that holds for a lead of another product.
func (r *report) planPurchase(leads []v1alpha1.CartRecovery,
	scope func(*v1alpha1.CartRecovery) v1alpha1.KillSwitchScope) []note {
	var notes []note
	own, about, facts := r.leadName(), r.about(leads), r.purchased()
	for _, each := range about {
		// One that was given up under another name stays so; the purchase is kept beside it.
		if each.Name == own || !lead.Over(each) || !isUnsold(each) {
			notes = append(notes, note{lead: each, facts: facts, about: r})
		}
	}
	stops, customer := lead.Bought(r.purchase(true)), r.customer()
	customer = lead.Linked(&customer, r.store.Name, leads)
	for i := range leads {
		each := &leads[i]
		if each.Spec.StoreRef.Name == r.store.Name && !slices.Contains(about, each) &&
			lead.SameCustomer(&each.Spec.Customer, &customer) &&
			scope(each) == v1alpha1.KillSwitchCustomer && lead.Reaches(stops.LastPurchase, each) {
			notes = append(notes, note{lead: each, facts: stops})
		}
	}
	return notes
}

// planReversal decides which of the leads that the customer has in the store a refund or
// chargeback is written to: all of the product, finished or not.
func (r *report) planReversal(leads []v1alpha1.CartRecovery) []note {
	var notes []note
	facts := r.reversed()
	for _, each := range r.about(leads) {
		notes = append(notes, note{lead: each, facts: facts, about: r})
	}
	return notes
}

// refusesEnd is why the end of an open payment changes nothing; "" when it may.
func (r *report) refusesEnd(leads []v1alpha1.CartRecovery) string {
	isOver := func(each *v1alpha1.CartRecovery) bool { return lead.Over(each) || !isUnsold(each) }
	if about := r.about(leads); len(about) > 0 {
		if !slices.ContainsFunc(about, func(each *v1alpha1.CartRecovery) bool { return !isOver(each) }) {
			return ignoredAlreadyFinished
		}
		return ""
	}
	for trigger := range openPayments {
		if _, wanted := r.policy().Steps(trigger); wanted {
			return ""
		}
	}
	return ignoredNoSequence
}

// planEnd decides which of the customer's leads the end of an open payment is written to: those
// of the product that are worked on.
func (r *report) planEnd(leads []v1alpha1.CartRecovery) []note {
	var notes []note
	facts := r.ended()
	for _, each := range r.about(leads) {
		if !lead.Over(each) && isUnsold(each) {
			notes = append(notes, note{lead: each, facts: facts, about: r})
		}
	}
	return notes
}
