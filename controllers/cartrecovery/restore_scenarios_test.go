package cartrecovery

import (
	"context"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
)

// received is a lead as the webhook server makes it.
func (w *world) received(l *v1alpha1.CartRecovery) {
	l.Spec.ReceivedAt = new(v1alpha1.NewTimestamp(w.clock.Now()))
}

// backUp returns all leads as a backup has them that keeps no status.
func (w *world) backUp() []v1alpha1.CartRecovery {
	GinkgoHelper()
	var leads v1alpha1.CartRecoveryList
	Expect(environment.Client.List(w.ctx, &leads, client.InNamespace(w.namespace))).To(Succeed())
	for i := range leads.Items {
		l := &leads.Items[i]
		l.ObjectMeta = metav1.ObjectMeta{Namespace: l.Namespace, Name: l.Name, Labels: l.Labels,
			Annotations: l.Annotations}
		l.Status = v1alpha1.CartRecoveryStatus{}
		// The lead was made long before it was restored.
		l.Spec.ReceivedAt = new(v1alpha1.NewTimestamp(time.Now().Add(-time.Hour)))
	}
	return leads.Items
}

func (w *world) deleteLeads() {
	GinkgoHelper()
	Expect(environment.Client.DeleteAllOf(w.ctx, &v1alpha1.CartRecovery{}, client.InNamespace(w.namespace))).To(
		Succeed())
}

func (w *world) restore(leads []v1alpha1.CartRecovery) {
	GinkgoHelper()
	for i := range leads {
		w.create(leads[i].DeepCopy())
	}
}

// ledgers are the parts of the Store's ledger.
func (w *world) ledgers() []v1alpha1.RecoveryLedger {
	GinkgoHelper()
	var parts v1alpha1.RecoveryLedgerList
	Expect(environment.Client.List(w.ctx, &parts, client.InNamespace(w.namespace))).To(Succeed())
	return parts.Items
}

// entries counts what the ledger says, by event.
func (w *world) entries() map[v1alpha1.LedgerEvent]int {
	counts := map[v1alpha1.LedgerEvent]int{}
	for _, part := range w.ledgers() {
		for _, entry := range part.Spec.Entries {
			counts[entry.Event]++
		}
	}
	return counts
}

// beganNow is a process that begins to lead when it starts; held says that the cluster is
// taken for restored.
func (w *world) beganNow(held bool) func(*replica) {
	return func(r *replica) {
		start := heartbeat.Start{Led: w.clock.Now()}
		if held {
			start.Held = start.Led
		}
		r.Began = func(context.Context) (heartbeat.Start, error) { return start, nil }
		r.LedgerEvery = 50 * time.Millisecond
	}
}

