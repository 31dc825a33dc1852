package webhookserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// crowdedDesk is a joiner whose clock and API server the test holds.
type crowdedDesk struct {
	*joiner
	mu     sync.Mutex
	at     time.Time
	timers chan chan time.Time
	// writes are the ids that each write added; hold is received from before each.
	writes [][]string
	hold   chan error
	stored *v1alpha1.CartRecovery
}

func newCrowdedDesk() *crowdedDesk {
	d := &crowdedDesk{
		at: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), timers: make(chan chan time.Time, 16),
		hold: make(chan error, 64), stored: &v1alpha1.CartRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: "shop",
			Name: "lead"}},
	}
	d.joiner = newJoiner(d.write)
	d.now = func() time.Time {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.at
	}
	d.after = func(time.Duration) <-chan time.Time {
		timer := make(chan time.Time, 1)
		d.timers <- timer
		return timer
	}
	return d
}

func (d *crowdedDesk) write(
	_ context.Context, _ *v1alpha1.CartRecovery, change leadChange,
) (*v1alpha1.CartRecovery, bool, error) {
	err := <-d.hold
	d.mu.Lock()
	defer d.mu.Unlock()
	next := d.stored.DeepCopy()
	known := len(next.Status.Conversation)
	// A conflict has the change made once more, on what is there.
	change(next.DeepCopy())
	changed := change(next)
	if err != nil {
		return nil, false, err
	}
	d.stored = next
	var ids []string
	for _, each := range next.Status.Conversation[known:] {
		ids = append(ids, each.ID)
	}
	d.writes = append(d.writes, ids)
	return next, changed, nil
}

// goOn lets the next write be made, with this error.
func (d *crowdedDesk) goOn(err error) { d.hold <- err }

// comes has a message come in, and returns once it has joined the others, or at once where it is the
// first; the channel tells what became of it.
func (d *crowdedDesk) comes(ctx context.Context, id string, urgent bool) <-chan error {
	done, joined := make(chan error, 1), make(chan struct{})
	waits := func([]string) bool {
		close(joined)
		return urgent
	}
	isFirst := len(d.written()) == 0
	d.mu.Lock()
	read := d.stored
	d.mu.Unlock()
	go func() {
		_, changed, err := d.do(ctx, read, joining{urgent: waits, change: func(l *v1alpha1.CartRecovery) bool {
			if lead.Find(l.Status.Conversation, id) != nil {
				return false
			}
			l.Status.Conversation = lead.Append(l.Status.Conversation,
				v1alpha1.Message{ID: id, Role: v1alpha1.RoleCustomer})
			return true
		}})
		if err == nil && !changed {
			err = errors.New("not changed")
		}
		done <- err
	}()
	if !isFirst {
		<-joined
	}
	return done
}

func (d *crowdedDesk) written() [][]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.writes)
}

func wantErr(t *testing.T, what string, done <-chan error, want error) {
	t.Helper()
	select {
	case got := <-done:
		if !errors.Is(got, want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s was not answered", what)
	}
}

func wantWrites(t *testing.T, d *crowdedDesk, want ...string) {
	t.Helper()
	var got []string
	for _, each := range d.written() {
		got = append(got, strings.Join(each, "+"))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("wrote %v, want %v", got, want)
	}
}

func TestAFloodIsWrittenTogether(t *testing.T) {
	d, ctx := newCrowdedDesk(), t.Context()
	first := d.comes(ctx, "1", false)
	d.goOn(nil)
	wantErr(t, "the first, which waits for nothing", first, nil)
	var waiting []<-chan error
	for n := 2; n <= 5; n++ {
		waiting = append(waiting, d.comes(ctx, strconv.Itoa(n), false))
	}
	timer := <-d.timers
	wantWrites(t, d, "1")
	timer <- time.Time{}
	d.goOn(nil)
	for _, each := range waiting {
		wantErr(t, "one of the flood", each, nil)
	}
	wantWrites(t, d, "1", "2+3+4+5")
}

func TestAnOptOutWaitsForNoWindow(t *testing.T) {
	d, ctx := newCrowdedDesk(), t.Context()
	first := d.comes(ctx, "1", false)
	d.goOn(nil)
	wantErr(t, "the first", first, nil)
	second := d.comes(ctx, "2", false)
	<-d.timers // nobody lets it run out
	optOut := d.comes(ctx, "stop", true)
	d.goOn(nil)
	wantErr(t, "what came before it", second, nil)
	wantErr(t, "the opt-out", optOut, nil)
	alone := d.comes(ctx, "stop again", true)
	d.goOn(nil)
	wantErr(t, "one that comes alone", alone, nil)
	wantWrites(t, d, "1", "2+stop", "stop again")
}

func TestOneThatIsRefusedTakesNoOtherWithIt(t *testing.T) {
	d, ctx := newCrowdedDesk(), t.Context()
	first := d.comes(ctx, "1", false)
	d.goOn(nil)
	wantErr(t, "the first", first, nil)
	second, third := d.comes(ctx, "2", false), d.comes(ctx, "3", false)
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "CartRecovery"}, "lead", nil)
	(<-d.timers) <- time.Time{}
	d.goOn(invalid)
	d.goOn(invalid)
	d.goOn(nil)
	wantErr(t, "the refused one", second, invalid)
	wantErr(t, "the other", third, nil)
	wantWrites(t, d, "1", "3")
}

