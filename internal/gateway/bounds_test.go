package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	ownToken   = "instance-token-0123456789"
	adminToken = "admin-token-0123456789"
)

// liar says what it is told to.
type liar struct {
	Gateway
	instance Instance
	receipt  Receipt
	number   Number
}

func (l liar) Find(context.Context, Identity) (Instance, bool, error) { return l.instance, true, nil }
func (l liar) Create(context.Context, Identity) (Instance, error)     { return l.instance, nil }
func (l liar) Connect(context.Context, string) (State, error)         { return l.instance.State, nil }
func (l liar) Status(context.Context) (State, error)                  { return l.instance.State, nil }
func (l liar) CheckNumber(context.Context, string) (Number, error)    { return l.number, nil }
func (l liar) SendText(context.Context, Text) (Receipt, error)        { return l.receipt, nil }
func (l liar) FindSent(context.Context, string, string) (Receipt, bool, error) {
	return l.receipt, true, nil
}

func (l liar) Restart(context.Context) error { return errors.New("restarted") }

// bound is a liar bounded, that can everything.
func bound(l liar) Gateway {
	return NewBounded(l, Endpoint{Token: ownToken, AdminToken: adminToken + "\n"},
		Capabilities{FindSent: true, CheckNumber: true, Restart: true, Templates: true}, time.Now)
}

func TestStatesAreBounded(t *testing.T) {
	picture := "data:image/png;base64," + strings.Repeat("A", 400)
	for _, c := range []struct {
		name       string
		said, want State
	}{
		{
			"as it should be",
			State{Connection: Connecting, Phone: "5511900000001", QRCode: picture, PairCode: "ABCD-1234", Shown: 3},
			State{Connection: Connecting, Phone: "5511900000001", QRCode: picture, PairCode: "ABCD-1234", Shown: 3},
		},
		{"a count out of range", State{Shown: math.MaxInt}, State{Shown: maxShown}},
		{"a negative count", State{Shown: math.MinInt}, State{}},
		{"a picture that is a page", State{QRCode: "data:text/html;base64,PHNjcmlwdD4="}, State{}},
		{"a picture with a page in it", State{QRCode: "data:image/png;base64,AA\"><script>"}, State{}},
		{"a picture of a megabyte", State{QRCode: "data:image/png;base64," + strings.Repeat("A", 1<<20)}, State{}},
		{"a picture elsewhere", State{QRCode: "https://example.com/qr.png"}, State{}},
		{"a code that is a page", State{PairCode: "<b>1</b>"}, State{}},
		{"a long code", State{PairCode: strings.Repeat("1", 100)}, State{}},
		{"a phone that is none", State{Phone: "+55 11 Maria"}, State{}},
		{"a long phone", State{Phone: strings.Repeat("5", 100)}, State{}},
		{"a token as the reason", State{DisconnectReason: ownToken}, State{DisconnectReason: UnknownReason}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := bound(liar{instance: Instance{State: c.said}}).Status(t.Context())
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("-want +got, %v:\n%s", err, diff)
			}
		})
	}
}

func TestIDsAreBounded(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		said, want Receipt
	}{
		{"as it should be", Receipt{"3EB0A1B2C3", at}, Receipt{"3EB0A1B2C3", at}},
		{"a long id is cut", Receipt{strings.Repeat("A", 300), at}, Receipt{strings.Repeat("A", maxMessageID), at}},
		{"the token", Receipt{ownToken, at}, Receipt{"", at}},
		{"the admin token within", Receipt{"x" + adminToken + "x", at}, Receipt{"", at}},
		{"control characters", Receipt{"a\x00b", at}, Receipt{"", at}},
		{"other letters", Receipt{"é", at}, Receipt{"", at}},
		{"before there was WhatsApp", Receipt{"A", time.Unix(1, 0)}, Receipt{"A", time.Time{}}},
		{"in a thousand years", Receipt{"A", at.AddDate(1000, 0, 0)}, Receipt{"A", time.Time{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := bound(liar{receipt: c.said})
			sent, err := made.SendText(t.Context(), Text{})
			found, _, _ := made.FindSent(t.Context(), "", "")
			if err != nil || sent != c.want || found != c.want {
				t.Errorf("got %+v and %+v, want %+v", sent, found, c.want)
			}
		})
	}
}

func TestInstancesAreBounded(t *testing.T) {
	for _, c := range []struct {
		name       string
		said, want Instance
	}{
		{"as it should be", Instance{ID: "r1", Token: "new-token"}, Instance{ID: "r1", Token: "new-token"}},
		{"the new token as the id", Instance{ID: "new-token", Token: "new-token"}, Instance{Token: "new-token"}},
		{"a token with a line break", Instance{ID: "r1", Token: "a\nb"}, Instance{ID: "r1"}},
		{"a long token", Instance{ID: "r1", Token: strings.Repeat("a", 1<<16)}, Instance{ID: "r1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := bound(liar{instance: c.said}).Create(t.Context(), Identity{})
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("-want +got, %v:\n%s", err, diff)
			}
		})
	}
}

