package index

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

const (
	// liveLists is how many lists of one namespace are asked for at a time. Each costs the API
	// server time for every lead of the namespace.
	liveLists = 4
	// liveTimeout bounds one list, whoever waits for it.
	liveTimeout = 10 * time.Second
	// livePage bounds the leads that are looked through for what no label tells.
	livePage = 500
)

// Live lists leads from the API server, by the labels of their customers, for whoever cannot
// rely on the cache. Those who ask for the same while the list has not been asked for yet share
// it: its answer is newer than every question. Make it with NewLive.
type Live struct {
	reader client.Reader

	mu     sync.Mutex
	queued map[liveKey]*liveList
	slots  map[string]chan struct{}
}

// liveKey is what a list is of: the leads with a label, or a page of all where it is "".
type liveKey struct{ namespace, label string }

// liveList is a list that some wait for.
type liveList struct {
	done  chan struct{}
	leads []v1alpha1.CartRecovery
	err   error
}

// NewLive returns a Live over a reader that does not read from a cache.
func NewLive(reader client.Reader) *Live {
	return &Live{reader: reader, queued: map[liveKey]*liveList{}, slots: map[string]chan struct{}{}}
}

// Leads lists the leads of a Store that have one of these labels (see lead.CustomerKeys), each
// once. Others may hold what it returns too: it is to read only.
func (l *Live) Leads(ctx context.Context, namespace, store string, labels []string) ([]v1alpha1.CartRecovery, error) {
	asked := make([]*liveList, 0, len(labels))
	for _, label := range labels {
		asked = append(asked, l.ask(ctx, liveKey{namespace, label}))
	}
	var found []v1alpha1.CartRecovery
	for _, list := range asked {
		leads, err := list.await(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the leads of a customer: %w", err)
		}
		found = Together(found, ofStore(leads, store))
	}
	return found, nil
}

// Page lists the leads of a Store among the first of its namespace, for what no label tells of. It is
// as large whoever is looked for, and strangers can ask for it: it is shared like what Leads lists.
func (l *Live) Page(ctx context.Context, namespace, store string) ([]v1alpha1.CartRecovery, error) {
	leads, err := l.ask(ctx, liveKey{namespace, ""}).await(ctx)
	if err != nil {
		return nil, fmt.Errorf("list a page of leads: %w", err)
	}
	return ofStore(leads, store), nil
}

// await waits for a list.
func (l *liveList) await(ctx context.Context) ([]v1alpha1.CartRecovery, error) {
	select {
	case <-l.done:
		return l.leads, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func ofStore(leads []v1alpha1.CartRecovery, store string) []v1alpha1.CartRecovery {
	var found []v1alpha1.CartRecovery
	for i := range leads {
		if leads[i].Spec.StoreRef.Name == store {
			found = append(found, leads[i])
		}
	}
	return found
}

// ask joins the list that waits for its turn, or queues one. Its goroutine ends with the list,
// which liveTimeout bounds.
func (l *Live) ask(ctx context.Context, key liveKey) *liveList {
	l.mu.Lock()
	defer l.mu.Unlock()
	if list := l.queued[key]; list != nil {
		return list
	}
	list := &liveList{done: make(chan struct{})}
	l.queued[key] = list
	slots := l.slots[key.namespace]
	if slots == nil {
		slots = make(chan struct{}, liveLists)
		l.slots[key.namespace] = slots
	}
	go l.run(context.WithoutCancel(ctx), key, list, slots)
	return list
}

func (l *Live) run(ctx context.Context, key liveKey, list *liveList, slots chan struct{}) {
	defer close(list.done)
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
	}
	// Who asks from now on may know of something that the list does not have.
	l.mu.Lock()
	delete(l.queued, key)
	l.mu.Unlock()
	var leads v1alpha1.CartRecoveryList
	if list.err = l.reader.List(ctx, &leads, client.InNamespace(key.namespace), key.selects()); list.err == nil {
		list.leads = leads.Items
	}
}

func (k liveKey) selects() client.ListOption {
	if k.label == "" {
		return client.Limit(livePage)
	}
	return client.HasLabels{k.label}
}