func TestAFailureIsEverybodysWhoWaited(t *testing.T) {
	d, ctx := newCrowdedDesk(), t.Context()
	first := d.comes(ctx, "1", false)
	d.goOn(nil)
	wantErr(t, "the first", first, nil)
	second, third := d.comes(ctx, "2", false), d.comes(ctx, "3", false)
	(<-d.timers) <- time.Time{}
	d.goOn(errBusy)
	wantErr(t, "one", second, errBusy)
	wantErr(t, "the other", third, errBusy)
	wantWrites(t, d, "1")
}

func TestWhoIsBrokenOffBreaksNobodyElse(t *testing.T) {
	d, ctx := newCrowdedDesk(), t.Context()
	first := d.comes(ctx, "1", false)
	d.goOn(nil)
	wantErr(t, "the first", first, nil)
	leads, leave := context.WithCancel(ctx)
	waits, leaveToo := context.WithCancel(ctx)
	second, third, fourth := d.comes(leads, "2", false), d.comes(waits, "3", false), d.comes(ctx, "4", false)
	<-d.timers
	leaveToo()
	wantErr(t, "one that only waited", third, context.Canceled)
	leave()
	wantErr(t, "the one that was to write", second, context.Canceled)
	(<-d.timers) <- time.Time{}
	d.goOn(nil)
	wantErr(t, "who is left", fourth, nil)
	wantWrites(t, d, "1", "4")
}

func TestQuietLeadsAreForgotten(t *testing.T) {
	d := newCrowdedDesk()
	for n := range 2 * idleTogether {
		read := &v1alpha1.CartRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: strconv.Itoa(n)}}
		d.goOn(nil)
		if _, _, err := d.do(t.Context(), read, changes(never)); err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		d.at = d.at.Add(togetherPace)
		d.mu.Unlock()
	}
	if len(d.leads) > idleTogether {
		t.Errorf("%d leads are remembered, want %d at most", len(d.leads), idleTogether)
	}
}

// waitingRoom is a joiner whose writes take no time, and whose clock moves only by hand.
type waitingRoom struct {
	*joiner
	at    time.Time
	waits []time.Duration
}

func newWaitingRoom() *waitingRoom {
	w := &waitingRoom{at: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	w.joiner = newJoiner(func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool,
		error) {
		return &v1alpha1.CartRecovery{}, true, nil
	})
	w.now = func() time.Time { return w.at }
	w.after = func(wait time.Duration) <-chan time.Time {
		w.waits = append(w.waits, wait)
		over := make(chan time.Time, 1)
		over <- w.at.Add(wait)
		return over
	}
	return w
}

// hear has the n-th lead of a namespace written, and returns how long that waited.
func (w *waitingRoom) hear(ctx context.Context, namespace string, n int) time.Duration {
	w.waits = nil
	_, _, _ = w.do(ctx, nthLead(namespace, n), changes(never))
	if len(w.waits) == 0 {
		return 0
	}
	return w.waits[0]
}

// nthLead is the n-th lead of a namespace.
func nthLead(namespace string, n int) *v1alpha1.CartRecovery {
	return &v1alpha1.CartRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: strconv.Itoa(n)}}
}

// changes is a change of anything.
func changes(urgent func([]string) bool) joining {
	return joining{urgent: urgent, change: func(*v1alpha1.CartRecovery) bool { return true }}
}

// newMember is a request for the first lead of a shop.
func newMember() *member {
	return &member{
		read:    nthLead("shop", 0),
		joining: changes(never),
		leads:   make(chan struct{}), done: make(chan struct{}),
	}
}

