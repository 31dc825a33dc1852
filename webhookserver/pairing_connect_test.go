package webhookserver

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
)

// caller makes a ServiceAccount that may do these verbs to whatsappinstances, and returns
// a token of it.
func (s shop) caller(ctx context.Context, verbs ...string) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, GenerateName: "backend-"}}
	Expect(env.Client.Create(ctx, account)).To(Succeed())
	if len(verbs) > 0 {
		role := &rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: account.Name},
			Rules: []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group},
				Resources: []string{"whatsappinstances"}, Verbs: verbs}},
		}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: account.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account.Name},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: s.namespace, Name: account.Name}},
		}
		Expect(env.Client.Create(ctx, role)).To(Succeed())
		Expect(env.Client.Create(ctx, binding)).To(Succeed())
	}
	request := &authenticationv1.TokenRequest{}
	Expect(env.Client.SubResource("token").Create(ctx, account, request)).To(Succeed())
	return request.Status.Token
}

func connectTo(ctx context.Context, client, query, body, token string) answered {
	GinkgoHelper()
	return call(ctx, http.MethodPost, "/api/whatsapp/connect/"+client+query, []byte(body), "Authorization",
		"Bearer "+token)
}

func statusFor(ctx context.Context, client, token string) answered {
	GinkgoHelper()
	return call(ctx, http.MethodGet, "/api/whatsapp/status/"+client, nil, "Authorization", "Bearer "+token)
}

// settledCaller waits until the authorizer knows the caller's role: RBAC is cached.
func settledCaller(ctx context.Context, s shop, token string) {
	GinkgoHelper()
	Eventually(func() int { return statusFor(ctx, s.namespace, token).Status }).ShouldNot(Equal(http.StatusForbidden))
}

// async connects in the background.
func async(ctx context.Context, s shop, query, body, token string) <-chan answered {
	answers := make(chan answered, 1)
	go func() {
		defer GinkgoRecover()
		answers <- connectTo(ctx, s.namespace, query, body, token)
	}()
	return answers
}

// instanceNamed waits for an instance that was asked to pair.
func instanceNamed(ctx context.Context, s shop, name string) *v1alpha1.WhatsAppInstance {
	GinkgoHelper()
	instance := &v1alpha1.WhatsAppInstance{}
	Eventually(func(g Gomega) {
		g.Expect(env.Client.Get(ctx, types.NamespacedName{Namespace: s.namespace, Name: name}, instance)).To(Succeed())
		g.Expect(connection.PairingRequest(instance)).NotTo(BeEmpty())
	}).Should(Succeed())
	return instance
}

// show does what the controller does when it begins a pairing attempt.
func show(ctx context.Context, instance *v1alpha1.WhatsAppInstance, data map[string]string) {
	GinkgoHelper()
	name := gateway.PairingSecret(instance)
	Expect(env.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}, StringData: data,
	})).To(Succeed())
	instance.Status.Phase = v1alpha1.InstancePairing
	instance.Status.Pairing = &v1alpha1.PairingStatus{
		SecretRef:      &v1alpha1.ObjectReference{Name: name.Name},
		ExpiresAt:      &metav1.Time{Time: time.Now().Add(10 * time.Minute)},
		HandledRequest: instance.Annotations[v1alpha1.AnnotationPairRequested], Attempts: 1,
	}
	Expect(env.Client.Status().Update(ctx, instance)).To(Succeed())
}

var _ = Describe("the callers of connect and status", func() {
	It("must be known, and allowed to", func(ctx SpecContext) {
		shop := openShop(ctx)
		reader, nobody := shop.caller(ctx, "get"), shop.caller(ctx)
		settledCaller(ctx, shop, reader)
		for _, token := range []string{"", "nonsense"} {
			for _, got := range []answered{connectTo(ctx, shop.namespace, "", "", token), statusFor(ctx, shop.namespace,
				token)} {
				Expect(got.Status).To(Equal(http.StatusUnauthorized))
				Expect(got.Header.Get("WWW-Authenticate")).To(Equal("Bearer"))
			}
		}
		Expect(connectTo(ctx, shop.namespace, "", "", reader).Status).To(Equal(http.StatusForbidden))
		Expect(statusFor(ctx, shop.namespace, nobody).Status).To(Equal(http.StatusForbidden))
		Expect(statusFor(ctx, "nobody", reader).Status).To(Equal(http.StatusNotFound))
		var instances v1alpha1.WhatsAppInstanceList
		Expect(env.Client.List(ctx, &instances, client.InNamespace(shop.namespace))).To(Succeed())
		Expect(instances.Items).To(BeEmpty())
	})
})

