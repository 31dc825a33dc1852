package cartrecovery

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/census"
	"cartrecovery.dev/operator/internal/gen"
)

// counting has a replica export what its Stores have, to a registry.
func (w *world) counting(registry *prometheus.Registry) func(*replica) {
	return func(r *replica) {
		r.Dues = census.NewDues()
		r.with = append(r.with, func(mgr ctrl.Manager) error {
			counts := census.NewCounts(plan.BlockedReasons())
			registry.MustRegister(census.NewCollector(census.Options{
				Reader: mgr.GetClient(), Counts: counts, Dues: r.Dues, Tokens: budget.NewLedger(), Clock: w.clock,
				Leads: func() bool { return true }, ShowStore: true,
			}))
			return counts.Watch(context.Background(), mgr.GetCache())
		})
	}
}

// exported are the lines of a metric that a registry exports.
func exported(registry *prometheus.Registry, name string) func() []string {
	return func() []string {
		GinkgoHelper()
		families, err := registry.Gather()
		Expect(err).NotTo(HaveOccurred())
		var text strings.Builder
		for _, family := range families {
			_, err := expfmt.MetricFamilyToText(&text, family)
			Expect(err).NotTo(HaveOccurred())
		}
		var lines []string
		for line := range strings.Lines(text.String()) {
			if strings.HasPrefix(line, name+"{") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
}

var _ = Describe("Leads that are due and cannot be written to", func() {
	It("are counted as overdue for their Store after 30 s, and no more once they are written to", func() {
		w, registry := newWorld(), prometheus.NewRegistry()
		w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		r := w.start(w.counting(registry))
		for number := range 5 {
			w.abandon(from(number))
		}
		overdue := func(number int) []string {
			return []string{fmt.Sprintf(`cartrecovery_leads_overdue{namespace=%q,store="acme"} %d`, w.namespace, number)}
		}
		blocked := fmt.Sprintf(`cartrecovery_leads_blocked{namespace=%q,reason="NoConnectedInstance",store="acme"} 5`,
			w.namespace)
		Eventually(exported(registry, "cartrecovery_leads_blocked")).Should(Equal([]string{blocked}))
		Expect(exported(registry, "cartrecovery_leads_overdue")()).To(Equal(overdue(0)), "within the first 30 s")
		w.advance(31 * time.Second)
		Eventually(exported(registry, "cartrecovery_leads_overdue")).Should(Equal(overdue(5)))
		oldest := exported(registry, "cartrecovery_leads_oldest_overdue_seconds")()
		Expect(oldest).To(HaveLen(1))
		Expect(oldest[0]).NotTo(HaveSuffix(" 0"))

		w.setInstance(gen.Instance, online(metav1.ConditionTrue))
		r.saw(w, &v1alpha1.WhatsAppInstance{}, gen.Instance)
		Eventually(exported(registry, "cartrecovery_leads_overdue")).Should(Equal(overdue(0)))
		contacted := fmt.Sprintf(`cartrecovery_leads{namespace=%q,phase="Contacted",store="acme"} 5`, w.namespace)
		Eventually(exported(registry, "cartrecovery_leads")).Should(ContainElement(contacted))
	})
})