// TestWhoIsBrokenOffDelaysNobody: those who leave while they wait to write cost the next no time, whether it came in
// while they waited or after.
func TestWhoIsBrokenOffDelaysNobody(t *testing.T) {
	w := newWaitingRoom()
	w.hear(t.Context(), "shop", 0)
	next := newMember()
	found, _, _ := w.enter(next)
	due := found.at
	for n := range 60 {
		leading := next
		if n >= 30 {
			w.leave(context.Canceled, found, leading)
		}
		next = newMember()
		w.enter(next)
		if n < 30 {
			w.leave(context.Canceled, found, leading)
		}
		if !found.at.Equal(due) {
			t.Fatalf("after %d who left, the next writes %v later", n+1, found.at.Sub(due))
		}
	}
}

// TestFloodsShareTheWritesOfTheirNamespace: the more leads of a namespace are flooded, the rarer each of
// them is written, one after the other, and no other namespace's is.
func TestFloodsShareTheWritesOfTheirNamespace(t *testing.T) {
	for _, flooded := range []int{1, 3, 25} {
		t.Run(strconv.Itoa(flooded), func(t *testing.T) {
			w, ctx := newWaitingRoom(), t.Context()
			for n := range flooded {
				if got := w.hear(ctx, "shop", n); got != 0 {
					t.Errorf("the first message of lead %d waits %v, want nothing", n, got)
				}
			}
			for n := range flooded {
				want, most := togetherPace+time.Duration(n)*togetherShare, togetherMost
				if want > most {
					want = most * 3 / 4
				} else {
					most = want
				}
				if got := w.hear(ctx, "shop", n); got < want || got > most {
					t.Errorf("lead %d waits %v, want %v to %v", n, got, want, most)
				}
			}
			w.hear(ctx, "quiet", 0)
			if got := w.hear(ctx, "quiet", 0); got != togetherPace {
				t.Errorf("a quiet namespace's waits %v, want %v", got, togetherPace)
			}
			w.at = w.at.Add(time.Minute)
			if got := w.hear(ctx, "shop", 0); got != 0 {
				t.Errorf("the first message after a minute waits %v, want nothing", got)
			}
		})
	}
}

// TestWhoWasToldNotToWaitDoesNot: whether a request is urgent is asked only where it has to wait, so what it
// was told holds also where another lead of the namespace is written first.
func TestWhoWasToldNotToWaitDoesNot(t *testing.T) {
	w, ctx := newWaitingRoom(), t.Context()
	w.hear(ctx, "shop", 0)
	w.hear(ctx, "shop", 1)
	w.at = w.at.Add(time.Second)
	mine := newMember()
	found, _, waits := w.enter(mine)
	if waits {
		t.Fatal("a second after all else, it has to wait")
	}
	w.hear(ctx, "shop", 1)
	w.waits = nil
	if w.lead(ctx, found, mine); len(w.waits) > 0 {
		t.Errorf("it waits %v after it was told not to", w.waits)
	}
}

// TestManyFloodsAreNotInStep: leads that find no time of their own are not written at the same one.
func TestManyFloodsAreNotInStep(t *testing.T) {
	const leads = 100
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var writes []time.Duration
		begin := time.Now()
		j := newJoiner(func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error) {
			mu.Lock()
			writes = append(writes, time.Since(begin))
			mu.Unlock()
			return &v1alpha1.CartRecovery{}, true, nil
		})
		var all sync.WaitGroup
		for n := range leads {
			all.Go(func() {
				for time.Since(begin) < time.Minute {
					_, _, _ = j.do(context.Background(), nthLead("shop", n), changes(never))
				}
			})
		}
		all.Wait()
		slices.Sort(writes)
		for from, to := 0, 0; to < len(writes); to++ {
			for writes[to]-writes[from] > 20*time.Millisecond {
				from++
			}
			if n := to - from + 1; writes[from] > 20*time.Second && n > leads/8 {
				t.Fatalf("%d of %d leads are written within 20 ms, at %v", n, leads, writes[to])
			}
		}
	})
}

// TestTooManyWaitersAreRefused: what waits holds a connection, of which a source has some hundreds. Whoever asks us to
// stop is not refused.
func TestTooManyWaitersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJoiner(func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error) {
			return &v1alpha1.CartRecovery{}, true, nil
		})
		refused, most := 0, 0
		var all sync.WaitGroup
		for n := range 3000 {
			<-time.After(5 * time.Millisecond)
			urgent := n%10 == 0
			all.Go(func() {
				_, _, err := j.do(context.Background(), nthLead("shop", n%100),
					changes(func([]string) bool { return urgent }))
				j.mu.Lock()
				defer j.mu.Unlock()
				if errors.Is(err, errCrowded) {
					refused++
				}
				if err != nil && (urgent || !errors.Is(err, errCrowded)) {
					t.Errorf("request %d: %v", n, err)
				}
			})
			synctest.Wait()
			j.mu.Lock()
			most = max(most, j.waiting["shop"])
			j.mu.Unlock()
		}
		all.Wait()
		if refused == 0 || most > togetherWaiting {
			t.Errorf("%d were refused, and %d waited at once, want some, and %d", refused, most, togetherWaiting)
		}
		if len(j.waiting) > 0 {
			t.Errorf("%v still wait when all are answered", j.waiting)
		}
	})
}