var _ = Describe("connect", func() {
	open := func(ctx context.Context) (shop, string) {
		GinkgoHelper()
		opened := openShop(ctx)
		token := opened.caller(ctx, "create", "get")
		settledCaller(ctx, opened, token)
		return opened, token
	}

	It("makes an instance and shows its QR", func(ctx SpecContext) {
		shop, token := open(ctx)
		answers := async(ctx, shop, "", `{"gateway":"Simulated"}`, token)
		instance := instanceNamed(ctx, shop, shop.store.Name)
		Expect(instance.Spec.Gateway.Type).To(Equal(v1alpha1.GatewaySimulated))
		Expect(instance.Spec.StoreRef.Name).To(Equal(shop.store.Name))
		show(ctx, instance, map[string]string{gateway.KeyQR: "data:image/png;base64,shown-only-to-the-caller"})
		var got answered
		Eventually(answers).Should(Receive(&got))
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Header.Get("Cache-Control")).To(Equal("no-store"))
		Expect(got.Body).To(And(
			HaveKeyWithValue("instance", shop.store.Name), HaveKeyWithValue("namespace", shop.namespace),
			HaveKeyWithValue("state", "Pairing"), HaveKeyWithValue("qrCode", HavePrefix("data:image/png")),
			HaveKey("expiresAt")))

		again := connectTo(ctx, shop.namespace, "", "", token)
		Expect(again.Body).To(HaveKey("qrCode"))
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(instance), instance)).To(Succeed())
		Expect(connection.PairingRequest(instance)).To(BeEmpty())
	})

	It("pairs by code when a phone is given", func(ctx SpecContext) {
		shop, token := open(ctx)
		answers := async(ctx, shop, "", `{"phone":"+55 11 98765-4321"}`, token)
		instance := instanceNamed(ctx, shop, shop.store.Name)
		Expect(instance.Spec.Pairing.Method).To(Equal(v1alpha1.PairingPairCode))
		Expect(instance.Spec.Pairing.Phone).To(Equal(gen.Phone))
		show(ctx, instance, map[string]string{gateway.KeyPairCode: "ABCD-1234"})
		var got answered
		Eventually(answers).Should(Receive(&got))
		Expect(got.Body).To(HaveKeyWithValue("pairCode", "ABCD-1234"))
	})

	// The manifest is applied as Argo CD and Flux do, without force: a field that another manager
	// had taken would be refused as a conflict.
	It("changes nothing that Git says of an instance", func(ctx SpecContext) {
		shop, token := open(ctx)
		key := types.NamespacedName{Namespace: shop.namespace, Name: gen.Instance}
		stored := func() *v1alpha1.WhatsAppInstance {
			GinkgoHelper()
			instance := &v1alpha1.WhatsAppInstance{}
			Expect(env.Client.Get(ctx, key, instance)).To(Succeed())
			return instance
		}
		apply := func() *v1alpha1.WhatsAppInstance {
			GinkgoHelper()
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(gen.In(shop.namespace,
				gen.InstanceObject()))
			Expect(err).NotTo(HaveOccurred())
			manifest := &unstructured.Unstructured{Object: map[string]any{"spec": content["spec"]}}
			manifest.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("WhatsAppInstance"))
			manifest.SetNamespace(key.Namespace)
			manifest.SetName(key.Name)
			Expect(env.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(manifest),
				client.FieldOwner("git"))).To(Succeed())
			return stored()
		}
		before := apply()
		answers := async(ctx, shop, "", `{"phone":"+55 11 98765-4321"}`, token)
		Eventually(ctx, func(g Gomega) {
			g.Expect(connection.Pairing(stored()).Phone).To(Equal(gen.Phone))
		}).Should(Succeed())
		after := apply()
		Expect(after.Spec).To(Equal(before.Spec))
		Expect(after.Generation).To(Equal(before.Generation))
		Expect(connection.Pairing(after).Phone).To(Equal(gen.Phone), "what was asked for must not be applied away")
		show(ctx, after, map[string]string{gateway.KeyPairCode: "ABCD-1234"})
		var got answered
		Eventually(answers).Should(Receive(&got))
		Expect(got.Body).To(HaveKeyWithValue("pairCode", "ABCD-1234"))
	})

	It("answers at once when the number is connected", func(ctx SpecContext) {
		shop, token := open(ctx)
		keep(ctx, gen.In(shop.namespace, gen.InstanceObject(complete, func(i *v1alpha1.WhatsAppInstance) {
			i.Status.Phone = gen.Phone
		})))
		got := connectTo(ctx, shop.namespace, "", "", token)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(And(HaveKeyWithValue("state", "Connected"), HaveKeyWithValue("phone", gen.Phone)))
	})

	It("uses the instance that the caller names", func(ctx SpecContext) {
		shop, token := open(ctx)
		keep(ctx, gen.In(shop.namespace, gen.InstanceObject(complete)))
		keep(ctx, gen.In(shop.namespace, gen.InstanceObject(complete, func(i *v1alpha1.WhatsAppInstance) {
			i.Name = "second"
		})))
		Expect(connectTo(ctx, shop.namespace, "?instance=second", "", token).Body).To(HaveKeyWithValue("instance",
			"second"))
		Expect(connectTo(ctx, shop.namespace, "?instance=third", "", token).Status).To(Equal(http.StatusNotFound))
		Expect(connectTo(ctx, shop.namespace, "", `{"gateway":"Simulated"}`,
			token).Status).To(Equal(http.StatusConflict))
	})

	It("does not take an instance of another store", func(ctx SpecContext) {
		shop, token := open(ctx)
		keep(ctx, gen.In(shop.namespace, gen.InstanceObject(complete, func(i *v1alpha1.WhatsAppInstance) {
			i.Name, i.Spec.StoreRef.Name = shop.store.Name, "another"
		})))
		Expect(connectTo(ctx, shop.namespace, "", "", token).Status).To(Equal(http.StatusConflict))
	})

	It("says when the gateway is the problem", func(ctx SpecContext) {
		shop, token := open(ctx)
		for reason, status := range map[string]int{
			v1alpha1.ReasonGatewayUnreachable:  http.StatusServiceUnavailable,
			v1alpha1.ReasonGatewayUnauthorized: http.StatusBadGateway,
		} {
			name := map[int]string{http.StatusServiceUnavailable: "down", http.StatusBadGateway: "denied"}[status]
			keep(ctx, gen.In(shop.namespace, gen.InstanceObject(complete, unpaired, func(i *v1alpha1.WhatsAppInstance) {
				i.Name = name
			})))
			answers := async(ctx, shop, "?instance="+name, "", token)
			instance := instanceNamed(ctx, shop, name)
			apimeta.SetStatusCondition(&instance.Status.Conditions, metav1.Condition{
				Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason,
				Message: "it does not work",
			})
			Expect(env.Client.Status().Update(ctx, instance)).To(Succeed())
			var got answered
			Eventually(answers).Should(Receive(&got))
			Expect(got.Status).To(Equal(status))
			Expect(got.Header.Get("Retry-After")).NotTo(BeEmpty())
			Expect(got.Body).To(HaveKeyWithValue("reason", reason))
		}
	})

	It("tells the state when there is nothing to show in time", func(ctx SpecContext) {
		shop, token := open(ctx)
		got := connectTo(ctx, shop.namespace, "", "", token)
		Expect(got.Status).To(Equal(http.StatusAccepted))
		Expect(got.Body).To(HaveKeyWithValue("state", "Pending"))
	})

	It("refuses a body that it cannot read", func(ctx SpecContext) {
		shop, token := open(ctx)
		got := connectTo(ctx, shop.namespace, "", `{"gateway":"Fax"}`, token)
		Expect(got.Status).To(Equal(http.StatusBadRequest))
		Expect(got.Body).To(HaveKeyWithValue("field", "gateway"))
	})
})

