package suppression

import (
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/internal/testenv"
)

// errDied is what a process that dies does not see: its write may be done, or not.
var errDied = errors.New("the process died")

// all reads the Suppressions of a namespace.
func all(ctx context.Context, namespace string) []v1alpha1.Suppression {
	GinkgoHelper()
	var list v1alpha1.SuppressionList
	Expect(env.Client.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
	return list.Items
}

// remains matches a keyed Suppression of gen's phone, with nothing else of the original.
func remains(ends *metav1.Time) func([]v1alpha1.Suppression) error {
	mac := keys.Make(gen.Store, lead.PhoneHash(gen.Phone))
	return func(found []v1alpha1.Suppression) error {
		if len(found) != 1 {
			return fmt.Errorf("there are %d Suppressions", len(found))
		}
		s := &found[0]
		want := v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, PhoneHMAC: mac,
			Reason: v1alpha1.SuppressionComplaint, ExpiresAt: ends}
		if !want.ExpiresAt.Equal(s.Spec.ExpiresAt) {
			return fmt.Errorf("it ends at %v", s.Spec.ExpiresAt)
		}
		want.ExpiresAt = s.Spec.ExpiresAt
		if s.Spec != want || s.Name != suppressionkeys.Name(mac) || len(s.Annotations) > 0 ||
			len(s.Labels) != 1 || s.Labels[v1alpha1.LabelStore] != gen.Store {
			return fmt.Errorf("it is %+v", s)
		}
		return nil
	}
}

// erasable is an API that nobody else looks at, with a Suppression.
func erasable(original *v1alpha1.Suppression) client.WithWatch {
	GinkgoHelper()
	scheme, err := testenv.Scheme()
	Expect(err).NotTo(HaveOccurred())
	made := original.DeepCopy()
	made.UID = "original"
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(made).WithStatusSubresource(made).Build()
}

