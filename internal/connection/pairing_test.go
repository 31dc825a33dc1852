package connection_test

import (
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gen"
)

func TestPairing(t *testing.T) {
	const at, phone = "2026-11-28T12:00:00Z", "+5531988776655"
	qr := v1alpha1.PairingSpec{Method: v1alpha1.PairingQRCode}
	code := v1alpha1.PairingSpec{Method: v1alpha1.PairingPairCode, Phone: phone}
	other := v1alpha1.PairingSpec{Method: v1alpha1.PairingPairCode, Phone: "+5511977770000"}
	for name, test := range map[string]struct {
		spec           v1alpha1.PairingSpec
		request, asked string
		want           v1alpha1.PairingSpec
	}{
		"nobody asked for anything else":      {qr, "", "", qr},
		"a request without a phone":           {qr, at, "", qr},
		"a request for a phone":               {qr, at, at + " " + phone, code},
		"a request for another phone":         {other, at, at + " " + phone, code},
		"a later request without a phone":     {qr, "2026-11-28T13:00:00Z", at + " " + phone, qr},
		"a phone without a request":           {qr, "", " " + phone, qr},
		"no phone at all":                     {qr, at, at + " me", qr},
		"a phone alone, as a person might":    {qr, at, phone, qr},
		"the spec is kept when nothing holds": {other, "", phone, other},
	} {
		instance := gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Pairing = test.spec
			i.Annotations = map[string]string{v1alpha1.AnnotationPairRequested: test.request,
				v1alpha1.AnnotationPairPhone: test.asked}
		})
		if got := connection.Pairing(instance); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestAskToPair(t *testing.T) {
	instance := gen.InstanceObject()
	spec := instance.Spec.DeepCopy()
	connection.AskToPair(instance, "1", gen.Phone)
	if got := connection.Pairing(instance); got.Method != v1alpha1.PairingPairCode || got.Phone != gen.Phone {
		t.Errorf("got %+v, want a code for the phone", got)
	}
	connection.AskToPair(instance, "2", "")
	if got := connection.Pairing(instance); got != spec.Pairing || len(instance.Annotations) != 1 {
		t.Errorf("got %+v with annotations %v, want what the spec says", got, instance.Annotations)
	}
	if instance.Spec.Pairing != spec.Pairing {
		t.Errorf("the spec became %+v", instance.Spec.Pairing)
	}
}
