package cartrecovery

import (
	"cmp"
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/policy"
)

// This file plays whole lives of leads on the real plan, the real line of a number and the
// real status changes, with a clock that jumps from one thing that happens to the next.
// What leaves is judged by rules that know nothing of plan.

// simStore is a store with its numbers and leads.
type simStore struct {
	store     *v1alpha1.Store
	product   *v1alpha1.Product
	policy    policy.Policy
	instances []v1alpha1.WhatsAppInstance
	leads     []*simLead
	// suppressed are the phones that opted out, and when.
	suppressed map[string]time.Time
	// down is set while the gateway does not answer, mute while it takes messages and does not
	// say so, dumb while the AI fails.
	down, mute, dumb bool
	// sent is what reached the gateway, by instance.
	sent map[types.UID][]simSent
}

// simSent is a message that reached the gateway.
type simSent struct {
	at    time.Time
	opens bool
	class pace.Class
}

// simLead is a lead and what the world knows of it.
type simLead struct {
	store   *simStore
	object  *v1alpha1.CartRecovery
	drafts  map[plan.TextID]plan.Draft
	checked bool
	// gone is what the gateway has taken, by message id.
	gone map[string]int
	// wake is when the lead is looked at next; an earlier wake-up makes a later one stale.
	wake time.Time
	// boughtAt is when a purchase was acknowledged.
	boughtAt time.Time
	deleted  bool
	passes   int
	// lost are the claims whose answer was lost on the way to this process.
	lost map[string]time.Time
	// writing is set while the lead waits for a text: then its next action is on its way.
	writing bool
}

// maxPasses is how often one lead may be looked at: more is a loop.
const maxPasses = 3000

// simulation is a world of stores.
type simulation struct {
	meanings   *plan.Meanings
	clock      *clocktesting.FakePassiveClock
	random     *rand.Rand
	reconciler *Reconciler
	stores     []*simStore
	queue      happenings
	serial     int
	// told is where everything that happens is written to; nil for nowhere.
	told io.Writer
	// faults are the rules that were broken.
	faults []string
	counts map[string]int
	// answers decides what a customer does about a message that came; nil for nothing.
	answers func(*simLead, string)
}

// happening is something that happens at a time.
type happening struct {
	at     time.Time
	serial int
	what   func()
}

type happenings []happening

func (h happenings) Len() int { return len(h) }
func (h happenings) Less(a, b int) bool {
	if !h[a].at.Equal(h[b].at) {
		return h[a].at.Before(h[b].at)
	}
	return h[a].serial < h[b].serial
}
func (h happenings) Swap(a, b int) { h[a], h[b] = h[b], h[a] }
func (h *happenings) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// simMeanings is shared by all simulations: they say the same.
var simMeanings = plan.NewMeanings()

func newSimulation(start time.Time, seed uint64) *simulation {
	clock := clocktesting.NewFakePassiveClock(start)
	sim := &simulation{meanings: simMeanings, clock: clock, random: rand.New(rand.NewPCG(seed, 7)),
		counts: map[string]int{}}
	sim.restart()
	return sim
}

// restart begins with an empty memory, as a new leader does.
func (sim *simulation) restart() {
	sim.reconciler = &Reconciler{Clock: sim.clock, Pacer: pace.NewPacer(sim.clock, pace.Settle),
		firstContacts: newFirstContacts()}
	for _, store := range sim.stores {
		sim.seed(store)
		for _, each := range store.leads {
			each.drafts, each.checked = map[plan.TextID]plan.Draft{}, false
			// What was due while nobody led is late, and its time was not brought up to date.
			each.lost, each.writing = nil, true
			sim.wakeAt(each, sim.clock.Now())
		}
	}
}

func (sim *simulation) seed(store *simStore) {
	objects := make([]v1alpha1.CartRecovery, 0, len(store.leads))
	for _, each := range store.leads {
		if !each.deleted {
			objects = append(objects, *each.object)
		}
	}
	for i := range store.instances {
		instance := &store.instances[i]
		sim.reconciler.Pacer.Seed(instance.UID, pace.HistoryOf(objects, instance.Name,
			sim.clock.Now().Add(-pace.HistoryLength)))
		sim.reconciler.Pacer.Open(instance.UID)
	}
}

func (sim *simulation) at(at time.Time, what func()) {
	sim.serial++
	// Nothing here is finer than what the API keeps.
	heap.Push(&sim.queue, happening{at.Truncate(time.Microsecond), sim.serial, what})
}

