package v1alpha1_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	writeDuration = "expected a duration such as 15m, 24h or 1h30m: numbers with ms, s, m or h, without a sign; " +
		"there are no days, a week is 168h"
	writePhone = "expected E.164, such as +5511999990000"
)

// saysWhatToWrite holds what the API server says of a wrong manifest to what its author needs: what to write instead,
// once, and no pattern.
func saysWhatToWrite(t *testing.T, kube client.Client, namespace string) {
	for name, row := range map[string]struct{ manifest, says string }{
		"a week as days": {recovery("cooldown: 7d"), writeDuration},
		"a number alone": {recovery("expireAfter: '72'"), writeDuration},
		"no time at all": {recovery("cooldown: ''"), writeDuration},
		"a step in words": {
			recovery("sequences: [{trigger: PixPending, steps: [{name: a, after: 1 h}]}]"), writeDuration},
		"a spread in days": {
			recovery("quietHours: {start: '22:00', end: '08:00', spread: 1d}"), writeDuration},
		"a cooldown beyond a year": {
			recovery("cooldown: 9000h"), "cooldown must be between 0s and 8760h"},
		"a gap in seconds without a unit": {
			instance("limits: {newConversationGap: {min: '5', max: 30s}}"), writeDuration},
		"a negative cooldown":  {recovery("cooldown: -5m"), writeDuration},
		"a cooldown of no end": {recovery("cooldown: 99999999999999999999h"), writeDuration},
		"a clock without a nought": {
			recovery("quietHours: {start: '9:00', end: '22:00'}"), "expected HH:MM on a 24-hour clock, such as 09:00"},
		"a phone with blanks": {
			instance("pairing: {method: PairCode, phone: +55 11 99999-0000}"), writePhone},
		"a phone as people write it": {
			instance("pairing: {method: PairCode, phone: (11) 99999-0000}"), writePhone},
		"a phone without a plus sign": {
			instance("pairing: {method: PairCode, phone: '5511999990000'}"), writePhone},
		"a phone that is suppressed": {
			"kind: Suppression, spec: {storeRef: {name: acme}, phone: 11 99999-0000}", writePhone},
		"a platform that is not known": {store("platforms: [{name: shopify, secretRefs: [{name: s, key: k}]}]"),
			"or generic: a platform that is not in this list is described by the field generic"},
		"a product at a platform that is not known": {
			"kind: Product, spec: {storeRef: {name: acme}, platformIDs: [{platform: Hotmart, id: '1'}]}",
			"expected hotmart"},
	} {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{}
			manifest := "{apiVersion: cartrecovery.dev/v1alpha1, metadata: {name: wrong}, " + row.manifest + "}"
			if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
				t.Fatal(err)
			}
			object.SetNamespace(namespace)
			err := kube.Create(t.Context(), object)
			if err == nil {
				t.Fatal("it is taken")
			}
			if said := err.Error(); strings.Count(said, row.says) != 1 || strings.Contains(said, "should match") ||
				strings.Contains(said, "evaluation error") {
				t.Errorf("got %q, want once %q, and no pattern", said, row.says)
			}
		})
	}
}

func store(spec string) string {
	return "kind: Store, spec: {clientID: acme, " + spec + "}"
}

func recovery(policy string) string {
	return store("recovery: {" + policy + "}")
}

func instance(spec string) string {
	return "kind: WhatsAppInstance, spec: {storeRef: {name: acme}, " + spec + "}"
}
