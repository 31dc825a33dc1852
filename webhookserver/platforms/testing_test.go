package platforms

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// neverKept is in the fixtures and must be in no event: a tax number, an address, its
// postal code, an IP, and what the customer typed in as Eduzz repeats it.
var neverKept = []string{"11144477735", "11222333000181", "Acácias", "32010", "203.0.113.77", "checkout.example.com"}

// fixture reads a delivery out of testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sent is a value as a delivery has it.
func sent(value any) lax.Value {
	switch value := value.(type) {
	case string:
		return lax.Of(value)
	case json.Number:
		checked, _ := lax.Checked([]byte(value), nil)
		return lax.Parse(checked)
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // a row of a test that cannot be written
	}
	return lax.Parse(data)
}

// change is what a delivery has differently from its fixture: values by path
// ("data.buyer.phone"); absent removes the field.
type change map[string]any

var absent = new(int)

// changed returns a JSON fixture with changes.
func changed(t testing.TB, name string, changes change) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(fixture(t, name), &root); err != nil {
		t.Fatal(err)
	}
	for path, value := range changes {
		object, names := root, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			next, ok := object[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				object[name] = next
			}
			object = next
		}
		if value == absent {
			delete(object, names[len(names)-1])
			continue
		}
		object[names[len(names)-1]] = value
	}
	data, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// says puts what an event means into words, as the tables write it.
func says(event Event) string {
	switch {
	case event.Kind == Abandoned:
		return "start: " + string(event.Trigger)
	case event.Kind == Purchased && event.Attribute:
		return "purchase, attributed"
	case event.Kind == Purchased:
		return "purchase"
	case event.Kind == Reversed && event.Chargeback:
		return "reverse: chargeback"
	case event.Kind == Reversed:
		return "reverse: refund"
	case event.Kind == PaymentExpired:
		return "payment expired"
	case event.Kind == Unusable:
		return "unusable: " + event.Missing
	}
	return "ignore: " + event.Reason
}

// row is a line of a platform's table: what comes in and what it means.
type row struct {
	delivery string
	fixture  string
	change   change
	want     string
}

func testTable(t *testing.T, platform Platform, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.delivery+" → "+row.want, func(t *testing.T) {
			body := changed(t, row.fixture, row.change)
			events, err := platform.Parse(Delivery{Body: body}, Place{Region: "BR"})
			if err != nil {
				t.Fatalf("not parsed: %v", err)
			}
			for _, event := range events {
				if says(event) != row.want {
					t.Errorf("%s", says(event))
				}
				checkEvent(t, event)
				checkPrivate(t, event)
			}
		})
	}
}

// testEvents compares everything that a delivery says.
func testEvents(t *testing.T, platform Platform, delivery Delivery, want ...Event) {
	t.Helper()
	got, err := platform.Parse(delivery, Place{Region: "BR"})
	if err != nil {
		t.Fatalf("not parsed: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("got %d events, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("event %d\n got %s\nwant %s", i, printed(t, got[i]), printed(t, want[i]))
		}
		checkPrivate(t, got[i])
	}
}

// testRefused checks which field of a delivery is named when it cannot be read.
func testRefused(t *testing.T, platform Platform, body []byte, field string) {
	t.Helper()
	_, err := platform.Parse(Delivery{Body: body}, Place{Region: "BR"})
	var input *InputError
	if !errors.As(err, &input) {
		t.Fatalf("got error %v, want an *InputError", err)
	}
	if input.Field != field || input.Expected == "" {
		t.Errorf("got %q, want the field %q named", input, field)
	}
}

// broken are bodies that no platform's delivery can be.
var broken = map[string]string{
	"empty":            "",
	"blank":            " \n",
	"text":             "hello",
	"markup":           "<html><body a=1></body></html>",
	"null":             "null",
	"array":            `[{"event":"PURCHASE_APPROVED"}]`,
	"truncated":        `{"event":"PURCHASE_APPR`,
	"trailing garbage": `{"event":"PURCHASE_APPROVED","data":{}} x`,
	"two objects":      `{"event":"PURCHASE_APPROVED","data":{}}{}`,
	"endless nesting":  strings.Repeat(`{"a":`, 100_000),
	"not UTF-8":        "\xff\xfe{}",
}

func testBroken(t *testing.T, platform Platform) {
	t.Helper()
	for name, body := range broken {
		t.Run(name, func(t *testing.T) { testRefused(t, platform, []byte(body), "") })
	}
}

