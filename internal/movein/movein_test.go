package movein_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/movein"
)

// noon is when files are read.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func testTarget() *movein.Target {
	return &movein.Target{
		Store: gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart}}
		}),
		Products:  []v1alpha1.Product{*gen.ProductObject()},
		Instances: []v1alpha1.WhatsAppInstance{*gen.InstanceObject()},
		Batch:     "move", Now: noon,
	}
}

// rowOf is a row with these fields.
func rowOf(t *testing.T, columns movein.Columns, fields map[string]any) movein.Row {
	t.Helper()
	content, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	var found movein.Row
	_, err = movein.Read(strings.NewReader(string(content)), movein.JSON, columns,
		func(row movein.Row, problem *movein.Problem) error {
			if problem != nil {
				t.Fatal(problem)
			}
			found = row
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// told are problems as texts.
func told(problems []movein.Problem) []string {
	var texts []string
	for _, each := range problems {
		texts = append(texts, each.String())
	}
	return texts
}

func TestOptOut(t *testing.T) {
	keeping := testTarget()
	keeping.Store.Spec.SuppressedPhones = v1alpha1.SuppressedPhonesClear
	until := metav1.NewTime(noon.Add(time.Hour))
	with := func(reason v1alpha1.SuppressionReason, keep bool,
		mods ...func(*v1alpha1.Suppression)) *v1alpha1.Suppression {
		made := lead.NewSuppression(gen.Namespace, gen.Store, gen.Phone, keep, reason)
		for _, mod := range mods {
			mod(made)
		}
		return made
	}
	for name, row := range map[string]struct {
		target  *movein.Target
		fields  map[string]any
		want    *v1alpha1.Suppression
		skipped string
		wrong   []string
	}{
		"a number": {testTarget(), map[string]any{"phone": "11 98765-4321"}, with(v1alpha1.SuppressionOptOut, false),
			"", nil},
		"a number that was a decimal": {testTarget(), map[string]any{"phone": "11987654321.0"},
			with(v1alpha1.SuppressionOptOut, false), "", nil},
		"a decimal without the ninth digit": {testTarget(), map[string]any{"phone": json.Number("1187654321.00")},
			with(v1alpha1.SuppressionOptOut, false), "", nil},
		"a WhatsApp id": {testTarget(), map[string]any{"jid": "551187654321@s.whatsapp.net"},
			with(v1alpha1.SuppressionOptOut, false), "", nil},
		"a Store that keeps numbers": {keeping, map[string]any{"phone": gen.Phone, "reason": "wrong_number"},
			with(v1alpha1.SuppressionWrongNumber, true), "", nil},
		"for some time": {testTarget(), map[string]any{"phone": gen.Phone, "expires_at": "2026-03-02 13:00:00+00"},
			with(v1alpha1.SuppressionOptOut, false, func(s *v1alpha1.Suppression) { s.Spec.ExpiresAt = &until }), "",
			nil},
		"expired": {testTarget(), map[string]any{"phone": gen.Phone, "expiresAt": "2026-03-01"}, nil,
			movein.SkippedLapsed, nil},
		"of another client": {testTarget(), map[string]any{"phone": "x", "clientId": "other"}, nil,
			movein.SkippedClient, nil},
		"of this client": {testTarget(), map[string]any{"phone": gen.Phone, "client_id": gen.Store},
			with(v1alpha1.SuppressionOptOut, false), "", nil},
		"wrong": {testTarget(), map[string]any{"phone": "12", "reason": "because", "expiresAt": "soon"}, nil, "",
			[]string{
				"line 1, row 1: phone: expected E.164, such as +5511999990000, or a number of the Store's region " +
					"with " +
					"its area code",
				"line 1, row 1: reason: expected OptOut, WrongNumber, Complaint or Manual",
				"line 1, row 1: expiresAt: expected a time, such as 2026-03-02T12:00:00Z",
			}},
		"without a number": {testTarget(), map[string]any{"reason": "manual"}, nil, "",
			[]string{"line 1, row 1: phone: expected a number, found nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, skipped, problems := row.target.OptOut(rowOf(t, movein.OptOutColumns, row.fields))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Suppression (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.wrong, told(problems)); diff != "" || skipped != row.skipped {
				t.Errorf("skipped %q, want %q; problems (-want +got):\n%s", skipped, row.skipped, diff)
			}
		})
	}
}

func at(minutes int) string {
	return noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
}

func message(role, text string, minutes int) map[string]any {
	return map[string]any{"role": role, "content": text, "createdAt": at(minutes)}
}

// cart is a row of a lead that left an hour ago.
func cart(more map[string]any) map[string]any {
	fields := map[string]any{"phone": gen.Phone, "email": gen.Email, "productId": gen.ProductID, "createdAt": at(-60)}
	maps.Copy(fields, more)
	return fields
}

// TestLead has what becomes of statuses and conversations: the ids of the messages, whether the lead is held, how it
// ended.
func TestLead(t *testing.T) {
	type made struct {
		IDs           []string
		Held, OptsOut bool
		Ended         string
		Instance      string
	}
	first := lead.StepID(0, "first")
	held := made{Held: true, Instance: gen.Instance}
	sent := held
	sent.IDs = []string{first}
	for name, row := range map[string]struct {
		fields  map[string]any
		want    made
		skipped string
		wrong   []string
	}{
		"pending":            {cart(map[string]any{"status": "pending"}), held, "", nil},
		"nothing is said":    {cart(nil), held, "", nil},
		"contacted":          {cart(map[string]any{"status": "contacted"}), sent, "", nil},
		"contacted at":       {cart(map[string]any{"contacted_at": at(-30)}), sent, "", nil},
		"pending, but wrote": {cart(map[string]any{"messages": []any{message("ai", "oi", -40)}}), sent, "", nil},
		"a conversation": {cart(map[string]any{"status": "CONTACTED", "conversationLog": []any{
			message("system", "you are", -50), message("assistant", "oi", -40), message("user", "?", -30),
			message("assistant", "297", -29), message("assistant", "e mais", -28),
		}}), made{Held: true, Instance: gen.Instance, IDs: []string{first, "import", "c0-reply", "import"}}, "", nil},
		"in no order": {cart(map[string]any{"messages": []any{message("user", "?", -30), message("bot", "oi", -40)}}),
			made{Held: true, Instance: gen.Instance, IDs: []string{first, "import"}}, "", nil},
		"a conversation as a text": {cart(map[string]any{"messages": `[{"role":"ai","text":"oi","at":"` + at(-40) + `"}]`}),
			sent, "", nil},
		"messages whose fields have two names": {cart(map[string]any{"messages": []any{
			map[string]any{"role": "assistant", "type": "text", "text": "oi", "body": "x", "createdAt": at(-40),
				"time": 1},
			map[string]any{"role": "user", "type": "text", "text": "?", "at": nil, "createdAt": at(-30)},
		}}), made{Held: true, Instance: gen.Instance, IDs: []string{first, "import"}}, "", nil},
		"a text that is none": {cart(map[string]any{"messages": []any{map[string]any{"role": "user", "at": at(-30),
			"message": map[string]any{"conversation": "PARAR"}}}}), made{}, "",
			[]string{"conversation[0].text: expected a text"}},
		"recovered a short time after it was contacted": {cart(map[string]any{"status": "recovered",
			"contactedAt": at(-50)}), made{Ended: v1alpha1.ReasonPurchaseNotAttributed, Instance: gen.Instance,
			IDs: []string{first}}, "", nil},
		"failed a short time after it was contacted": {cart(map[string]any{"status": "failed", "contactedAt": at(-50)}),
			made{Ended: v1alpha1.ReasonConversationEnded, Instance: gen.Instance, IDs: []string{first}}, "", nil},
		"failed long ago": {cart(map[string]any{"status": "failed", "createdAt": "2026-01-01",
			"contactedAt": "2026-01-01"}),
			made{}, movein.SkippedEnded, nil},
		"converted before it was contacted": {cart(map[string]any{"status": "converted"}), made{},
			movein.SkippedEnded, nil},
		"opted out": {cart(map[string]any{"status": "opted_out"}), made{OptsOut: true}, "",
			nil},
		"opted out in words": {cart(map[string]any{"messages": []any{message("user", "PARAR", -5)}}),
			made{OptsOut: true}, "", nil},
		"too old": {cart(map[string]any{"createdAt": "2026-02-20"}), made{}, movein.SkippedTooOld, nil},
		"old, and still talked to": {cart(map[string]any{"createdAt": "2026-02-20", "messages": []any{
			message("ai", "oi", -90), message("user", "?", -80)}}), made{Held: true, Instance: gen.Instance,
			IDs: []string{first, "import"}}, "", nil},
		"no sequence": {cart(map[string]any{"trigger": "pix_pending"}), made{}, movein.SkippedNoSequence, nil},
		"of another":  {cart(map[string]any{"client_id": "other"}), made{}, movein.SkippedClient, nil},
		"wrong": {map[string]any{"phone": "x", "email": "nobody", "status": "odd", "platform": "kiwify",
			"createdAt": at(60),
			"amount":    "many", "currency": "real", "checkoutUrl": "pay", "instance": "none", "trigger": "odd",
			"messages": []any{map[string]any{"role": "odd", "text": "x"}}}, made{}, "", []string{
			"platform: expected one of the Store's platforms (hotmart)",
			"email: expected an e-mail address, or nothing",
			"phone: expected E.164, such as +5511999990000, or a number of the Store's region with its area code",
			"productId: expected the product's id or, in productName, its name",
			"instance: expected a WhatsAppInstance of the Store, or its name at the gateway; import the instances " +
				"first, " +
				"or leave it out",
			"conversation[0].role: expected customer, assistant or person (user, ai and others mean one of them)",
			"conversation[0].at: expected a time that is over, such as 2026-03-02T12:00:00Z",
			"status: expected pending, contacted, converted, recovered, failed or optedOut",
			"trigger: expected AbandonedCart, PixPending, BoletoPending or PaymentRefused",
			"abandonedAt: expected a time that is over; is its time zone right (--time-zone)?",
			"checkoutURL: expected a URL, such as https://pay.example.com/c/1",
			"amount: expected a decimal, such as 297.00 or 297,00",
			"currency: expected a currency of ISO 4217, such as BRL",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			lead, skipped, problems := testTarget().Lead(rowOf(t, movein.LeadColumns, row.fields))
			var got made
			switch {
			case lead == nil, skipped != "":
			case lead.OptOut != nil:
				got.OptsOut = true
			default:
				got = made{Held: lead.Object.Spec.Suspend, Ended: lead.Ended, Instance: lead.Instance}
				for _, each := range lead.Conversation {
					id, _, _ := strings.Cut(each.ID, "import-")
					if id == "" {
						id = "import"
					}
					if strings.HasPrefix(id, "c0-reply") {
						id = "c0-reply"
					}
					got.IDs = append(got.IDs, id)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("lead (-want +got):\n%s", diff)
			}
			var wrong []string
			for _, each := range told(problems) {
				wrong = append(wrong, strings.TrimPrefix(each, "line 1, row 1: "))
			}
			if diff := cmp.Diff(row.wrong, wrong); diff != "" || skipped != row.skipped {
				t.Errorf("skipped %q, want %q; problems (-want +got):\n%s", skipped, row.skipped, diff)
			}
		})
	}
}

// TestTimes has the ways in which other backends write one time.
func TestTimes(t *testing.T) {
	for _, text := range []string{
		"2026-03-02T11:00:00Z", "2026-03-02T11:00:00.000Z", "2026-03-02T08:00:00-03:00", "2026-03-02T08:00:00-0300",
		"2026-03-02 11:00:00+00", "2026-03-02 08:00:00 -0300", "2026-03-02 11:00:00 UTC", "2026-03-02 11:00",
		"02/03/2026 11:00", "02/03/2026 11:00:00", "02/03/2026, 11:00:00", "1772449200", "1772449200000",
	} {
		t.Run(text, func(t *testing.T) {
			row := rowOf(t, movein.LeadColumns, cart(map[string]any{"createdAt": text}))
			lead, _, problems := testTarget().Lead(row)
			if lead == nil {
				t.Fatal(problems)
			}
			if got, want := lead.Object.Spec.AbandonedAt.UTC(), noon.Add(-time.Hour); !got.Equal(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestCompleteTwice: what is there is not added again, and what came in meanwhile stays.
func TestCompleteTwice(t *testing.T) {
	made, _, _ := testTarget().Lead(rowOf(t, movein.LeadColumns, cart(map[string]any{"messages": []any{
		message("ai", "oi", -40), message("human", "eu ajudo", -20)}})))
	recovery := made.Object.DeepCopy()
	recovery.Status.Conversation = []v1alpha1.Message{{ID: "new", Role: v1alpha1.RoleCustomer, Text: "?",
		At: v1alpha1.NewTimestamp(noon.Add(-30 * time.Minute))}}
	if !made.Complete(recovery, noon) {
		t.Error("nothing was added")
	}
	var ids []string
	for _, each := range recovery.Status.Conversation {
		ids = append(ids, strings.TrimRight(each.ID, "0123456789abcdef"))
	}
	if diff := cmp.Diff([]string{"c0-step-first", "new", "import-"}, ids); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if !lead.HandedOff(recovery) || recovery.Status.State != "HandedOff (PersonWrote)" {
		t.Errorf("state %q", recovery.Status.State)
	}
	if made.Complete(recovery, noon) {
		t.Error("it was added once more")
	}
}

func TestNumber(t *testing.T) {
	row := func(more map[string]any) map[string]any {
		fields := map[string]any{"instanceName": "Loja_Vendas", "token": "s3cret", "baseUrl": "https://a.uazapi.com/"}
		maps.Copy(fields, more)
		return fields
	}
	for name, each := range map[string]struct {
		fields map[string]any
		want   string
		wrong  []string
	}{
		"at the operator's gateway": {row(nil), "loja-vendas UAZAPI  nil", nil},
		"at a gateway of its own": {row(map[string]any{"gateway": "evolution", "adminTokenSecret": "evo/token"}),
			"loja-vendas Evolution https://a.uazapi.com/ nil", nil},
		"paired long ago": {row(map[string]any{"connected_at": "2026-01-01", "name": "vendas"}), "vendas UAZAPI  0",
			nil},
		"wrong": {map[string]any{"instanceName": "á", "token": "a b", "gateway": "x", "adminTokenSecret": "x"}, "",
			[]string{
				"line 1, row 1: instanceName: expected letters, digits, '.', '_' and '-', at most 128",
				"line 1, row 1: gateway: expected UAZAPI or Evolution",
				"line 1, row 1: token: expected a token without blanks",
				"line 1, row 1: baseURL: expected the gateway's address, such as https://example.uazapi.com; " +
					"--gateway-url " +
					"names it " +
					"for all rows",
				"line 1, row 1: adminTokenSecret: expected NAME/KEY of a Secret in the Store's namespace",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			made, _, problems := testTarget().Number(rowOf(t, movein.InstanceColumns, each.fields))
			if diff := cmp.Diff(each.wrong, told(problems)); diff != "" {
				t.Fatalf("problems (-want +got):\n%s", diff)
			}
			if made == nil {
				return
			}
			spec, days := made.Object.Spec, "nil"
			if spec.Limits.WarmUp != nil {
				days = "0"
			}
			got := strings.Join([]string{made.Object.Name, string(spec.Gateway.Type), spec.Gateway.BaseURL, days}, " ")
			if got != each.want || !spec.Suspend || spec.InstanceName != "Loja_Vendas" {
				t.Errorf("made %q, suspended %t; want %q", got, spec.Suspend, each.want)
			}
			wanted := map[string]string{"token": "s3cret",
				"gateway": gateway.FingerprintOf(spec.Gateway.Type, "https://a.uazapi.com")}
			data := map[string]string{}
			for key, value := range made.Secret.Data {
				data[key] = string(value)
			}
			if diff := cmp.Diff(wanted, data); diff != "" {
				t.Errorf("Secret (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatuses: statuses are read in Portuguese, too, and with accents and blanks in them.
func TestStatuses(t *testing.T) {
	for text, want := range map[string]string{
		"pendente": "open", "Contatado": "written to", "em andamento": "written to", "recuperado": "bought",
		"Convertida": "bought", "PAGO": "bought", "falhou": "ended", "perdido": "ended", "descadastrado": "opted out",
		"opted_out": "opted out", "RECOVERED": "bought", "in-progress": "written to",
	} {
		t.Run(text, func(t *testing.T) {
			fields := cart(map[string]any{"status": text})
			made, skipped, problems := testTarget().Lead(rowOf(t, movein.LeadColumns, fields))
			got := "open"
			switch {
			case made == nil:
				t.Fatal(problems)
			case made.OptOut != nil:
				got = "opted out"
			case made.Bought:
				got = "bought"
			case skipped == movein.SkippedEnded:
				got = "ended"
			case len(made.Conversation) > 0:
				got = "written to"
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestTextsAreKeptAsDeliveriesAre: what is not seen is taken out of names and texts, as the webhook server does.
func TestTextsAreKeptAsDeliveriesAre(t *testing.T) {
	made, _, problems := testTarget().Lead(rowOf(t, movein.LeadColumns, cart(map[string]any{
		"name": "Ana\u202e\x00 Sou\u200bza\x1b", "productName": "Curso\x00\nde violão",
		"transactionId": "HP\x001", "messages": []any{message("ai", "oi\x00\r\ntudo\x1b bem?\t", -40)},
	})))
	if made == nil {
		t.Fatal(problems)
	}
	got := []string{made.Object.Spec.Customer.Name, made.Object.Spec.Product.Name, made.Conversation[0].Text}
	if diff := cmp.Diff([]string{"Ana Souza", "Curso  de violão", "oi\ntudo bem?"}, got); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	for name, fields := range map[string]map[string]any{
		"a placeholder": {"name": "nome@example.com"}, "nothing that is seen": {"name": "\u202e\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			made, _, problems := testTarget().Lead(rowOf(t, movein.LeadColumns, cart(fields)))
			if made == nil || made.Object.Spec.Customer.Name != "" {
				t.Errorf("%v: a name is kept", problems)
			}
		})
	}
	_, _, problems = testTarget().Lead(rowOf(t, movein.LeadColumns, cart(map[string]any{"email": "a\x00@b.com"})))
	want := []string{"line 1, row 1: email: expected an e-mail address, or nothing"}
	if diff := cmp.Diff(want, told(problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestBuy has which leads of an earlier import a row ends that says they were bought, and that a delivery of the same
// purchase joins it.
func TestBuy(t *testing.T) {
	held := func(more map[string]any, mods ...func(*v1alpha1.CartRecovery)) *v1alpha1.CartRecovery {
		made, _, _ := testTarget().Lead(rowOf(t, movein.LeadColumns, cart(more)))
		for _, mod := range mods {
			mod(made.Object)
		}
		return made.Object
	}
	completed := metav1.NewTime(noon)
	const known = "status"
	for name, row := range map[string]struct {
		stored *v1alpha1.CartRecovery
		row    map[string]any
		want   string
	}{
		"a time that is known": {held(nil), map[string]any{known: "converted", "converted_at": at(-10)}, at(-10)},
		"a time that is not":   {held(nil), map[string]any{known: "recovered"}, at(0)},
		"the same cart, without seconds": {held(map[string]any{"createdAt": "2026-03-02T11:00:42Z"}),
			map[string]any{known: "paid", "createdAt": "2026-03-02 11:00"}, at(0)},
		"an earlier cart": {held(nil), map[string]any{known: "paid", "createdAt": at(-90)}, ""},
		"an earlier cart that was bought late": {held(nil), map[string]any{known: "paid", "createdAt": at(-90),
			"paidAt": at(-5)}, at(-5)},
		"one that was not bought": {held(nil), map[string]any{known: "failed"}, ""},
		"one that is over": {held(nil, func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = &completed }),
			map[string]any{known: "paid"}, ""},
		"one that began again": {held(nil, func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }),
			map[string]any{known: "paid"}, ""},
		"one that was not imported": {held(nil, func(l *v1alpha1.CartRecovery) { l.Labels = nil }),
			map[string]any{known: "paid"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			row.row["transactionId"] = "HP1"
			told, _, problems := testTarget().Lead(rowOf(t, movein.LeadColumns, cart(row.row)))
			if told == nil {
				t.Fatal(problems)
			}
			got := ""
			if told.Buy(row.stored, noon) {
				got = row.stored.Spec.Purchase.At.Format(time.RFC3339)
			}
			if got != row.want {
				t.Fatalf("bought %q, want %q", got, row.want)
			}
			if told.Buy(row.stored, noon.Add(time.Hour)) {
				t.Error("a second import writes it again")
			}
			if got == "" {
				return
			}
			purchase := &v1alpha1.Purchase{EventID: "E9", TransactionID: "HP1", Amount: "297.00", Currency: "BRL",
				At: v1alpha1.NewTimestamp(noon.Add(-20 * time.Minute))}
			lead.Add(row.stored, lead.OfSale("HP1").Join(lead.Bought(purchase)))
			if diff := cmp.Diff(purchase, row.stored.Spec.Purchase); diff != "" ||
				len(row.stored.Spec.OtherPurchases) > 0 {
				t.Errorf("the delivery does not join: %v (-want +got):\n%s", row.stored.Spec.OtherPurchases, diff)
			}
		})
	}
}