// run plays until a time.
func (sim *simulation) run(until time.Time) {
	for len(sim.queue) > 0 && len(sim.faults) == 0 {
		next := heap.Pop(&sim.queue).(happening)
		if next.at.After(until) {
			return
		}
		if next.at.After(sim.clock.Now()) {
			sim.clock.SetTime(next.at)
		}
		next.what()
	}
}

// addStore adds a store whose numbers are connected since the start.
func (sim *simulation) addStore(name string, numbers int, mods ...func(*v1alpha1.Store)) *simStore {
	added := &simStore{suppressed: map[string]time.Time{}, sent: map[types.UID][]simSent{}}
	added.store = gen.StoreObject(mods...)
	added.store.Name, added.store.UID = name, types.UID("uid-"+name)
	added.product = gen.ProductObject(func(p *v1alpha1.Product) { p.Spec.StoreRef.Name = name })
	added.policy = policy.Resolve(added.store, added.product)
	for n := range numbers {
		added.instances = append(added.instances, *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Name = fmt.Sprintf("%s-%d", name, n)
			i.UID, i.Spec.StoreRef.Name = types.UID("uid-"+i.Name), name
			i.Status.FirstConnectedTime = &metav1.Time{Time: sim.clock.Now()}
			i.Status.Conditions[0].LastTransitionTime = metav1.NewTime(sim.clock.Now())
		}))
	}
	sim.stores = append(sim.stores, added)
	sim.seed(added)
	return added
}

// addLead has a customer leave the checkout now.
func (sim *simulation) addLead(store *simStore, phone string) *simLead {
	name := fmt.Sprintf("%s-lead-%d", store.store.Name, len(store.leads))
	object := gen.Lead(sim.clock.Now(), func(l *v1alpha1.CartRecovery) {
		l.Name, l.UID = name, types.UID("uid-"+name)
		l.Spec.StoreRef.Name = store.store.Name
		l.Spec.Customer.Phone, l.Spec.Customer.Email = phone, ""
		l.Labels = lead.Labels(store.store.Name, l.Spec.Customer)
	})
	added := &simLead{store: store, object: object, drafts: map[plan.TextID]plan.Draft{}, gone: map[string]int{}}
	store.leads = append(store.leads, added)
	sim.wakeAt(added, sim.clock.Now())
	return added
}

// wakeAt has a lead looked at; one time at a time, as in a work queue.
func (sim *simulation) wakeAt(each *simLead, at time.Time) {
	if each.deleted || !each.wake.IsZero() && !at.Before(each.wake) {
		return
	}
	each.wake = at.Truncate(time.Microsecond)
	sim.at(at, func() {
		if each.deleted || !each.wake.Equal(at.Truncate(time.Microsecond)) {
			return
		}
		each.wake = time.Time{}
		sim.reconcile(each)
	})
}

func (sim *simulation) wakeAll(store *simStore) {
	for _, each := range store.leads {
		sim.wakeAt(each, sim.clock.Now())
	}
}

// snapshot is what the controller would read.
func (sim *simulation) snapshot(each *simLead) *plan.Snapshot {
	store := each.store
	_, suppressed := store.suppressed[each.object.Spec.Customer.Phone]
	s := &plan.Snapshot{
		Meanings: sim.meanings, Lead: each.object, Store: store.store, Product: store.product, Policy: store.policy,
		Instances: store.instances, Suppressed: suppressed, Now: sim.clock.Now(),
		Draft: func(text plan.TextID) plan.Draft {
			if known := each.drafts[text]; known.State != plan.DraftReady ||
				sim.clock.Since(known.ReadyAt) <= plan.FreshFor {
				return known
			}
			return plan.Draft{}
		},
		Contact: func(*v1alpha1.WhatsAppInstance) contacts.Contact {
			if each.checked {
				return contacts.Contact{State: contacts.Registered}
			}
			return contacts.Contact{}
		},
	}
	s.Uncalled = func(id string, at time.Time) bool {
		lost, ok := each.lost[id]
		return ok && lost.Equal(at)
	}
	s.Capacity = func(instance *v1alpha1.WhatsAppInstance, due time.Time) plan.Capacity {
		return sim.reconciler.capacity(s, instance, due)
	}
	s.WaitsAt = sim.reconciler.Pacer.WaitsAt(client.ObjectKeyFromObject(each.object))
	var others []v1alpha1.CartRecovery
	for _, other := range store.leads {
		if !other.deleted && other.object.Spec.Customer.Phone == each.object.Spec.Customer.Phone {
			others = append(others, *other.object)
		}
	}
	s.Others = plan.OthersOf(each.object, others, sim.reconciler.firstContacts.get(customerOf(each.object)))
	return s
}

