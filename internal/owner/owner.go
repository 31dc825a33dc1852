// Package owner decides which of several objects that claim the same thing has it: the
// oldest, as Gateway API decides for hosts.
package owner

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Older says whether a comes before b: the older creation, then namespace and name.
func Older(a, b client.Object) bool {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !at.Time.Equal(bt.Time) {
		return at.Time.Before(bt.Time)
	}
	if a.GetNamespace() != b.GetNamespace() {
		return a.GetNamespace() < b.GetNamespace()
	}
	return a.GetName() < b.GetName()
}

// Oldest returns the index of the object that wins, -1 when there is none. An object that
// is being deleted still counts: it has the claim until it is gone.
func Oldest[T any, P interface {
	*T
	client.Object
}](items []T) int {
	winner := -1
	for i := range items {
		if winner < 0 || Older(P(&items[i]), P(&items[winner])) {
			winner = i
		}
	}
	return winner
}
