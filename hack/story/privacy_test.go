package story

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

// Who comes into the story besides, and what strangers say.
var (
	mallory  = customer{"Mallory Quintela", "mallory@example.com", "+5511955550009"}
	rita     = customer{"Rita Alvarenga", "rita@example.com", "+5541944440004"}
	stranger = customer{"Zeferino Prado", "zeferino@example.com", "+5551922220006"}
)

const (
	strangerSays = "Quem me passou este contato foi o vizinho"
	pairedByCode = "5561911110007"
)

// TestNothingPersonalIsTold plays the story, and worse, with the most talkative log that can be set, and then looks for
// everything that was used in it: in the logs of every process, in all events and conditions, and in the metrics. At
// last a customer is erased, and looked for in everything that the API server has.
func TestNothingPersonalIsTold(t *testing.T) {
	if testing.Short() || os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("needs an API server")
	}
	for _, target := range []string{"build", "build-plugin"} {
		build := exec.CommandContext(t.Context(), "make", "-C", testenv.Root(), target)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	ctrl.SetLogger(logr.Discard())
	cluster, err := sandbox.StartClusterOf(t.Context(), t.TempDir(), "default-split")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	w := watched{cluster: cluster, told: map[string]string{}, secrets: map[string]string{}}
	w.play(t)
	all := w.hidden(t)
	t.Logf("looking for %d values in %d places", len(all), len(w.told))
	for _, place := range slices.Sorted(maps.Keys(w.told)) {
		if len(w.told[place]) == 0 {
			t.Errorf("%s is empty: nothing was looked through", place)
		}
		for _, leak := range leaks(w.told[place], all) {
			t.Errorf("%s tells %s", place, leak)
		}
	}
	for _, refused := range []string{
		`cartrecovery_gateway_call_seconds_count{method="SendText",result="Terminal",type="UAZAPI"}`,
		`cartrecovery_ai_requests_total{result="Transient"}`,
	} {
		if !counts(w.told["the metrics of the controllers"], refused) {
			t.Errorf("nothing was counted by %s…: no answer repeated what was sent", refused)
		}
	}
	// It would have been found.
	log := w.told["the log of the controllers"]
	for _, each := range []hidden{all[0], all[len(all)-1]} {
		if len(leaks(log[:len(log)/2]+each.value+log[len(log)/2:], all)) == 0 {
			t.Errorf("%s is not found where it was planted", each.what)
		}
	}
}

// watched is a cluster, and what came out of it.
type watched struct {
	cluster *sandbox.Cluster
	// told are the places where something could be told.
	told map[string]string

	mu sync.Mutex
	// secrets are all values that were ever in a Secret, by where.
	secrets map[string]string
	// texts are what was said, and all.
	texts []hidden
}

// play tells the story and more, erases a customer, and gathers what the processes told.
func (w *watched) play(t *testing.T) {
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = services.Stop() }()
	defer w.watchSecrets(t)()
	webhooks, controllers, err := sandbox.StartSplit(t.Context(), w.cluster, services, "--zap-log-level=5")
	if err != nil {
		t.Fatal(err)
	}
	stage := On(w.cluster, services, NewScreen(io.Discard), webhooks.URL)
	stage.Apart = true
	s := New(stage)
	err = s.Tell(t.Context())
	for _, chapter := range []func(context.Context, *Story) error{forged, repeated, byCode, w.remember} {
		if err == nil {
			err = chapter(t.Context(), s)
		}
	}
	if err != nil {
		t.Error(err)
	}
	w.gatherObjects(t)
	if err == nil {
		w.eraseMaria(t, s)
	}
	for name, manager := range map[string]*sandbox.Manager{"webhooks": webhooks, "controllers": controllers} {
		w.told["the metrics of the "+name] = fetched(t, manager.MetricsURL)
		if err := manager.Stop(); err != nil {
			t.Error(err)
		}
		content, err := os.ReadFile(manager.Log)
		if err != nil {
			t.Error(err)
		}
		w.told["the log of the "+name] = string(content)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, secret := range append(services.Credentials(), s.token, hottok, kiwifyToken, eduzzKey) {
		w.secrets["the manager's, a caller's or a platform's secret"+fmt.Sprint(len(w.secrets))] = secret
	}
}

