package webhookserver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// Receipts are many and decide nothing, so they are gathered in memory and stored together,
// once a lead and window: docs/decisions/0009-receipts-are-gathered.md.

const (
	// maxReceiptLeads bounds the leads that wait; the one that waits longest is dropped.
	maxReceiptLeads = 10_000
	// maxEarlyReceipts bounds the messages of a store whose early receipts wait; later ones are
	// not taken in.
	maxEarlyReceipts = 4096
	// maxReceiptTries is how often the receipts of a lead are tried to be stored.
	maxReceiptTries = 3
	// receiptPace is the least time between two leads: 20 a second on each replica.
	receiptPace = 50 * time.Millisecond
	// receiptTimeout bounds one write, and all that are left when the server stops.
	receiptTimeout = 5 * time.Second
)

// mark says when one of our messages was delivered and read; zero when that is not known.
type mark struct {
	delivered, read time.Time
	// chats are the gateway's ids of the chat that it got to, which is the customer's.
	chats [2]string
}

// with returns the mark with a receipt: of two of one kind the earlier counts.
func (m mark) with(status formats.Status, at time.Time) mark {
	switch status {
	case formats.Delivered:
		m.delivered = instant.EarlierSet(m.delivered, at)
	case formats.Read:
		m.read = instant.EarlierSet(m.read, at)
	}
	return m
}

// on writes the mark on a message; false when it has all of it. What was read was
// delivered.
func (m mark) on(message *v1alpha1.Message) bool {
	changed := false
	if at := instant.EarlierSet(m.delivered, m.read); message.DeliveredAt == nil && !at.IsZero() {
		delivered := v1alpha1.NewTimestamp(at)
		message.DeliveredAt, changed = &delivered, true
	}
	if message.ReadAt == nil && !m.read.IsZero() {
		read := v1alpha1.NewTimestamp(m.read)
		message.ReadAt, changed = &read, true
	}
	return changed
}

// markAll writes marks, by the gateway's ids, on a lead's messages, and keeps the chats that they
// came from: whoever gets our messages there is the customer.
func markAll(recovery *v1alpha1.CartRecovery, marks map[string]mark) bool {
	changed := false
	for i := range recovery.Status.Conversation {
		message := &recovery.Status.Conversation[i]
		found, known := marks[message.GatewayID]
		if known && message.GatewayID != "" && message.Role == v1alpha1.RoleAssistant && found.on(message) {
			learnChats(recovery, found.chats[:])
			changed = true
		}
	}
	return changed
}

// gathered are the receipts of one lead.
type gathered struct {
	marks map[string]mark
	// due is when they are stored.
	due time.Time
	// tries is how often that has failed.
	tries int
}

// receipts are those that wait to be stored.
type receipts struct {
	window time.Duration
	// marks bounds the messages of each.
	marks int
	// begun gets an element when there is something to wait for.
	begun chan struct{}

	mu    sync.Mutex
	leads map[types.NamespacedName]*gathered
	// order has the leads as they fall due.
	order []types.NamespacedName
}

func newReceipts(window time.Duration, marks int) *receipts {
	return &receipts{window: window, marks: marks, begun: make(chan struct{}, 1),
		leads: map[types.NamespacedName]*gathered{}}
}

// merge lets receipts of a lead wait, with those that do already. It returns how many leads were
// dropped for them.
func (r *receipts) merge(name types.NamespacedName, more *gathered, now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.leads[name]
	if waiting == nil {
		waiting = &gathered{marks: map[string]mark{}, due: now.Add(r.window)}
		r.leads[name], r.order = waiting, append(r.order, name)
	}
	waiting.tries = max(waiting.tries, more.tries)
	for id, each := range more.marks {
		if known, is := waiting.marks[id]; is || len(waiting.marks) < r.marks {
			joined := known.with(formats.Delivered, each.delivered).with(formats.Read, each.read)
			if each.chats[0] != "" {
				joined.chats = each.chats
			}
			waiting.marks[id] = joined
		}
	}
	dropped := 0
	for ; len(r.order) > maxReceiptLeads; dropped++ {
		delete(r.leads, r.order[0])
		r.order = r.order[1:]
	}
	select {
	case r.begun <- struct{}{}:
	default:
	}
	return dropped
}

