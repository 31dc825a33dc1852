package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/testenv"
)

// TestNamespacedRightsAreEnough installs the chart with watchNamespaces and runs the manager with the arguments of its
// Deployment and the rights of its ServiceAccount: it starts, works, answers callers by what their own tokens may do,
// and has no right elsewhere.
func TestNamespacedRightsAreEnough(t *testing.T) {
	t.Parallel()
	p := startPlane(t)
	// Whoever installs the rest has rights in two namespaces, as an administrator of these has.
	p.must(t, `make install
kubectl create namespace team; kubectl create namespace shop; kubectl create namespace other
kubectl -n shop apply -k config/samples
helm install cart-recovery charts/cart-recovery-operator --namespace team --set watchNamespaces='{shop}' \
  --set crds.enabled=false --set rbac.userRoles=false
kubectl -n shop create serviceaccount backend; kubectl -n shop create serviceaccount stranger
kubectl -n shop create role backend --verb=get --resource=whatsappinstances.cartrecovery.dev
kubectl -n shop create rolebinding backend --role=backend --serviceaccount=shop:backend`)
	key := client.ObjectKey{Namespace: "team", Name: "cart-recovery-controller-manager"}
	running := p.startManager(t, managerProgram(t), key, map[string]string{"PUBLIC_URL": "https://hooks.example.com",
		"OPENAI_API_KEY": "example"})
	running.mustBeReady(t)
	url := running.url

	within(t, "the Store is Ready", 30*time.Second, func() bool {
		printed, _ := p.run(t, `kubectl -n shop get store acme \
  -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}'`)
		return printed == "True"
	})
	if claims := p.must(t, "kubectl get clientidclaims -o name"); claims != "" {
		t.Errorf("got the claims %s, which are in no namespace", claims)
	}
	token := func(account string) string {
		return strings.TrimSpace(p.must(t, "kubectl -n shop create token "+account))
	}
	backend := token("backend")
	for name, row := range map[string]struct {
		token string
		want  int
	}{
		"nobody":                     {"", http.StatusUnauthorized},
		"somebody without the right": {token("stranger"), http.StatusForbidden},
		"a forged token":             {backend[:len(backend)-8] + "AAAAAAAA", http.StatusUnauthorized},
		"who may":                    {backend, http.StatusOK},
	} {
		if got := statusOf(t, url, row.token); got != row.want {
			t.Errorf("status for %s: %d, want %d", name, got, row.want)
		}
	}
	deliveries := filepath.Join(testenv.Root(), "webhookserver", "platforms", "testdata")
	cart, err := os.ReadFile(filepath.Join(deliveries, "hotmart", "cart.json"))
	if err != nil {
		t.Fatal(err)
	}
	// One of long ago starts nothing.
	cart = regexp.MustCompile(`"creation_date": \d+`).ReplaceAll(cart,
		fmt.Appendf(nil, `"creation_date": %d`, time.Now().UnixMilli()))
	if got := call(t, http.MethodPost, url+"/api/webhooks/hotmart/acme", cart, "X-Hotmart-Hottok",
		"sample-hottok"); got != http.StatusOK {
		t.Errorf("a cart: %d, want it taken", got)
	}
	if leads := p.must(t, "kubectl -n shop get cartrecoveries -o name"); !strings.Contains(leads, "/hotmart-") {
		t.Errorf("got the leads %s, want that of the cart", leads)
	}
	for question, want := range map[string]string{
		"list stores -n shop": "yes", "list stores -n other": "no", "list stores -n team": "no",
		"get secrets -n other": "no", "create tokenreviews.authentication.k8s.io": "no", "list clientidclaims": "no",
	} {
		printed, _ := p.run(t, "kubectl auth can-i "+question+
			" --as=system:serviceaccount:team:cart-recovery-controller-manager 2>/dev/null")
		if strings.TrimSpace(printed) != want {
			t.Errorf("may it %s: %s, want %s", question, strings.TrimSpace(printed), want)
		}
	}
	purgeWhileItRuns(t, p)
}

// purgeWhileItRuns has make purge find an operator that deletes numbers at their gateways: nothing is left to a person.
func purgeWhileItRuns(t *testing.T, p *plane) {
	t.Helper()
	p.must(t, `kubectl -n shop apply -f - <<'EOF'
apiVersion: cartrecovery.dev/v1alpha1
kind: WhatsAppInstance
metadata: {name: ours}
spec: {storeRef: {name: acme}, gateway: {type: Simulated}, deletionPolicy: Delete}
EOF`)
	within(t, "the operator holds the instance", 30*time.Second, func() bool {
		printed, _ := p.run(t, "kubectl -n shop get whatsappinstance ours -o jsonpath='{.metadata.finalizers}'")
		return strings.Contains(printed, "cartrecovery.dev/gateway")
	})
	if printed := p.must(t, "make purge CONFIRM=yes"); strings.Contains(printed, "may still be at its gateway") {
		t.Errorf("got\n%s\nwant the operator to delete the number", printed)
	}
	remain(t, p, "customresourcedefinitions", 0)
}

// statusOf asks for the status of the sample's Store.
func statusOf(t *testing.T, url, token string) int {
	t.Helper()
	authorization := ""
	if token != "" {
		authorization = "Bearer " + token
	}
	return call(t, http.MethodGet, url+"/api/whatsapp/status/acme", nil, "Authorization", authorization)
}

// call is the status of what the webhook server answers, which is always JSON.
func call(t *testing.T, method, url string, body []byte, header, value string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if value != "" {
		request.Header.Set(header, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var said map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		t.Errorf("%s answers no JSON: %v", url, err)
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		t.Logf("%s: %v", url, said)
	}
	return answer.StatusCode
}
