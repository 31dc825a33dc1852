package census

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/policy"
)

// readTimeout bounds the look into the cache at a scrape.
const readTimeout = 2 * time.Second

// instancePhases are the phases that numbers are counted by.
var instancePhases = []v1alpha1.InstancePhase{
	v1alpha1.InstancePending, v1alpha1.InstancePairing, v1alpha1.InstanceConnected, v1alpha1.InstanceDisconnected,
	v1alpha1.InstanceRestricted, v1alpha1.InstanceFailed,
}

// Options are what a Collector needs. All must be set.
type Options struct {
	// Reader reads Stores and WhatsAppInstances from the cache.
	Reader client.Reader
	// Counts and Dues are of leads.
	Counts *Counts
	Dues   *Dues
	// Tokens are what the Stores' texts cost.
	Tokens *budget.Ledger
	// Clock tells the time.
	Clock clock.PassiveClock
	// Leads says whether this process leads: no other exports what the Stores have, or it would be counted twice.
	Leads func() bool
	// ShowStore has metrics carry the name of the Store; without it they are added up by namespace.
	ShowStore bool
}

// Collector exports what the Stores have.
type Collector struct {
	Options

	leader, leads, blocked, handedOff, overdue, oldest  *prometheus.Desc
	suppressions, instances, sending, unusable          *prometheus.Desc
	sentLastHour, opened, mayOpen, waiting              *prometheus.Desc
	recovered, revenue, tokensUsed, tokenBudget, storeN *prometheus.Desc
}

// NewCollector returns a Collector. Register it where the process is scraped.
func NewCollector(options Options) *Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		common := []string{"namespace"}
		if options.ShowStore {
			common = append(common, "store")
		}
		return prometheus.NewDesc("cartrecovery_"+name, help, append(common, labels...), nil)
	}
	return &Collector{
		Options: options,
		leader: prometheus.NewDesc("cartrecovery_leader", "Whether this process leads: 1 or 0. "+
			"Only the leader sends and exports what the Stores have.", nil, nil),
		storeN: prometheus.NewDesc("cartrecovery_stores", "Stores by namespace and whether they are Ready.",
			[]string{"namespace", "ready"}, nil),
		leads:   desc("leads", "Leads that have not been deleted yet, by phase.", "phase"),
		blocked: desc("leads_blocked", "Open leads that something stands in the way of, by its reason.", "reason"),
		handedOff: desc("leads_handed_off",
			"Open leads whose conversation a person of the store has."),
		overdue: desc("leads_overdue", "Open leads with a message that has been due for more than 30 s and has not "+
			"left, the policy's and the pace's own waits aside."),
		oldest: desc("leads_oldest_overdue_seconds",
			"How long the message has been due that has been overdue for longest; 0 for none."),
		suppressions: desc("suppressions", "Suppressions that hold, by reason.", "reason"),
		instances:    desc("instances", "WhatsAppInstances by phase.", "phase"),
		sending:      desc("instances_sending", "WhatsAppInstances that may start a conversation now."),
		unusable: desc("last_unusable_delivery_timestamp_seconds",
			"When a purchase or refund came in last that could not be used; 0 for never."),
		sentLastHour: desc("pace_sent_last_hour", "Messages that the numbers have sent within the last 60 minutes."),
		opened:       desc("pace_new_conversations_today", "Conversations that the numbers have started today."),
		mayOpen: desc("pace_new_conversations_allowed_today",
			"Conversations that the numbers may start today."),
		waiting:   desc("pace_waiting", "Messages that are due and wait for their turn."),
		recovered: desc("recovered_leads", "Leads that were recovered and have not been deleted yet."),
		revenue: desc("revenue", "What the recovered leads that have not been deleted yet have brought, by currency.",
			"currency"),
		tokensUsed: desc("store_ai_tokens_used_today", "AI tokens that the texts of the Stores' day have used."),
		tokenBudget: desc("store_ai_token_budget",
			"AI tokens that the Stores' texts may use in a day; 0 for no limit."),
	}
}

// Describe is part of prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		c.leader, c.storeN, c.leads, c.blocked, c.handedOff, c.overdue, c.oldest, c.suppressions, c.instances,
		c.sending, c.unusable, c.sentLastHour, c.opened, c.mayOpen, c.waiting, c.recovered, c.revenue, c.tokensUsed,
		c.tokenBudget,
	} {
		to <- desc
	}
}

// Collect is part of prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	leads := c.Leads()
	to <- prometheus.MustNewConstMetric(c.leader, prometheus.GaugeValue, truth(leads))
	if !leads {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	var stores v1alpha1.StoreList
	var instances v1alpha1.WhatsAppInstanceList
	for _, list := range []client.ObjectList{&stores, &instances} {
		if err := c.Reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			// An error would cost the process all of its metrics: it is only the cache that is not filled.
			return
		}
	}
	sums := sums{c: c, ready: map[[2]string]float64{}, values: map[series]float64{}}
	for i := range stores.Items {
		sums.addStore(&stores.Items[i])
	}
	for i := range instances.Items {
		sums.addInstance(&instances.Items[i])
	}
	sums.addLeads()
	for of, value := range sums.values {
		to <- prometheus.MustNewConstMetric(of.desc, prometheus.GaugeValue, value, c.labels(of)...)
	}
	for of, value := range sums.ready {
		to <- prometheus.MustNewConstMetric(c.storeN, prometheus.GaugeValue, value, of[0], of[1])
	}
}

