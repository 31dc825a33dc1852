package gateway

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestIdentity(t *testing.T) {
	object := func(namespace, uid string) *v1alpha1.WhatsAppInstance {
		made := &v1alpha1.WhatsAppInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "acme",
			UID: types.UID(uid)}}
		made.Spec.Gateway.Type = v1alpha1.GatewayEvolution
		return made
	}
	connector := func(token string) *Connector {
		return &Connector{Defaults: map[v1alpha1.GatewayType]Defaults{
			v1alpha1.GatewayEvolution: {BaseURL: "https://evolution.example.com", AdminToken: token},
		}}
	}
	_, sealed, err := connector("key").Identity(t.Context(), object("shop", "old"))
	if err != nil || !strings.HasPrefix(sealed, "old.") {
		t.Fatalf("sealed %q, %v", sealed, err)
	}
	for name, row := range map[string]struct {
		namespace, token, annotation, want string
	}{
		"a new object":                    {"shop", "key", "", "new"},
		"one that was restored":           {"shop", "key", sealed, "old"},
		"restored into another namespace": {"other", "key", sealed, "new"},
		"another account":                 {"shop", "another", sealed, "new"},
		"a UID that somebody wrote":       {"shop", "key", "old", "new"},
		"a seal that somebody wrote":      {"shop", "key", "old." + strings.Repeat("0", 64), "new"},
		"another UID under the seal":      {"shop", "key", "x" + sealed, "new"},
		"nothing under a seal":            {"shop", "key", strings.TrimPrefix(sealed, "old"), "new"},
		"too long":                        {"shop", "key", strings.Repeat("a", maxIdentity) + sealed, "new"},
	} {
		t.Run(name, func(t *testing.T) {
			restored := object(row.namespace, "new")
			restored.Annotations = map[string]string{v1alpha1.AnnotationGatewayIdentity: row.annotation}
			uid, again, err := connector(row.token).Identity(t.Context(), restored)
			if err != nil || uid != row.want {
				t.Errorf("got %q, %v, want %q", uid, err, row.want)
			}
			if !strings.HasPrefix(again, row.want+".") {
				t.Errorf("sealed %q", again)
			}
		})
	}
}
