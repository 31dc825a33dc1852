// Package story is what the demo plays and the tests play again: abandoned carts, messages, answers, purchases, an
// opt-out, and what must have come of each. It is played against a cluster with the operator, and simulated services.
package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/testenv"
)

// Namespace is where the Store is. A cluster whose operator works in named namespaces has it already.
const Namespace = "demo"

const (
	storePhone = "5511977770000"
	// second is the store's number at the Evolution server.
	second      = "acme-evolution"
	secondPhone = "5531977770001"
	// delay and debounce shorten the sample's policy, so that the story takes seconds.
	delay    = 4 * time.Second
	debounce = time.Second
	patience = 30 * time.Second
	// scanning is how long a person has to scan a real QR.
	scanning = 3 * time.Minute
)

// Stage is where a story is played.
type Stage struct {
	*Screen
	// Client is an administrator's.
	Client client.Client
	// Kubectl runs kubectl as an administrator.
	Kubectl func(ctx context.Context, args ...string) (string, error)
	// Token is a bearer token of a service account.
	Token func(ctx context.Context, namespace, account string) (string, error)
	// Services are what the operator calls.
	Services *sandbox.Services
	// URL is that of the webhook server.
	URL string
	// Apart says that webhooks and controllers are processes of their own.
	Apart bool
	// Disturbance is how much later than usual things may happen, because somebody disturbs the operator meanwhile.
	Disturbance time.Duration
}

// Story is what happens, and what must have come of it.
type Story struct {
	Stage

	token string
	// answers is the customer who answers, buysEarly the one who buys before any message,
	// buysLate the one who buys after one.
	answers, buysEarly, buysLate customer
	// comesLater is the customer who is written to from the second number.
	comesLater customer
}

// New is a story that is not told yet.
func New(stage Stage) *Story { return &Story{Stage: stage} }

// On is a stage with a cluster of the sandbox.
func On(cluster *sandbox.Cluster, services *sandbox.Services, screen *Screen, url string) Stage {
	return Stage{Screen: screen, Client: cluster.Client, Kubectl: cluster.Kubectl, Token: cluster.Token,
		Services: services, URL: url}
}

// Tell runs the story from the first to the last step.
func (s *Story) Tell(ctx context.Context) error {
	if err := s.Begin(ctx); err != nil {
		return err
	}
	return s.End(ctx)
}

// Begin runs the story until the first messages have been sent.
func (s *Story) Begin(ctx context.Context) error {
	if err := s.cast(); err != nil {
		return err
	}
	return inTurn(ctx, s.applySamples, s.connect, s.abandonCarts, s.buyEarly, s.refuseForgery, s.awaitMessages)
}

// End runs the rest of a story that was begun.
func (s *Story) End(ctx context.Context) error {
	return inTurn(ctx, append(s.ending(), s.showEverything)...)
}

func (s *Story) ending() []func(context.Context) error {
	return []func(context.Context) error{s.converse, s.buyLate, s.askForPerson, s.optOut, s.secondNumber,
		s.nothingTwice}
}

func inTurn(ctx context.Context, chapters ...func(context.Context) error) error {
	for _, chapter := range chapters {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// cast says who the customers are. With a real gateway messages reach real people: then
// the one who is written to is you.
func (s *Story) cast() error {
	s.answers = customer{"Maria Souza", "maria@example.com", "+55 11 98888-0001"}
	s.buysEarly = customer{"João Lima", "joao@example.com", "(21) 97777-0002"}
	s.buysLate = customer{"Ana Costa", "ana@example.com", "+5531966660003"}
	s.comesLater = customer{"Bia Nunes", "bia@example.com", "+5511933330005"}
	if s.Services.Gateway != nil {
		return nil
	}
	own := os.Getenv("DEMO_PHONE")
	if own == "" {
		return errors.New("with a real gateway, set DEMO_PHONE to your own number (+5511…): the demo writes to it")
	}
	s.answers.phone, s.buysLate = own, customer{}
	return nil
}

func (s *Story) applySamples(ctx context.Context) error {
	s.Step("Applying config/samples to the namespace " + Namespace + ", with a policy of seconds instead of minutes")
	err := s.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})
	if client.IgnoreAlreadyExists(err) != nil {
		return fmt.Errorf("create namespace: %w", err)
	}
	if _, err := s.kubectl(ctx, "apply", "-k", filepath.Join(testenv.Root(), "config", "samples")); err != nil {
		return err
	}
	policy := fmt.Sprintf(
		`{"spec":{"recovery":{"replyDebounce":%q,"sequences":[{"trigger":"AbandonedCart","steps":[{"name":"first","after":%q,"instructions":"Ask kindly whether something got in the way."}]}]}}}`, debounce, delay)
	limits := `{"spec":{"limits":{"messagesPerMinute":60,"newConversationGap":{"min":"0s","max":"0s"}}}}`
	for kind, patch := range map[string]string{"store": policy, "whatsappinstance": limits} {
		if _, err := s.kubectl(ctx, "patch", kind, "acme", "--type=merge", "-p", patch); err != nil {
			return err
		}
	}
	if _, err := s.kubectl(ctx, "wait", "--for=condition=Ready", "store/acme", "product/violao",
		"--timeout=30s"); err != nil {
		return err
	}
	s.Done("Store acme and Product violao are Ready")
	return nil
}

