package webhookserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// raw sends bytes to the server and reads the answer.
func raw(ctx context.Context, text string) (*http.Response, string) {
	GinkgoHelper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", server.Addr().String())
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = connection.Close() }()
	Expect(connection.SetDeadline(time.Now().Add(10 * time.Second))).To(Succeed())
	_, err = io.WriteString(connection, text)
	Expect(err).NotTo(HaveOccurred())
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return response, string(body)
}

var _ = Describe("the server", func() {
	It("is up and ready", func(ctx SpecContext) {
		for _, path := range []string{"/healthz", "/readyz"} {
			Expect(call(ctx, http.MethodGet, path, nil).Status).To(Equal(http.StatusOK))
		}
		Expect(server.NeedLeaderElection()).To(BeFalse())
	})

	DescribeTable("bounds what it reads", func(ctx SpecContext, status int, request func() string) {
		response, body := raw(ctx, request())
		Expect(response.StatusCode).To(Equal(status))
		Expect(response.Header.Get("Content-Type")).To(Equal("application/json"))
		Expect(body).To(HavePrefix(`{"error":`))
		Expect(body).NotTo(ContainSubstring("secret"))
	},
		Entry("a body over the limit", 413, func() string {
			return fmt.Sprintf("POST /api/webhooks/hotmart/x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
				bodyLimit+1)
		}),
		Entry("a body over the limit, in chunks", 413, func() string {
			return fmt.Sprintf(
				"POST /api/webhooks/hotmart/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
				bodyLimit+1)
		}),
		Entry("headers over the limit", 431, func() string {
			return "POST /api/whatsapp/webhook/ns/name/secret HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x",
				headerLimit) + "\r\n\r\n"
		}),
		Entry("a path over the limit", 431, func() string {
			return "POST /" + strings.Repeat("secret", headerLimit/6) + " HTTP/1.1\r\nHost: x\r\n\r\n"
		}),
		Entry("no HTTP", 400, func() string { return "secret\r\n\r\n" }),
		Entry("an unknown route", 404, func() string { return "POST /api/secret HTTP/1.1\r\nHost: x\r\n\r\n" }),
		Entry("a wrong method", 405, func() string { return "GET /api/whatsapp/webhook HTTP/1.1\r\nHost: x\r\n\r\n" }),
	)

	It("takes a body of exactly the limit, and does not unpack what is packed", func(ctx SpecContext) {
		shop := openShop(ctx)
		Expect(shop.post(ctx, []byte(strings.Repeat(" ", bodyLimit))).Status).To(Equal(http.StatusBadRequest))
		packed := call(ctx, http.MethodPost, "/api/webhooks/hotmart/"+shop.namespace, []byte("\x1f\x8b"),
			"X-HOTMART-HOTTOK", hottok, "Content-Encoding", "gzip")
		Expect(packed.Status).To(Equal(http.StatusBadRequest))
	})

	It("survives a panic and tells nothing of it", func(ctx SpecContext) {
		shop := openShop(ctx)
		hooked.before(func(context.Context, string, client.Object) error { panic("maria") })
		got := shop.post(ctx, hotmart(cartEvent))
		Expect(got.Status).To(Equal(http.StatusInternalServerError))
		Expect(got.Raw).To(Equal(`{"error":"internal error"}`))
		hooked.before(nil)
		Expect(written.String()).To(ContainSubstring("A piece of work panicked"))
		Expect(shop.post(ctx, hotmart(cartEvent)).Status).To(Equal(http.StatusOK))
	})

	It("goes on after a panic in what it writes later", func(ctx SpecContext) {
		shop := openShop(ctx)
		hooked.before(func(context.Context, string, client.Object) error { panic("maria") })
		defer hooked.before(nil)
		name := types.NamespacedName{Namespace: shop.namespace, Name: "nobody"}
		Expect(func() {
			server.recordRejection(ctx, remark{store: name, field: "lastRejectedDelivery"})
			server.recordReceiptsOf(ctx, name, &gathered{marks: map[string]mark{"A": {}}})
			server.placeEarlySafely(ctx, name, &gathered{marks: map[string]mark{"A": {}}})
		}).NotTo(Panic())
	})

	It("reads few large bodies at once", func(ctx SpecContext) {
		wanted := options(env.Client, hooked, prometheus.NewRegistry())
		wanted.RequestTimeout = 200 * time.Millisecond
		busy, err := New(wanted)
		Expect(err).NotTo(HaveOccurred())
		post := func(size int) *http.Response {
			GinkgoHelper()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://x/api/whatsapp/webhook",
				strings.NewReader(strings.Repeat(" ", size)))
			Expect(err).NotTo(HaveOccurred())
			response, err := busy.app.Test(request, 10_000)
			Expect(err).NotTo(HaveOccurred())
			_ = response.Body.Close()
			return response
		}
		for range 2 * largeBodies() {
			Expect(post(largeBody + 1).StatusCode).To(Equal(http.StatusBadRequest))
		}
		Expect(busy.largeSlots).To(BeEmpty(), "a slot is given back")

		for range largeBodies() {
			busy.largeSlots <- struct{}{}
		}
		refused := post(largeBody + 1)
		Expect(refused.StatusCode).To(Equal(http.StatusServiceUnavailable))
		Expect(refused.Header.Get("Retry-After")).NotTo(BeEmpty())
		Expect(post(largeBody).StatusCode).To(Equal(http.StatusBadRequest), "a body of usual size does not wait")

		<-busy.largeSlots
		Expect(post(largeBody + 1).StatusCode).To(Equal(http.StatusBadRequest))
	})

	It("gives the slot of a large body back after a panic", func(ctx SpecContext) {
		shop := openShop(ctx)
		hooked.before(func(context.Context, string, client.Object) error { panic("maria") })
		large := append(hotmart(cartEvent), strings.Repeat(" ", largeBody)...)
		for range largeBodies() + 1 {
			Expect(shop.post(ctx, large).Status).To(Equal(http.StatusInternalServerError))
		}
		hooked.before(nil)
		Expect(shop.post(ctx, large).Status).To(Equal(http.StatusOK))
	})

	It("does not listen where someone else does", func(ctx SpecContext) {
		wanted := options(env.Client, hooked, prometheus.NewRegistry())
		wanted.BindAddress = server.Addr().String()
		second, err := New(wanted)
		Expect(err).NotTo(HaveOccurred())
		Expect(second.Start(ctx)).To(MatchError(ContainSubstring("listen")))
	})

	It("refuses to be built without what it needs", func() {
		complete := options(env.Client, hooked, prometheus.NewRegistry())
		for _, remove := range []func(*Options){
			func(o *Options) { o.Client = nil }, func(o *Options) { o.Live = nil }, func(o *Options) {
				o.Secrets = nil
			},
			func(o *Options) { o.Connector = nil }, func(o *Options) { o.Metrics = nil },
		} {
			lacking := complete
			remove(&lacking)
			_, err := New(lacking)
			Expect(err).To(HaveOccurred())
		}
	})
})

