package main

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

const (
	namespace  = "demo"
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

// story is the demo: what happens, and what must have come of it.
type story struct {
	*screen
	cluster  *sandbox.Cluster
	services *sandbox.Services
	manager  *sandbox.Manager
	// apart says that webhooks and controllers are processes of their own.
	apart bool

	token string
	// answers is the customer who answers, buysEarly the one who buys before any message,
	// buysLate the one who buys after one.
	answers, buysEarly, buysLate customer
	// comesLater is the customer who is written to from the second number.
	comesLater customer
}

// tell runs the story from the first to the last step.
func (s *story) tell(ctx context.Context) error {
	if err := s.cast(); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{
		s.applySamples, s.connect, s.abandonCarts, s.buyEarly, s.refuseForgery,
		s.awaitMessages, s.converse, s.buyLate, s.askForPerson, s.optOut, s.secondNumber, s.showEverything,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// cast says who the customers are. With a real gateway messages reach real people: then
// the one who is written to is you.
func (s *story) cast() error {
	s.answers = customer{"Maria Souza", "maria@example.com", "+55 11 98888-0001"}
	s.buysEarly = customer{"João Lima", "joao@example.com", "(21) 97777-0002"}
	s.buysLate = customer{"Ana Costa", "ana@example.com", "+5531966660003"}
	s.comesLater = customer{"Bia Nunes", "bia@example.com", "+5511933330005"}
	if s.services.Gateway != nil {
		return nil
	}
	own := os.Getenv("DEMO_PHONE")
	if own == "" {
		return errors.New("with a real gateway, set DEMO_PHONE to your own number (+5511…): the demo writes to it")
	}
	s.answers.phone, s.buysLate = own, customer{}
	return nil
}

func (s *story) applySamples(ctx context.Context) error {
	s.step("Applying config/samples to the namespace " + namespace + ", with a policy of seconds instead of minutes")
	if err := s.cluster.Client.Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
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
	s.done("Store acme and Product violao are Ready")
	return nil
}

// connect pairs a phone, as the platform team's backend does it for a store owner.
func (s *story) connect(ctx context.Context) error {
	s.step("POST /api/whatsapp/connect/acme, with the token of a service account that may")
	if err := s.backendAccount(ctx); err != nil {
		return err
	}
	status, body, err := call(ctx, http.MethodPost, s.manager.URL+"/api/whatsapp/connect/acme", nil, s.bearer())
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
	if s.services.Gateway == nil {
		s.done("scan it with WhatsApp: Settings > Linked devices > Link a device")
		limit = scanning
	} else if err := s.services.Gateway.Scan(namespace+".acme", storePhone); err != nil {
		return fmt.Errorf("scan the QR: %w", err)
	}
	if _, err := s.kubectl(ctx, "wait", "--for=condition=Ready", "wai/acme", "--timeout="+limit.String()); err != nil {
		return err
	}
	s.done("scanned: the WhatsAppInstance is Connected")
	return s.checkStatus(ctx)
}

func (s *story) checkStatus(ctx context.Context) error {
	status, body, err := call(ctx, http.MethodGet, s.manager.URL+"/api/whatsapp/status/acme", nil, s.bearer())
	if err != nil {
		return err
	}
	if status != http.StatusOK || !strings.Contains(body, "Connected") {
		return fmt.Errorf("status answered %d and not Connected", status)
	}
	status, _, err = call(ctx, http.MethodGet, s.manager.URL+"/api/whatsapp/status/acme", nil, nil)
	if err != nil {
		return err
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("status answered %d to a caller without a token, not 401", status)
	}
	s.done("GET /api/whatsapp/status/acme says so too, and refuses a caller without a token")
	return nil
}

// backendAccount makes a service account that may connect instances in the namespace.
func (s *story) backendAccount(ctx context.Context) error {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: "backend"}
	for _, object := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: meta},
		&rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"whatsappinstances"},
			Verbs: []string{"get", "create"},
		}}},
		&rbacv1.RoleBinding{ObjectMeta: meta,
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: "backend"}},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "backend"}},
	} {
		if err := s.cluster.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("create the backend's service account: %w", err)
		}
	}
	var err error
	s.token, err = s.cluster.Token(ctx, namespace, "backend")
	return err
}