// reconcile is one pass of the controller over a lead.
func (sim *simulation) reconcile(each *simLead) {
	s := sim.snapshot(each)
	//nolint:staticcheck // nothing is read: the pacer is seeded
	planned, err := sim.reconciler.inTurn(nil, s, plan.Next(*s))
	if err != nil {
		sim.faultf(each, "inTurn: %v", err)
		return
	}
	defer sim.drainWoken()
	sim.counts["passes"]++
	sim.notef(each, "%s %s until %s blocked=%q %s", planned.Kind, planned.Message.ID,
		planned.Until.Format(time.RFC3339Nano), planned.Blocked, planned.Outcome)
	if each.passes++; each.passes > maxPasses {
		sim.faultf(each, "looked at %d times, and still %s: %+v", each.passes, planned.Kind,
			each.object.Status.NextAction)
	}
	sim.judgeTime(each)
	each.writing = planned.Writing || planned.Kind == plan.Prepare || planned.Kind == plan.Check
	switch planned.Kind {
	case plan.Wait:
		sim.judgeHeard(each, s, planned)
		sim.decide(each, &planned, plan.Waiting(planned, s.Now))
		if planned.Blocked != "" {
			sim.counts["blocked "+planned.Blocked]++
		}
		if !planned.Until.IsZero() {
			sim.wakeAt(each, instant.Later(plan.LookAgain(&each.object.Status, planned, s.Now),
				s.Now.Add(time.Millisecond)))
		}
	case plan.Check:
		each.checked = true
		sim.wakeAt(each, s.Now)
	case plan.Prepare:
		sim.write(each, s.TextID(planned.Message.ID))
	case plan.Send:
		sim.send(each, s, planned.Message)
	case plan.Resolve:
		sim.resolve(each, s, planned.Message)
	case plan.HandOver:
		sim.change(each, plan.HandedOverFor(cmp.Or(planned.Outcome, v1alpha1.ReasonCustomerAsked), 1, s.Now))
		each.drafts = map[plan.TextID]plan.Draft{}
		sim.counts["handed over"]++
		sim.counts["handed over "+planned.Outcome]++
		sim.wakeAt(each, s.Now)
	case plan.Resume:
		if planned.Outcome == v1alpha1.ReasonResumedByTime {
			sim.counts["resumed by time"]++
		}
		sim.change(each, plan.ResumedFor(planned.Outcome, lead.ResumeRequest(each.object), 1, s.Now))
		sim.wakeAt(each, s.Now)
	case plan.Reopen:
		sim.change(each, plan.Reopened(1, plan.AnswersLate(&each.store.policy), s.Now))
		each.gone = map[string]int{}
		sim.wakeAt(each, s.Now)
	case plan.ReopenForAnswer:
		sim.counts["answered late"]++
		sim.change(each, plan.AnsweredLate(1, s.Now))
		sim.wakeAt(each, s.Now)
	case plan.Stop:
		sim.stops(each, *planned.Stop)
	case plan.Settle:
		sim.counts["settled"]++
		delete(each.lost, planned.Message.ID)
		sim.reconciler.releaseTurn(s, planned.Message.Instance)
		sim.change(each, plan.Uncalled(planned.Message.ID, planned.Message.Due, plan.StillWanted(s), s.Now))
		sim.wakeAt(each, s.Now)
	case plan.Finish:
		sim.counts["ended "+planned.Outcome]++
		sim.change(each, plan.Finished(each.object, each.object.Spec.Purchase, planned.Outcome, s.Now))
		sim.wakeAt(each, s.Now)
	case plan.Remove:
		each.deleted = true
		sim.reconciler.Pacer.Forget(client.ObjectKeyFromObject(each.object))
	default:
		sim.faultf(each, "an action that nothing asked for: %s", planned.Kind)
	}
}

// drainWoken wakes the leads whose turn came because others left the line.
func (sim *simulation) drainWoken() {
	for {
		select {
		case woken := <-sim.reconciler.Pacer.Woken():
			for _, store := range sim.stores {
				for _, each := range store.leads {
					if each.object.Name == woken.Object.Name {
						sim.wakeAt(each, sim.clock.Now())
					}
				}
			}
		default:
			return
		}
	}
}