// connect pairs a phone, as the platform team's backend does it for a store owner.
func (s *Story) connect(ctx context.Context) error {
	s.Step("POST /api/whatsapp/connect/acme, with the token of a service account that may")
	if err := s.backendAccount(ctx); err != nil {
		return err
	}
	status, body, err := call(ctx, http.MethodPost, s.URL+"/api/whatsapp/connect/acme", nil, s.bearer())
	if err != nil {
		return err
	}
	var answer struct {
		QRCode string `json:"qrCode"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK || answer.QRCode == "" {
		return fmt.Errorf("connect answered %d without a QR", status)
	}
	drawn, err := drawQR(answer.QRCode)
	if err != nil {
		return err
	}
	s.show(drawn)
	limit := patience
	if s.Services.Gateway == nil {
		s.Done("scan it with WhatsApp: Settings > Linked devices > Link a device")
		limit = scanning
	} else if err := s.Services.Gateway.Scan(Namespace+".acme", storePhone); err != nil {
		return fmt.Errorf("scan the QR: %w", err)
	}
	if _, err := s.kubectl(ctx, "wait", "--for=condition=Ready", "wai/acme", "--timeout="+limit.String()); err != nil {
		return err
	}
	s.Done("scanned: the WhatsAppInstance is Connected")
	return s.checkStatus(ctx)
}

func (s *Story) checkStatus(ctx context.Context) error {
	status, body, err := call(ctx, http.MethodGet, s.URL+"/api/whatsapp/status/acme", nil, s.bearer())
	if err != nil {
		return err
	}
	if status != http.StatusOK || !strings.Contains(body, "Connected") {
		return fmt.Errorf("status answered %d and not Connected", status)
	}
	status, _, err = call(ctx, http.MethodGet, s.URL+"/api/whatsapp/status/acme", nil, nil)
	if err != nil {
		return err
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("status answered %d to a caller without a token, not 401", status)
	}
	s.Done("GET /api/whatsapp/status/acme says so too, and refuses a caller without a token")
	return nil
}

// backendAccount makes a service account that may connect instances in the namespace.
func (s *Story) backendAccount(ctx context.Context) error {
	meta := metav1.ObjectMeta{Namespace: Namespace, Name: "backend"}
	for _, object := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: meta},
		&rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"whatsappinstances"},
			Verbs: []string{"get", "create"},
		}}},
		&rbacv1.RoleBinding{ObjectMeta: meta,
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: Namespace, Name: "backend"}},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "backend"}},
	} {
		if err := s.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("create the backend's service account: %w", err)
		}
	}
	var err error
	s.token, err = s.Token(ctx, Namespace, "backend")
	return err
}

func (s *Story) bearer() http.Header { return http.Header{"Authorization": {"Bearer " + s.token}} }

func (s *Story) abandonCarts(ctx context.Context) error {
	s.Step("Abandoned carts come in, signed as the platforms sign")
	if err := s.deliver(ctx, "Hotmart: Maria left the checkout", http.StatusOK)(hotmart("PURCHASE_OUT_OF_SHOPPING_CART",
		s.answers, nil)); err != nil {
		return err
	}
	if err := s.deliver(ctx, "Kiwify: João left the checkout", http.StatusOK)(kiwifyCart(s.buysEarly)); err != nil {
		return err
	}
	if s.buysLate.name == "" {
		return nil
	}
	if err := s.deliver(ctx, "Eduzz: Ana left the checkout", http.StatusOK)(eduzzCart(s.buysLate)); err != nil {
		return err
	}
	return s.deliver(ctx, "Eduzz: the same again, unchanged", http.StatusOK)(eduzzCart(s.buysLate))
}

func (s *Story) buyEarly(ctx context.Context) error {
	s.Step("João buys before anybody wrote to him: the kill switch")
	if err := s.deliver(ctx, "Kiwify: João paid", http.StatusOK)(kiwifyPaid(s.buysEarly)); err != nil {
		return err
	}
	_, err := s.await(ctx, s.buysEarly, v1alpha1.PhaseConverted)
	return err
}

func (s *Story) refuseForgery(ctx context.Context) error {
	s.Step("Somebody forges a delivery")
	forged, err := eduzzCart(customer{"Mallory", "mallory@example.com", "+5511955550009"})
	forged.header.Set("X-Signature", strings.Repeat("0", 64))
	if err == nil && s.Apart {
		// The first is asked to come again, until the controllers have compared the keys and each replica of the
		// webhooks knows it.
		refused := 0
		err = s.until(ctx, "the controllers have looked whether the keys are the Store's", func() (bool, error) {
			status, _, err := forged.post(ctx, s.URL)
			if refused++; status != http.StatusUnauthorized {
				refused = 0
			}
			return refused == 4, err
		})
	}
	if err := s.deliver(ctx, "Eduzz, with a bad signature: refused", http.StatusUnauthorized)(forged, err); err != nil {
		return err
	}
	return s.until(ctx, "the Store says so in its status", func() (bool, error) {
		var store v1alpha1.Store
		err := s.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: "acme"}, &store)
		rejected := store.Status.LastRejectedDelivery
		return rejected != nil && rejected.Reason == v1alpha1.RejectedBadCredential, err
	})
}

func (s *Story) awaitMessages(ctx context.Context) error {
	s.Step(fmt.Sprintf("Their carts %s old, Maria and Ana get their messages", delay))
	for _, who := range []customer{s.answers, s.buysLate} {
		if who.name == "" {
			continue
		}
		contacted, err := s.await(ctx, who, v1alpha1.PhaseContacted)
		if err != nil {
			return err
		}
		s.say(contacted, contacted.Status.Conversation[0])
	}
	if s.Services.Gateway == nil {
		return nil
	}
	for _, sent := range s.Services.Gateway.Sent() {
		if strings.HasSuffix(sent.Number, "21977770002") {
			return errors.New("a message went to João, who had bought")
		}
	}
	return s.checkLateness(ctx)
}

// checkLateness compares each message's arrival at the gateway with its due time.
func (s *Story) checkLateness(ctx context.Context) error {
	leads, err := s.leads(ctx)
	if err != nil {
		return err
	}
	for _, sent := range s.Services.Gateway.Sent() {
		for i := range leads {
			if leads[i].Spec.AbandonedAt == nil || !strings.HasPrefix(sent.TrackID, leads[i].Name) {
				continue
			}
			late := sent.ReceivedAt.Sub(leads[i].Spec.AbandonedAt.Add(delay))
			if late < 0 || late > 5*time.Second+s.Disturbance {
				return fmt.Errorf("a message reached the gateway %s after its due time", late)
			}
			s.Done(fmt.Sprintf("%s's message reached the gateway %d ms after its due time",
				firstName(leads[i].Spec.Customer.Name), late.Milliseconds()))
		}
	}
	return nil
}

func (s *Story) converse(ctx context.Context) error {
	s.Step("Maria answers, in two messages, and gets one answer")
	for _, text := range []string{"Oi! Quanto tempo tenho de acesso?", "E tem garantia?"} {
		if err := s.customerSays(ctx, text); err != nil {
			return err
		}
	}
	if _, err := s.await(ctx, s.answers, v1alpha1.PhaseEngaged); err != nil {
		return err
	}
	var answered v1alpha1.CartRecovery
	if err := s.until(ctx, "answered", func() (bool, error) {
		recovery, err := s.lead(ctx, s.answers)
		if err != nil || recovery == nil {
			return false, err
		}
		answered = *recovery
		last := answered.Status.Conversation[len(answered.Status.Conversation)-1]
		return last.Role == v1alpha1.RoleAssistant && last.State == v1alpha1.MessageSent, nil
	}); err != nil {
		return err
	}
	for _, message := range answered.Status.Conversation[1:] {
		s.say(&answered, message)
	}
	if count := len(answered.Status.Conversation); count != 4 {
		return fmt.Errorf("the conversation has %d messages, not 4: one of ours, two of Maria's, one answer", count)
	}
	return nil
}

// customerSays lets the customer write. With a real gateway the delivery is made up here,
// as nobody can be asked to type.
func (s *Story) customerSays(ctx context.Context, text string) error {
	if s.Services.Gateway != nil {
		_, err := s.Services.Gateway.Reply(Namespace+".acme", "5511988880001", text)
		return err
	}
	var credentials corev1.Secret
	var instance v1alpha1.WhatsAppInstance
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: "acme"}, &instance); err != nil {
		return err
	}
	if err := s.Client.Get(ctx, gateway.CredentialsSecret(&instance), &credentials); err != nil {
		return err
	}
	number := phone.Digits(s.answers.phone)
	body, err := json.Marshal(map[string]any{"EventType": "messages", "message": map[string]any{
		"messageid": fmt.Sprintf("DEMO%d", time.Now().UnixNano()), "chatid": number + "@s.whatsapp.net",
		"sender_pn": number + "@s.whatsapp.net", "type": "text", "messageType": "Conversation", "text": text,
		"messageTimestamp": time.Now().UnixMilli(),
	}})
	if err != nil {
		return err
	}
	target := fmt.Sprintf("%s/api/whatsapp/webhook/%s/acme/%s", s.URL, Namespace,
		credentials.Data[gateway.KeyWebhook])
	status, _, err := call(ctx, http.MethodPost, target, body, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the gateway's webhook answered %d", status)
	}
	return err
}

func (s *Story) buyLate(ctx context.Context) error {
	who := s.buysLate
	if who.name == "" {
		who = s.answers
		s.Step("Maria buys after the message: recovered")
		if err := s.deliver(ctx, "Hotmart: Maria paid", http.StatusOK)(hotmart("PURCHASE_APPROVED", who, map[string]any{
			"purchase": map[string]any{"transaction": "HP1", "status": "APPROVED", "price": map[string]any{"value": 297,
				"currency_value": "BRL"}},
		})); err != nil {
			return err
		}
	} else {
		s.Step("Ana buys after the message: recovered")
		if err := s.deliver(ctx, "Eduzz: Ana paid", http.StatusOK)(eduzzPaid(who)); err != nil {
			return err
		}
	}
	recovered, err := s.await(ctx, who, v1alpha1.PhaseRecovered)
	if err != nil {
		return err
	}
	if recovered.Spec.Purchase.Amount == "" {
		return errors.New("the recovered lead has no amount")
	}
	s.Done(fmt.Sprintf("worth %s %s", recovered.Spec.Purchase.Currency, recovered.Spec.Purchase.Amount))
	return nil
}

// askForPerson shows the hand-over. Nobody real is put through it.
func (s *Story) askForPerson(ctx context.Context) error {
	if s.Services.Gateway == nil {
		return nil
	}
	s.Step("Maria asks for a person: the AI falls silent until one gives the conversation back")
	if err := s.customerSays(ctx, "Quero falar com uma pessoa"); err != nil {
		return err
	}
	handedOff := func(want metav1.ConditionStatus) func() (bool, error) {
		return func() (bool, error) {
			recovery, err := s.lead(ctx, s.answers)
			if err != nil || recovery == nil {
				return false, err
			}
			condition := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
			return condition != nil && condition.Status == want, nil
		}
	}
	if err := s.until(ctx, "her lead is HandedOff, reason CustomerAsked", handedOff(metav1.ConditionTrue)); err != nil {
		return err
	}
	recovery, err := s.lead(ctx, s.answers)
	if err != nil {
		return err
	}
	annotation := v1alpha1.AnnotationResumeRequested + "=" + time.Now().UTC().Add(time.Second).Format(time.RFC3339)
	if _, err := s.kubectl(ctx, "annotate", "cartrecovery", recovery.Name, annotation); err != nil {
		return err
	}
	return s.until(ctx, "given back with kubectl annotate "+v1alpha1.AnnotationResumeRequested,
		handedOff(metav1.ConditionFalse))
}

// optOut shows the end that a customer may ask for at any time.
func (s *Story) optOut(ctx context.Context) error {
	if s.Services.Gateway == nil {
		return nil
	}
	s.Step("Maria has enough: one confirmation, and nothing more, ever")
	if err := s.customerSays(ctx, "PARAR"); err != nil {
		return err
	}
	recovery, err := s.await(ctx, s.answers, v1alpha1.PhaseOptedOut)
	if err != nil {
		return err
	}
	for _, message := range recovery.Status.Conversation[len(recovery.Status.Conversation)-2:] {
		s.say(recovery, message)
	}
	var suppressions v1alpha1.SuppressionList
	hash := recovery.Labels[v1alpha1.LabelPhoneKey]
	if err := s.Client.List(ctx, &suppressions, client.InNamespace(Namespace),
		client.MatchingLabels{v1alpha1.LabelPhoneKey: hash}); err != nil {
		return err
	}
	if len(suppressions.Items) != 1 || suppressions.Items[0].Spec.Phone != "" {
		return fmt.Errorf("%d Suppressions of her number, not one that holds its hash alone", len(suppressions.Items))
	}
	s.Done("a Suppression holds the hash of her number")
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", s.answers, nil)
	return s.deliver(ctx, "Hotmart: Maria leaves the checkout again", http.StatusOK)(cart, err)
}

// secondNumber pairs a number of another gateway with the same Store and has it write while the
// first one rests.
func (s *Story) secondNumber(ctx context.Context) error {
	if s.Services.Gateway == nil || s.Services.Evolution == nil {
		return nil
	}
	s.Step("The number rests, and a second one takes its place: on an Evolution server")
	if _, err := s.kubectl(ctx, "patch", "whatsappinstance", "acme", "--type=merge", "-p",
		`{"spec":{"suspend":true}}`); err != nil {
		return err
	}
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", s.comesLater, nil)
	if err := s.deliver(ctx, "Hotmart: Bia left the checkout", http.StatusOK)(cart, err); err != nil {
		return err
	}
	if err := s.Client.Create(ctx, secondInstance()); err != nil {
		return fmt.Errorf("create the second number: %w", err)
	}
	if err := s.until(ctx, "its QR is there, and scanned", func() (bool, error) {
		if _, err := s.Services.Evolution.QRCode(Namespace + "." + second); err != nil {
			return false, nil //nolint:nilerr // Not there yet.
		}
		return true, s.Services.Evolution.Scan(Namespace+"."+second, secondPhone)
	}); err != nil {
		return err
	}
	if _, err := s.kubectl(ctx, "wait", "--for=condition=Ready", "wai/"+second,
		"--timeout="+patience.String()); err != nil {
		return err
	}
	contacted, err := s.await(ctx, s.comesLater, v1alpha1.PhaseContacted)
	if err != nil {
		return err
	}
	s.say(contacted, contacted.Status.Conversation[0])
	if sent := s.Services.Evolution.Sent(); len(sent) != 1 || contacted.Status.InstanceRef == nil ||
		contacted.Status.InstanceRef.Name != second {
		return fmt.Errorf("the Evolution server sent %d messages, not one", len(sent))
	}
	s.Done("her message went out from the second number")
	_, err = s.kubectl(ctx, "patch", "whatsappinstance", "acme", "--type=merge", "-p", `{"spec":{"suspend":false}}`)
	return err
}

// secondInstance is a number on the operator's own Evolution server.
func secondInstance() *v1alpha1.WhatsAppInstance {
	none := v1alpha1.Duration{}
	return &v1alpha1.WhatsAppInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: second},
		Spec: v1alpha1.WhatsAppInstanceSpec{
			StoreRef: v1alpha1.ObjectReference{Name: "acme"},
			Gateway:  v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution},
			Pairing:  v1alpha1.PairingSpec{Method: v1alpha1.PairingQRCode},
			Limits:   v1alpha1.InstanceLimits{NewConversationGap: &v1alpha1.ConversationGap{Min: none, Max: none}},
		},
	}
}

func (s *Story) showEverything(ctx context.Context) error {
	s.Step("kubectl get of everything")
	listed, err := s.kubectl(ctx, "get", "stores,products,whatsappinstances,cartrecoveries,suppressions")
	if err != nil {
		return err
	}
	s.show(listed)
	s.Step("What kubectl describe says of the policy, and of what comes next")
	policy, err := s.kubectl(ctx, "get", "product", "violao", "-o",
		`jsonpath={range .status.effectivePolicy.sequences[*]}sequence    {@}{"\n"}{end}cooldown    {.status.effectivePolicy.cooldown}{"\n"}quietHours  {.status.effectivePolicy.quietHours}{"\n"}numberLost  {.status.effectivePolicy.numberLost}`)
	if err != nil {
		return err
	}
	s.show(policy)
	next, err := s.kubectl(ctx, "get", "cartrecoveries", "-o",
		"custom-columns=LEAD:.metadata.name,NEXT:.status.nextAction.action,"+
			"WHEN:.status.nextAction.time,WHY:.status.nextAction.message")
	if err != nil {
		return err
	}
	s.show(next)
	s.Step("One conversation, as it stands in the resource")
	recovery, err := s.lead(ctx, s.answers)
	if err != nil {
		return err
	}
	conversation, err := s.kubectl(ctx, "get", "cartrecovery", recovery.Name, "-o",
		`jsonpath={range .status.conversation[*]}{.at}{"  "}{.role}{"  "}{.state}{"\n    "}{.text}{"\n"}{end}`)
	if err != nil {
		return err
	}
	s.show(conversation)
	return nil
}
