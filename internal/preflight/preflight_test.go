package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
)

type inner struct {
	Name string      `json:"name"`
	At   metav1.Time `json:"at"`
}

type thing struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`
	Spec              struct {
		One  *inner            `json:"one,omitempty"`
		Many []inner           `json:"many,omitempty"`
		Map  map[string]string `json:"map,omitempty"`
	} `json:"spec"`
}

func TestLacks(t *testing.T) {
	whole := `{"properties":{"spec":{"properties":{"one":{"properties":{"name":{},"at":{}}},"many":{"items":{"properties":{"name":{},"at":{}}}},"map":{}}}}}`
	for name, row := range map[string]struct {
		schema string
		want   []string
	}{
		"all is there":       {whole, nil},
		"a field is missing": {strings.Replace(whole, `"map":{}`, `"more":{}`, 1), []string{".spec.map"}},
		"one in a list": {strings.Replace(whole, `"items":{"properties":{"name":{},"at":{}}}`,
			`"items":{"properties":{"at":{}}}`, 1), []string{".spec.many[].name"}},
		"one of an object": {strings.Replace(whole, `"one":{"properties":{"name":{},"at":{}}}`,
			`"one":{"properties":{"name":{}}}`, 1), []string{".spec.one.at"}},
		"anything goes":          {`{"properties":{"spec":{"x-kubernetes-preserve-unknown-fields":true}}}`, nil},
		"everything of it":       {`{"properties":{}}`, []string{".spec"}},
		"a newer one has a more": {strings.Replace(whole, `"map":{}`, `"map":{},"new":{}`, 1), nil},
	} {
		var known property
		if err := json.Unmarshal([]byte(row.schema), &known); err != nil {
			t.Fatal(err)
		}
		if got := lacks(&known, reflect.TypeFor[*thing](), ""); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

// answers serves documents by path; what it has not is 404.
func answers(t *testing.T, documents map[string]string) discovery.DiscoveryInterface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, ok := documents[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(document))
	}))
	t.Cleanup(server.Close)
	return discovery.NewDiscoveryClientForConfigOrDie(&rest.Config{Host: server.URL})
}

func TestResources(t *testing.T) {
	version := schema.GroupVersion{Group: "example.com", Version: "v1"}
	kinds := map[string]any{"Thing": &thing{}}
	list := `{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"name":"things","kind":"Thing"},{"name":"things/status","kind":"Thing"}]}`
	paths := `{"paths":{"apis/example.com/v1":{"serverRelativeURL":"/openapi/v3/apis/example.com/v1"}}}`
	kindOf := `"x-kubernetes-group-version-kind":[{"group":"example.com","version":"v1","kind":"Thing"}]`
	document := func(properties string) string {
		return `{"components":{"schemas":{"com.example.v1.Thing":{` + kindOf + `,"properties":` + properties + `}}}}`
	}
	for name, row := range map[string]struct {
		documents map[string]string
		want      string
	}{
		"nothing is installed": {nil, "serves no example.com/v1; install them with kubectl apply"},
		"a kind is missing": {map[string]string{"/apis/example.com/v1": strings.ReplaceAll(list, "Thing", "Other")},
			"the CRD of Thing is missing in example.com; install it with kubectl apply"},
		"an older version": {map[string]string{"/apis/example.com/v1": list, "/openapi/v3": paths,
			"/openapi/v3/apis/example.com/v1": document(`{"spec":{"properties":{}}}`)},
			"lack things.example.com.spec.many, things.example.com.spec.map, things.example.com.spec.one"},
		"this version": {map[string]string{"/apis/example.com/v1": list, "/openapi/v3": paths,
			"/openapi/v3/apis/example.com/v1": document(
				`{"spec":{"x-kubernetes-preserve-unknown-fields":true}}`)}, ""},
		"no schema yet": {map[string]string{"/apis/example.com/v1": list, "/openapi/v3": `{"paths":{}}`},
			"no schema of example.com/v1 yet"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Resources(t.Context(), answers(t, row.documents), version, kinds, 0)
			if row.want == "" && err != nil || row.want != "" && (!errors.Is(err, ErrNotInstalled) ||
				!strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// permitted is who may do what is listed.
type permitted struct {
	client.SelfSubjectAccessReviewInterface
	may map[string]bool
}

func (p permitted) Create(_ context.Context, review *authorizationv1.SelfSubjectAccessReview,
	_ metav1.CreateOptions) (*authorizationv1.SelfSubjectAccessReview, error) {
	review.Status.Allowed = p.may[describe(*review.Spec.ResourceAttributes)]
	return review, nil
}

func TestPermissions(t *testing.T) {
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{"example.com"}, Resources: []string{"things", "things/status"}, Verbs: []string{"get"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"one"},
			Verbs: []string{"get"}},
		{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"}},
	}
	reviewed := []string{"tokenreviews"}
	for name, row := range map[string]struct {
		namespaces []string
		may        []string
		want       string
	}{
		"all": {nil, []string{"get things.example.com", "get things.example.com/status", "get secrets one",
			"create tokenreviews.authentication.k8s.io"}, ""},
		"some": {nil, []string{"get things.example.com", "get secrets one"},
			"it may not create tokenreviews.authentication.k8s.io, get things.example.com/status; apply"},
		"in one namespace of two": {[]string{"a", "b"}, []string{
			"get things.example.com in namespace a", "get things.example.com/status in namespace a",
			"get secrets one in namespace a", "create tokenreviews.authentication.k8s.io",
			"get things.example.com/status in namespace b", "get secrets one in namespace b",
		}, "it may not get things.example.com in namespace b; apply"},
	} {
		t.Run(name, func(t *testing.T) {
			may := map[string]bool{}
			for _, each := range row.may {
				may[each] = true
			}
			err := Permissions(t.Context(), permitted{may: may},
				Role{Rules: rules[:1], Namespaces: row.namespaces},
				Role{Rules: rules[1:], Namespaces: row.namespaces, ClusterWide: reviewed})
			if row.want == "" && err != nil || row.want != "" && (!errors.Is(err, ErrForbidden) ||
				!strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}