// change applies a status change, as a write does.
func (sim *simulation) change(each *simLead, apply plan.Change) { sim.decide(each, nil, apply) }

// decide applies a status change that goes with what is done next, nil for what plan says.
func (sim *simulation) decide(each *simLead, decided *plan.Action, apply plan.Change) {
	next := each.object.DeepCopy()
	if apply(&next.Status) && !reflect.DeepEqual(each.object.Status, next.Status) {
		plan.Summarize(next, sim.clock.Now())
		s := sim.snapshot(each)
		s.Decided = decided
		plan.SetNext(*s, next)
		each.object = next
		sim.counts["writes"]++
		// Its own write wakes a lead like any other.
		sim.wakeAt(each, sim.clock.Now())
	}
}

// write has the AI write a text, or fail.
func (sim *simulation) write(each *simLead, text plan.TextID) {
	if each.drafts[text].State == plan.DraftPending {
		return
	}
	sim.counts["texts"]++
	failures := each.drafts[text].Failures
	pending := each.drafts[text]
	pending.State = plan.DraftPending
	each.drafts[text] = pending
	sim.at(sim.clock.Now().Add(time.Duration(1+sim.random.IntN(20))*time.Second), func() {
		now := sim.clock.Now()
		switch dice := sim.random.IntN(100); {
		case each.store.dumb || dice < 2:
			failed := plan.Draft{State: plan.DraftFailed, Failures: failures + 1, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: now.Add(time.Minute), FirstFailedAt: pending.FirstFailedAt}
			if failed.FirstFailedAt.IsZero() {
				failed.FirstFailedAt = now
			}
			each.drafts[text] = failed
		case dice < 4:
			each.drafts[text] = plan.Draft{State: plan.DraftRefused, Why: "refused"}
		case dice < 5:
			each.drafts[text] = plan.Draft{State: plan.DraftExhausted, RetryAt: now.Add(6 * time.Hour)}
		case dice < 6:
			each.drafts[text] = plan.Draft{State: plan.DraftHandOff}
		case dice < 7:
			each.drafts[text] = plan.Draft{State: []plan.DraftState{plan.DraftStop,
				plan.DraftWrongNumber}[sim.random.IntN(2)]}
		default:
			each.drafts[text] = plan.Draft{State: plan.DraftReady, Text: fmt.Sprintf("Oi! %d", sim.serial),
				ReadyAt: now, Tokens: 100}
		}
		sim.wakeAt(each, now)
	})
}

// send claims a message and hands it to the gateway. Now and then the lead has changed in
// between, and the claim fails.
func (sim *simulation) send(each *simLead, s *plan.Snapshot, wanted plan.Message) {
	now := sim.clock.Now()
	if !sim.reconciler.acquireTurn(s, wanted, now) {
		sim.wakeAt(each, now.Add(turnRetry))
		return
	}
	if sim.random.IntN(50) == 0 {
		sim.reconciler.releaseTurn(s, wanted.Instance)
		sim.wakeAt(each, now.Add(conflictRetry))
		return
	}
	moves := plan.MovesTo(s, wanted.Instance)
	opens := !plan.HasBegun(each.object) || moves
	if moves {
		sim.counts["moved"]++
	}
	sim.change(each, plan.Claim(wanted, 1, now))
	attempt := lead.Find(each.object.Status.Conversation, wanted.ID).Attempts
	if sim.random.IntN(60) == 0 {
		each.lost = map[string]time.Time{wanted.ID: plan.AsStored(now)}
		sim.wakeAt(each, now.Add(conflictRetry))
		return
	}
	switch dice := sim.random.IntN(100); {
	case each.store.down || dice < 2:
		sim.reconciler.releaseTurn(s, wanted.Instance)
		why := plan.Refusal{Word: "Unavailable", Blocked: v1alpha1.ReasonGatewayUnavailable,
			RetryAt: now.Add(30 * time.Second), Now: now}
		why.CountsAsAttempt = !each.store.down && dice < 1
		if why.CountsAsAttempt {
			why.RetryAt = now.Add(time.Duration(attempt) * 5 * time.Second)
		} else {
			sim.reconciler.Pacer.Failed(wanted.Instance.UID, now)
		}
		sim.change(each, plan.Refused(wanted.ID, why))
		sim.wakeAt(each, now)
	case each.store.mute || dice < 4:
		if sim.random.IntN(2) == 0 {
			sim.leaves(each, wanted, opens)
		}
		sim.wakeAt(each, now.Add(plan.AskAfter))
	default:
		sim.leaves(each, wanted, opens)
		sim.reconciler.Pacer.Succeeded(wanted.Instance.UID)
		each.drafts = map[plan.TextID]plan.Draft{}
		sim.at(now.Add(300*time.Millisecond), func() {
			sim.change(each, plan.Confirm(wanted.ID, plan.Receipt{GatewayID: "g-" + wanted.ID}, sim.clock.Now()))
			sim.wakeAt(each, sim.clock.Now())
		})
	}
}