var _ = Describe("The erasure of a Suppression", func() {
	var (
		namespace string
		original  *v1alpha1.Suppression
		ends      *metav1.Time
	)
	BeforeEach(func(ctx SpecContext) {
		var err error
		// Without a Store, and in a namespace that no other spec looks at.
		namespace, err = env.Namespace(ctx)
		Expect(err).NotTo(HaveOccurred())
		ends = &metav1.Time{Time: time.Now().Add(time.Hour).Truncate(time.Second)}
		original = gen.In(namespace, object(func(s *v1alpha1.Suppression) {
			s.Spec.Reason, s.Spec.ExpiresAt = v1alpha1.SuppressionComplaint, ends
			s.Annotations = map[string]string{v1alpha1.AnnotationEraseRequested: "now", "note": gen.Phone}
		}))
	})

	It("leaves a keyed one, with nothing of the number", func(ctx SpecContext) {
		Expect(env.Client.Create(ctx, original)).To(Succeed())
		Eventually(func() error { return remains(ends)(all(ctx, namespace)) }, soon, often).Should(Succeed())
		keyed := all(ctx, namespace)[0]
		Eventually(ctx, read(ctx, &keyed), soon, often).Should(beActive("True/Suppressing", "until spec.expiresAt"))
	})

	It("is asked for by an annotation, and of a Suppression that has only a hash, too", func(ctx SpecContext) {
		original.Annotations = nil
		original.Spec.Phone, original.Spec.PhoneHash = "", lead.PhoneHash(gen.Phone)
		Expect(env.Client.Create(ctx, original)).To(Succeed())
		Eventually(ctx, read(ctx, original), soon, often).Should(beActive("True/Suppressing", "until"))
		change(ctx, original, func(s *v1alpha1.Suppression) {
			s.Annotations = map[string]string{v1alpha1.AnnotationEraseRequested: "now"}
		})
		Eventually(func() error { return remains(ends)(all(ctx, namespace)) }, soon, often).Should(Succeed())
	})

	It("joins a keyed one that is there, and the longer of both holds", func(ctx SpecContext) {
		before := keyed(keys, original)
		before.Spec.ExpiresAt = &metav1.Time{Time: ends.Add(-time.Minute)}
		Expect(env.Client.Create(ctx, before)).To(Succeed())
		original.Spec.ExpiresAt = nil
		Expect(env.Client.Create(ctx, original)).To(Succeed())
		Eventually(func() error { return remains(nil)(all(ctx, namespace)) }, soon, often).Should(Succeed())
	})

	// by is a controller beside the manager's, whose namespace is not theirs alone: its objects are read at once.
	by := func(api client.Client, held *suppressionkeys.Keys) *Reconciler {
		return &Reconciler{Client: api, Live: api, Keys: held, Clock: clock.RealClock{},
			Recorder: events.NewFakeRecorder(100)}
	}
	request := func() reconcile.Request {
		return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(original)}
	}

	It("waits for a key, and says so", func(ctx SpecContext) {
		// The manager's controller has a key; this one looks at what it does not see.
		fake := erasable(original)
		Expect(by(fake, nil).Reconcile(ctx, request())).NotTo(BeNil())
		Expect(by(fake, nil).Reconcile(ctx, request())).NotTo(BeNil())
		kept := &v1alpha1.Suppression{}
		Expect(fake.Get(ctx, client.ObjectKeyFromObject(original), kept)).To(Succeed())
		Expect(kept.Spec.Phone).To(Equal(gen.Phone))
		said := apimeta.FindStatusCondition(kept.Status.Conditions, v1alpha1.ConditionErased)
		Expect(said).To(HaveField("Message", ContainSubstring("SUPPRESSION_KEYS")))
		By("done once there is one")
		Expect(by(fake, keys).Reconcile(ctx, request())).NotTo(BeNil())
		var left v1alpha1.SuppressionList
		Expect(fake.List(ctx, &left)).To(Succeed())
		Expect(remains(ends)(left.Items)).To(Succeed())
	})

	for _, row := range []struct {
		name string
		// done says whether the write that the process dies at is done.
		done bool
	}{{"before", false}, {"after", true}} {
		It("always leaves one that holds, when the process dies "+row.name+" any of its writes", func(ctx SpecContext) {
			for dies := 1; ; dies++ {
				api := erasable(original)
				at := 0
				write := func(do func() error) error {
					at++
					switch {
					case at != dies:
						return do()
					case row.done:
						Expect(do()).To(Succeed())
					}
					return errDied
				}
				holdsOne := func() {
					GinkgoHelper()
					var found v1alpha1.SuppressionList
					Expect(api.List(ctx, &found)).To(Succeed())
					Expect(found.Items).NotTo(BeEmpty())
				}
				dying := testenv.Intercept(api, interceptor.Funcs{
					Create: func(ctx context.Context, c client.WithWatch, o client.Object,
						opts ...client.CreateOption) error {
						defer holdsOne()
						return write(func() error { return c.Create(ctx, o, opts...) })
					},
					Delete: func(ctx context.Context, c client.WithWatch, o client.Object,
						opts ...client.DeleteOption) error {
						holdsOne()
						defer holdsOne()
						return write(func() error { return c.Delete(ctx, o, opts...) })
					},
				})
				_, err := by(dying, keys).Reconcile(ctx, request())
				holdsOne()
				died := err != nil
				Expect(by(api, keys).Reconcile(ctx, request())).NotTo(BeNil())
				var left v1alpha1.SuppressionList
				Expect(api.List(ctx, &left)).To(Succeed())
				Expect(remains(ends)(left.Items)).To(Succeed())
				if !died {
					Expect(dies).To(Equal(3), "there are two writes")
					return
				}
			}
		})
	}

	It("looks again at one that was made to hold for longer meanwhile", func(ctx SpecContext) {
		api := erasable(original)
		longer := testenv.Intercept(api, interceptor.Funcs{
			Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
				fresh := &v1alpha1.Suppression{}
				Expect(c.Get(ctx, client.ObjectKeyFromObject(original), fresh)).To(Succeed())
				fresh.Spec.ExpiresAt = nil
				Expect(c.Update(ctx, fresh)).To(Succeed())
				deletion := (&client.DeleteOptions{}).ApplyOptions(opts)
				Expect(deletion.Preconditions.ResourceVersion).To(HaveValue(Equal(o.GetResourceVersion())))
				return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("suppressions").GroupResource(),
					o.GetName(), errors.New("precondition"))
			},
		})
		result, err := by(longer, keys).Reconcile(ctx, request())
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(BeNumerically(">", 0))
		Expect(by(api, keys).Reconcile(ctx, request())).NotTo(BeNil())
		var left v1alpha1.SuppressionList
		Expect(api.List(ctx, &left)).To(Succeed())
		Expect(remains(nil)(left.Items)).To(Succeed())
	})
})