func (s *story) bearer() http.Header { return http.Header{"Authorization": {"Bearer " + s.token}} }

func (s *story) abandonCarts(ctx context.Context) error {
	s.step("Abandoned carts come in, signed as the platforms sign")
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

func (s *story) buyEarly(ctx context.Context) error {
	s.step("João buys before anybody wrote to him: the kill switch")
	if err := s.deliver(ctx, "Kiwify: João paid", http.StatusOK)(kiwifyPaid(s.buysEarly)); err != nil {
		return err
	}
	_, err := s.await(ctx, s.buysEarly, v1alpha1.PhaseConverted)
	return err
}

func (s *story) refuseForgery(ctx context.Context) error {
	s.step("Somebody forges a delivery")
	forged, err := eduzzCart(customer{"Mallory", "mallory@example.com", "+5511955550009"})
	forged.header.Set("X-Signature", strings.Repeat("0", 64))
	if err == nil && s.apart {
		// The first is asked to come again, until the controllers have compared the keys.
		err = s.until(ctx, "the controllers have looked whether the keys are the Store's", func() (bool, error) {
			status, _, err := forged.post(ctx, s.manager.URL)
			return status == http.StatusUnauthorized, err
		})
	}
	if err := s.deliver(ctx, "Eduzz, with a bad signature: refused", http.StatusUnauthorized)(forged, err); err != nil {
		return err
	}
	return s.until(ctx, "the Store says so in its status", func() (bool, error) {
		var store v1alpha1.Store
		err := s.cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "acme"}, &store)
		rejected := store.Status.LastRejectedDelivery
		return rejected != nil && rejected.Reason == v1alpha1.RejectedBadCredential, err
	})
}

func (s *story) awaitMessages(ctx context.Context) error {
	s.step(fmt.Sprintf("Their carts %s old, Maria and Ana get their messages", delay))
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
	if s.services.Gateway == nil {
		return nil
	}
	for _, sent := range s.services.Gateway.Sent() {
		if strings.HasSuffix(sent.Number, "21977770002") {
			return errors.New("a message went to João, who had bought")
		}
	}
	return s.checkLateness(ctx)
}

// checkLateness compares each message's arrival at the gateway with its due time.
func (s *story) checkLateness(ctx context.Context) error {
	leads, err := s.leads(ctx)
	if err != nil {
		return err
	}
	for _, sent := range s.services.Gateway.Sent() {
		for i := range leads {
			if leads[i].Spec.AbandonedAt == nil || !strings.HasPrefix(sent.TrackID, leads[i].Name) {
				continue
			}
			late := sent.ReceivedAt.Sub(leads[i].Spec.AbandonedAt.Add(delay))
			if late < 0 || late > 5*time.Second {
				return fmt.Errorf("a message reached the gateway %s after its due time", late)
			}
			s.done(fmt.Sprintf("%s's message reached the gateway %d ms after its due time",
				firstName(leads[i].Spec.Customer.Name), late.Milliseconds()))
		}
	}
	return nil
}

func (s *story) converse(ctx context.Context) error {
	s.step("Maria answers, in two messages, and gets one answer")
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
func (s *story) customerSays(ctx context.Context, text string) error {
	if s.services.Gateway != nil {
		_, err := s.services.Gateway.Reply(namespace+".acme", "5511988880001", text)
		return err
	}
	var credentials corev1.Secret
	var instance v1alpha1.WhatsAppInstance
	if err := s.cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "acme"}, &instance); err != nil {
		return err
	}
	if err := s.cluster.Client.Get(ctx, gateway.CredentialsSecret(&instance), &credentials); err != nil {
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
	target := fmt.Sprintf("%s/api/whatsapp/webhook/%s/acme/%s", s.manager.URL, namespace,
		credentials.Data[gateway.KeyWebhook])
	status, _, err := call(ctx, http.MethodPost, target, body, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the gateway's webhook answered %d", status)
	}
	return err
}