// due is when the next lead is; false when none waits.
func (r *receipts) due() (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) == 0 {
		return time.Time{}, false
	}
	return r.leads[r.order[0]].due, true
}

// next takes the lead that is due next; nil when none waits.
func (r *receipts) next() (types.NamespacedName, *gathered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) == 0 {
		return types.NamespacedName{}, nil
	}
	name := r.order[0]
	taken := r.leads[name]
	delete(r.leads, name)
	r.order = r.order[1:]
	return name, taken
}

// takeReceipt lets a receipt of one of our messages wait to be stored.
func (s *Server) takeReceipt(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	message *formats.Message) (outcome, error) {
	leads, err := s.leadsByMessage(ctx, instance.Namespace, instance.Spec.StoreRef.Name, message.ID)
	if err != nil {
		return outcome{}, err
	}
	at := slices.IndexFunc(leads, hasOurs(message.ID))
	switch {
	case at >= 0 && mark{}.with(message.Status, s.Clock.Now()).on(atGateway(&leads[at], message.ID)):
		return s.gather(&leads[at], message), nil
	case at >= 0:
		return outcome{Result: resultUnchanged, Lead: leads[at].Name}, nil
	case len(leads) > 0 || !message.FromMe:
		return ignored(ignoredReceipt), nil
	}
	return s.takeEarlyReceipt(ctx, instance, message)
}

// takeEarlyReceipt lets a receipt wait that is faster than the gateway's word that the
// message went: with every lead of the number that has a message under way. Which one it
// is of shows its id, by the time it is stored. Of a hidden number it waits with its store,
// and its id is looked up once more.
func (s *Server) takeEarlyReceipt(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	message *formats.Message) (outcome, error) {
	store := types.NamespacedName{Namespace: instance.Namespace, Name: instance.Spec.StoreRef.Name}
	if message.Phone == "" {
		s.wait(s.early, store, message)
		return outcome{Result: resultGathered}, nil
	}
	leads, err := s.cachedLeads(ctx, instance, message)
	if err != nil {
		return outcome{}, err
	}
	var parts []outcome
	for i := range leads {
		if isOpen(&leads[i]) && lead.Claimed(&leads[i]) != nil {
			parts = append(parts, s.gather(&leads[i], message))
		}
	}
	return together(parts, unmatched(ignoredUnknownMessage)), nil
}

func (s *Server) gather(recovery *v1alpha1.CartRecovery, message *formats.Message) outcome {
	s.wait(s.receipts, client.ObjectKeyFromObject(recovery), message)
	return outcome{Result: resultGathered, Lead: recovery.Name}
}

// wait lets a receipt wait, with those of a lead or of a store.
func (s *Server) wait(among *receipts, name types.NamespacedName, message *formats.Message) {
	at, now := message.At, s.Clock.Now()
	if at.IsZero() || at.After(now.Add(clockSkew)) {
		at = now
	}
	told := mark{}.with(message.Status, at)
	copy(told.chats[:], message.ChatIDs)
	dropped := among.merge(name, &gathered{marks: map[string]mark{message.ID: told}}, time.Now())
	s.Metrics.ReceiptsDropped.Add(float64(dropped))
}

// placeEarly finds the leads of a store's early receipts. Receipts of messages that are still not known are dropped:
// other people's messages have receipts too.
func (s *Server) placeEarly(ctx context.Context, store types.NamespacedName, taken *gathered) {
	for id, each := range taken.marks {
		leads, err := s.leadsByMessage(ctx, store.Namespace, store.Name, id)
		at := slices.IndexFunc(leads, hasOurs(id))
		if err != nil || at < 0 {
			continue
		}
		name := client.ObjectKeyFromObject(&leads[at])
		dropped := s.receipts.merge(name, &gathered{marks: map[string]mark{id: each}}, time.Now())
		s.Metrics.ReceiptsDropped.Add(float64(dropped))
	}
}