// resolve asks the gateway for a message.
func (sim *simulation) resolve(each *simLead, s *plan.Snapshot, claimed plan.Message) {
	switch age := s.Now.Sub(claimed.Due); {
	case !each.store.down && each.gone[claimed.ID] > 0:
		sim.change(each, plan.Confirm(claimed.ID, plan.Receipt{GatewayID: "g-" + claimed.ID}, s.Now))
	case !each.store.down && age >= plan.Grace:
		wanted := each.object.Spec.Purchase == nil && each.object.Spec.Reversal == nil && !s.Suppressed
		sim.reconciler.releaseTurn(s, claimed.Instance)
		sim.change(each, plan.NotSent(claimed.ID, wanted, s.Now))
	case age >= plan.GiveUpAfter:
		sim.change(each, plan.Unknown(claimed.ID))
	default:
		until := plan.NextResolve(claimed.Due, s.Now)
		again := plan.BlockedUntil(until, v1alpha1.ReasonUnconfirmed, plan.Unconfirmed)
		sim.decide(each, &again, plan.Waiting(again, s.Now))
		sim.wakeAt(each, until)
		return
	}
	sim.wakeAt(each, s.Now)
}

// notef keeps what happened, for a history that is played by itself.
func (sim *simulation) notef(each *simLead, format string, arguments ...any) {
	if sim.told != nil {
		_, _ = fmt.Fprintf(sim.told, "%s %s: %s\n", sim.clock.Now().Format(time.RFC3339Nano), each.object.Name,
			fmt.Sprintf(format, arguments...))
	}
}

func (sim *simulation) faultf(each *simLead, format string, arguments ...any) {
	sim.faults = append(sim.faults, fmt.Sprintf("%s %s: ", sim.clock.Now().Format(time.RFC3339), each.object.Name)+
		fmt.Sprintf(format, arguments...))
}

// leaves judges a message that reaches the gateway.
func (sim *simulation) leaves(each *simLead, wanted plan.Message, opens bool) {
	now, store := sim.clock.Now(), each.store
	sim.counts["sent"]++
	each.gone[wanted.ID]++
	sim.notef(each, "%s leaves from %s", wanted.ID, wanted.Instance.Name)
	isNotice := lead.IsNoticeID(wanted.ID)
	if _, quiet := store.policy.Quiet(now); quiet {
		sim.faultf(each, "%s leaves in the quiet hours", wanted.ID)
	}
	if _, suppressed := store.suppressed[each.object.Spec.Customer.Phone]; suppressed && !isNotice {
		sim.faultf(each, "%s leaves to a suppressed number", wanted.ID)
	}
	if !each.boughtAt.IsZero() {
		sim.faultf(each, "%s leaves after the purchase", wanted.ID)
	}
	if each.gone[wanted.ID] > 1 {
		sim.faultf(each, "%s leaves twice", wanted.ID)
	}
	if lead.HandedOff(each.object) {
		sim.faultf(each, "%s talks over a person", wanted.ID)
	}
	if store.store.Spec.Suspend || each.object.Spec.Suspend {
		sim.faultf(each, "%s leaves although suspended", wanted.ID)
	}
	if !lead.IsReplyID(wanted.ID) && !isNotice && lead.LastInbound(each.object) != nil {
		sim.faultf(each, "%s leaves although the customer has written", wanted.ID)
	}
	if lead.IsReplyID(wanted.ID) && machine(each.object) {
		sim.faultf(each, "%s answers a machine", wanted.ID)
	}
	sim.judgeUnanswered(each)
	sim.judgePace(each, wanted, opens)
	sim.judgeOpening(each, wanted, opens)
	if sim.answers != nil {
		sim.answers(each, wanted.ID)
	}
}