// TestWhoAsksForeverIsNoLeader: a request that fails while it is asked whether it may wait holds up nobody.
func TestWhoAsksForeverIsNoLeader(t *testing.T) {
	w := newWaitingRoom()
	w.hear(t.Context(), "shop", 0)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_, _, _ = w.do(t.Context(), nthLead("shop", 0), changes(func([]string) bool { panic("a fault of ours") }))
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := w.do(ctx, nthLead("shop", 0), changes(never)); err != nil {
		t.Errorf("the next: %v", err)
	}
}

// TestHurryOfALeadThatWasForgotten: a request may be written, and its lead forgotten, while it is asked whether it
// may wait.
func TestHurryOfALeadThatWasForgotten(t *testing.T) {
	for _, isUrgent := range []bool{true, false} {
		w := newWaitingRoom()
		w.hear(t.Context(), "shop", 0)
		leading := newMember()
		found, _, _ := w.enter(leading)
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := w.do(ctx, nthLead("shop", 0), changes(func([]string) bool {
			w.lead(t.Context(), found, leading)
			w.at = w.at.Add(togetherMost)
			for n := range 2 * idleTogether {
				w.hear(t.Context(), "other", n)
			}
			if !isUrgent {
				cancel()
			}
			return isUrgent
		}))
		cancel()
		if err != nil {
			t.Errorf("urgent %v: %v", isUrgent, err)
		}
	}
}

// TestHurryWhileItIsWritten is for the race detector: a request is found to be urgent while another writes for it.
func TestHurryWhileItIsWritten(t *testing.T) {
	writing, hurried := make(chan struct{}, 2), make(chan struct{})
	over := make(chan time.Time)
	j := newJoiner(func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error) {
		writing <- struct{}{}
		return &v1alpha1.CartRecovery{}, true, nil
	})
	j.after = func(time.Duration) <-chan time.Time { return over }
	_, _, _ = j.do(t.Context(), nthLead("shop", 0), changes(never))
	<-writing
	leading := newMember()
	found, _, _ := j.enter(leading)
	var all sync.WaitGroup
	all.Go(func() {
		_, _, _ = j.do(t.Context(), nthLead("shop", 0), changes(func([]string) bool {
			close(hurried)
			<-writing
			return true
		}))
	})
	<-hurried
	close(over)
	j.lead(t.Context(), found, leading)
	all.Wait()
}

// TestWhatIsTakenBackIsStored: "nothing to change" is not believed of a lead as it was read before a wait.
func TestWhatIsTakenBackIsStored(t *testing.T) {
	stored := nthLead("shop", 0)
	stored.ResourceVersion = "1"
	var mu sync.Mutex
	j := newJoiner(func(_ context.Context, read *v1alpha1.CartRecovery, change leadChange) (*v1alpha1.CartRecovery,
		bool, error) {
		mu.Lock()
		defer mu.Unlock()
		next := read.DeepCopy()
		if !change(next) {
			return read, false, nil
		}
		version, _ := strconv.Atoi(stored.ResourceVersion)
		next.ResourceVersion = strconv.Itoa(version + 1)
		stored = next
		return next, true, nil
	})
	says := func(text string) joining {
		return joining{urgent: never, change: func(l *v1alpha1.CartRecovery) bool {
			changed := l.Status.WhatsAppID != text
			l.Status.WhatsAppID = text
			return changed
		}}
	}
	// Both were read before either is written.
	before := stored.DeepCopy()
	back := &member{joining: says(""), read: before, leads: make(chan struct{}), done: make(chan struct{})}
	first := &member{joining: says("there"), read: before, leads: make(chan struct{}), done: make(chan struct{})}
	found, _, _ := j.enter(first)
	j.write = joinedBy(j, back, j.write)
	j.lead(t.Context(), found, first)
	j.after = func(time.Duration) <-chan time.Time {
		over := make(chan time.Time, 1)
		over <- time.Time{}
		return over
	}
	j.lead(t.Context(), found, back)
	if stored.Status.WhatsAppID != "" || !back.changed {
		t.Errorf("what was taken back is %q, changed: %v", stored.Status.WhatsAppID, back.changed)
	}
}