// forged are deliveries and calls of strangers, with people in them.
func forged(ctx context.Context, s *Story) error {
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", mallory, nil)
	if err != nil {
		return err
	}
	broken := cart
	broken.body = append([]byte(nil), cart.body[:len(cart.body)-1]...)
	unsigned := cart
	unsigned.header = http.Header{"X-Hotmart-Hottok": {mallory.email}}
	incomplete, err := hotmart("PURCHASE_APPROVED", customer{name: stranger.name}, map[string]any{
		"purchase": map[string]any{"transaction": "HP9", "status": "APPROVED"}})
	if err != nil {
		return err
	}
	for _, each := range []delivery{broken, unsigned, incomplete} {
		if _, _, err := each.post(ctx, s.URL); err != nil {
			return err
		}
	}
	for _, path := range []string{"/api/whatsapp/status/acme?phone=" + stranger.phone, "/api/" + stranger.email,
		"/api/whatsapp/webhook/demo/acme/" + stranger.email} {
		if _, _, err := call(ctx, http.MethodPost, s.URL+path, []byte(`{"phone":"`+stranger.phone+`"`),
			http.Header{"Authorization": {"Bearer " + stranger.email}}); err != nil {
			return err
		}
	}
	_, err = s.Services.Gateway.Reply(Namespace+".acme", strings.TrimPrefix(stranger.phone, "+"), strangerSays)
	return err
}

// repeated are refusals whose bodies repeat what was sent: number, text and credentials.
func repeated(ctx context.Context, s *Story) error {
	told := strings.Join(append(s.Services.Credentials(), rita.name, strings.TrimPrefix(rita.phone, "+")), " ")
	echo := fmt.Sprintf(`{"error":%q,"code":%q,"message":%q}`, "cannot send to "+told, rita.email, rita.phone)
	for _, status := range []int{http.StatusBadRequest, http.StatusInternalServerError} {
		s.Services.Gateway.Fail(simulator.Fault{Path: "/send/text", Status: status, Body: echo,
			Header: http.Header{"Retry-After": {rita.phone}}})
	}
	// One that is refused would be asked again after minutes.
	s.Services.AI.Fail(http.StatusInternalServerError, echo, nil, 1)
	if _, err := s.kubectl(ctx, "patch", "whatsappinstance", second, "--type=merge", "-p",
		`{"spec":{"suspend":true}}`); err != nil {
		return err
	}
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", rita, nil)
	if err := s.deliver(ctx, "Hotmart: Rita left the checkout", http.StatusOK)(cart, err); err != nil {
		return err
	}
	return s.until(ctx, "Rita's message was refused", func() (bool, error) {
		recovery, err := s.lead(ctx, rita)
		if err != nil || recovery == nil || len(recovery.Status.Conversation) == 0 {
			return false, err
		}
		m := recovery.Status.Conversation[0]
		return m.Error != "" || m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown, nil
	})
}

// byCode pairs a number by a code, which is a secret.
func byCode(ctx context.Context, s *Story) error {
	instance := secondInstance()
	instance.Name, instance.Spec.Gateway.Type = "by-code", v1alpha1.GatewayUAZAPI
	instance.Spec.Pairing = v1alpha1.PairingSpec{Method: v1alpha1.PairingPairCode, Phone: "+" + pairedByCode}
	if err := s.Client.Create(ctx, instance); err != nil {
		return err
	}
	return s.until(ctx, "its pair code is there", func() (bool, error) {
		err := s.Client.Get(ctx, client.ObjectKeyFromObject(instance), instance)
		return instance.Status.Phase == v1alpha1.InstancePairing && instance.Status.Pairing != nil, err
	})
}

// remember keeps what was said, by everybody.
func (w *watched) remember(ctx context.Context, s *Story) error {
	leads, err := s.leads(ctx)
	if err != nil {
		return err
	}
	for i := range leads {
		for _, message := range leads[i].Status.Conversation {
			w.texts = append(w.texts, textOf("what was said ("+string(message.Role)+")", message.Text)...)
		}
	}
	for _, request := range s.Services.AI.Requests() {
		for _, message := range request.Messages {
			w.texts = append(w.texts, hidden{what: "what the AI was told", value: message.Content})
		}
	}
	w.texts = append(w.texts, textOf("what a stranger said", strangerSays)...)
	return nil
}