func (c *Collector) labels(of series) []string {
	labels := []string{of.store.Namespace}
	if c.ShowStore {
		labels = append(labels, of.store.Name)
	}
	if of.hasLabel {
		labels = append(labels, of.label)
	}
	return labels
}

// series is one value that is exported.
type series struct {
	desc  *prometheus.Desc
	store types.NamespacedName
	// label is the value of the label beside namespace and store.
	label    string
	hasLabel bool
}

// sums adds up what one scrape exports.
type sums struct {
	c      *Collector
	ready  map[[2]string]float64
	values map[series]float64
}

// of names the series of a Store. Without the label of the Store those of a namespace are one.
func (s *sums) of(desc *prometheus.Desc, store types.NamespacedName, label ...string) series {
	if !s.c.ShowStore {
		store.Name = ""
	}
	found := series{desc: desc, store: store}
	if len(label) > 0 {
		found.label, found.hasLabel = label[0], true
	}
	return found
}

func (s *sums) add(value float64, desc *prometheus.Desc, store types.NamespacedName, label ...string) {
	s.values[s.of(desc, store, label...)] += value
}

// largest keeps the larger of the values of a namespace's Stores, where their sum would mean nothing.
func (s *sums) largest(value float64, desc *prometheus.Desc, store types.NamespacedName) {
	of := s.of(desc, store)
	s.values[of] = max(s.values[of], value)
}

// addStore adds what a Store says, and zeros for what it may have none of: a metric that is not there alerts nobody.
func (s *sums) addStore(store *v1alpha1.Store) {
	c, name := s.c, client.ObjectKeyFromObject(store)
	for _, phase := range phases {
		s.add(0, c.leads, name, string(phase))
	}
	for _, phase := range instancePhases {
		s.add(0, c.instances, name, string(phase))
	}
	for _, reason := range suppressionReasons {
		s.add(0, c.suppressions, name, string(reason))
	}
	for _, desc := range []*prometheus.Desc{c.handedOff, c.overdue, c.sending, c.sentLastHour, c.opened, c.mayOpen,
		c.waiting, c.recovered} {
		s.add(0, desc, name)
	}
	for _, ready := range []bool{true, false} {
		s.ready[[2]string{name.Namespace, strconv.FormatBool(ready)}] += 0
	}
	isReady := apimeta.IsStatusConditionTrue(store.Status.Conditions, v1alpha1.ConditionReady)
	s.ready[[2]string{name.Namespace, strconv.FormatBool(isReady)}]++
	s.largest(0, c.oldest, name)
	var last float64
	if unusable := store.Status.LastUnusableDelivery; unusable != nil {
		last = float64(unusable.Time.Unix())
	}
	s.largest(last, c.unusable, name)
	var limit float64
	if store.Spec.AI.DailyTokenBudget != nil {
		limit = float64(*store.Spec.AI.DailyTokenBudget)
	}
	s.add(limit, c.tokenBudget, name)
	today := budget.Day(c.Clock.Now(), policy.Zone(store))
	s.add(float64(c.Tokens.Used(name, today)), c.tokensUsed, name)
	if counted := store.Status.Leads; counted != nil {
		s.add(float64(counted.Recovered), c.recovered, name)
		for _, each := range counted.Revenue {
			// The controller writes decimals, and one that is none is worth nothing.
			amount, _ := strconv.ParseFloat(each.Amount, 64)
			s.add(amount, c.revenue, name, each.Currency)
		}
	}
}

func (s *sums) addInstance(instance *v1alpha1.WhatsAppInstance) {
	c := s.c
	store := types.NamespacedName{Namespace: instance.Namespace, Name: instance.Spec.StoreRef.Name}
	phase := instance.Status.Phase
	if phase == "" {
		phase = v1alpha1.InstancePending
	}
	s.add(1, c.instances, store, string(phase))
	s.add(truth(connection.CanSend(instance, true, c.Clock.Now())), c.sending, store)
	if pace := instance.Status.Pace; pace != nil {
		s.add(float64(pace.SentLastHour), c.sentLastHour, store)
		s.add(float64(pace.NewConversationsToday), c.opened, store)
		s.add(float64(pace.NewConversationsAllowedToday), c.mayOpen, store)
		s.add(float64(pace.Waiting), c.waiting, store)
	}
}

// addLeads adds what is counted as leads and suppressions change.
func (s *sums) addLeads() {
	c := s.c
	c.Counts.each(func(counted fact, number int) {
		switch counted.kind {
		case ofPhase:
			s.add(float64(number), c.leads, counted.store, counted.value)
		case ofBlocked:
			s.add(float64(number), c.blocked, counted.store, counted.value)
		case ofHandedOff:
			s.add(float64(number), c.handedOff, counted.store)
		case ofSuppressed:
			s.add(float64(number), c.suppressions, counted.store, counted.value)
		}
	})
	for store, late := range c.Dues.Overdue(c.Clock.Now()) {
		s.add(float64(late.Leads), c.overdue, store)
		s.largest(late.Oldest.Seconds(), c.oldest, store)
	}
}

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