func TestNumbersAreBounded(t *testing.T) {
	for said, want := range map[string]string{"5511988887777": "5511988887777", "x": "", "<b>": "",
		strings.Repeat("5", 99): ""} {
		got, _ := bound(liar{number: Number{Registered: true, ID: said}}).CheckNumber(t.Context(), "")
		if got != (Number{Registered: true, ID: want}) {
			t.Errorf("%q: got %+v", said, got)
		}
	}
}

// TestBoundedIsNotPrinted: the credentials are in no text, however a gateway is printed.
func TestBoundedIsNotPrinted(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if printed := fmt.Sprintf(verb, bound(liar{})); strings.Contains(printed, "0123456789") {
			t.Errorf("%s tells a secret: %s", verb, printed)
		}
	}
}

// TestCallsBeyondTheCapabilities: what a gateway cannot do it is not asked for.
func TestCallsBeyondTheCapabilities(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	number := func(g Gateway) error { _, err := g.CheckNumber(t.Context(), ""); return err }
	find := func(g Gateway) error { _, _, err := g.FindSent(t.Context(), "", ""); return err }
	restart := func(g Gateway) error { return g.Restart(t.Context()) }
	send := func(text Text) func(Gateway) error {
		return func(g Gateway) error { _, err := g.SendText(t.Context(), text); return err }
	}
	window := Capabilities{Templates: true, FreeTextWindow: 24 * time.Hour}
	for name, row := range map[string]struct {
		can  Capabilities
		call func(Gateway) error
		want error
	}{
		"a number, without the look-up":    {Capabilities{FindSent: true, Restart: true}, number, ErrUnsupported},
		"a number":                         {Capabilities{CheckNumber: true}, number, nil},
		"a message, without the look-up":   {Capabilities{CheckNumber: true, Restart: true}, find, ErrUnsupported},
		"a message":                        {Capabilities{FindSent: true}, find, nil},
		"a restart, which is not possible": {Capabilities{FindSent: true, CheckNumber: true}, restart, ErrUnsupported},
		"a template, which is not taken":   {Capabilities{}, send(Text{Template: &Template{}}), ErrUnsupported},
		"free text without a window":       {Capabilities{}, send(Text{}), nil},
		"free text at the window's end":    {window, send(Text{Heard: now.Add(-24 * time.Hour)}), nil},
		"free text after the window":       {window, send(Text{Heard: now.Add(-24*time.Hour - 1)}), errWindow},
		"free text to who never wrote":     {window, send(Text{}), errWindow},
		"a template to who never wrote":    {window, send(Text{Template: &Template{}}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := row.call(NewBounded(liar{}, Endpoint{}, row.can, func() time.Time { return now }))
			if !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

func TestKnownReason(t *testing.T) {
	for said, want := range map[string]string{
		"": "", " \n ": "",
		"401: logged out": "401: logged out", "401: device removed": "401: device removed",
		"401: logged\nout": "401: logged out", "hibernated": "hibernated",
		"simulated: logged out": "simulated: logged out", "Stream Errored (conflict)": UnknownReason,
		"stream error (conflict)": "stream error (conflict)", "loggedOut": "loggedOut", "timed out": "timed out",
		"WhatsApp closed the session with code 515": "WhatsApp closed the session with code 515",
		"temporary ban: code 402":                   "temporary ban: code 402", "401: banned": "401: banned",
		ownToken: UnknownReason, "token " + ownToken: UnknownReason, "401: " + ownToken: UnknownReason,
		"logged out by Maria": UnknownReason, "logged out from 5511988887777": UnknownReason,
		"código 401": UnknownReason, "https://example.com/?token=1": UnknownReason, "logged@out": UnknownReason,
		"\x00": UnknownReason, "::::": UnknownReason, strings.Repeat("out ", 100): UnknownReason,
		strings.Repeat("1", 4): UnknownReason,
	} {
		if got := KnownReason(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
	if KnownReason(UnknownReason) != UnknownReason {
		t.Error("what is shown in place of a reason is not kept")
	}
}

func FuzzKnownReason(f *testing.F) {
	for _, seed := range []string{"401: logged out", "a\x00b", "::", "código"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		if got := KnownReason(said); got != UnknownReason &&
			(len(got) > len(said) || strings.ContainsAny(got, "\x00<>@=&?\n")) {
			t.Errorf("%q is shown as %q", said, got)
		}
	})
}