// watchSecrets keeps every value that is ever in a Secret, until it is told to stop.
func (w *watched) watchSecrets(t *testing.T) (stop func()) {
	t.Helper()
	seen, err := w.cluster.Client.Watch(t.Context(), &corev1.SecretList{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for change := range seen.ResultChan() {
			secret, ok := change.Object.(*corev1.Secret)
			if !ok {
				continue
			}
			w.mu.Lock()
			for key, value := range secret.Data {
				w.secrets[fmt.Sprintf("%s of Secret %s (%d)", key, secret.Name, len(w.secrets))] = string(value)
			}
			w.mu.Unlock()
		}
	}()
	return func() {
		seen.Stop()
		<-ended
	}
}

// hidden is everything that must not be told.
func (w *watched) hidden(t *testing.T) []hidden {
	t.Helper()
	var all []hidden
	for _, who := range []customer{
		{"Maria Souza", "maria@example.com", "+55 11 98888-0001"}, {"João Lima", "joao@example.com", "(21) 97777-0002"},
		{"Ana Costa", "ana@example.com", "+5531966660003"}, {"Bia Nunes", "bia@example.com", "+5511933330005"},
		mallory, rita, stranger,
	} {
		all = append(all, hiddenOf(who)...)
	}
	all = append(all, numbersOf("the number that is paired by code", pairedByCode)...)
	all = append(all, w.texts...)
	if len(w.texts) < 20 {
		t.Errorf("only %d texts were remembered", len(w.texts))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.secrets) < 20 {
		t.Errorf("only %d values of Secrets were seen", len(w.secrets))
	}
	for what, value := range w.secrets {
		all = append(all, hidden{what: what, value: value})
	}
	return all
}

// gatherObjects keeps all events, and the conditions of all objects.
func (w *watched) gatherObjects(t *testing.T) {
	t.Helper()
	printed, err := w.cluster.Kubectl(t.Context(), "get", "events.events.k8s.io", "--all-namespaces", "-o", "json")
	if err != nil {
		t.Error(err)
	}
	w.told["the events"] = printed
	printed, err = w.cluster.Kubectl(t.Context(), "get",
		"stores,products,whatsappinstances,cartrecoveries,suppressions,recoveryledgers", "--all-namespaces", "-o",
		"jsonpath={range .items[*]}{.status.conditions}{.status.lastRejectedDelivery}{.status.lastUnusableDelivery}"+
			"{.status.nextAction.message}{.spec.entries}{\"\\n\"}{end}")
	if err != nil {
		t.Error(err)
	}
	w.told["the conditions"] = printed
}

// eraseMaria erases a customer who has opted out, and looks for her in everything that the API server has.
func (w *watched) eraseMaria(t *testing.T, s *Story) {
	t.Helper()
	before := leaks(w.everything(t), slices.Concat(hiddenOf(s.answers), hashesOf(s.answers)))
	if len(before) < 5 {
		t.Errorf("before she is erased only this is found of her: %v", before)
	}
	erase := exec.CommandContext(t.Context(), filepath.Join(testenv.Root(), "bin", "kubectl-cartrecovery"),
		"erase", "-n", Namespace, "--phone-file", "-", "--yes")
	erase.Env = append(os.Environ(), "KUBECONFIG="+w.cluster.Kubeconfig)
	erase.Stdin = strings.NewReader("+5511988880001\n")
	out, err := erase.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	w.told["what the erasure printed"] = string(out)
	left := leaks(w.everything(t), slices.Concat(hiddenOf(s.answers), hashesOf(s.answers)))
	for _, each := range left {
		t.Errorf("the API server still has %s", each)
	}
	if len(left) > 0 {
		return
	}
	// The webhook server does not know of it any more, and nothing is sent all the same.
	sent := len(s.Services.Gateway.Sent()) + len(s.Services.Evolution.Sent())
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", s.answers, nil)
	if err := s.deliver(t.Context(), "Hotmart: Maria leaves the checkout again", http.StatusOK)(cart, err); err != nil {
		t.Error(err)
	}
	if _, err := s.await(t.Context(), s.answers, v1alpha1.PhaseOptedOut); err != nil {
		t.Error(err)
	}
	if now := len(s.Services.Gateway.Sent()) + len(s.Services.Evolution.Sent()); now != sent {
		t.Errorf("%d messages were sent to her after she was erased", now-sent)
	}
}

// everything is all that the API server has, but for Leases and the like, which come and go.
func (w *watched) everything(t *testing.T) string {
	t.Helper()
	kinds, err := w.cluster.Kubectl(t.Context(), "api-resources", "--verbs=list", "-o", "name")
	if err != nil {
		t.Fatal(err)
	}
	printed, err := w.cluster.Kubectl(t.Context(), "get", strings.Join(strings.Fields(kinds), ","), "--all-namespaces",
		"-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid([]byte(printed)) {
		t.Error("what the API server has is no JSON")
	}
	return printed
}

// fetched is what a page says.
func fetched(t *testing.T, url string) string {
	t.Helper()
	status, body, err := call(t.Context(), http.MethodGet, url, nil, nil)
	if err != nil || status != http.StatusOK {
		t.Errorf("%s: %d, %v", url, status, err)
	}
	return body
}

// counts says whether metrics have a series that begins so and is not zero.
func counts(metrics, series string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, series) && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			return true
		}
	}
	return false
}
