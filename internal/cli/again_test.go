package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var leadsResource = schema.GroupResource{Group: "cartrecovery.dev", Resource: "cartrecoveries"}

func TestMayPass(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want bool
	}{
		"none":             {nil, false},
		"too many":         {apierrors.NewTooManyRequests("busy", 1), true},
		"no service":       {apierrors.NewServiceUnavailable("starting"), true},
		"an error inside":  {apierrors.NewInternalError(errors.New("etcd")), true},
		"a timeout":        {apierrors.NewTimeoutError("slow", 1), true},
		"nobody there":     {fmt.Errorf("dial: %w", syscall.ECONNREFUSED), true},
		"a broken line":    {fmt.Errorf("read: %w", syscall.ECONNRESET), true},
		"no right":         {apierrors.NewForbidden(leadsResource, "a", errors.New("no")), false},
		"it is there":      {apierrors.NewAlreadyExists(leadsResource, "a"), false},
		"a conflict":       {apierrors.NewConflict(leadsResource, "a", errors.New("changed")), false},
		"an interrupt":     {context.Canceled, false},
		"something unwise": {errors.New("unwise"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mayPass(row.err); got != row.want {
				t.Errorf("may pass: %t, want %t", got, row.want)
			}
		})
	}
}

func TestAgain(t *testing.T) {
	calls := 0
	err := again(t.Context(), func() error {
		if calls++; calls == 1 {
			return apierrors.NewServiceUnavailable("starting")
		}
		return nil
	})
	if err != nil || calls != 2 {
		t.Errorf("%d calls: %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = again(ctx, func() error {
		cancel()
		return apierrors.NewServiceUnavailable("starting")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}

// TestPlainly: what the API server repeats of an object is not told.
func TestPlainly(t *testing.T) {
	kind := schema.GroupKind{Group: "cartrecovery.dev", Kind: "CartRecovery"}
	for want, err := range map[string]error{
		"the API server refuses spec.customer.phone: expected E.164, spec.amount": apierrors.NewInvalid(kind, "a",
			field.ErrorList{
				field.Invalid(field.NewPath("spec", "customer", "phone"), "+5511987654321", "expected E.164"),
				field.TooLong(field.NewPath("spec", "amount"), "5511987654321", 3),
			}),
		"the API server: Forbidden, of cartrecoveries a": apierrors.NewForbidden(leadsResource, "a",
			errors.New("the webhook does not like +5511987654321")),
		"broken": errors.New("broken"),
	} {
		t.Run(want, func(t *testing.T) {
			if diff := cmp.Diff(want, plainly(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
