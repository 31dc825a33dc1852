package cartrecovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

// environment is the API server of all specs; each has a namespace of its own.
var environment *testenv.Environment

func TestCartRecoveryController(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	RegisterFailHandler(Fail)
	suite, reports := GinkgoConfiguration()
	RunSpecs(t, "CartRecovery controller", suite, reports)
}

// What the AI is told in words beside the conversation.
const (
	wroteFirst = "[o cliente escreveu primeiro: nós ainda não tínhamos escrito sobre esta compra]"
	claimsPaid = "[o cliente diz que já pagou; a confirmação ainda não chegou: não ofereça nada, não cobre e não " +
		"mande o link]"
	earlierRecovery = "[o que vem antes é de uma conversa anterior, sobre outra tentativa de compra]"
	voiceMessage    = "[o cliente enviou um áudio, que você não pode ouvir]"
)

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(15 * time.Second)
	SetDefaultEventuallyPollingInterval(15 * time.Millisecond)
	SetDefaultConsistentlyDuration(250 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(15 * time.Millisecond)
	started, err := testenv.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(started.Stop)
	environment = started
	environment.SuppressionKeys = testenv.SuppressionKeys('a', 'b')
	ctrl.SetLogger(logr.Discard())
})

const (
	adminToken = "admin-token"
	aiKey      = "sk-test"
	sendPath   = "/send/text"
	findPath   = "/message/find"
	// soonDue is the delay of a first message that a spec does not want to wait for.
	soonDue = 200 * time.Millisecond
)

// world is one store and everything around it.
type world struct {
	ctx       context.Context
	namespace string
	clock     *testenv.Clock
	whatsapp  *simulator.UAZAPI
	openai    *simulator.OpenAI
	aiServer  *simulator.Server
	log       *logLines
	serial    int

	// calling and asking are the calls that the gateway and the AI have at once.
	calling, asking atOnce

	mu    sync.Mutex
	calls map[string]int
	// neighbours are the other worlds that its replicas work for.
	neighbours []*world
	// knows answers for the gateway whether a number is on WhatsApp, when it is set.
	knows func(phone string) (gateway.Number, error)
}

// newWorld makes a store whose number is connected and whose first message is due soonDue
// after the abandonment. The modifiers change the Store.
func newWorld(mods ...func(*v1alpha1.Store)) *world {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	w := &world{ctx: ctx, clock: &testenv.Clock{}, log: &logLines{}, calls: map[string]int{}}
	DeferCleanup(func() { Expect(w.log.leaks()).To(BeEmpty(), "the log tells of a customer") })
	var err error
	w.namespace, err = environment.Namespace(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.report)
	w.openai = simulator.NewOpenAI(simulator.OpenAIOptions{APIKey: aiKey, Clock: w.clock.Now})
	w.aiServer = serve(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		w.asking.count(func() { w.openai.ServeHTTP(response, request) })
	}))
	w.secret("ai", map[string]string{"key": aiKey})
	store := gen.In(w.namespace, gen.StoreObject(steps(v1alpha1.Step{Name: "first", After: after(soonDue)})))
	store.Spec.AI.BaseURL = w.aiServer.URL() + "/v1"
	store.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: "ai", Key: "key"}
	store.Spec.Recovery.FirstMessageNotice = new("")
	store.Spec.Recovery.ReplyDebounce = new(after(100 * time.Millisecond))
	for _, mod := range mods {
		mod(store)
	}
	w.create(store)
	w.create(gen.In(w.namespace, gen.ProductObject()))
	w.whatsapp = simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: adminToken, Clock: w.clock.Now})
	DeferCleanup(w.whatsapp.Close)
	w.secret("gateway-admin", map[string]string{"token": adminToken})
	w.pair(gen.Instance)
	return w
}

