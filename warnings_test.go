package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestWarningsOfTheAPIServerAreNotLogged: they repeat what was written.
func TestWarningsOfTheAPIServerAreNotLogged(t *testing.T) {
	var logged bytes.Buffer
	everything := &slog.HandlerOptions{Level: slog.LevelDebug - 10}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(&logged, everything)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Warning", `299 - "spec.customer.phone: Invalid value: \"+5511999990000\""`)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","namespace":"y"}}`))
	}))
	t.Cleanup(server.Close)
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion})
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	kube, err := client.New(privately(&rest.Config{Host: server.URL}), client.Options{Mapper: mapper})
	if err != nil {
		t.Fatal(err)
	}
	if err := kube.Get(t.Context(), types.NamespacedName{Namespace: "y", Name: "x"}, &corev1.ConfigMap{}); err != nil {
		t.Fatal(err)
	}
	if text := logged.String(); strings.Contains(text, "5511") || !strings.Contains(text, "Not logging a warning") {
		t.Errorf("logged %q", text)
	}
}