var _ = Describe("Leads that are deleted and made again from a backup", func() {
	// happened is a Store with a lead of each kind.
	type happened struct{ sent, bought, taken, heard, optedOut, waiting string }
	live := func(w *world) happened {
		old := w.start(w.beganNow(false))
		all := happened{
			sent: w.abandon(w.received, from(1)), bought: w.abandon(w.received, from(2)),
			taken: w.abandon(w.received, from(3)), heard: w.abandon(w.received, from(4)),
			optedOut: w.abandon(w.received, from(5)), waiting: w.abandon(w.received, from(6),
				func(l *v1alpha1.CartRecovery) {
					l.Spec.AbandonedAt = new(v1alpha1.NewTimestamp(w.clock.Now().Add(10 * time.Hour)))
				}),
		}
		Eventually(w.sent).Should(HaveLen(5))
		for _, name := range []string{all.sent, all.bought, all.taken, all.heard, all.optedOut} {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		w.buys(all.bought)
		Eventually(w.phase(all.bought)).Should(Equal(v1alpha1.PhaseRecovered))
		w.operatorWrites(all.taken, "op-1", "Oi, aqui é a Ana.")
		w.says(all.heard, "in-1", "Tem boleto?")
		w.says(all.optedOut, "in-2", "PARAR")
		Eventually(w.phase(all.optedOut)).Should(Equal(v1alpha1.PhaseOptedOut))
		Eventually(w.sent).Should(HaveLen(7), "an answer, and a confirmation")
		Eventually(w.entries).Should(Equal(map[v1alpha1.LedgerEvent]int{
			v1alpha1.LedgerSent: 5, v1alpha1.LedgerEnded: 2, v1alpha1.LedgerHandedOff: 1, v1alpha1.LedgerReplied: 2,
		}))
		old.stop()
		return all
	}
	stays := func(w *world, all happened) {
		GinkgoHelper()
		Eventually(w.phase(all.bought)).Should(Equal(v1alpha1.PhaseRecovered))
		Expect(w.lead(all.bought).Status.Result).NotTo(BeNil())
		Eventually(w.phase(all.optedOut)).Should(Equal(v1alpha1.PhaseOptedOut))
		Eventually(func() bool { return lead.HandedOff(w.lead(all.taken)) }).Should(BeTrue())
		Eventually(w.state(all.sent, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(3 * time.Minute)
		w.advance(9 * time.Hour)
		Eventually(w.phase(all.heard)).Should(Equal(v1alpha1.PhaseEngaged))
		Consistently(w.sent).Should(HaveLen(7), "nobody is written to again")
		Expect(w.lead(all.waiting).Status.Conversation).To(BeEmpty())
		w.advance(90 * time.Minute)
		Eventually(w.sent).Should(HaveLen(8), "who was not written to yet still is")
	}
	follow := steps(
		v1alpha1.Step{Name: "first", After: after(soonDue)}, v1alpha1.Step{Name: "second", After: after(time.Hour)},
	)

	It("are what they were, by the ledger, after a start", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		all := live(w)
		backup := w.backUp()
		w.deleteLeads()
		w.restore(backup)
		w.start(w.beganNow(true))
		stays(w, all)
	})

	It("are what they were while the manager runs, and nobody's sequence begins anew", func() {
		w := newWorld(follow)
		w.start(w.beganNow(false))
		name := w.abandon(w.received)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.entries).Should(Equal(map[v1alpha1.LedgerEvent]int{v1alpha1.LedgerSent: 1}))
		backup := w.backUp()
		w.deleteLeads()
		w.restore(backup)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
	})

	It("are asked for at the gateway, when the ledger is lost as well", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		old := w.start(w.beganNow(false))
		name := w.abandon(w.received, from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.ledgers).Should(HaveLen(1))
		old.stop()
		backup := w.backUp()
		w.deleteLeads()
		Expect(environment.Client.DeleteAllOf(w.ctx, &v1alpha1.RecoveryLedger{}, client.InNamespace(w.namespace))).To(
			Succeed())
		w.restore(backup)
		w.start(w.beganNow(true))
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonRestoredFromBackup),
			"the rest of the backup may follow")
		w.advance(plan.SettleRestored)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.blocked(name)()).To(BeEmpty())
	})

	It("are asked for at every number that may have written to them", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		old := w.start(w.beganNow(false))
		name := w.abandon(w.received, from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		old.stop()
		backup := w.backUp()
		w.deleteLeads()
		Expect(environment.Client.DeleteAllOf(w.ctx, &v1alpha1.RecoveryLedger{}, client.InNamespace(w.namespace))).To(
			Succeed())
		w.pair("second")
		w.setInstance(gen.Instance, func(i *v1alpha1.WhatsAppInstance) {
			i.Status.LastConnectedTime = new(metav1.Now())
			i.Status.Conditions[0].Status, i.Status.Conditions[0].LastTransitionTime = metav1.ConditionFalse,
				metav1.Now()
		})
		w.restore(backup)
		w.start(w.beganNow(true))
		w.advance(plan.SettleRestored)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(lead.NumberOf(w.lead(name))).To(Equal(gen.Instance), "it goes on where it began")
	})

	It("wait for a person where the gateway has no look-up", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		name := w.abandon(w.received, from(1), func(l *v1alpha1.CartRecovery) {
			l.Spec.AbandonedAt = new(v1alpha1.NewTimestamp(w.clock.Now().Add(-time.Minute)))
		})
		backup := w.backUp()
		w.deleteLeads()
		w.restore(backup)
		w.start(w.beganNow(true), blind(w))
		w.advance(plan.SettleRestored)
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonRestoredFromBackup))
		Expect(w.lead(name).Status.NextAction.Message).To(ContainSubstring(v1alpha1.AnnotationRestoreAcknowledged))
		w.advance(time.Hour)
		Consistently(w.sent).Should(BeEmpty())
		w.changeStore(func(store *v1alpha1.Store) {
			metav1.SetMetaDataAnnotation(&store.ObjectMeta, v1alpha1.AnnotationRestoreAcknowledged,
				w.clock.Now().UTC().Format(time.RFC3339))
		})
		Eventually(w.sent).Should(HaveLen(1))
	})
})