// placeEarlySafely is placeEarly, whose panic costs these receipts and no more.
func (s *Server) placeEarlySafely(ctx context.Context, store types.NamespacedName, taken *gathered) {
	_ = panics.Do(s.logInto(ctx), panics.Receipts, func() error {
		s.placeEarly(ctx, store, taken)
		return nil
	})
}

// hasOurs says whether a lead has a message of the AI with this id at the gateway.
func hasOurs(id string) func(v1alpha1.CartRecovery) bool {
	return func(each v1alpha1.CartRecovery) bool {
		ours := atGateway(&each, id)
		return ours != nil && ours.Role == v1alpha1.RoleAssistant
	}
}

// recordReceipts stores receipts as they fall due until stop is closed, and then what is
// left.
func (s *Server) recordReceipts(ctx context.Context, stop <-chan struct{}) {
	var last time.Time
	for {
		var timer, early <-chan time.Time
		if due, waiting := s.early.due(); waiting {
			early = time.After(time.Until(due))
		}
		if due, waiting := s.receipts.due(); waiting {
			if paced := last.Add(receiptPace); paced.After(due) {
				due = paced
			}
			timer = time.After(time.Until(due))
		}
		select {
		case <-stop:
			s.recordReceiptsLeft(ctx)
			return
		case <-s.receipts.begun:
		case <-s.early.begun:
		case <-early:
			if store, taken := s.early.next(); taken != nil {
				s.placeEarlySafely(ctx, store, taken)
			}
		case <-timer:
			if name, taken := s.receipts.next(); taken != nil {
				s.recordReceiptsOf(ctx, name, taken)
			}
			last = time.Now()
		}
	}
}

// recordReceiptsLeft stores what is left, without a pause, in the time of one write.
func (s *Server) recordReceiptsLeft(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
	defer cancel()
	for store, taken := s.early.next(); taken != nil; store, taken = s.early.next() {
		s.placeEarlySafely(ctx, store, taken)
	}
	for {
		name, taken := s.receipts.next()
		if taken == nil {
			return
		}
		taken.tries = maxReceiptTries
		if ctx.Err() != nil {
			s.Metrics.ReceiptsDropped.Inc()
			continue
		}
		s.recordReceiptsOf(ctx, name, taken)
	}
}

// recordReceiptsOf stores the receipts of one lead, in one write at most. What cannot be
// stored waits once more, a few times.
func (s *Server) recordReceiptsOf(ctx context.Context, name types.NamespacedName, taken *gathered) {
	err := panics.Do(s.logInto(ctx), panics.Receipts, func() error { return s.storeReceipts(ctx, name, taken.marks) })
	if err == nil {
		return
	}
	s.logFailure("Cannot store the receipts of a lead", err, "lead", name.String())
	dropped := 1
	if taken.tries++; taken.tries < maxReceiptTries && !apierrors.IsInvalid(err) {
		dropped = s.receipts.merge(name, taken, time.Now())
	}
	s.Metrics.ReceiptsDropped.Add(float64(dropped))
}

func (s *Server) storeReceipts(ctx context.Context, name types.NamespacedName, marks map[string]mark) error {
	ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
	defer cancel()
	recovery := &v1alpha1.CartRecovery{}
	if err := s.Client.Get(ctx, name, recovery); err != nil {
		return client.IgnoreNotFound(err)
	}
	_, _, err := s.patchLead(ctx, recovery, s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
		return markAll(recovery, marks)
	})
	if err != nil {
		return fmt.Errorf("store receipts: %w", err)
	}
	return nil
}
