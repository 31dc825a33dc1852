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
	for _, row := range []struct {
		platform platforms.Platform
		reason   string
		body     string
		want     bool
	}{
		{eduzz, v1alpha1.RejectedNoCredential, ping, true},
		{eduzz, v1alpha1.RejectedSecretMissing, ping, true},
		{eduzz, v1alpha1.RejectedBadCredential, ping, true},
		{eduzz, v1alpha1.RejectedMisconfigured, ping, false},
		{eduzz, "", ping, false},
		{eduzz, v1alpha1.RejectedBadCredential, paid, false},
		{eduzz, v1alpha1.RejectedSecretMissing, "{", false},
		{hotmart, v1alpha1.RejectedNoCredential, ping, false},
		{nil, v1alpha1.RejectedPlatformNotConfigured, ping, false},
	} {
		if got := isPing(row.platform, row.reason, platforms.Delivery{Body: []byte(row.body)}); got != row.want {
			t.Errorf("%v, %s, %s: got %t", row.platform, row.reason, row.body, got)
		}
	}
}
