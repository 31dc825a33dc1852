package cli

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// pageSize is how many objects are listed at once.
	pageSize = 500
	// ledgerPage is how many RecoveryLedgers are, which are large.
	ledgerPage = 50
)

// pages lists objects, a page after the other. Each is read into a list of its own: what an object does not have would
// keep what the one in its place on the page before had.
func pages[T any, L interface {
	*T
	client.ObjectList
}](ctx context.Context, c client.Reader, options []client.ListOption, each func(L)) error {
	next := ""
	for {
		var list L
		if err := again(ctx, func() error {
			list = new(T)
			return c.List(ctx, list, slices.Concat(options, []client.ListOption{client.Continue(next)})...)
		}); err != nil {
			return err
		}
		each(list)
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}
