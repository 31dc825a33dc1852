package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestCombine(t *testing.T) {
	yes, no := true, false
	for first, second := range map[string]string{resultIgnored: resultUnmatched, resultUnmatched: resultIgnored} {
		parts := map[string]outcome{resultIgnored: ignored("X"), resultUnmatched: unmatched(ignoredUnknownMessage)}
		if result, _ := combine([]outcome{parts[first], parts[second]}); result != resultUnmatched {
			t.Errorf("%s and %s are %s", first, second, result)
		}
	}
	for _, row := range []struct {
		name   string
		parts  []outcome
		result string
		leads  int
		flight *bool
	}{
		{name: "none", result: resultIgnored},
		{name: "one", parts: []outcome{{Result: resultCreated}}, result: resultCreated},
		{name: "ambiguous", parts: []outcome{ignored(ignoredAmbiguous)}, result: resultAmbiguous},
		{name: "unmatched", parts: []outcome{unmatched(ignoredNoOpenLead)}, result: resultUnmatched},
		{name: "a sale without a phone", parts: []outcome{ignored(ignoredNoPhone)}, result: resultIgnored},
		{name: "equal ones", parts: []outcome{ignored(ignoredReceipt), ignored(ignoredReceipt)}, result: resultIgnored},
		{
			name: "several", result: resultStopped, leads: 3, flight: &yes,
			parts: []outcome{
				ignored("X"), {Result: resultStopped, Leads: []string{"a", "b"}, InFlight: &no},
				{Result: resultCreated, Lead: "c"}, {Result: resultStopped, Leads: []string{"a"}, InFlight: &yes},
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			result, body := combine(row.parts)
			if result != row.result {
				t.Errorf("result %s, want %s", result, row.result)
			}
			whole, several := body.(outcomes)
			if several != (row.leads > 0) {
				t.Fatalf("body is a %T, want several: %t", body, row.leads > 0)
			}
			if !several {
				return
			}
			if len(whole.Leads) != row.leads || len(whole.Events) != len(row.parts) {
				t.Errorf("%d leads and %d events, want %d and %d", len(whole.Leads), len(whole.Events), row.leads,
					len(row.parts))
			}
			if diff := cmp.Diff(row.flight, whole.InFlight); diff != "" {
				t.Errorf("in flight (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStoreAnswer(t *testing.T) {
	kind, resource := schema.GroupKind{Kind: "CartRecovery"}, schema.GroupResource{Resource: "cartrecoveries"}
	invalid := apierrors.NewInvalid(kind, "x", field.ErrorList{field.Invalid(field.NewPath("spec", "amount"),
		"personal", "wrong")})
	for _, row := range []struct {
		err    error
		status int
	}{
		{apierrors.NewForbidden(resource, "x", nil), fiber.StatusServiceUnavailable},
		{apierrors.NewConflict(resource, "x", nil), fiber.StatusServiceUnavailable},
		{apierrors.NewTooManyRequests("later", 1), fiber.StatusServiceUnavailable},
		{context.DeadlineExceeded, fiber.StatusServiceUnavailable},
		{errBusy, fiber.StatusServiceUnavailable},
		{invalid, fiber.StatusBadRequest},
		{fmt.Errorf("create: %w", invalid), fiber.StatusBadRequest},
	} {
		got := storeAnswer(row.err)
		if got.status != row.status || got.retry != (row.status == fiber.StatusServiceUnavailable) {
			t.Errorf("%v: status %d, again %t, want %d", row.err, got.status, got.retry, row.status)
		}
	}
	if body := storeAnswer(invalid).body.(problem); body.Field != "spec.amount" {
		t.Errorf("field %q, want %q", body.Field, "spec.amount")
	}
}

func TestLoggedHoldsNoValues(t *testing.T) {
	kind := schema.GroupKind{Kind: "CartRecovery"}
	invalid := apierrors.NewInvalid(kind, "x", field.ErrorList{field.Invalid(field.NewPath("spec", "amount"),
		"personal", "wrong")})
	transport := &url.Error{Op: "Get", URL: "https://api/leads?labelSelector=personal",
		Err: errors.New("connection refused")}
	for _, err := range []error{invalid, fmt.Errorf("list: %w", transport), context.DeadlineExceeded, errGone} {
		text := fmt.Sprint(loggable(err)...)
		if text == "" || strings.Contains(text, "personal") {
			t.Errorf("logged %q", text)
		}
	}
}

func TestRejectionDue(t *testing.T) {
	shown := func(reason string, at time.Time) *v1alpha1.RejectedDelivery {
		return &v1alpha1.RejectedDelivery{Reason: reason, Time: metav1.NewTime(at)}
	}
	for _, row := range []struct {
		name  string
		shown *v1alpha1.RejectedDelivery
		last  time.Time
		want  bool
	}{
		{name: "the first", want: true},
		{name: "again", last: noon.Add(-59 * time.Second)},
		{name: "again after a minute", last: noon.Add(-time.Minute), want: true},
		{name: "shown by another replica", shown: shown("A", noon.Add(-30*time.Second))},
		{name: "shown long ago", shown: shown("A", noon.Add(-time.Minute)), want: true},
		{name: "another reason is shown", shown: shown("B", noon.Add(-time.Second)), want: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := rejectionDue(row.shown, row.last, "A", noon); got != row.want {
				t.Errorf("due %t, want %t", got, row.want)
			}
		})
	}
}

func TestRejectionsForget(t *testing.T) {
	r := newRejections()
	for i := range 3 * maxRemembered {
		store := &v1alpha1.Store{}
		store.UID = "uid"
		r.due(store, fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second))
	}
	if len(r.last) > maxRemembered+1 {
		t.Errorf("%d are remembered", len(r.last))
	}
}

func TestEqual(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{{"k", "k", true}, {"k", "K", false}, {"k", "", false}, {"", "", false}, {"k", "kk", false}} {
		if equal([]byte(row.a), []byte(row.b)) != row.want {
			t.Errorf("%q, %q", row.a, row.b)
		}
	}
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "Bearer": "", "Bearer ": "", "Bearer x": "x", "bearer  x ": "x", "Basic x": "", "x": "",
	} {
		if got := bearer(header); got != want {
			t.Errorf("%q: got %q", header, got)
		}
	}
}
