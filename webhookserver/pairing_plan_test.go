package webhookserver

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gen"
)

func TestReadConnect(t *testing.T) {
	types := []string{"Simulated", "UAZAPI"}
	for _, row := range []struct {
		body, field, expected string
		want                  connectRequest
	}{
		{body: ""},
		{body: " \n"},
		{body: "{}"},
		{body: `{"gateway":"Simulated"}`, want: connectRequest{Gateway: v1alpha1.GatewaySimulated}},
		{body: `{"phone":"(11) 98765-4321"}`, want: connectRequest{Phone: "+5511987654321"}},
		{body: `{"gateway":"Fax"}`, field: "gateway", expected: "one of Simulated, UAZAPI"},
		{body: `{"gateway":1}`, field: "gateway", expected: "a text"},
		{body: `{"phone":"none"}`, field: "phone",
			expected: "a phone number with country code, such as +5511987654321"},
		{body: `[]`, expected: "a JSON object"},
		{body: `{"phone"`, expected: "a JSON object"},
	} {
		got, field, expected := readConnect([]byte(row.body), "BR", types)
		if field != row.field || expected != row.expected || (expected == "" && got != row.want) {
			t.Errorf("%s: got %+v, %q, %q", row.body, got, field, expected)
		}
	}
}

func unpaired(i *v1alpha1.WhatsAppInstance) {
	i.Status.Phase, i.Status.Conditions = v1alpha1.InstanceDisconnected, nil
}

func asked(at string) func(*v1alpha1.WhatsAppInstance) {
	return func(i *v1alpha1.WhatsAppInstance) {
		i.Annotations = map[string]string{v1alpha1.AnnotationPairRequested: at}
	}
}

func attempt(handled string, expires time.Time) func(*v1alpha1.WhatsAppInstance) {
	return func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Pairing = &v1alpha1.PairingStatus{HandledRequest: handled, ExpiresAt: &metav1.Time{Time: expires}}
	}
}

func notReady(reason string) func(*v1alpha1.WhatsAppInstance) {
	return func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse,
			Reason: reason}}
	}
}

func TestAskToPair(t *testing.T) {
	earlier, later := noon.Add(-time.Hour), noon.Add(time.Minute)
	request := earlier.Format(time.RFC3339Nano)
	byCode, tooLong := connectRequest{Phone: gen.Phone}, strings.Repeat("please ", 20)
	for _, row := range []struct {
		name     string
		instance *v1alpha1.WhatsAppInstance
		request  connectRequest
		want     bool
	}{
		{"connected", gen.InstanceObject(), connectRequest{}, false},
		{"connected, by code", gen.InstanceObject(), byCode, false},
		{"never paired", gen.InstanceObject(unpaired), connectRequest{}, true},
		{"asked, not begun", gen.InstanceObject(unpaired, asked(request)), connectRequest{}, false},
		{"asked, begun, under way", gen.InstanceObject(unpaired, asked(request), attempt(request, later)),
			connectRequest{}, false},
		{"asked, begun, over", gen.InstanceObject(unpaired, asked(request), attempt(request, noon)), connectRequest{},
			true},
		{"asked in too many words, begun, over", gen.InstanceObject(unpaired, asked(tooLong),
			attempt(tooLong[:64], noon)), connectRequest{}, true},
		{"under way by QR, asked by code", gen.InstanceObject(unpaired, attempt("", later)), byCode, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := askToPair(row.instance, row.request, noon); got != row.want {
				t.Errorf("got %t, want %t", got, row.want)
			}
			wrote := row.instance.Annotations[v1alpha1.AnnotationPairRequested] == noon.Format(time.RFC3339Nano)
			if wrote != row.want {
				t.Errorf("annotations %v", row.instance.Annotations)
			}
			if row.want && row.request.Phone != "" && connection.Pairing(row.instance).Phone != row.request.Phone {
				t.Errorf("pairing %+v", connection.Pairing(row.instance))
			}
			if diff := cmp.Diff(gen.InstanceObject().Spec.Pairing, row.instance.Spec.Pairing); diff != "" {
				t.Errorf("the spec, which is its owner's (-before +after):\n%s", diff)
			}
		})
	}
}

func TestProgressOf(t *testing.T) {
	before, after := noon.Add(-time.Minute).Format(time.RFC3339Nano), noon.Add(time.Second).Format(time.RFC3339Nano)
	request, later := noon.Format(time.RFC3339Nano), noon.Add(time.Minute)
	for _, row := range []struct {
		name     string
		instance *v1alpha1.WhatsAppInstance
		request  string
		want     progress
	}{
		{"connected", gen.InstanceObject(), "", progressConnected},
		{"connected, before the request is in the cache", gen.InstanceObject(), request, progressNone},
		{"asked", gen.InstanceObject(unpaired, asked(request)), request, progressNone},
		{"an earlier attempt", gen.InstanceObject(unpaired, asked(request), attempt(before, later)), request,
			progressNone},
		{"this attempt", gen.InstanceObject(unpaired, asked(request), attempt(request, later)), request,
			progressShowing},
		{"this attempt, over", gen.InstanceObject(unpaired, asked(request), attempt(request, noon)), request,
			progressNone},
		{"someone else's later attempt", gen.InstanceObject(unpaired, asked(after), attempt(after, later)), request,
			progressShowing},
		{"an attempt that was under way", gen.InstanceObject(unpaired, attempt("", later)), "", progressShowing},
		{"unreachable", gen.InstanceObject(unpaired, asked(request), notReady(v1alpha1.ReasonGatewayUnreachable)),
			request, progressFailing},
		{"no credentials", gen.InstanceObject(unpaired, asked(request), notReady(v1alpha1.ReasonNoCredentials)),
			request, progressFailing},
		{"no QR", gen.InstanceObject(unpaired, asked(request), attempt(request, later),
			notReady(v1alpha1.ReasonNoQRCode)), request, progressFailing},
		{"no QR, of an earlier attempt", gen.InstanceObject(unpaired, asked(request), attempt(before, later),
			notReady(v1alpha1.ReasonNoQRCode)), request, progressNone},
		{"logged out", gen.InstanceObject(unpaired, asked(request), notReady(v1alpha1.ReasonLoggedOut)), request,
			progressNone},
		{"a request that is no time", gen.InstanceObject(unpaired, asked("yes")), request, progressNone},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := progressOf(row.instance, row.request, noon); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestChooseInstance(t *testing.T) {
	called := func(name string) func(*v1alpha1.WhatsAppInstance) {
		return func(i *v1alpha1.WhatsAppInstance) { i.Name = name }
	}
	deleted := func(i *v1alpha1.WhatsAppInstance) { i.DeletionTimestamp = &metav1.Time{Time: noon} }
	all := []v1alpha1.WhatsAppInstance{
		*gen.InstanceObject(called("a"), deleted), *gen.InstanceObject(called("c")), *gen.InstanceObject(called("b")),
	}
	for name, want := range map[string]string{"": "b", "c": "c", "a": "", "x": ""} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if chosen := chooseInstance(all, name); chosen != nil {
				got = chosen.Name
			}
			if got != want {
				t.Errorf("%q: got %q, want %q", name, got, want)
			}
		})
	}
}
