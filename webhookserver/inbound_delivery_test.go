package webhookserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/webhookserver/formats"
)

const (
	webhookKey    = "key-of-the-webhook-url"
	instanceToken = "token-of-the-instance"
)

// phoneShop is a shop with a connected WhatsAppInstance and a contacted lead.
type phoneShop struct {
	shop
	instance *v1alpha1.WhatsAppInstance
	lead     *v1alpha1.CartRecovery
}

func openPhoneShop(ctx context.Context, mods ...func(*v1alpha1.CartRecovery)) phoneShop {
	GinkgoHelper()
	opened := openShop(ctx)
	instance := gen.In(opened.namespace, gen.InstanceObject(complete))
	keep(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: opened.namespace, Name: gateway.CredentialsSecret(instance).Name},
		StringData: map[string]string{gateway.KeyToken: instanceToken, gateway.KeyWebhook: webhookKey},
	})
	keep(ctx, instance)
	mods = append([]func(*v1alpha1.CartRecovery){contacted(time.Now().Add(-time.Minute), v1alpha1.MessageSent),
		on(gen.Instance)}, mods...)
	return phoneShop{opened, instance, opened.lead(ctx, mods...)}
}

// complete gives conditions what the API server wants of them.
func complete(i *v1alpha1.WhatsAppInstance) {
	for at := range i.Status.Conditions {
		i.Status.Conditions[at].LastTransitionTime = metav1.Now()
	}
}

// message is a UAZAPI delivery of a customer's message.
func (s phoneShop) message(id string, changes map[string]any) []byte {
	GinkgoHelper()
	body := map[string]any{
		"EventType": "messages", "instanceName": index.GatewayName(s.instance), "token": instanceToken,
		"message": map[string]any{
			"messageid": id, "chatid": "5511987654321@s.whatsapp.net", "fromMe": false,
			"messageType": "Conversation", "text": "quero saber mais", "messageTimestamp": time.Now().UnixMilli(),
		},
	}
	for key, value := range changes {
		if _, top := body[key]; top {
			body[key] = value
		} else {
			body["message"].(map[string]any)[key] = value
		}
	}
	encoded, err := json.Marshal(body)
	Expect(err).NotTo(HaveOccurred())
	return encoded
}

// uazapiReceipt is a UAZAPI delivery of a receipt of a message of ours.
func (s phoneShop) uazapiReceipt(kind, id string) []byte {
	GinkgoHelper()
	encoded, err := json.Marshal(map[string]any{
		"EventType": "messages_update", "instanceName": index.GatewayName(s.instance), "token": instanceToken,
		"event": map[string]any{
			"Chat": "5511987654321@s.whatsapp.net", "Sender": "5511987654321@s.whatsapp.net",
			"MessageIDs": []string{id}, "Type": kind, "IsFromMe": false, "IsGroup": false,
			"Timestamp": time.Now().Unix(),
		},
	})
	Expect(err).NotTo(HaveOccurred())
	return encoded
}

// hears is what becomes of a message that was authenticated.
func (s phoneShop) hears(ctx context.Context, message formats.Message) outcome {
	GinkgoHelper()
	got, err := server.hear(ctx, s.instance, &message)
	Expect(err).NotTo(HaveOccurred())
	return got
}

// withKey delivers to the URL without a key, with one in the header; none for "".
func (s phoneShop) withKey(ctx context.Context, key string, body []byte) answered {
	GinkgoHelper()
	var headers []string
	if key != "" {
		headers = []string{gateway.WebhookKeyHeader, key}
	}
	return call(ctx, http.MethodPost, "/api/whatsapp/webhook/"+s.namespace+"/"+s.instance.Name, body, headers...)
}

// legacy is a delivery of a customer's message in the old backend's shape.
func legacy(instance string) []byte {
	GinkgoHelper()
	encoded, err := json.Marshal(map[string]any{
		"instanceName": instance,
		"message": map[string]any{
			"key":          map[string]any{"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": false, "id": "m-1"},
			"conversation": "quero saber mais",
		},
	})
	Expect(err).NotTo(HaveOccurred())
	return encoded
}

