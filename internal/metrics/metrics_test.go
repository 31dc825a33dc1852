package metrics

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestTimeToRecoveryIsServed(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	m.TimeToRecovery.Observe(4000)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "cartrecovery_time_to_recovery_seconds" {
			continue
		}
		metric := family.GetMetric()[0]
		if len(metric.GetLabel()) != 0 || metric.GetHistogram().GetSampleCount() != 1 ||
			metric.GetHistogram().GetSampleSum() != 4000 {
			t.Errorf("got %v", metric)
		}
		return
	}
	t.Error("it is not there")
}