// report tells of a spec that failed what the operator logged, and what became of the leads.
func (w *world) report() {
	if !CurrentSpecReport().Failed() {
		return
	}
	AddReportEntry("log", strings.Join(w.log.all(), "\n"))
	AddReportEntry("clock", w.clock.Now().String())
	var leads v1alpha1.CartRecoveryList
	Expect(environment.Client.List(context.Background(), &leads, client.InNamespace(w.namespace))).To(Succeed())
	for i := range leads.Items {
		status, err := json.MarshalIndent(leads.Items[i].Status, "", " ")
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry(leads.Items[i].Name, string(status))
	}
}

// atOnce counts what is under way at once.
type atOnce struct {
	mu        sync.Mutex
	now, most int
}

func (a *atOnce) count(do func()) {
	a.mu.Lock()
	a.now++
	a.most = max(a.most, a.now)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.now--
	}()
	do()
}

// atMost is how many there ever were.
func (a *atOnce) atMost() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.most
}

// serve serves a handler until the spec ends.
func serve(handler http.Handler) *simulator.Server {
	GinkgoHelper()
	server, err := simulator.Serve(handler)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Close)
	return server
}

func steps(sequence ...v1alpha1.Step) func(*v1alpha1.Store) {
	return func(store *v1alpha1.Store) {
		store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: sequence}}
	}
}

// uncooled lets a customer have several recoveries at once.
func uncooled(store *v1alpha1.Store) { store.Spec.Recovery.Cooldown = new(after(0)) }

func after(delay time.Duration) v1alpha1.Duration { return v1alpha1.Duration{Duration: delay} }

func (w *world) create(object client.Object) {
	GinkgoHelper()
	Expect(environment.Client.Create(w.ctx, object)).To(Succeed())
}

func (w *world) secret(name string, data map[string]string) {
	GinkgoHelper()
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, StringData: data})
}

// pair makes a WhatsAppInstance that is provisioned and connected. The modifiers change its
// spec.
func (w *world) pair(name string, mods ...func(*v1alpha1.WhatsAppInstance)) {
	GinkgoHelper()
	server := serve(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		w.mu.Lock()
		w.calls[request.URL.Path]++
		w.mu.Unlock()
		w.calling.count(func() { w.whatsapp.ServeHTTP(response, request) })
	}))
	instance := gen.In(w.namespace, gen.InstanceObject(gen.Unlimited))
	instance.Name = name
	for _, mod := range mods {
		mod(instance)
	}
	instance.Spec.Gateway.BaseURL = server.URL()
	instance.Spec.Gateway.AdminTokenSecretRef = &v1alpha1.SecretKeyReference{Name: "gateway-admin", Key: "token"}
	account, err := uazapi.New(nil, gateway.Endpoint{BaseURL: server.URL(), AdminToken: adminToken})
	Expect(err).NotTo(HaveOccurred())
	made, err := account.Create(w.ctx, gateway.Identity{Name: index.GatewayName(instance),
		Owner: w.namespace + "/" + name, UID: name})
	Expect(err).NotTo(HaveOccurred())
	phone, err := uazapi.New(nil, gateway.Endpoint{BaseURL: server.URL(), Token: made.Token})
	Expect(err).NotTo(HaveOccurred())
	Expect(phone.Connect(w.ctx, "")).NotTo(BeZero())
	Expect(w.whatsapp.Scan(index.GatewayName(instance), "5511900000000")).To(Succeed())
	w.secret(gateway.CredentialsSecret(instance).Name, map[string]string{gateway.KeyToken: made.Token})
	status := instance.Status
	w.create(instance)
	w.setInstance(name, func(instance *v1alpha1.WhatsAppInstance) {
		instance.Status = status
		instance.Status.CredentialsSecretRef = &v1alpha1.ObjectReference{Name: name + "-gateway"}
		instance.Status.Conditions[0].LastTransitionTime = metav1.Now()
	})
}

// setInstance changes a WhatsAppInstance's status.
func (w *world) setInstance(name string, mod func(*v1alpha1.WhatsAppInstance)) {
	GinkgoHelper()
	instance := w.instance(name)
	before := instance.DeepCopy()
	mod(instance)
	Expect(environment.Client.Status().Patch(w.ctx, instance, client.MergeFrom(before))).To(Succeed())
}