// machine says whether the customer's last two messages were automatic, and in a row.
func machine(recovery *v1alpha1.CartRecovery) bool {
	count := 0
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		m := &recovery.Status.Conversation[i]
		if m.Cycle == recovery.Status.Cycle && m.Role != v1alpha1.RoleAssistant {
			if m.Role == v1alpha1.RolePerson || !m.Automatic {
				return count > 1
			}
			count++
		}
	}
	return count > 1
}

// judgeHeard watches that no customer is forgotten: who waits for nothing was answered, and so
// was who wrote after the end.
func (sim *simulation) judgeHeard(each *simLead, s *plan.Snapshot, planned plan.Action) {
	last := lead.LastInbound(each.object)
	if last == nil || plan.AnsweredByPerson(each.object) || last.Automatic {
		return
	}
	answer := lead.Find(each.object.Status.Conversation, lead.ReplyID(each.object.Status.Cycle, last.ID))
	if answer != nil && answer.State != v1alpha1.MessageFailed {
		return
	}
	ended := each.object.Status.CompletionTime
	if ended == nil {
		nothing := planned.Blocked == "" && planned.Message.ID == "" && !planned.HandedOff &&
			lead.Claimed(each.object) == nil
		if nothing && !s.Now.Before(last.At.Add(s.Policy.ReplyDebounce)) {
			sim.faultf(each, "the customer wrote %s and nothing comes of it: %s", last.ID, planned.Why)
		}
		return
	}
	late := last.At.After(ended.Add(time.Second)) && s.Now.Before(last.At.Add(s.Policy.ExpireAfter)) &&
		!lead.CycleAsked(each.object)
	if late && plan.IsExpiry(plan.OutcomeOf(each.object)) && s.Policy.LateReplies != v1alpha1.LateRepliesIgnore &&
		!s.Suppressed {
		sim.faultf(each, "the customer wrote %s after the end and is not heard", last.ID)
	}
}

// judgeTime watches that what is shown as the next action's time is not over for long.
func (sim *simulation) judgeTime(each *simLead) {
	shown := each.object.Status.NextActionTime
	if shown == nil || lead.Finished(each.object) || each.writing {
		return
	}
	if late := sim.clock.Now().Sub(shown.Time); late > 2*time.Minute {
		sim.faultf(each, "its next action was to be %s ago: %+v", late, each.object.Status.NextAction)
	}
}

// judgeUnanswered counts the steps that nobody answered.
func (sim *simulation) judgeUnanswered(each *simLead) {
	unanswered := 0
	for id := range each.gone {
		if !lead.IsReplyID(id) && !lead.IsNoticeID(id) {
			unanswered++
		}
	}
	if unanswered > each.store.policy.MaxUnanswered {
		sim.faultf(each, "%d messages of the sequence, and maxUnanswered is %d", unanswered,
			each.store.policy.MaxUnanswered)
	}
}

// judgePace counts what left from the number within a minute, an hour and a day, and the gap.
func (sim *simulation) judgePace(each *simLead, wanted plan.Message, opens bool) {
	now, number := sim.clock.Now(), wanted.Instance
	limits := pace.LimitsOf(number.Spec.Limits)
	sent := slices.DeleteFunc(slices.Concat(each.store.sent[number.UID], []simSent{{now, opens, wanted.Class}}),
		func(m simSent) bool { return now.Sub(m.at) > 26*time.Hour })
	each.store.sent[number.UID] = sent
	minute, hour, day := 0, 0, 0
	for i, m := range sent {
		if now.Sub(m.at) < time.Minute {
			minute++
		}
		if now.Sub(m.at) < time.Hour {
			hour++
		}
		local := now.In(each.store.policy.Location)
		if m.opens && m.at.In(each.store.policy.Location).Format(time.DateOnly) == local.Format(time.DateOnly) {
			day++
		}
		if opens && m.opens && i < len(sent)-1 && now.Sub(m.at) < limits.GapMin {
			sim.faultf(each, "two conversations start within %s", now.Sub(m.at))
		}
	}
	allowed := limits.NewAllowed(number.Status.FirstConnectedTime.Time, now, each.store.policy.Location)
	if minute > limits.PerMinute || hour > limits.PerHour || opens && day > allowed {
		sim.faultf(each, "over the pace of %s: %d of %d a minute, %d of %d an hour, %d of %d new today",
			number.Name, minute, limits.PerMinute, hour, limits.PerHour, day, allowed)
	}
}