func (s phoneShop) keyed(ctx context.Context, key string, body []byte) answered {
	GinkgoHelper()
	return call(ctx, http.MethodPost, "/api/whatsapp/webhook/"+s.namespace+"/"+s.instance.Name+"/"+key, body)
}

func plain(ctx context.Context, body []byte) answered {
	GinkgoHelper()
	return call(ctx, http.MethodPost, "/api/whatsapp/webhook", body)
}

func (s phoneShop) current(ctx context.Context) *v1alpha1.CartRecovery {
	GinkgoHelper()
	Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(s.lead), s.lead)).To(Succeed())
	return s.lead
}

// credentials is a Server that knows one Secret of an instance, with a clock of its own.
type credentials struct {
	client.Client
	server   *Server
	instance *v1alpha1.WhatsAppInstance
	now      time.Time
	fail     error
}

func newCredentials(t *testing.T, data map[string][]byte) *credentials {
	t.Helper()
	c := &credentials{instance: gen.In("shop", gen.InstanceObject()), now: noon}
	c.instance.Status.CredentialsSecretRef = &v1alpha1.ObjectReference{Name: "vendas-gateway"}
	c.Client = fake.NewClientBuilder().WithObjects(c.secret(data)).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, inner client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption) error {
			if c.fail != nil {
				return c.fail
			}
			return inner.Get(ctx, key, object, options...)
		},
	}).Build()
	reader := secrets.NewReader(c.Client, func() time.Time { return c.now })
	c.server = &Server{Options: Options{Connector: &gateway.Connector{Secrets: reader}}}
	return c
}

func (c *credentials) secret(data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "vendas-gateway"}, Data: data}
}