func (w *world) instance(name string) *v1alpha1.WhatsAppInstance {
	GinkgoHelper()
	instance := &v1alpha1.WhatsAppInstance{}
	Expect(environment.Client.Get(w.ctx, w.key(name), instance)).To(Succeed())
	return instance
}

func online(value metav1.ConditionStatus) func(*v1alpha1.WhatsAppInstance) {
	return func(instance *v1alpha1.WhatsAppInstance) { instance.Status.Conditions[0].Status = value }
}

// changeStore changes the Store's spec.
func (w *world) changeStore(mod func(*v1alpha1.Store)) {
	GinkgoHelper()
	store := &v1alpha1.Store{}
	Expect(environment.Client.Get(w.ctx, w.key(gen.Store), store)).To(Succeed())
	before := store.DeepCopy()
	mod(store)
	Expect(environment.Client.Patch(w.ctx, store, client.MergeFrom(before))).To(Succeed())
}

// changeProduct changes the Product's spec.
func (w *world) changeProduct(mod func(*v1alpha1.Product)) {
	GinkgoHelper()
	product := &v1alpha1.Product{}
	Expect(environment.Client.Get(w.ctx, w.key(gen.Product), product)).To(Succeed())
	before := product.DeepCopy()
	mod(product)
	Expect(environment.Client.Patch(w.ctx, product, client.MergeFrom(before))).To(Succeed())
}

// events are the reasons of the events there are.
func (w *world) events() []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(environment.Client.List(w.ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	reasons := make([]string, 0, len(list.Items))
	for i := range list.Items {
		reasons = append(reasons, list.Items[i].Reason)
	}
	return reasons
}

func (w *world) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.namespace, Name: name}
}

// abandon makes a lead that was abandoned just now, and returns its name.
func (w *world) abandon(mods ...gen.LeadMod) string {
	GinkgoHelper()
	w.serial++
	made := gen.In(w.namespace, gen.Lead(w.clock.Now(), mods...))
	made.Name = fmt.Sprintf("hotmart-%d", w.serial)
	w.create(made)
	return made.Name
}

// from is the customer of a lead: a phone number and address of its own.
func from(number int) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Spec.Customer.Phone = phoneOf(number)
		recovery.Spec.Customer.Email = fmt.Sprintf("customer-%d@example.com", number)
		recovery.Labels = lead.Labels(gen.Store, recovery.Spec.Customer)
	}
}

func phoneOf(number int) string { return fmt.Sprintf("+55119876%05d", number) }

func (w *world) lead(name string) *v1alpha1.CartRecovery {
	GinkgoHelper()
	recovery := &v1alpha1.CartRecovery{}
	Expect(environment.Client.Get(w.ctx, w.key(name), recovery)).To(Succeed())
	return recovery
}

// change changes a lead's spec as another writer does.
func (w *world) change(name string, mod gen.LeadMod) {
	recovery := w.lead(name)
	before := recovery.DeepCopy()
	mod(recovery)
	Expect(environment.Client.Patch(w.ctx, recovery, client.MergeFrom(before))).To(Succeed())
}

// buys writes a purchase, as of now, as the webhook server does.
func (w *world) buys(name string) {
	w.change(name, gen.Bought(w.clock.Now()))
}

// says appends a customer's message, as the webhook server does.
func (w *world) says(name, id, text string, mods ...func(*v1alpha1.Message)) {
	GinkgoHelper()
	message := v1alpha1.Message{ID: id, Role: v1alpha1.RoleCustomer, Text: text,
		At: v1alpha1.NewTimestamp(w.clock.Now())}
	for _, mod := range mods {
		mod(&message)
	}
	w.status(name, func(status *v1alpha1.CartRecoveryStatus) {
		message.Cycle = status.Cycle
		status.Conversation = lead.Append(status.Conversation, message)
	})
}

