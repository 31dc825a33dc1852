package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
)

// patience is how often a request is tried that the API server, or the way there, did not take: for about a minute.
var patience = wait.Backoff{Duration: 250 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 8, Cap: 20 * time.Second}

// again makes a request, and repeats it while the API server is busy or cannot be reached. What it says must be right
// also where an earlier attempt has had its effect.
func again(ctx context.Context, request func() error) error {
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, patience, func(context.Context) (done bool, err error) {
		last = request()
		if mayPass(last) {
			return false, nil
		}
		return true, last
	})
	if wait.Interrupted(err) && last != nil && ctx.Err() == nil {
		return last
	}
	return err
}

// mayPass says whether a failure may be gone the next time.
func mayPass(err error) bool {
	return apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) ||
		apierrors.IsUnexpectedServerError(err) || utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) ||
		utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) && !errors.Is(err, context.DeadlineExceeded)
}

// plainly is an error without what was written: the API server repeats values that it refuses.
func plainly(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err.Error()
	}
	told := status.Status()
	if !apierrors.IsInvalid(err) || told.Details == nil {
		return "the API server: " + reasonOf(told)
	}
	var fields []string
	for _, cause := range told.Details.Causes {
		field := cause.Field
		if after := strings.LastIndex(cause.Message, `": `); after >= 0 {
			field += cause.Message[after+1:]
		}
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	return "the API server refuses " + strings.Join(fields, ", ")
}

// reasonOf is why a request failed, with what it was about where that is no customer's.
func reasonOf(told metav1.Status) string {
	if told.Details != nil && told.Details.Name != "" {
		return fmt.Sprintf("%s, of %s %s", told.Reason, told.Details.Kind, told.Details.Name)
	}
	return string(told.Reason)
}
