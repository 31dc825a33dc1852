package webhookserver

import (
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

func TestIsPing(t *testing.T) {
	eduzz, err := platforms.Configured(&v1alpha1.StorePlatform{Name: v1alpha1.PlatformEduzz})
	if err != nil {
		t.Fatal(err)
	}
	hotmart, err := platforms.Configured(&v1alpha1.StorePlatform{Name: v1alpha1.PlatformHotmart})
	if err != nil {
		t.Fatal(err)
	}
	const ping, paid = `{"event":"ping"}`, `{"event":"myeduzz.invoice_paid"}`
	for name, row := range map[string]struct {
		platform platforms.Platform
		reason   string
		body     string
		want     bool
	}{
		"a ping without a signature":         {eduzz, v1alpha1.RejectedNoCredential, ping, true},
		"a ping while the Secret is missing": {eduzz, v1alpha1.RejectedSecretMissing, ping, true},
		"a ping with another signature":      {eduzz, v1alpha1.RejectedBadCredential, ping, true},
		"a ping while misconfigured":         {eduzz, v1alpha1.RejectedMisconfigured, ping, false},
		"an authentic ping":                  {eduzz, "", ping, false},
		"a purchase with another signature":  {eduzz, v1alpha1.RejectedBadCredential, paid, false},
		"an unreadable body":                 {eduzz, v1alpha1.RejectedSecretMissing, "{", false},
		"a ping of a platform that has none": {hotmart, v1alpha1.RejectedNoCredential, ping, false},
		"a ping of no platform":              {nil, v1alpha1.RejectedPlatformNotConfigured, ping, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := isPing(row.platform, row.reason, platforms.Delivery{Body: []byte(row.body)})
			if got != row.want {
				t.Errorf("got %t, want %t", got, row.want)
			}
		})
	}
}