// blind is a gateway that cannot tell what it has sent.
func blind(w *world) func(*replica) {
	return func(r *replica) {
		r.Connector.Types[v1alpha1.GatewayUAZAPI] = without(w, func(can *gateway.Capabilities) { can.FindSent = false })
	}
}

// without is the world's type of gateways without some of its capabilities.
func without(w *world, take func(*gateway.Capabilities)) gateway.Type {
	made := uazapi.Type().With(w.gateway)
	take(&made.Dialects[0].Can)
	return made
}

var _ = Describe("A ledger", func() {
	It("costs a lead no write of its own, and is written once for many", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		r := w.start(w.beganNow(false), func(r *replica) { r.LedgerEvery = 500 * time.Millisecond })
		const leads = 12
		for i := range leads {
			w.abandon(w.received, from(i))
		}
		Eventually(w.entries).Should(HaveKeyWithValue(v1alpha1.LedgerSent, leads))
		Expect(w.ledgers()).To(HaveLen(1))
		Eventually(r.api.written).Should(HaveLen(2 * leads))
		r.stop()
		version := w.ledgers()[0].ResourceVersion
		w.start(w.beganNow(false)).stop()
		Expect(w.ledgers()[0].ResourceVersion).To(Equal(version), "what is written down is not written again")
	})

	It("that was not written before a crash is made up for by the leads", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		old := w.start(w.beganNow(false), func(r *replica) { r.LedgerEvery = time.Hour })
		name := w.abandon(w.received)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		old.api.dead.Store(true)
		old.stop()
		w.start(w.beganNow(false))
		Eventually(w.entries).Should(Equal(map[v1alpha1.LedgerEvent]int{v1alpha1.LedgerSent: 1}))
	})
})

var _ = Describe("A cluster whose etcd is restored", Ordered, func() {
	BeforeAll(func() {
		dir, err := os.MkdirTemp("", "restored-")
		Expect(err).NotTo(HaveOccurred())
		kept, err := testenv.Kept(dir)
		Expect(err).NotTo(HaveOccurred())
		own, err := testenv.Start(kept)
		Expect(err).NotTo(HaveOccurred())
		shared := environment
		environment = own
		DeferCleanup(func() {
			environment = shared
			Expect(own.Stop()).To(Succeed())
			Expect(os.RemoveAll(dir)).To(Succeed())
		})
	})

	const leads = 20
	// sending takes a snapshot of a Store with leads, and has them written to.
	sending := func(state string) (w *world, snapshot string, r *replica, names []string) {
		w = newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		w.beatOnce()
		for i := range leads {
			names = append(names, w.abandon(w.received, from(i)))
		}
		snapshot = filepath.Join(GinkgoT().TempDir(), "snapshot")
		Expect(environment.Snapshot(snapshot)).To(Succeed())
		keeper := w.heartbeat()
		keeper.StateDir = state
		r = w.start(w.beating(keeper))
		Eventually(w.sent).Should(HaveLen(leads))
		return w, snapshot, r, names
	}
	quiet := func(w *world, names []string) {
		GinkgoHelper()
		for _, name := range names {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		Consistently(w.sent).Should(HaveLen(leads), "nobody is written to twice")
	}

	It("with the manager stopped, writes to nobody again", func() {
		w, snapshot, r, names := sending("")
		r.stop()
		Expect(environment.Restore(snapshot)).To(Succeed())
		Expect(w.state(names[0], gen.FirstID)()).To(BeEmpty(), "it is as it was")
		w.start(w.beating(w.heartbeat()))
		quiet(w, names)
	})

	It("minutes after its backup, with no manager through it and no look-up, writes to nobody again", func() {
		state := GinkgoT().TempDir()
		w, snapshot, r, names := sending(state)
		r.stop()
		Expect(environment.Restore(snapshot)).To(Succeed())
		next := w.heartbeat()
		next.StateDir = state
		w.start(blind(w), w.beating(next))
		began, err := next.Began(w.ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(began.Restored).NotTo(BeZero(), "the heartbeat is younger than ten minutes, and older than the mark")
		for _, name := range names {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonRestoredFromBackup))
		}
		Expect(w.sent()).To(HaveLen(leads), "nobody is written to twice")
	})

	It("with a standby that lives through it, is held by what that saw, whoever leads", func() {
		w, snapshot, r, names := sending("")
		standby := w.standBy()
		r.stop()
		Expect(environment.Restore(snapshot)).To(Succeed())
		Eventually(standby.Ended()).WithTimeout(time.Minute).Should(BeClosed())
		Expect(standby.Stop()).To(MatchError(heartbeat.ErrRolledBack))
		next := w.heartbeat()
		w.start(blind(w), w.beating(next))
		began, err := next.Began(w.ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(began.Restored).NotTo(BeZero())
		for _, name := range names {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonRestoredFromBackup))
		}
		Expect(w.sent()).To(HaveLen(leads), "nobody is written to twice")
	})

	It("with the manager left running, has it end by itself, and goes on when it is started again", func() {
		w, snapshot, r, names := sending("")
		Expect(environment.Restore(snapshot)).To(Succeed())
		Eventually(r.running.Ended()).WithTimeout(time.Minute).Should(BeClosed())
		Expect(r.running.Stop()).To(MatchError(heartbeat.ErrRolledBack))
		r.stop = func() {}
		Expect(w.sent()).To(HaveLen(leads))
		again := w.heartbeat()
		w.start(w.beating(again))
		quiet(w, names)
		began, err := again.Began(w.ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(began.Held).NotTo(BeZero(), "what the gateway cannot tell waits for a person")
		fresh := w.abandon(w.received, from(leads+1))
		Eventually(w.state(fresh, gen.FirstID)).Should(Equal(v1alpha1.MessageSent), "and it works")
	})
})

