package gateway

import "context"

// leaseKey is the key of a context's lease.
type leaseKey struct{}

// WithLease returns a context whose call may begin only as long as holds says so. It is asked
// once more immediately before the request's body is written to the connection: whoever was
// frozen until then, or waited for the connection, must not send what somebody else may have
// taken over. The failure of a call that was not begun has code failure.LeaseLost.
func WithLease(ctx context.Context, holds func() bool) context.Context {
	return context.WithValue(ctx, leaseKey{}, holds)
}

// LeaseOf returns the lease of a context; nil when it has none.
func LeaseOf(ctx context.Context) (holds func() bool) {
	holds, _ = ctx.Value(leaseKey{}).(func() bool)
	return holds
}
