package whatsappinstance

import (
	"fmt"
	"testing"

	"cartrecovery.dev/operator/internal/shares"
)

// TestPollersAreShared: of 200 instances of one namespace whose gateway hangs half of the workers wait, and
// another namespace's instance is asked for at once.
func TestPollersAreShared(t *testing.T) {
	r := &Reconciler{calling: shares.New(defaultConcurrency)}
	hanging := 0
	for n := range 200 {
		if r.beginCall(shares.Holder{Namespace: "bad", Name: fmt.Sprintf("store-%d", n%20)}) {
			hanging++
		}
	}
	if hanging != defaultConcurrency/2 {
		t.Errorf("%d of %d workers wait for one namespace", hanging, defaultConcurrency)
	}
	good := shares.Holder{Namespace: "good", Name: "store"}
	if !r.beginCall(good) {
		t.Fatal("the instance of another namespace waits")
	}
	r.endCall(good)
	if !r.beginCall(good) {
		t.Error("a worker that is given back is not there")
	}
}

// TestWhatCallsTheGateway: every action does, or is known not to.
func TestWhatCallsTheGateway(t *testing.T) {
	for _, each := range []kind{provision, register, poll, connect, revive, trace, destroy} {
		if !(action{kind: each}).callsGateway() {
			t.Errorf("%s holds no share", each)
		}
	}
	for _, each := range []kind{
		wait, halt, complain, guard, release, prepare, forget, unregistered, acknowledge, beginPairing, endPairing,
		abandon,
	} {
		if (action{kind: each}).callsGateway() {
			t.Errorf("%s holds a share and calls nobody", each)
		}
	}
}