func (s *story) buyLate(ctx context.Context) error {
	who := s.buysLate
	if who.name == "" {
		who = s.answers
		s.step("Maria buys after the message: recovered")
		if err := s.deliver(ctx, "Hotmart: Maria paid", http.StatusOK)(hotmart("PURCHASE_APPROVED", who, map[string]any{
			"purchase": map[string]any{"transaction": "HP1", "status": "APPROVED", "price": map[string]any{"value": 297,
				"currency_value": "BRL"}},
		})); err != nil {
			return err
		}
	} else {
		s.step("Ana buys after the message: recovered")
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
	s.done(fmt.Sprintf("worth %s %s", recovered.Spec.Purchase.Currency, recovered.Spec.Purchase.Amount))
	return nil
}

// askForPerson shows the hand-over. Nobody real is put through it.
func (s *story) askForPerson(ctx context.Context) error {
	if s.services.Gateway == nil {
		return nil
	}
	s.step("Maria asks for a person: the AI falls silent until one gives the conversation back")
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
func (s *story) optOut(ctx context.Context) error {
	if s.services.Gateway == nil {
		return nil
	}
	s.step("Maria has enough: one confirmation, and nothing more, ever")
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
	if err := s.cluster.Client.List(ctx, &suppressions, client.InNamespace(namespace),
		client.MatchingLabels{v1alpha1.LabelPhoneKey: hash}); err != nil {
		return err
	}
	if len(suppressions.Items) != 1 || suppressions.Items[0].Spec.Phone != "" {
		return fmt.Errorf("%d Suppressions of her number, not one that holds its hash alone", len(suppressions.Items))
	}
	s.done("a Suppression holds the hash of her number")
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", s.answers, nil)
	return s.deliver(ctx, "Hotmart: Maria leaves the checkout again", http.StatusOK)(cart, err)
}

// secondNumber pairs a number of another gateway with the same Store and has it write while the
// first one rests.
func (s *story) secondNumber(ctx context.Context) error {
	if s.services.Gateway == nil || s.services.Evolution == nil {
		return nil
	}
	s.step("The number rests, and a second one takes its place: on an Evolution server")
	if _, err := s.kubectl(ctx, "patch", "whatsappinstance", "acme", "--type=merge", "-p",
		`{"spec":{"suspend":true}}`); err != nil {
		return err
	}
	cart, err := hotmart("PURCHASE_OUT_OF_SHOPPING_CART", s.comesLater, nil)
	if err := s.deliver(ctx, "Hotmart: Bia left the checkout", http.StatusOK)(cart, err); err != nil {
		return err
	}
	if err := s.cluster.Client.Create(ctx, secondInstance()); err != nil {
		return fmt.Errorf("create the second number: %w", err)
	}
	if err := s.until(ctx, "its QR is there, and scanned", func() (bool, error) {
		if _, err := s.services.Evolution.QRCode(namespace + "." + second); err != nil {
			return false, nil //nolint:nilerr // Not there yet.
		}
		return true, s.services.Evolution.Scan(namespace+"."+second, secondPhone)
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
	if sent := s.services.Evolution.Sent(); len(sent) != 1 || contacted.Status.InstanceRef == nil ||
		contacted.Status.InstanceRef.Name != second {
		return fmt.Errorf("the Evolution server sent %d messages, not one", len(sent))
	}
	s.done("her message went out from the second number")
	_, err = s.kubectl(ctx, "patch", "whatsappinstance", "acme", "--type=merge", "-p", `{"spec":{"suspend":false}}`)
	return err
}

// secondInstance is a number on the operator's own Evolution server.
func secondInstance() *v1alpha1.WhatsAppInstance {
	none := v1alpha1.Duration{}
	return &v1alpha1.WhatsAppInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: second},
		Spec: v1alpha1.WhatsAppInstanceSpec{
			StoreRef: v1alpha1.ObjectReference{Name: "acme"},
			Gateway:  v1alpha1.GatewaySpec{Type: v1alpha1.GatewayEvolution},
			Pairing:  v1alpha1.PairingSpec{Method: v1alpha1.PairingQRCode},
			Limits:   v1alpha1.InstanceLimits{NewConversationGap: &v1alpha1.ConversationGap{Min: none, Max: none}},
		},
	}
}

func (s *story) showEverything(ctx context.Context) error {
	s.step("kubectl get of everything")
	listed, err := s.kubectl(ctx, "get", "stores,products,whatsappinstances,cartrecoveries,suppressions")
	if err != nil {
		return err
	}
	s.show(listed)
	s.step("What kubectl describe says of the policy, and of what comes next")
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
	s.step("One conversation, as it stands in the resource")
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
