package install

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/hack/story"
	"cartrecovery.dev/operator/internal/simulator"
)

// storyValues are those of a careful installation: two Deployments, with rights in one namespace.
const storyValues = `watchNamespaces: [demo]
split: {enabled: true}
image: {repository: registry.example.com/cart-recovery-operator, tag: 1.0.0}
`

// install is docs/install.md, with these values.
const install = `kubectl create namespace cart-recovery-system
kubectl label namespace cart-recovery-system pod-security.kubernetes.io/enforce=restricted
kubectl create namespace demo
helm install cart-recovery charts/cart-recovery-operator --namespace cart-recovery-system --values values.yaml`

// TestStoryOfAnInstallation installs the chart, runs two replicas of each Deployment as their pods would run, and has
// the demo's story played. The leader is killed when the first message has reached the gateway and nobody has written
// that down. No message goes out twice, nothing is refused to the operator, and after helm uninstall and helm install
// the story goes on with all leads and opt-outs.
func TestStoryOfAnInstallation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "audit.log")
	audited, err := sandbox.Audited(dir, log, "system:serviceaccounts:"+namespace)
	if err != nil {
		t.Fatal(err)
	}
	p := startPlane(t, audited)
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = services.Stop() })
	p.must(t, "cat > values.yaml <<'EOF'\n"+storyValues+"EOF\n"+install)

	ingress := newIngress(t)
	running := startAll(t, p, ingress, services)
	stage := story.Stage{Screen: story.NewScreen(io.Discard), Client: p.Client, Kubectl: p.kubectl, Token: p.token,
		Services: services, URL: ingress.url, Apart: true, Disturbance: 30 * time.Second}
	told := story.New(stage)
	killed := killAtFirstMessage(t, running, services)
	if err := told.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !killed.Load() {
		t.Error("nobody was killed")
	}

	nothingRefused(t, log, time.Time{})

	before, err := told.Remember(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// What still runs has no rights any more until its pods have ended: that is no mistake of the roles.
	p.must(t, "helm uninstall cart-recovery --namespace cart-recovery-system")
	for _, each := range running {
		each.stop(t)
	}
	kept, err := told.Remember(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(before, kept); diff != "" {
		t.Errorf("leads and opt-outs after helm uninstall (-before +after):\n%s", diff)
	}
	again := time.Now()
	p.must(t, strings.Join(strings.Split(install, "\n")[3:], "\n"))
	startAll(t, p, ingress, services)
	if err := told.GoOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingRefused(t, log, again)
}

// nothingRefused says what of the operator's requests since a time the API server refused.
func nothingRefused(t *testing.T, log string, since time.Time) {
	t.Helper()
	used, refused, err := sandbox.ReadAudit(log, "system:serviceaccount:"+namespace+":", since)
	if err != nil || len(used) == 0 {
		t.Errorf("got %d requests, %v", len(used), err)
	}
	for request := range refused {
		t.Errorf("refused: %s", request)
	}
}

// startAll runs as many processes of each Deployment as it has replicas, those of the webhooks behind the ingress.
func startAll(t *testing.T, p *plane, ingress *ingress, services *sandbox.Services) []*manager {
	t.Helper()
	secret := secretOf(ingress, services)
	var running []*manager
	var webhooks []string
	for _, name := range []string{"cart-recovery-webhooks", "cart-recovery-controller-manager"} {
		key := client.ObjectKey{Namespace: namespace, Name: name}
		var deployment appsv1.Deployment
		if err := p.client.Get(t.Context(), key, &deployment); err != nil {
			t.Fatal(err)
		}
		if *deployment.Spec.Replicas < 2 {
			t.Fatalf("%s has %d replicas, want 2", name, *deployment.Spec.Replicas)
		}
		for range *deployment.Spec.Replicas {
			started := p.startManager(t, managerProgram(t), key, secret)
			running = append(running, started)
			if strings.HasSuffix(name, "webhooks") {
				webhooks = append(webhooks, started.url)
			}
		}
	}
	for _, each := range running {
		each.mustBeReady(t)
	}
	ingress.forwardTo(t, webhooks)
	return running
}

// secretOf is what the Secret of an installation would hold.
func secretOf(ingress *ingress, services *sandbox.Services) map[string]string {
	secret := map[string]string{"PUBLIC_URL": ingress.url}
	for _, each := range services.Env() {
		name, value, _ := strings.Cut(each, "=")
		secret[name] = value
	}
	return secret
}

// killAtFirstMessage kills the leader, as the kernel does it, before the gateway has answered its first message.
func killAtFirstMessage(t *testing.T, running []*manager, services *sandbox.Services) *atomic.Bool {
	t.Helper()
	var leader *manager
	within(t, "somebody leads", time.Minute, func() bool {
		for _, each := range running {
			if each.leads(t) {
				leader = each
			}
		}
		return leader != nil
	})
	var once sync.Once
	killed := &atomic.Bool{}
	services.Gateway.OnSent(func(simulator.SentMessage) {
		once.Do(func() { killed.Store(leader.command.Process.Kill() == nil) })
	})
	return killed
}

// leads says whether the process has the lead, by its own metrics.
func (m *manager) leads(t *testing.T) bool {
	t.Helper()
	answer, err := http.Get(m.metrics + "/metrics")
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	return err == nil && strings.Contains(string(content), "\ncartrecovery_leader 1\n")
}

// ingress is what stands before the webhooks: one address, whoever answers.
type ingress struct {
	url  string
	next atomic.Uint64
	to   atomic.Pointer[[]*url.URL]
}

func newIngress(t *testing.T) *ingress {
	t.Helper()
	i := &ingress{}
	proxy := &httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		to := *i.to.Load()
		request.SetURL(to[i.next.Add(1)%uint64(len(to))])
	}}
	server, err := simulator.Serve(proxy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	i.url = server.URL()
	return i
}

func (i *ingress) forwardTo(t *testing.T, urls []string) {
	t.Helper()
	to := make([]*url.URL, 0, len(urls))
	for _, each := range urls {
		parsed, err := url.Parse(each)
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, parsed)
	}
	i.to.Store(&to)
}

// kubectl runs kubectl as an administrator.
func (p *plane) kubectl(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "kubectl", args...)
	command.Path, command.Err = filepath.Join(filepath.Dir(p.dir), "bin", "kubectl"), nil
	command.Env = p.env
	var complaint strings.Builder
	command.Stderr = &complaint
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, complaint.String())
	}
	return string(printed), nil
}

// token is a bearer token of a service account.
func (p *plane) token(ctx context.Context, namespace, account string) (string, error) {
	printed, err := p.kubectl(ctx, "-n", namespace, "create", "token", account)
	return strings.TrimSpace(printed), err
}