var _ = Describe("status", func() {
	open := func(ctx context.Context, mods ...func(*v1alpha1.WhatsAppInstance)) (shop, *v1alpha1.WhatsAppInstance,
		string) {
		GinkgoHelper()
		opened := openShop(ctx)
		token := opened.caller(ctx, "get")
		settledCaller(ctx, opened, token)
		instance := gen.In(opened.namespace, gen.InstanceObject(append([]func(*v1alpha1.WhatsAppInstance){complete},
			mods...)...))
		keep(ctx, instance)
		return opened, instance, token
	}

	It("asks the gateway and records what it says", func(ctx SpecContext) {
		shop, instance, token := open(ctx)
		gatewayState.says(gateway.State{Connection: gateway.Disconnected, DisconnectReason: "logged out"}, nil)
		got := statusFor(ctx, shop.namespace, token)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(And(HaveKeyWithValue("connected", false), Not(HaveKey("stale"))))
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(instance), instance)).To(Succeed())
		Expect(instance.Status.LastDisconnectReason).To(Equal("logged out"))
		cached(ctx, instance)

		version := instance.ResourceVersion
		Expect(statusFor(ctx, shop.namespace, token).Status).To(Equal(http.StatusOK))
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(instance), instance)).To(Succeed())
		Expect(instance.ResourceVersion).To(Equal(version))
	})

	It("tells what was last known when the gateway does not answer", func(ctx SpecContext) {
		since := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
		shop, _, token := open(ctx, func(i *v1alpha1.WhatsAppInstance) {
			i.Status.LastConnectedTime, i.Status.Phone = &since, gen.Phone
		})
		gatewayState.says(gateway.State{}, &failure.Error{Class: failure.Transient, Code: failure.Unavailable,
			Op: "test"})
		got := statusFor(ctx, shop.namespace, token)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(And(
			HaveKeyWithValue("state", "Connected"), HaveKeyWithValue("stale", true),
			HaveKeyWithValue("reason", "Unavailable"), HaveKeyWithValue("asOf", since.UTC().Format(time.RFC3339)),
			HaveKeyWithValue("ageSeconds", BeNumerically("~", 3600, 60))))
	})

	It("does not ask for an instance that is not made yet", func(ctx SpecContext) {
		shop, _, token := open(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Status = v1alpha1.WhatsAppInstanceStatus{} })
		Expect(statusFor(ctx, shop.namespace, token).Body).To(HaveKeyWithValue("state", "Pending"))
	})

	It("knows when there is no instance", func(ctx SpecContext) {
		shop := openShop(ctx)
		token := shop.caller(ctx, "get")
		settledCaller(ctx, shop, token)
		Expect(statusFor(ctx, shop.namespace, token).Status).To(Equal(http.StatusNotFound))
	})
})