// judgeOpening watches over who is written to for the first time, and from where.
func (sim *simulation) judgeOpening(each *simLead, wanted plan.Message, opens bool) {
	if movesFrom := each.object.Status.InstanceRef; plan.HasBegun(each.object) && movesFrom != nil &&
		movesFrom.Name != wanted.Instance.Name {
		sim.faultf(each, "the claim names another number than the message leaves from")
	}
	if !opens {
		return
	}
	for _, other := range each.store.leads {
		if other == each || other.deleted || other.object.Spec.Customer.Phone != each.object.Spec.Customer.Phone {
			continue
		}
		opened := lead.LastFirstContact(other.object, other.object.Status.Cycle+1)
		begun := slices.ContainsFunc(each.object.Status.Conversation, func(m v1alpha1.Message) bool {
			return m.Cycle == each.object.Status.Cycle && m.ID != wanted.ID && plan.WasSaid(&m)
		})
		if !begun && !opened.IsZero() && sim.clock.Now().Sub(opened) < each.store.policy.Cooldown {
			sim.faultf(each, "another recovery of the customer began %s ago", sim.clock.Now().Sub(opened))
		}
	}
}

// What people and the world do.

// buys has the customer buy, in every open lead of theirs.
func (sim *simulation) buys(each *simLead) {
	for _, other := range each.store.leads {
		if other.deleted || other.object.Spec.Customer.Phone != each.object.Spec.Customer.Phone ||
			lead.Finished(other.object) || other.object.Spec.Purchase != nil {
			continue
		}
		other.object = other.object.DeepCopy()
		other.object.Spec.Purchase = &v1alpha1.Purchase{EventID: "buy", At: v1alpha1.NewTimestamp(sim.clock.Now()),
			Amount: "97.00", Currency: "BRL", Unattributed: other != each}
		if !other.boughtAt.IsZero() {
			continue
		}
		other.boughtAt = sim.clock.Now()
		sim.wakeAt(other, sim.clock.Now())
	}
}

// says has the customer write, as the webhook server stores it.
func (sim *simulation) says(each *simLead, text string) {
	if each.deleted {
		return
	}
	now := sim.clock.Now()
	means := sim.meanings.Of(&each.store.policy, text)
	optsOut, wrong := means.OptsOut, means.WrongNumber
	sim.appends(each, v1alpha1.RoleCustomer, text)
	if !optsOut && !wrong {
		return
	}
	sim.counts["opt-outs"]++
	reason := v1alpha1.StopOptOut
	if wrong {
		reason = v1alpha1.StopWrongNumber
	}
	each.store.suppressed[each.object.Spec.Customer.Phone] = now
	for _, other := range each.store.leads {
		if other.deleted || other.object.Spec.Customer.Phone != each.object.Spec.Customer.Phone {
			continue
		}
		if other != each && !lead.Over(other.object) {
			other.object = other.object.DeepCopy()
			other.object.Spec.Stop = &v1alpha1.Stop{Reason: reason, At: v1alpha1.NewTimestamp(now)}
		}
		sim.wakeAt(other, now)
	}
}

// machineSays has a machine answer for the customer.
func (sim *simulation) machineSays(each *simLead, text string) {
	if each.deleted {
		return
	}
	sim.appends(each, v1alpha1.RoleCustomer, text)
	each.object.Status.Conversation[len(each.object.Status.Conversation)-1].Automatic = true
	sim.counts["from machines"]++
}

// stops stores that the AI understood a customer to ask for it, in all their open leads.
func (sim *simulation) stops(each *simLead, asked v1alpha1.Stop) {
	each.store.suppressed[each.object.Spec.Customer.Phone] = sim.clock.Now()
	sim.counts["stopped"]++
	for _, other := range each.store.leads {
		if other.deleted || lead.Over(other.object) ||
			other.object.Spec.Customer.Phone != each.object.Spec.Customer.Phone {
			continue
		}
		other.object = other.object.DeepCopy()
		other.object.Spec.Stop = &asked
		sim.wakeAt(other, sim.clock.Now())
	}
}

// appends stores what somebody wrote.
func (sim *simulation) appends(each *simLead, role v1alpha1.Role, text string) {
	if each.deleted {
		return
	}
	switch {
	case lead.Finished(each.object):
		sim.counts["late messages"]++
	case role == v1alpha1.RoleCustomer && !lead.Written(each.object):
		sim.counts["early messages"]++
	}
	sim.serial++
	each.object = each.object.DeepCopy()
	each.object.Status.Conversation = lead.Append(each.object.Status.Conversation, v1alpha1.Message{
		ID: fmt.Sprintf("in-%d", sim.serial), Role: role, Cycle: each.object.Status.Cycle, Text: text,
		At: v1alpha1.NewTimestamp(sim.clock.Now()),
	})
	sim.counts["from "+string(role)]++
	sim.wakeAt(each, sim.clock.Now())
}