// The patterns of CartRecovery's schema.
var (
	schemaPhone    = regexp.MustCompile(`^(\+[1-9][0-9]{6,18})?$`)
	schemaURL      = regexp.MustCompile(`^(https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?)?$`)
	schemaAmount   = regexp.MustCompile(`^([0-9]{1,15}(\.[0-9]{1,6})?)?$`)
	schemaCurrency = regexp.MustCompile(`^([A-Z]{3})?$`)
	safeName       = regexp.MustCompile(`^[A-Za-z0-9_./-]{0,64}$`)
	safeReason     = regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
)

// checkEvent checks what holds for every event of every platform.
func checkEvent(t *testing.T, event Event) {
	t.Helper()
	payment, consent := ptr.Deref(event.Payment, v1alpha1.Payment{}), ptr.Deref(event.Consent, v1alpha1.Consent{})
	for _, text := range []struct {
		name, value string
		limit       int
	}{
		{"ID", event.ID, 128}, {"customer name", event.Customer.Name, 200}, {"e-mail", event.Customer.Email, 254},
		{"product id", event.Product.ID, 128}, {"product name", event.Product.Name, 200},
		{"URL", event.CheckoutURL, 2048}, {"transaction", event.TransactionID, 128}, {"missing", event.Missing, 128},
		{"PIX code", payment.PixCode, 1024}, {"boleto line", payment.BoletoLine, 128},
		{"URL of the payment", payment.URL, 2048}, {"source of the consent", consent.Source, 128},
	} {
		if !utf8.ValidString(text.value) || strings.ContainsFunc(text.value, unicode.IsControl) ||
			strings.TrimSpace(text.value) != text.value || utf8.RuneCountInString(text.value) > text.limit {
			t.Errorf("%s is not fit to be kept: %q", text.name, text.value)
		}
	}
	for _, pattern := range []struct {
		value string
		is    *regexp.Regexp
	}{
		{event.Customer.Phone, schemaPhone}, {event.CheckoutURL, schemaURL}, {event.Amount, schemaAmount},
		{event.Currency, schemaCurrency}, {event.Name, safeName}, {payment.URL, schemaURL},
	} {
		if !pattern.is.MatchString(pattern.value) {
			t.Errorf("%q does not match %s", pattern.value, pattern.is)
		}
	}
	if event.ID == "" {
		t.Error("the event has no ID")
	}
	if event.Customer.Email != "" && strings.Count(event.Customer.Email, "@") != 1 {
		t.Errorf("no e-mail address: %q", event.Customer.Email)
	}
	if !event.OccurredAt.IsZero() && (event.OccurredAt.Year() < 2000 || event.OccurredAt.Year() > 2099) {
		t.Errorf("out of time: %s", event.OccurredAt)
	}
	checkKind(t, event)
}

func checkKind(t *testing.T, event Event) {
	t.Helper()
	trigger, reason := event.Kind == Abandoned, event.Kind == Ignored
	if (event.Kind == Unusable) != (event.Missing != "") || event.Payment != nil && event.Kind != Abandoned {
		t.Errorf("%s with missing %q and payment %+v", event.Kind, event.Missing, event.Payment)
	}
	if event.Kind == Purchased && !event.Customer.reachable() {
		t.Error("a purchase of nobody")
	}
	if trigger != (event.Trigger != "") || reason != (event.Reason != "") {
		t.Errorf("%s with trigger %q and reason %q", event.Kind, event.Trigger, event.Reason)
	}
	if reason && !safeReason.MatchString(event.Reason) {
		t.Errorf("no reason: %q", event.Reason)
	}
	if event.Attribute && event.Kind != Purchased || event.Chargeback && event.Kind != Reversed {
		t.Errorf("%s with attribute %v, chargeback %v", event.Kind, event.Attribute, event.Chargeback)
	}
	if reason && event.Customer != (Customer{}) {
		t.Error("an ignored event holds a customer")
	}
}