// operatorWrites appends a message of a person of the store, as the webhook server does.
func (w *world) operatorWrites(name, id, text string) {
	GinkgoHelper()
	w.status(name, func(status *v1alpha1.CartRecoveryStatus) {
		gen.TakenOver(id, text, w.clock.Now())(status)
	})
}

// edits replaces the text of the customer's message in-1, as the webhook server does.
func (w *world) edits(name, text string) {
	GinkgoHelper()
	at := v1alpha1.NewTimestamp(w.clock.Now())
	w.status(name, func(status *v1alpha1.CartRecoveryStatus) {
		m := lead.Find(status.Conversation, "in-1")
		m.Text, m.EditedAt = text, &at
	})
}

// resumes gives a conversation back to the AI.
func (w *world) resumes(name string) {
	GinkgoHelper()
	w.change(name, func(recovery *v1alpha1.CartRecovery) {
		if recovery.Annotations == nil {
			recovery.Annotations = map[string]string{}
		}
		recovery.Annotations[v1alpha1.AnnotationResumeRequested] = w.clock.Now().UTC().Format(time.RFC3339)
	})
}

// status changes a lead's status as another writer does.
func (w *world) status(name string, mod func(*v1alpha1.CartRecoveryStatus)) {
	GinkgoHelper()
	Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		recovery := w.lead(name)
		before := recovery.DeepCopy()
		mod(&recovery.Status)
		return environment.Client.Status().Patch(w.ctx, recovery, client.MergeFromWithOptions(before,
			client.MergeFromWithOptimisticLock{}))
	})).To(Succeed())
}

// advance sets the clock forward and has every lead looked at.
func (w *world) advance(by time.Duration) {
	GinkgoHelper()
	w.clock.Forward(by)
	w.poke()
}

func (w *world) poke() {
	GinkgoHelper()
	var leads v1alpha1.CartRecoveryList
	Expect(environment.Client.List(w.ctx, &leads, client.InNamespace(w.namespace))).To(Succeed())
	w.serial++
	data := fmt.Sprintf(`{"metadata":{"annotations":{"test/poke":"%d"}}}`, w.serial)
	for i := range leads.Items {
		err := environment.Client.Patch(w.ctx, &leads.Items[i], client.RawPatch(types.MergePatchType, []byte(data)))
		Expect(client.IgnoreNotFound(err)).To(Succeed())
	}
}

// sent are the messages the gateway took.
func (w *world) sent() []simulator.SentMessage { return w.whatsapp.Sent() }

// called is how often the gateway was called with a path.
func (w *world) called(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[path]
}

// asked is how many texts the AI was asked for.
func (w *world) asked() int { return len(w.openai.Requests()) }

// The following return what Eventually and Consistently watch of a lead.

func (w *world) phase(name string) func() v1alpha1.Phase {
	return func() v1alpha1.Phase { return w.lead(name).Status.Phase }
}

func (w *world) outcome(name string) func() string {
	return func() string { return reasonOf(w.lead(name), v1alpha1.ConditionSucceeded) }
}

func (w *world) blocked(name string) func() string {
	return func() string { return reasonOf(w.lead(name), v1alpha1.ConditionBlocked) }
}

// state is that of our message with this id; "" when there is none.
func (w *world) state(name, id string) func() v1alpha1.MessageState {
	return func() v1alpha1.MessageState {
		if m := lead.Find(w.lead(name).Status.Conversation, id); m != nil {
			return m.State
		}
		return ""
	}
}

func reasonOf(recovery *v1alpha1.CartRecovery, condition string) string {
	for i := range recovery.Status.Conditions {
		if recovery.Status.Conditions[i].Type == condition {
			return recovery.Status.Conditions[i].Reason
		}
	}
	return ""
}

// replica is one running operator with only this controller.
type replica struct {
	*Reconciler
	api     *spy
	running *testenv.Running
	stop    func()
	// with adds to its manager what runs beside the controller.
	with []func(ctrl.Manager) error
}

