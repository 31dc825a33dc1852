package panics

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
)

// logging is a context whose log goes into lines.
func logging(t *testing.T, lines *[]string) context.Context {
	t.Helper()
	return log.IntoContext(t.Context(), funcr.New(func(_, args string) { *lines = append(*lines, args) },
		funcr.Options{}))
}

// counted is how many panics of a kind of work there were.
func counted(t *testing.T, work string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(Total)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if metric.GetLabel()[0].GetValue() == work {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestDo(t *testing.T) {
	wrong := errors.New("wrong")
	var nothing []int
	var none *v1alpha1.Store
	for _, c := range []struct {
		name string
		do   func() error
		want error
		log  string
	}{
		{"what goes well", func() error { return nil }, nil, ""},
		{"what fails", func() error { return wrong }, wrong, ""},
		{"an index out of range", func() error { _ = nothing[len(nothing)+3]; return nil }, nil,
			"index out of range [3]"},
		{"a nil pointer", func() error { _ = none.Name; return nil }, nil, "nil pointer"},
		{"a text", func() error { panic("maria 5511999998888") }, nil, `"panic"="string"`},
		{"an error", func() error { panic(errors.New("maria 5511999998888")) }, nil, `"panic"="*errors.errorString"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var lines []string
			before := counted(t, Text)
			err := Do(logging(t, &lines), Text, c.do)
			logged, more := strings.Join(lines, "\n"), counted(t, Text)-before
			if c.log == "" {
				if !errors.Is(err, c.want) || more != 0 || logged != "" {
					t.Errorf("got %v, counted %g, logged %s", err, more, logged)
				}
				return
			}
			if failure.CodeOf(err) != failure.Fault || failure.ClassOf(err) != failure.Transient || more != 1 {
				t.Errorf("got %v, counted %g", err, more)
			}
			if !strings.Contains(logged, c.log) || !strings.Contains(logged, "panics_test.go") {
				t.Errorf("logged %s", logged)
			}
			if strings.Contains(logged+err.Error(), "maria") {
				t.Errorf("the value is told: %v, %s", err, logged)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	if got := Keep(t.Context(), Watch, 7, func() int { return 3 }); got != 3 {
		t.Errorf("got %d", got)
	}
	if got := Keep(t.Context(), Watch, 7, func() int { panic("x") }); got != 7 {
		t.Errorf("got %d in place of a panic", got)
	}
}

func TestReconcilerTellsOfAPanic(t *testing.T) {
	scheme := fake.NewClientBuilder().Build().Scheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	store := &v1alpha1.Store{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "acme"}}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(store).Build()
	recorder := events.NewFakeRecorder(10)
	made := func() client.Object { return &v1alpha1.Store{} }
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(store)}
	inner := reconcile.Func(func(_ context.Context, request reconcile.Request) (reconcile.Result, error) {
		if request.Name == "acme" {
			panic("maria")
		}
		return reconcile.Result{RequeueAfter: 1}, nil
	})
	wrapped := Reconciler(inner, reader, recorder, made)
	if _, err := wrapped.Reconcile(t.Context(), request); failure.CodeOf(err) != failure.Fault {
		t.Errorf("got %v", err)
	}
	select {
	case told := <-recorder.Events:
		if !strings.HasPrefix(told, corev1.EventTypeWarning+" "+v1alpha1.ReasonInternalError) ||
			strings.Contains(told, "maria") {
			t.Errorf("told %q", told)
		}
	default:
		t.Error("no event was made")
	}
	request.Name = "gone"
	if result, err := wrapped.Reconcile(t.Context(), request); err != nil || result.RequeueAfter != 1 {
		t.Errorf("got %v, %v for another object", result, err)
	}
	if len(recorder.Events) != 0 {
		t.Error("an event was made of an object without a panic")
	}
}

func TestInformersSurvive(t *testing.T) {
	store := &v1alpha1.Store{}
	if got := Map(func(context.Context, client.Object) []reconcile.Request { panic("x") })(t.Context(),
		store); got != nil {
		t.Errorf("it concerns %v", got)
	}
	if got := Values(func(client.Object) []string { panic("x") })(store); got != nil {
		t.Errorf("it is found by %v", got)
	}
	broken := Predicate(predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { panic("x") }, UpdateFunc: func(event.UpdateEvent) bool {
			panic("x")
		},
		DeleteFunc: func(event.DeleteEvent) bool { panic("x") }, GenericFunc: func(event.GenericEvent) bool {
			return false
		},
	})
	if !broken.Create(event.CreateEvent{}) || !broken.Update(event.UpdateEvent{}) ||
		!broken.Delete(event.DeleteEvent{}) {
		t.Error("a change is lost")
	}
	if broken.Generic(event.GenericEvent{}) {
		t.Error("a change passes that should not")
	}
}