var _ = Describe("the server's end", func() {
	// start runs a server of its own whose first write of a lead waits for release.
	type running struct {
		server   *Server
		stop     context.CancelFunc
		done     chan error
		reached  chan struct{}
		release  chan struct{}
		answered chan int
	}
	start := func(ctx context.Context, s shop, drain time.Duration) *running {
		GinkgoHelper()
		r := &running{done: make(chan error, 1), reached: make(chan struct{}), release: make(chan struct{}),
			answered: make(chan int, 1)}
		held := newHookedClient(hooked.Client)
		held.before(func(ctx context.Context, _ string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead {
				close(r.reached)
				select {
				case <-r.release:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		wanted := options(env.Client, held, prometheus.NewRegistry())
		wanted.DrainTimeout, wanted.RequestTimeout = drain, time.Minute
		var err error
		r.server, err = New(wanted)
		Expect(err).NotTo(HaveOccurred())
		var running context.Context
		running, r.stop = context.WithCancel(context.Background())
		go func() { r.done <- r.server.Start(running) }()
		Eventually(r.server.Addr).ShouldNot(BeNil())
		go func() {
			defer GinkgoRecover()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost,
				"http://"+r.server.Addr().String()+"/api/webhooks/hotmart/"+s.namespace,
				strings.NewReader(string(hotmart(cartEvent))))
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("X-HOTMART-HOTTOK", hottok)
			response, err := http.DefaultClient.Do(request)
			Expect(err).NotTo(HaveOccurred())
			_ = response.Body.Close()
			r.answered <- response.StatusCode
		}()
		Eventually(r.reached).Should(BeClosed())
		return r
	}

	It("finishes what is under way and takes nothing new", func(ctx SpecContext) {
		shop := openShop(ctx)
		r := start(ctx, shop, 10*time.Second)
		r.stop()
		Eventually(func() error {
			var dialer net.Dialer
			connection, err := dialer.DialContext(ctx, "tcp", r.server.Addr().String())
			if err == nil {
				_ = connection.Close()
			}
			return err
		}).Should(HaveOccurred())
		Expect(r.done).NotTo(Receive())
		close(r.release)
		Eventually(r.answered).Should(Receive(Equal(http.StatusOK)))
		Eventually(r.done).Should(Receive(BeNil()))
		Expect(shop.leads(ctx)).To(HaveLen(1))
		Expect(r.server.Start(ctx)).To(MatchError(ContainSubstring("started before")))
	})

	It("does not wait for ever, and acknowledges nothing that it gave up", func(ctx SpecContext) {
		shop := openShop(ctx)
		r := start(ctx, shop, 200*time.Millisecond)
		r.stop()
		Eventually(r.done).Should(Receive(BeNil()))
		Eventually(r.answered).Should(Receive(Equal(http.StatusServiceUnavailable)))
		Expect(shop.leads(ctx)).To(BeEmpty())
	})

	It("may come before its beginning is over", func() {
		for range 20 {
			short, err := New(options(env.Client, hooked, prometheus.NewRegistry()))
			Expect(err).NotTo(HaveOccurred())
			running, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- short.Start(running) }()
			stop()
			Eventually(done).Should(Receive(BeNil()))
		}
	})

	It("is not ready any more once it has begun", func(ctx SpecContext) {
		idle, err := New(options(env.Client, hooked, prometheus.NewRegistry()))
		Expect(err).NotTo(HaveOccurred())
		ready := func() int {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/readyz", http.NoBody)
			Expect(err).NotTo(HaveOccurred())
			response, err := idle.app.Test(request)
			Expect(err).NotTo(HaveOccurred())
			return response.StatusCode
		}
		Expect(ready()).To(Equal(fiber.StatusOK))
		idle.beginDrain()
		Expect(ready()).To(Equal(fiber.StatusServiceUnavailable))
	})
})
