package movein

import (
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// Lead is what a row becomes.
type Lead struct {
	// OptOut is all that becomes of a row whose customer asked not to be written to; nil for others.
	OptOut *v1alpha1.Suppression
	// Object to create, held where it is open.
	Object *v1alpha1.CartRecovery
	// Facts of the row, for a lead that exists.
	Facts lead.Facts
	// Conversation so far, oldest first.
	Conversation []v1alpha1.Message
	// Instance that the conversation is on, "" where it is not known.
	Instance string
	// Ended is how the lead ended, "" while it is open: only the time of its message matters then, for the cooldown.
	Ended string
	// Bought: the customer has bought what they left.
	Bought bool
	// boughtAt is when, zero where that is not known, and sale the transaction, "" where it is not known.
	boughtAt time.Time
	sale     string
}

// HasStatus says whether the row says something of the lead's status.
func (l *Lead) HasStatus() bool { return len(l.Conversation) > 0 || l.Ended != "" }

// progress is how far a lead was in the other backend.
type progress int

const (
	unknown progress = iota
	pending
	wasContacted
	bought
	failed
	optedOut
)

// Status is a status of leads in other backends, by all its names.
type Status struct {
	// Name that stands for all, and the Others that mean the same. Letters and digits count: opted_out is optedOut.
	Name   string
	Others []string
	// reached is how far a lead with it was.
	reached progress
}

// Statuses are those that are understood.
var Statuses = []Status{
	{Name: "pending", reached: pending, Others: []string{"pendingRecovery", "new", "scheduled", "queued", "waiting",
		"abandoned", "pendente", "novo", "nova", "agendado", "agendada", "naFila", "aguardando", "abandonado",
		"abandonada"}},
	{Name: "contacted", reached: wasContacted, Others: []string{"sent", "engaged", "replied", "inProgress", "talking",
		"contatado", "contatada", "contactado", "contactada", "enviado", "enviada", "engajado", "engajada",
		"respondeu", "respondido", "emAndamento", "emConversa", "conversando"}},
	{Name: "converted", reached: bought, Others: []string{"recovered", "purchased", "paid", "won", "convertido",
		"convertida", "recuperado", "recuperada", "comprou", "comprado", "pago", "paga", "ganho", "vendido"}},
	{Name: "failed", reached: failed, Others: []string{"expired", "lost", "cancelled", "canceled", "closed", "falhou",
		"falha", "perdido", "perdida", "expirado", "expirada", "cancelado", "cancelada", "encerrado", "encerrada",
		"fechado", "fechada"}},
	{Name: "optedOut", reached: optedOut, Others: []string{"optOut", "unsubscribed", "blocked", "descadastrado",
		"descadastrada", "descadastrou", "bloqueado", "bloqueada"}},
}

// statuses are how far a lead was, by what its status is called.
var statuses = func() map[string]progress {
	byName := map[string]progress{}
	for _, each := range Statuses {
		for _, name := range append(each.Others, each.Name) {
			byName[normal(name)] = each.reached
		}
	}
	return byName
}()

// endings are the outcomes of leads that have ended.
var endings = map[progress]string{
	bought: v1alpha1.ReasonPurchaseNotAttributed, failed: v1alpha1.ReasonConversationEnded,
}

var triggers = map[string]v1alpha1.Trigger{
	"abandonedcart": v1alpha1.TriggerAbandonedCart, "cartabandoned": v1alpha1.TriggerAbandonedCart,
	"abandoned": v1alpha1.TriggerAbandonedCart, "cart": v1alpha1.TriggerAbandonedCart,
	"purchaseoutofshoppingcart": v1alpha1.TriggerAbandonedCart,
	"pixpending":                v1alpha1.TriggerPixPending, "pix": v1alpha1.TriggerPixPending,
	"pixgenerated": v1alpha1.TriggerPixPending, "pixcreated": v1alpha1.TriggerPixPending,
	"boletopending": v1alpha1.TriggerBoletoPending, "boleto": v1alpha1.TriggerBoletoPending,
	"boletoprinted": v1alpha1.TriggerBoletoPending, "billet": v1alpha1.TriggerBoletoPending,
	"purchasebilletprinted": v1alpha1.TriggerBoletoPending,
	"paymentrefused":        v1alpha1.TriggerPaymentRefused, "refused": v1alpha1.TriggerPaymentRefused,
	"cardrefused": v1alpha1.TriggerPaymentRefused, "declined": v1alpha1.TriggerPaymentRefused,
}

var methods = map[v1alpha1.Trigger]v1alpha1.PaymentMethod{
	v1alpha1.TriggerPixPending: v1alpha1.PaymentPix, v1alpha1.TriggerBoletoPending: v1alpha1.PaymentBoleto,
}

// Lead is what a row becomes: the lead that the webhook server makes of the same cart; nil when the row is wrong. That
// of a row that is skipped is not to be made.
func (t *Target) Lead(row Row) (made *Lead, skipped string, problems []Problem) {
	c := &cells{Target: t, row: row}
	if c.isOthers() {
		return nil, SkippedClient, nil
	}
	told := c.told()
	boughtAt := c.past("boughtAt")
	if len(c.problems) > 0 {
		return nil, "", c.problems
	}
	product := index.ProductAmong(t.Products, t.Store.Name, told.platform, told.product)
	rules := policy.Resolve(t.Store, product)
	if optsOut(&rules, &told) {
		keep := t.Store.Spec.SuppressedPhones == v1alpha1.SuppressedPhonesClear
		return &Lead{OptOut: lead.NewSuppression(t.Store.Namespace, t.Store.Name, told.customer.Phone, keep,
			v1alpha1.SuppressionOptOut)}, "", nil
	}
	made = &Lead{Object: lead.New(t.Store, told.platform, told.customer, told.product, product),
		Instance: told.instance, Bought: told.reached == bought,
		boughtAt: boughtAt, sale: told.sale}
	steps, _ := rules.Steps(told.start.Trigger)
	made.Conversation = messages(told.talk, steps, told.instance)
	made.Facts = told.facts(made.Object)
	lead.Add(made.Object, made.Facts)
	if skipped = t.skips(&told, &rules); skipped != "" {
		return made, skipped, nil
	}
	made.Ended = endings[told.reached]
	made.Mark(made.Object, t.Batch)
	return made, "", nil
}

// Mark has a lead belong to an import. What is open is held, and what has a status waits for it.
func (l *Lead) Mark(recovery *v1alpha1.CartRecovery, batch string) {
	recovery.Spec.Suspend = recovery.Spec.Suspend || l.Ended == ""
	metav1.SetMetaDataLabel(&recovery.ObjectMeta, v1alpha1.LabelImport, batch)
	if l.HasStatus() {
		metav1.SetMetaDataAnnotation(&recovery.ObjectMeta, v1alpha1.AnnotationImportIncomplete, "")
	}
}

// told is what a row says of a lead.
type told struct {
	platform v1alpha1.PlatformName
	customer v1alpha1.LeadCustomer
	product  v1alpha1.LeadProduct
	start    lead.Start
	sale     string
	instance string
	reached  progress
	talk     []said
}

func (c *cells) told() told {
	row := told{
		platform: c.platform(), customer: c.customer(), product: c.product(), sale: c.text("transactionId", 128),
		instance: c.instance(), talk: c.conversation(),
		reached: oneOf(c, "status", statuses, unknown, "pending, contacted, converted, recovered, failed or optedOut"),
		start: lead.Start{
			Trigger: oneOf(c, "trigger", triggers, v1alpha1.TriggerAbandonedCart,
				"AbandonedCart, PixPending, BoletoPending or PaymentRefused"),
			AbandonedAt: v1alpha1.NewTimestamp(c.past("abandonedAt")), EventID: c.text("eventId", 200),
			CheckoutURL: c.matching("checkoutURL", urlForm, "expected a URL, such as https://pay.example.com/c/1"),
			Amount:      c.amount("amount"),
			Currency:    c.matching("currency", currencyForm, "expected a currency of ISO 4217, such as BRL"),
		},
	}
	if c.get("abandonedAt") == "" {
		c.wrong("abandonedAt", "expected a time, found nothing")
	}
	row.start.Phone = row.customer.Phone
	if row.start.Amount != "" && row.start.Currency == "" {
		row.start.Currency = c.Store.Spec.Currency
	}
	at := c.past("contactedAt")
	wrote := slices.ContainsFunc(row.talk, func(each said) bool { return each.role == v1alpha1.RoleAssistant })
	switch {
	case row.reached == wasContacted, row.reached > wasContacted && !at.IsZero():
		if at.IsZero() && !wrote {
			at = row.start.AbandonedAt.Time
		}
		row.talk = contacted(row.talk, at)
	case row.reached == unknown && !at.IsZero():
		row.talk = contacted(row.talk, at)
	}
	return row
}

// platform of a lead, which is one of the Store's.
func (c *cells) platform() v1alpha1.PlatformName {
	platforms := c.Store.Spec.Platforms
	name := v1alpha1.PlatformName(normal(c.get("platform")))
	if name == "" && len(platforms) == 1 {
		return platforms[0].Name
	}
	names := ""
	for i := range platforms {
		if platforms[i].Name == name {
			return name
		}
		if i > 0 {
			names += ", "
		}
		names += string(platforms[i].Name)
	}
	if names == "" {
		names = "none yet: add them first"
	}
	c.wrong("platform", "expected one of the Store's platforms ("+names+")")
	return ""
}

// instance is the WhatsAppInstance that a conversation is on. Without a name it is the Store's only one.
func (c *cells) instance() string {
	name, only := c.get("instance"), ""
	for i := range c.Instances {
		each := &c.Instances[i]
		if each.Spec.StoreRef.Name != c.Store.Name {
			continue
		}
		if name != "" && (each.Name == name || slices.Contains(index.GatewayNames(each), name)) {
			return each.Name
		}
		if only != "" {
			only = "*"
			continue
		}
		only = each.Name
	}
	switch {
	case name != "":
		c.wrong("instance", "expected a WhatsAppInstance of the Store, or its name at the gateway; import the "+
			"instances "+
			"first, or leave it out")
	case only == "*":
		return ""
	}
	return only
}

// facts are what a row adds to what is known of its lead.
func (r *told) facts(own *v1alpha1.CartRecovery) lead.Facts {
	facts := lead.Begin(lead.FactsOf(own), r.start).Join(lead.OfSale(r.sale))
	if method, open := methods[r.start.Trigger]; open {
		at := r.start.AbandonedAt
		facts.Payment = &v1alpha1.Payment{Method: method, TransactionID: r.sale, CreatedAt: &at}
	}
	return facts
}

// skips is why a row becomes nothing; "" when it becomes something.
func (t *Target) skips(row *told, rules *policy.Policy) string {
	last, first := row.start.AbandonedAt.Time, time.Time{}
	for _, each := range row.talk {
		if each.at.After(last) {
			last = each.at
		}
		if each.role == v1alpha1.RoleAssistant && first.IsZero() {
			first = each.at
		}
	}
	_, hasSequence := rules.Steps(row.start.Trigger)
	switch {
	case row.reached > wasContacted && (first.IsZero() || !first.Add(rules.Cooldown).After(t.Now)):
		return SkippedEnded
	case row.reached > wasContacted:
		return ""
	case !last.Add(rules.ExpireAfter).After(t.Now):
		return SkippedTooOld
	case !hasSequence && first.IsZero():
		return SkippedNoSequence
	}
	return ""
}

// maxJoined is how many messages of a lead and of a row are joined.
const maxJoined = v1alpha1.MaxConversation

// Complete adds what a row says to the status of its lead, and says whether that changed it.
func (l *Lead) Complete(recovery *v1alpha1.CartRecovery, now time.Time) (changed bool) {
	status := &recovery.Status
	joined := slices.Clone(status.Conversation)
	for i := range l.Conversation {
		if lead.Find(joined, l.Conversation[i].ID) == nil && len(joined) < 2*maxJoined {
			joined, changed = append(joined, l.Conversation[i]), true
		}
	}
	if changed {
		slices.SortStableFunc(joined, func(a, b v1alpha1.Message) int { return a.At.Compare(b.At.Time) })
		status.Conversation = lead.Bounded(joined)
	}
	if status.InstanceRef == nil && l.Instance != "" {
		status.InstanceRef, changed = &v1alpha1.ObjectReference{Name: l.Instance}, true
	}
	outcome := lead.SucceededReason(recovery)
	if l.Ended != "" && !lead.Finished(recovery) {
		outcome, changed = l.Ended, true
		l.end(recovery, now)
	}
	if at := l.handedOver(); l.Ended == "" && !at.IsZero() &&
		apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionHandedOff) == nil {
		changed = true
		apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonPersonWrote,
			Message: lead.HandedOffMessage, LastTransitionTime: metav1.NewTime(at),
			ObservedGeneration: recovery.Generation,
		})
	}
	lead.Summarize(recovery, outcome, now)
	return changed
}

// end has a lead end when the other backend last had to do with it.
func (l *Lead) end(recovery *v1alpha1.CartRecovery, now time.Time) {
	at := metav1.NewTime(lead.LastActivity(recovery).UTC().Truncate(time.Second))
	if at.After(now) {
		at = metav1.NewTime(now.UTC().Truncate(time.Second))
	}
	value := metav1.ConditionFalse
	if l.Ended == v1alpha1.ReasonPurchaseNotAttributed {
		value = metav1.ConditionTrue
	}
	recovery.Status.CompletionTime = &at
	apimeta.SetStatusCondition(&recovery.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionSucceeded, Status: value, Reason: l.Ended, LastTransitionTime: at,
		Message: "it ended in the backend that it was imported from", ObservedGeneration: recovery.Generation,
	})
}

// handedOver is when a person took the conversation over: nothing was sent for the store since. Zero when nobody did.
func (l *Lead) handedOver() time.Time {
	for _, message := range slices.Backward(l.Conversation) {
		switch message.Role {
		case v1alpha1.RolePerson:
			return message.At.Time
		case v1alpha1.RoleAssistant:
			return time.Time{}
		case v1alpha1.RoleCustomer:
		}
	}
	return time.Time{}
}