// start runs a replica until the spec ends; the modifiers change it before it starts.
func (w *world) start(mods ...func(*replica)) *replica {
	GinkgoHelper()
	manager, err := environment.NewManager(ctrl.Options{Logger: w.log.logger(),
		Cache: cache.Options{DefaultNamespaces: w.sees()}})
	Expect(err).NotTo(HaveOccurred())
	counters, err := metrics.New(prometheus.NewRegistry())
	Expect(err).NotTo(HaveOccurred())
	api := &spy{Client: manager.GetClient()}
	live := testenv.Intercept(environment.Client, interceptor.Funcs{Get: api.get})
	remembered := secrets.NewReader(live, time.Now)
	r := &replica{api: api, Reconciler: &Reconciler{
		Client: testenv.Intercept(api.Client, api.funcs()), Live: live,
		Connector: &gateway.Connector{
			Secrets: remembered, Guarded: gateway.NewGuardedClient(testenv.AnyEndpoint()), Rules: testenv.AnyEndpoint(),
			Types: gateway.ByName(uazapi.Type().With(w.gateway)),
		},
		AI:       &ai.Settings{Secrets: remembered, Rules: testenv.AnyEndpoint()},
		Writer:   ai.NewOpenAI(nil).Guard(ai.NewGuardedClient(testenv.AnyEndpoint())),
		Recorder: manager.GetEventRecorder("cartrecovery"), Metrics: counters, Clock: w.clock,
		Concurrency: 8, Writers: 8, RetryBase: time.Minute, SkipNameValidation: true, Pacer: pace.NewPacer(w.clock, 0),
	}}
	for _, mod := range mods {
		mod(r)
	}
	for _, add := range append(r.with, r.SetupWithManager) {
		Expect(add(manager)).To(Succeed())
	}
	r.running = testenv.Run(manager)
	r.stop = func() { Expect(r.running.Stop()).To(Succeed()) }
	DeferCleanup(func() { r.stop() })
	return r
}

// sees are the namespaces that a replica of this world works in.
func (w *world) sees() map[string]cache.Config {
	namespaces := map[string]cache.Config{w.namespace: {}}
	for _, neighbour := range w.neighbours {
		namespaces[neighbour.namespace] = cache.Config{}
	}
	return namespaces
}

// saw waits until the replica's cache has an object as it is now: what is written next may
// reach it by another watch, and sooner.
func (r *replica) saw(w *world, kind client.Object, name string) {
	GinkgoHelper()
	Expect(environment.Client.Get(w.ctx, w.key(name), kind)).To(Succeed())
	now := kind.GetResourceVersion()
	Eventually(func() (string, error) {
		err := r.api.Client.Get(w.ctx, w.key(name), kind)
		return kind.GetResourceVersion(), err
	}).Should(Equal(now))
}

// gateway is that of the simulator; numbers are looked up in the world where that knows
// better.
func (w *world) gateway(client *http.Client, endpoint gateway.Endpoint) (gateway.Gateway, error) {
	inner, err := uazapi.New(client, endpoint)
	return &numberGateway{Gateway: inner, world: w}, err
}

type numberGateway struct {
	gateway.Gateway
	world *world
}

const checkPath = "/chat/check"

func (g *numberGateway) CheckNumber(ctx context.Context, phone string) (gateway.Number, error) {
	g.world.mu.Lock()
	knows := g.world.knows
	if knows != nil {
		g.world.calls[checkPath]++
	}
	g.world.mu.Unlock()
	if knows == nil {
		return g.Gateway.CheckNumber(ctx, phone)
	}
	return knows(phone)
}

