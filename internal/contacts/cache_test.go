package contacts

import (
	"errors"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
)

func TestContacts(t *testing.T) {
	const instance = "uid-1"
	fine, broken := error(nil), &failure.Error{Class: failure.Transient, Code: failure.Unavailable}
	refused := &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput}
	key := Key{"shop", "acme", "+5531988776655"}
	for _, c := range []struct {
		name    string
		number  gateway.Number
		err     error
		want    State
		id      string
		lasts   time.Duration
		another State
		paused  time.Duration
	}{
		{"registered", gateway.Number{Registered: true, ID: "553188776655"}, fine, Registered, "553188776655",
			registeredFor, Unasked, 0},
		{"registered, without an id", gateway.Number{Registered: true}, fine, Registered, "", registeredFor, Unasked,
			0},
		{"registered, with a stranger's id", gateway.Number{Registered: true, ID: "553188776600"}, fine, Registered, "",
			registeredFor, Unasked, 0},
		{"absent", gateway.Number{}, fine, Absent, "", AbsentFor, Unasked, 0},
		{"absent, with an id", gateway.Number{ID: "553188776655"}, fine, Absent, "", AbsentFor, Unasked, 0},
		{"no answer", gateway.Number{}, broken, Unsure, "", UnsureFor, Unsure, checkPause},
		{"an error nobody classed", gateway.Number{}, errors.New("+5531988776655"), Unsure, "", UnsureFor, Unsure,
			checkPause},
		{"a refusal", gateway.Number{}, refused, Unsure, "", UnsureFor, Unasked, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			passive := clocktesting.NewFakePassiveClock(gen.T0)
			known := New(passive)
			if known.Get(key, instance) != (Contact{}) || !known.Begin(key, instance) {
				t.Fatal("something is known of a number that nobody asked for")
			}
			if known.Begin(key, instance) || known.Get(key, instance).State != Asking {
				t.Error("it is asked for twice at a time")
			}
			known.End(key, instance, c.number, c.err)
			if got := known.Get(key, instance); got.State != c.want || got.ID != c.id || known.Begin(key, instance) {
				t.Errorf("got %+v", got)
			}
			other := Key{"shop", "acme", "+5531988770000"}
			if got := known.Get(other, instance).State; got != c.another {
				t.Errorf("another number of the instance: %d", got)
			}
			if got := known.Get(Key{"shop", "beta", key.Phone}, "uid-2").State; got != Unasked {
				t.Errorf("the number in another store: %d", got)
			}
			passive.SetTime(gen.T0.Add(c.paused))
			if got := known.Get(other, instance).State; got != Unasked {
				t.Errorf("another number of the instance, later: %d", got)
			}
			passive.SetTime(gen.T0.Add(c.lasts - 1))
			if known.Get(key, instance).State != c.want {
				t.Error("forgotten too early")
			}
			passive.SetTime(gen.T0.Add(c.lasts))
			if known.Get(key, instance).State != Unasked {
				t.Error("believed too long")
			}
		})
	}
}

func TestContactsWhoseQuestionIsLost(t *testing.T) {
	passive := clocktesting.NewFakePassiveClock(gen.T0)
	known, key := New(passive), Key{"shop", "acme", "+5531988776655"}
	known.Begin(key, "uid-1")
	passive.SetTime(gen.T0.Add(CheckTimeout))
	if known.Get(key, "uid-1").State != Unasked || !known.Begin(key, "uid-1") {
		t.Error("a question without an answer is not asked again")
	}
	known.Forget(key)
	if known.Get(key, "uid-1").State != Unasked {
		t.Error("not forgotten")
	}
}

func TestContactsOfAGatewayThatCannotTell(t *testing.T) {
	passive := clocktesting.NewFakePassiveClock(gen.T0)
	known, key, other := New(passive), Key{"shop", "acme", "+5531988776655"}, Key{"shop", "acme", "+5531988770000"}
	known.CannotTell(key, "uid-1")
	for _, each := range []Key{key, other} {
		if got := known.Get(each, "uid-1").State; got != Unsure {
			t.Errorf("%s is %d, want Unsure", each.Phone, got)
		}
	}
	passive.SetTime(gen.T0.Add(UnsureFor))
	if got := known.Get(other, "uid-1").State; got != Unasked {
		t.Errorf("later: %d, want Unasked", got)
	}
}