// printed is a value with what its pointers lead to.
func printed(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func checkPrivate(t *testing.T, event Event) {
	t.Helper()
	all := printed(t, event)
	for _, private := range neverKept {
		if strings.Contains(all, private) {
			t.Errorf("the event holds %q", private)
		}
	}
}

// fuzzParse feeds a platform with anything: it must not panic, must keep to the contract
// of Event, and must hold nothing of the body in errors or by reference.
func fuzzParse(f *testing.F, platform Platform, seeds ...string) {
	for _, name := range seeds {
		f.Add(fixture(f, name), "application/json", "BR")
	}
	for _, body := range broken {
		if len(body) < 1000 {
			f.Add([]byte(body), "application/x-www-form-urlencoded", "PT")
		}
	}
	f.Add([]byte(`{"event":123,"data":"string","version":null}`), "", "")
	f.Add([]byte(`{"a[b][c]":1,"a[b]":2,"a[]":3,"a[":4,"[]":5,"a[b[c]]":6}`), "", "BR")
	f.Fuzz(func(t *testing.T, body []byte, contentType, region string) {
		delivery := Delivery{Body: body, ContentType: contentType}
		events, err := platform.Parse(delivery, Place{Region: region})
		if err != nil {
			checkInputError(t, platform, err)
			return
		}
		if len(events) == 0 || len(events) > maxProducts {
			t.Fatalf("%d events", len(events))
		}
		for _, event := range events {
			checkEvent(t, event)
		}
		before := printed(t, events)
		again, err := platform.Parse(delivery, Place{Region: region})
		if err != nil || printed(t, again) != before {
			t.Fatalf("not the same twice: %s, then %+v, %v", before, again, err)
		}
		for i := range body {
			body[i] = 'x'
		}
		if after := printed(t, events); after != before {
			t.Fatalf("the events share memory with the body: %s, then %s", before, after)
		}
	})
}

// fuzzVerify feeds a platform with any delivery: without a secret nothing is authentic,
// and with one only what sign made.
func fuzzVerify(f *testing.F, platform Platform, sign func(body []byte, secret string) Delivery, seeds ...string) {
	for _, name := range seeds {
		f.Add(fixture(f, name), "token", "secret")
		f.Add(fixture(f, name), "", "")
	}
	f.Add([]byte(`{"signature":"00","order":{}}`), "", "k")
	f.Add([]byte(`{"origin_secret":"","origin":"","hottok":""}`), "", "")
	f.Add([]byte("0"), "", " ")
	f.Fuzz(func(t *testing.T, body []byte, credential, secret string) {
		carry := func(string) string { return credential }
		delivery := Delivery{Body: body, Header: carry, Query: carry}
		for _, secrets := range [][][]byte{nil, {{}}, {nil, {}}} {
			if platform.Verify(delivery, secrets) == nil {
				t.Fatal("authentic without a secret")
			}
		}
		err := platform.Verify(delivery, [][]byte{[]byte(secret + "'")})
		if err != nil && !errors.Is(err, ErrNoCredential) && !errors.Is(err, ErrBadCredential) {
			checkInputError(t, platform, err)
		}
		if strings.TrimSpace(secret) == "" {
			if platform.Verify(sign(body, secret), [][]byte{[]byte(secret)}) == nil {
				t.Fatal("authentic with a blank secret")
			}
			return
		}
		if err := platform.Verify(sign(body, secret), [][]byte{{}, []byte("another"), []byte(secret)}); err != nil {
			t.Fatalf("an authentic delivery was refused: %v", err)
		}
		if secret != "another" && platform.Verify(sign(body, secret), [][]byte{[]byte("another")}) == nil {
			t.Fatal("authentic with another secret")
		}
	})
}

// inputFields is every field that an error can name besides the platform's namedField: none comes out of a body.
var inputFields = map[string]bool{
	"": true, "event": true, "status": true, "webhook_event_type": true,
	"data": true, "customer": true, "data.customer": true,
}

func checkInputError(t *testing.T, platform Platform, err error) {
	t.Helper()
	var input *InputError
	if !errors.As(err, &input) {
		t.Fatalf("error of an unknown type: %v", err)
	}
	if !inputFields[input.Field] && input.Field != namedField(platform) {
		t.Fatalf("an error names a field that may be personal: %q", input.Field)
	}
}

func TestConfigured(t *testing.T) {
	for _, name := range Names() {
		known, ok := Known(string(name))
		if !ok || known != name {
			t.Errorf("Known(%q) = %v, %v", name, known, ok)
		}
	}
	for _, name := range []string{"", "Hotmart", "unheard-of"} {
		if _, ok := Known(name); ok {
			t.Errorf("Known(%q) found something", name)
		}
		if _, err := Configured(&v1alpha1.StorePlatform{Name: v1alpha1.PlatformName(name)}); err == nil {
			t.Errorf("Configured(%q) made something", name)
		}
	}
}