// joinedBy has another request come in during the first write.
func joinedBy(
	j *joiner, other *member, write func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery,
		bool, error),
) func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error) {
	return func(ctx context.Context, read *v1alpha1.CartRecovery, change leadChange) (*v1alpha1.CartRecovery, bool,
		error) {
		j.enter(other)
		j.write = write
		return write(ctx, read, change)
	}
}

// history is what the versions of a lead take in etcd, as a watch sees them.
type history struct{ writes, bytes atomic.Int64 }

func (s phoneShop) history(ctx context.Context) *history {
	GinkgoHelper()
	watcher, err := env.Client.Watch(ctx, &v1alpha1.CartRecoveryList{}, client.InNamespace(s.namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watcher.Stop)
	kept := &history{}
	go func() {
		defer GinkgoRecover()
		for event := range watcher.ResultChan() {
			if event.Type != watch.Modified {
				continue
			}
			written, err := json.Marshal(event.Object)
			Expect(err).NotTo(HaveOccurred())
			kept.bytes.Add(int64(len(written)))
			kept.writes.Add(1)
		}
	}()
	return kept
}

// report has the suite print what so many messages took.
func (h *history) report(name string, messages int) {
	said := fmt.Sprintf("%d messages: %d writes, %d bytes", messages, h.writes.Load(), h.bytes.Load())
	AddReportEntry(name, said)
}

var _ = Describe("A customer who writes more than anybody reads", func() {
	const messages = 157
	text := func(n int) string { return strings.Repeat(fmt.Sprintf("mensagem %d ", n), 200)[:2000] }

	// whole says that a lead is within its bytes and has as many messages as it keeps.
	whole := func(ctx context.Context, shop phoneShop) {
		GinkgoHelper()
		got := shop.current(ctx)
		encoded, err := json.Marshal(map[string]any{"spec": got.Spec, "status": got.Status})
		Expect(err).NotTo(HaveOccurred())
		Expect(len(encoded)).To(BeNumerically("<=", 64<<10))
		Expect(got.Status.Conversation).To(HaveLen(v1alpha1.MaxConversation))
	}

	It("is written down in few writes, each of his messages before it is acknowledged", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		kept := shop.history(ctx)
		var all sync.WaitGroup
		turns := make(chan struct{}, 40)
		for n := range messages {
			turns <- struct{}{}
			all.Go(func() {
				defer GinkgoRecover()
				defer func() { <-turns }()
				got := plain(ctx, shop.message(fmt.Sprintf("flood-%d", n), map[string]any{"text": text(n)}))
				Expect(got.Status).To(Equal(http.StatusOK))
				Expect(got.Body).To(HaveKeyWithValue("result", "recorded"))
			})
		}
		all.Wait()
		whole(ctx, shop)
		Eventually(kept.writes.Load).Should(BeNumerically(">", 0))
		kept.report("flood", messages)
		Expect(kept.writes.Load()).To(BeNumerically("<", messages/5))
		Expect(kept.bytes.Load()).To(BeNumerically("<", messages*10_000))
	})

	It("takes little of etcd, even one message after the other", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		kept := shop.history(ctx)
		for n := range messages {
			got := plain(ctx, shop.message(fmt.Sprintf("slow-%d", n), map[string]any{"text": text(n)}))
			Expect(got.Status).To(Equal(http.StatusOK))
		}
		whole(ctx, shop)
		Eventually(kept.writes.Load).Should(BeEquivalentTo(messages))
		kept.report("one by one", messages)
		Expect(kept.bytes.Load()).To(BeNumerically("<", messages*75_000))
	})

	It("is stopped by an opt-out in the midst of it", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		other := shop.shop.lead(ctx, named("other"), contacted(time.Now(), v1alpha1.MessageSent))
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				defer GinkgoRecover()
				Expect(plain(ctx, shop.message(fmt.Sprintf("flood-%d", n), nil)).Status).To(Equal(http.StatusOK))
			})
		}
		got := plain(ctx, shop.message("stop", map[string]any{"text": "parar"}))
		Expect(got.Body).To(HaveKeyWithValue("reason", recordedOptOut))
		for _, each := range []*v1alpha1.CartRecovery{shop.lead, other} {
			var stored v1alpha1.CartRecovery
			Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(each), &stored)).To(Succeed())
			says := lead.Find(stored.Status.Conversation, "stop") != nil
			Expect(says || stored.Spec.Stop != nil).To(BeTrue(), each.Name)
		}
		all.Wait()
	})
})