// numbers has the gateway answer so when it is asked for a number.
func (w *world) numbers(knows func(phone string) (gateway.Number, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.knows = knows
}

// The answers of a gateway that is asked for a number.
func registered(phone string) (gateway.Number, error) {
	return gateway.Number{Registered: true, ID: phone}, nil
}
func absent(string) (gateway.Number, error)   { return gateway.Number{}, nil }
func noLookup(string) (gateway.Number, error) { return gateway.Number{}, gateway.ErrUnsupported }

// around has every status write of a lead go through a function; kind is what it makes of
// the lead (see writeKind).
func around(hook func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error) func(*replica) {
	return func(r *replica) { r.api.around = hook }
}

var errDead = errors.New("this process has died")

// spy is the API server as the reconciler sees it: it counts the status writes of leads,
// lets a test stand between, and answers nobody who has died.
type spy struct {
	// Client is the manager's own, which the spy does not see.
	client.Client
	around func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error
	dead   atomic.Bool

	mu     sync.Mutex
	writes []string
}

// written are the kinds of the status writes so far that the API server accepted: one on a
// stale read, which it refuses, costs nothing but itself.
func (s *spy) written() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.writes...)
}

// funcs are what stands between the reconciler's client and the API server.
func (s *spy) funcs() interceptor.Funcs {
	return interceptor.Funcs{Get: s.get, Delete: s.delete, SubResourcePatch: s.patch}
}

func (s *spy) get(ctx context.Context, calls client.WithWatch, key client.ObjectKey, object client.Object,
	options ...client.GetOption) error {
	if s.dead.Load() {
		return errDead
	}
	return calls.Get(ctx, key, object, options...)
}

func (s *spy) delete(ctx context.Context, calls client.WithWatch, object client.Object,
	options ...client.DeleteOption) error {
	if s.dead.Load() {
		return errDead
	}
	return calls.Delete(ctx, object, options...)
}

func (s *spy) patch(ctx context.Context, calls client.Client, resource string, object client.Object,
	patch client.Patch, options ...client.SubResourcePatchOption) error {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	kind := ""
	if ok {
		kind = writeKind(recovery, patch)
	}
	write := func() error {
		if s.dead.Load() {
			return errDead
		}
		err := calls.SubResource(resource).Patch(ctx, object, patch, options...)
		if ok && err == nil {
			s.mu.Lock()
			s.writes = append(s.writes, kind)
			s.mu.Unlock()
		}
		return err
	}
	if !ok || s.around == nil {
		return write()
	}
	return s.around(kind, recovery, write)
}

// The kinds of status writes that change no message.
const (
	writesOutcome    = "outcome"
	writesConditions = "conditions"
)

// writeKind is what a status write is for: the state it gives to the last message of ours,
// or one of the kinds above.
func writeKind(recovery *v1alpha1.CartRecovery, patch client.Patch) string {
	data, err := patch.Data(recovery)
	if err != nil {
		return err.Error()
	}
	var diff struct {
		Status struct {
			CompletionTime *metav1.Time
			Conversation   []v1alpha1.Message
		}
	}
	if err := json.Unmarshal(data, &diff); err != nil {
		return err.Error()
	}
	if diff.Status.CompletionTime != nil {
		return writesOutcome
	}
	for _, message := range slices.Backward(diff.Status.Conversation) {
		if message.Role == v1alpha1.RoleAssistant {
			return string(message.State)
		}
	}
	return writesConditions
}

// The kinds of status writes that change a message, as writeKind names them.
var (
	claims   = string(v1alpha1.MessageClaimed)
	confirms = string(v1alpha1.MessageSent)
	refuses  = string(v1alpha1.MessageFailed)
)

// logLines is what the operator logs.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) logger() logr.Logger {
	return funcr.New(func(prefix, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, prefix+" "+args)
	}, funcr.Options{Verbosity: 5, LogTimestamp: true, TimestampFormat: "15:04:05.000"})
}

func (l *logLines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// leaks are the lines with anything of a customer in them.
func (l *logLines) leaks() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var leaks []string
	for _, line := range l.lines {
		for _, private := range []string{"119876", "Maria", "Souza", "example.com", "desconto", "Violão"} {
			if strings.Contains(line, private) {
				leaks = append(leaks, line)
				break
			}
		}
	}
	return leaks
}