// takesOver has a person write from the paired phone.
func (sim *simulation) takesOver(each *simLead) {
	if each.deleted || lead.Finished(each.object) {
		return
	}
	sim.appends(each, v1alpha1.RolePerson, "Oi, aqui é o João")
	plan.HandedOverFor(v1alpha1.ReasonPersonWrote, 1, sim.clock.Now())(&each.object.Status)
	each.object.Status.NextActionTime = nil
}

// givesBack has a person give the conversation back.
func (sim *simulation) givesBack(each *simLead) {
	if each.deleted {
		return
	}
	each.object = each.object.DeepCopy()
	each.object.Annotations = map[string]string{
		v1alpha1.AnnotationResumeRequested: sim.clock.Now().Format(time.RFC3339)}
	sim.wakeAt(each, sim.clock.Now())
}

// returns has the customer leave the checkout again, as the webhook server re-opens it.
func (sim *simulation) returns(each *simLead) {
	at := sim.clock.Now()
	object := each.object
	if each.deleted || !lead.Finished(object) || !lead.Unsold(object) || !at.After(object.Status.CompletionTime.Time) ||
		!object.Status.CompletionTime.Time.Before(at) {
		return
	}
	if _, suppressed := each.store.suppressed[object.Spec.Customer.Phone]; suppressed {
		return
	}
	if _, contact := lead.EndedCycle(object); !contact.IsZero() && at.Before(contact.Add(each.store.policy.Cooldown)) {
		return
	}
	each.object = object.DeepCopy()
	abandoned := v1alpha1.NewTimestamp(at)
	each.object.Spec.AbandonedAt = &abandoned
	each.object.Annotations = map[string]string{
		v1alpha1.AnnotationPreviousCompleted: object.Status.CompletionTime.UTC().Format(time.RFC3339)}
	sim.counts["returned"]++
	sim.wakeAt(each, at)
}

// setReady connects a number or logs it out.
func (sim *simulation) setReady(store *simStore, number int, connected bool) {
	value, reason := metav1.ConditionFalse, v1alpha1.ReasonLoggedOut
	if connected {
		value, reason = metav1.ConditionTrue, v1alpha1.ReasonConnected
	}
	instance := store.instances[number].DeepCopy()
	instance.Status.Conditions[0] = metav1.Condition{Type: v1alpha1.ConditionReady, Status: value, Reason: reason,
		LastTransitionTime: metav1.NewTime(sim.clock.Now())}
	sim.setInstance(store, number, instance)
}

// setInstance changes a number; leads are woken as the controller's watch wakes them.
func (sim *simulation) setInstance(store *simStore, number int, instance *v1alpha1.WhatsAppInstance) {
	before := store.instances[number]
	store.instances[number] = *instance
	if apiequality.Semantic.DeepEqual(sendability(&before), sendability(instance)) {
		return
	}
	if connection.CanSend(instance, false, sim.clock.Now()) {
		sim.reconciler.Pacer.Open(instance.UID)
	}
	sim.wakeAll(store)
}

// goesDown takes the gateway of a store down for a time. The next poll finds it out.
func (sim *simulation) goesDown(store *simStore, lasts time.Duration) {
	store.down = true
	sim.at(sim.clock.Now().Add(time.Minute), func() { sim.setReachable(store, metav1.ConditionFalse) })
	sim.at(sim.clock.Now().Add(lasts), func() { store.down = false })
	sim.at(sim.clock.Now().Add(lasts+time.Minute), func() { sim.setReachable(store, metav1.ConditionTrue) })
}

func (sim *simulation) setReachable(store *simStore, value metav1.ConditionStatus) {
	for i := range store.instances {
		instance := store.instances[i].DeepCopy()
		apimeta.SetStatusCondition(&instance.Status.Conditions,
			metav1.Condition{Type: v1alpha1.ConditionGatewayReachable, Status: value, Reason: v1alpha1.ReasonReachable})
		sim.setInstance(store, i, instance)
	}
}

// restrict pauses the new conversations of a number.
func (sim *simulation) restrict(store *simStore, number int, until time.Time) {
	instance := store.instances[number].DeepCopy()
	instance.Status.NewConversationsPausedUntil = &metav1.Time{Time: until}
	sim.setInstance(store, number, instance)
}