// TestRotatedToken: a token that is newer than what is remembered is believed.
func TestRotatedToken(t *testing.T) {
	c := newCredentials(t, map[string][]byte{gateway.KeyToken: []byte("old")})
	is := func(token string) bool {
		t.Helper()
		is, err := c.server.matches(t.Context(), c.server.Connector.Token, c.instance, token)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if !is("old") {
		t.Fatal("the token is refused")
	}
	if err := c.Update(t.Context(), c.secret(map[string][]byte{gateway.KeyToken: []byte("new")})); err != nil {
		t.Fatal(err)
	}
	if is("new") {
		t.Error("the Secret was read twice within a second")
	}
	c.now = c.now.Add(secrets.Settled)
	if !is("new") || is("old") {
		t.Error("what is remembered is believed before what is there")
	}
	c.now, c.fail = c.now.Add(secrets.Settled), errors.New("the API server does not answer")
	if _, err := c.server.matches(t.Context(), c.server.Connector.Token, c.instance, "newer"); err == nil {
		t.Error("refused, although nobody could look")
	}
}

var _ = Describe("a gateway's webhook", func() {
	It("stores a customer's message, once", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		got := shop.keyed(ctx, webhookKey, shop.message("m-1", nil))
		Expect(got.Status).To(Equal(http.StatusOK), got.Raw)
		Expect(got.Body).To(HaveKeyWithValue("result", "recorded"))
		status := shop.current(ctx).Status
		Expect(status.Phase).To(Equal(v1alpha1.PhaseEngaged))
		Expect(status.Conversation).To(HaveLen(2))
		Expect(status.Conversation[1]).To(And(
			HaveField("ID", "m-1"), HaveField("Role", v1alpha1.RoleCustomer), HaveField("Text", "quero saber mais")))

		version := shop.lead.ResourceVersion
		for _, again := range []answered{shop.keyed(ctx, webhookKey, shop.message("m-1", nil)),
			plain(ctx, shop.message("m-1", nil))} {
			Expect(again.Body).To(HaveKeyWithValue("result", "unchanged"))
		}
		Expect(shop.current(ctx).ResourceVersion).To(Equal(version))
		Expect(plain(ctx, shop.message("m-2", nil)).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(3))
	})

	It("takes the number of an old account, without its ninth digit", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		got := plain(ctx, shop.message("m-1", map[string]any{"chatid": "551187654321@s.whatsapp.net"}))
		Expect(got.Body).To(HaveKeyWithValue("result", "recorded"))
	})

	It("takes the old backend's format at the URL with the key, and at the old URL with a credential",
		func(ctx SpecContext) {
			shop := openPhoneShop(ctx)
			body := legacy(index.GatewayName(shop.instance))
			Expect(plain(ctx, body).Status).To(Equal(http.StatusUnauthorized))
			Expect(call(ctx, http.MethodPost, "/api/whatsapp/webhook", body, gateway.WebhookKeyHeader,
				"wrong").Status).To(Equal(http.StatusUnauthorized))
			Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))

			Expect(shop.keyed(ctx, webhookKey, body).Body).To(HaveKeyWithValue("result", "recorded"))
			got := call(ctx, http.MethodPost, "/api/whatsapp/webhook", body, gateway.WebhookKeyHeader, webhookKey)
			Expect(got.Body).To(HaveKeyWithValue("result", "unchanged"))
			withToken := bytes.Replace(body, []byte("{"), []byte(`{"token":"`+instanceToken+`",`), 1)
			Expect(plain(ctx, withToken).Body).To(HaveKeyWithValue("result", "unchanged"))
			for header, value := range map[string]string{"token": instanceToken, "apikey": instanceToken,
				"Authorization": "Bearer " + instanceToken} {
				got := call(ctx, http.MethodPost, "/api/whatsapp/webhook", body, header, value)
				Expect(got.Body).To(HaveKeyWithValue("result", "unchanged"), header)
				got = call(ctx, http.MethodPost, "/api/whatsapp/webhook", body, header, value+"x")
				Expect(got.Status).To(Equal(http.StatusUnauthorized), header)
			}
		})

	It("knows an instance by what the sender calls it", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		body := bytes.Replace(legacy("loja-antiga"), []byte("{"), []byte(`{"token":"`+instanceToken+`",`), 1)
		Expect(plain(ctx, body).Status).To(Equal(http.StatusNotFound))
		before := shop.instance.DeepCopy()
		shop.instance.Spec.Gateway.Aliases = []string{"loja-antiga", "r183e2ef95978"}
		Expect(env.Client.Patch(ctx, shop.instance, client.MergeFrom(before))).To(Succeed())
		Eventually(func() map[string]any { return plain(ctx, body).Body }).Should(HaveKeyWithValue("result",
			"recorded"))
		wrong := bytes.Replace(legacy("loja-antiga"), []byte("{"), []byte(`{"token":"wrong",`), 1)
		Expect(plain(ctx, wrong).Status).To(Equal(http.StatusUnauthorized))
	})

	DescribeTable("takes the key for proof, whatever the body calls the instance", func(ctx SpecContext, body []byte) {
		shop := openPhoneShop(ctx)
		path := "/api/whatsapp/webhook/" + shop.namespace + "/" + shop.instance.Name
		Expect(call(ctx, http.MethodPost, path+"/"+webhookKey, body).Body).To(HaveKeyWithValue("result", "recorded"))
		for _, again := range []answered{
			call(ctx, http.MethodPost, path, body, gateway.WebhookKeyHeader, webhookKey),
			call(ctx, http.MethodPost, path+"/"+webhookKey+"/messages", body),
			call(ctx, http.MethodPost, path+"/"+webhookKey+"/messages/conversation", body),
			call(ctx, http.MethodPost, path+"/messages-upsert", body, gateway.WebhookKeyHeader, webhookKey),
		} {
			Expect(again.Body).To(HaveKeyWithValue("result", "unchanged"), again.Raw)
		}
		for _, refused := range []answered{
			call(ctx, http.MethodPost, path+"/wrong", body), call(ctx, http.MethodPost, path+"/wrong/messages", body),
			call(ctx, http.MethodPost, path+"/"+webhookKey, body, gateway.WebhookKeyHeader, "wrong"),
			call(ctx, http.MethodPost, path+"/messages-upsert", body), call(ctx, http.MethodPost, path, body),
		} {
			Expect(refused.Status).To(Equal(http.StatusUnauthorized), refused.Raw)
		}
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(2))
	},
		Entry("UAZAPI, another name and another token", phoneShop{instance: gen.InstanceObject()}.message("m-1",
			map[string]any{
				"token": "another's", "instanceName": "a-name-of-its-own",
			})),
		Entry("UAZAPI's wrapper, with its own id of the instance",
			[]byte(`{"event":"message","instance":"r183e2ef95978","data":{
			"messageid":"m-1","chatid":"5511987654321@s.whatsapp.net","fromMe":false,"messageType":"Conversation","text":"quero saber mais"}}`)),
		Entry("Evolution, the server's key",
			[]byte(`{"event":"messages.upsert","instance":"another","apikey":"key-of-the-server","data":{
			"key":{"remoteJid":"5511987654321@s.whatsapp.net","fromMe":false,"id":"m-1"},"message":{"conversation":"quero saber mais"}}}`)),
		Entry("megaapi, its own key of the instance",
			[]byte(`{"instance_key":"megaapi-loja-1","jid":"5511999990000@s.whatsapp.net",
			"key":{"remoteJid":"5511987654321@s.whatsapp.net","fromMe":false,"id":"m-1"},"message":{"conversation":"quero saber mais"}}`)),
		Entry("the old backend's instanceName", legacy("loja-antiga")),
		Entry("passed on by a flow", []byte(`[{"headers":{"x":"y"},"body":`+string(legacy("loja-antiga"))+`}]`)),
	)

	// evolution is a message as the Evolution API tells of it; no apikey for "".
	evolution := func(instance, apikey string) []byte {
		GinkgoHelper()
		body := map[string]any{
			"event": "messages.upsert", "instance": instance, "sender": "5511999990000@s.whatsapp.net",
			"data": map[string]any{
				"key":     map[string]any{"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": false, "id": "m-1"},
				"message": map[string]any{"conversation": "quero saber mais"}, "messageTimestamp": time.Now().Unix(),
			},
		}
		if apikey != "" {
			body["apikey"] = apikey
		}
		encoded, err := json.Marshal(body)
		Expect(err).NotTo(HaveOccurred())
		return encoded
	}
	megaAPI := func(instance string) []byte {
		GinkgoHelper()
		encoded, err := json.Marshal(map[string]any{
			"instance_key": instance, "jid": "5511999990000@s.whatsapp.net", "messageType": "conversation",
			"key":     map[string]any{"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": false, "id": "m-1"},
			"message": map[string]any{"conversation": "quero saber mais"}, "messageTimestamp": time.Now().Unix(),
		})
		Expect(err).NotTo(HaveOccurred())
		return encoded
	}

	DescribeTable("authenticates each format's way", func(ctx SpecContext, body func(phoneShop) []byte, shared bool) {
		shop := openPhoneShop(ctx)
		for _, refused := range []answered{
			shop.withKey(ctx, "", body(shop)), shop.withKey(ctx, "wrong", body(shop)),
			shop.keyed(ctx, "wrong", body(shop)),
		} {
			Expect(refused.Status).To(Equal(http.StatusUnauthorized), refused.Raw)
		}
		if !shared {
			Expect(plain(ctx, body(shop)).Status).To(Equal(http.StatusUnauthorized))
		}
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))

		Expect(shop.withKey(ctx, webhookKey, body(shop)).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.keyed(ctx, webhookKey, body(shop)).Body).To(HaveKeyWithValue("result", "unchanged"))
		if shared {
			Expect(plain(ctx, body(shop)).Body).To(HaveKeyWithValue("result", "unchanged"))
		}
	},
		Entry("UAZAPI, with its token", func(s phoneShop) []byte { return s.message("m-1", nil) }, true),
		Entry("Evolution, with the instance's token", func(s phoneShop) []byte {
			return evolution(index.GatewayName(s.instance), instanceToken)
		}, true),
		Entry("Evolution, without", func(s phoneShop) []byte { return evolution(index.GatewayName(s.instance), "") },
			false),
		Entry("Evolution, with a sentence", func(s phoneShop) []byte {
			return evolution(index.GatewayName(s.instance), "Apikey not found")
		}, false),
		Entry("megaapi", func(s phoneShop) []byte { return megaAPI(index.GatewayName(s.instance)) }, false),
		Entry("the old backend's", func(s phoneShop) []byte { return legacy(index.GatewayName(s.instance)) }, false),
	)

	It("takes the key in a header", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(shop.withKey(ctx, webhookKey, legacy(index.GatewayName(shop.instance))).Body).To(
			HaveKeyWithValue("result", "recorded"))
		Expect(shop.withKey(ctx, webhookKey, shop.message("m-2", nil)).Body).To(HaveKeyWithValue("result", "recorded"))
	})

	It("refuses every key of an instance that is not provisioned", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		fresh := gen.In(shop.namespace, gen.InstanceObject(complete, func(i *v1alpha1.WhatsAppInstance) {
			i.Name, i.Status.CredentialsSecretRef = "fresh", nil
		}))
		keep(ctx, fresh)
		keep(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: shop.namespace, Name: "half-gateway"},
			StringData: map[string]string{gateway.KeyToken: instanceToken, gateway.KeyWebhook: ""},
		})
		half := gen.In(shop.namespace, gen.InstanceObject(complete, func(i *v1alpha1.WhatsAppInstance) {
			i.Name, i.Status.CredentialsSecretRef = "half", &v1alpha1.ObjectReference{Name: "half-gateway"}
		}))
		keep(ctx, half)
		for _, instance := range []*v1alpha1.WhatsAppInstance{fresh, half} {
			there := phoneShop{shop.shop, instance, shop.lead}
			for _, key := range []string{"", webhookKey, " "} {
				Expect(there.withKey(ctx, key, legacy("")).Status).To(Equal(http.StatusUnauthorized))
			}
			Expect(there.keyed(ctx, webhookKey, legacy("")).Status).To(Equal(http.StatusUnauthorized))
		}
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))
	})

	DescribeTable("refuses what is not the gateway's", func(ctx SpecContext, status int,
		post func(context.Context, phoneShop) answered) {
		shop := openPhoneShop(ctx)
		Expect(post(ctx, shop).Status).To(Equal(status))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))
	},
		Entry("a wrong key", 401, func(ctx context.Context, s phoneShop) answered {
			return s.keyed(ctx, "wrong", s.message("m", nil))
		}),
		Entry("a wrong key in the header", 401, func(ctx context.Context, s phoneShop) answered {
			return s.withKey(ctx, "wrong", s.message("m", nil))
		}),
		Entry("no key in the header, and the right token", 401, func(ctx context.Context, s phoneShop) answered {
			return s.withKey(ctx, "", s.message("m", nil))
		}),
		Entry("another's key in the header", 401, func(ctx context.Context, s phoneShop) answered {
			return s.withKey(ctx, instanceToken, s.message("m", nil))
		}),
		Entry("an unknown instance in the URL", 404, func(ctx context.Context, s phoneShop) answered {
			return call(ctx, http.MethodPost, "/api/whatsapp/webhook/"+s.namespace+"/nothing", s.message("m", nil),
				gateway.WebhookKeyHeader, webhookKey)
		}),
		Entry("a wrong token", 401, func(ctx context.Context, s phoneShop) answered {
			return plain(ctx, s.message("m", map[string]any{"token": "wrong"}))
		}),
		Entry("no token", 401, func(ctx context.Context, s phoneShop) answered {
			return plain(ctx, s.message("m", map[string]any{"token": ""}))
		}),
		Entry("an unknown instance", 404, func(ctx context.Context, s phoneShop) answered {
			return plain(ctx, s.message("m", map[string]any{"instanceName": "nothing"}))
		}),
		Entry("no JSON", 400, func(ctx context.Context, _ phoneShop) answered { return plain(ctx, []byte("text")) }),
		Entry("no JSON, with the key", 400, func(ctx context.Context, s phoneShop) answered {
			return s.keyed(ctx, webhookKey, []byte("{"))
		}),
		Entry("no JSON, without the key", 401, func(ctx context.Context, s phoneShop) answered {
			return s.keyed(ctx, "wrong", []byte("{"))
		}),
		Entry("a known shape of wrong type", 400, func(ctx context.Context, _ phoneShop) answered {
			return plain(ctx, []byte(`{"EventType":"messages","message":7}`))
		}),
	)

	DescribeTable("ignores what is no answer", func(ctx SpecContext, reason string, changes map[string]any) {
		shop := openPhoneShop(ctx)
		got := plain(ctx, shop.message("m-1", changes))
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(HaveKeyWithValue("result", "ignored"))
		Expect(got.Body).To(HaveKeyWithValue("reason", reason))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))
	},
		Entry("our own", "SentByAPI", map[string]any{"fromMe": true, "wasSentByApi": true}),
		Entry("a group's", "GroupMessage", map[string]any{"isGroup": true, "chatid": "1203@g.us"}),
		Entry("a stranger's", "NoOpenLead", map[string]any{"chatid": "5521911112222@s.whatsapp.net"}),
		Entry("a kind of tomorrow", "UnknownEvent", map[string]any{"EventType": "telepathy"}),
	)

	It("never guesses between two numbers", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		at := contacted(time.Now(), v1alpha1.MessageSent)
		shop.shop.lead(ctx, named("mobile"), withPhone("+5511932345678"), at)
		shop.shop.lead(ctx, named("landline"), withPhone("+551132345678"), at)
		before := count("uazapi", resultAmbiguous)
		got := plain(ctx, shop.message("m-1", map[string]any{"chatid": "551132345678@s.whatsapp.net"}))
		Expect(got.Body).To(HaveKeyWithValue("reason", "Ambiguous"))
		Expect(count("uazapi", resultAmbiguous)).To(Equal(before + 1))
	})

	It("gets through although the lead is written at the same time", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		races := 0
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch status" && races < 2 {
				races++
				var current v1alpha1.CartRecovery
				Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(object), &current)).To(Succeed())
				current.Status.TokensUsed = int64(races)
				return env.Client.Status().Update(ctx, &current)
			}
			return nil
		})
		Expect(plain(ctx, shop.message("m-1", nil)).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.current(ctx).Status).To(And(HaveField("TokensUsed", int64(2)),
			HaveField("Conversation", HaveLen(2))))
	})

	It("writes to a lead that is finished meanwhile, and leaves it finished", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch status" {
				hooked.before(nil)
				current := shop.current(ctx).DeepCopy()
				current.Status.CompletionTime = &metav1.Time{Time: time.Now()}
				return env.Client.Status().Update(ctx, current)
			}
			return nil
		})
		Expect(plain(ctx, shop.message("m-1", nil)).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.current(ctx).Status).To(And(HaveField("CompletionTime", Not(BeNil())),
			HaveField("Conversation", HaveLen(2))))
	})

	It("asks to try again when the API server cannot store", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		refuseWrites("patch status")
		got := plain(ctx, shop.message("m-1", nil))
		Expect(got.Status).To(Equal(http.StatusServiceUnavailable))
		Expect(got.Header.Get("Retry-After")).To(Equal("5"))
		hooked.before(nil)
		Expect(plain(ctx, shop.message("m-1", nil)).Body).To(HaveKeyWithValue("result", "recorded"))
	})

	It("gives up after a number of conflicts", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		tries := 0
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch status" {
				tries++
				current := shop.current(ctx).DeepCopy()
				current.Status.TokensUsed++
				return env.Client.Status().Update(ctx, current)
			}
			return nil
		})
		Expect(plain(ctx, shop.message("m-1", nil)).Status).To(Equal(http.StatusServiceUnavailable))
		Expect(tries).To(Equal(maxTries))
	})
})