// heartbeat is that of one process.
func (w *world) heartbeat() *heartbeat.Keeper {
	return &heartbeat.Keeper{
		Namespace: w.namespace, Holder: "test", Clock: w.clock, Every: 100 * time.Millisecond,
		Look: 100 * time.Millisecond, History: func(context.Context) (bool, error) { return false, nil },
	}
}

// beating is a process with a heartbeat.
func (w *world) beating(keeper *heartbeat.Keeper) func(*replica) {
	return func(r *replica) {
		keeper.Client, keeper.Live = r.api.Client, r.Live
		r.Began, r.LedgerEvery = keeper.Began, 50*time.Millisecond
		r.with = append(r.with, keeper.SetupWithManager)
	}
}

// standBy runs a process that does not lead, until the spec ends. It returns once that has seen the heartbeat.
func (w *world) standBy() *testenv.Running {
	GinkgoHelper()
	mgr, err := environment.NewManager(ctrl.Options{Logger: w.log.logger()})
	Expect(err).NotTo(HaveOccurred())
	keeper := w.heartbeat()
	keeper.Client, keeper.Live, keeper.StateDir = environment.Client, mgr.GetAPIReader(), GinkgoT().TempDir()
	Expect(keeper.SetupWithManager(follower{mgr})).To(Succeed())
	running := testenv.Run(mgr)
	DeferCleanup(func() { _ = running.Stop() })
	Eventually(func() error {
		_, err := os.Stat(filepath.Join(keeper.StateDir, "heartbeat.json"))
		return err
	}).Should(Succeed())
	return running
}

// follower is a manager that never leads.
type follower struct{ ctrl.Manager }

func (f follower) Add(runnable manager.Runnable) error {
	if led, ok := runnable.(manager.LeaderElectionRunnable); ok && led.NeedLeaderElection() {
		return nil
	}
	return f.Manager.Add(runnable)
}

// beatOnce has a process beat that ends then.
func (w *world) beatOnce() {
	GinkgoHelper()
	keeper := w.heartbeat()
	r := w.start(w.beating(keeper))
	_, err := keeper.Began(w.ctx)
	Expect(err).NotTo(HaveOccurred())
	r.stop()
}
