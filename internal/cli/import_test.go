package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
)

// shop is a namespace with a Store, and the plugin in it.
type shop struct {
	*testing.T
	env       *testenv.Environment
	config    *rest.Config
	namespace string
	folder    string
}

// openShop makes a namespace with a Store, a Product and nothing else.
func openShop(t *testing.T, env *testenv.Environment) *shop {
	t.Helper()
	namespace, err := env.Namespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{T: t, env: env, config: env.Config, namespace: namespace, folder: t.TempDir()}
	s.create(gen.In(namespace, gen.StoreObject(func(store *v1alpha1.Store) {
		store.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart,
			SecretRefs: []v1alpha1.SecretKeyReference{{Name: "hotmart", Key: "token"}}}}
	})), gen.In(namespace, gen.ProductObject()))
	return s
}

func (s *shop) create(objects ...client.Object) {
	s.Helper()
	for _, object := range objects {
		if err := s.env.Client.Create(s.Context(), object); err != nil {
			s.Fatal(err)
		}
	}
}

// file writes a file and tells where.
func (s *shop) file(name, content string) string {
	s.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// call runs the plugin, and tells what it printed and exits with.
func (s *shop) call(args ...string) (out, said string, status int) {
	s.Helper()
	var stdout, stderr bytes.Buffer
	root := newRoot(&tool{Streams: Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr},
		clock: clock.RealClock{},
		connect: func() (client.Client, string, error) {
			c, err := newClient(s.config)
			return c, s.namespace, err
		}})
	root.SetArgs(args)
	err := root.ExecuteContext(s.Context())
	if err != nil {
		stderr.WriteString(err.Error())
	}
	for _, secret := range []string{gen.Phone, "98765", gen.Email, "Maria", "s3cret", "quanto custa"} {
		if strings.Contains(stdout.String()+stderr.String(), secret) {
			s.Errorf("%v: it printed %q:\n%s%s", args, secret, &stdout, &stderr)
		}
	}
	return stdout.String(), stderr.String(), ExitStatus(err)
}

// importing runs an import and compares its table, blanks apart.
func (s *shop) importing(want string, status int, args ...string) (said string) {
	s.Helper()
	out, said, got := s.call(append([]string{"import", "--store", gen.Store, "--batch", "move"}, args...)...)
	if diff := cmp.Diff(want, strings.Join(strings.Fields(out), " ")); diff != "" || got != status {
		s.Errorf("exits with %d, want %d; said %s\ntable (-want +got):\n%s", got, status, said, diff)
	}
	return said
}

func (s *shop) leads() []v1alpha1.CartRecovery {
	s.Helper()
	var list v1alpha1.CartRecoveryList
	if err := s.env.Client.List(s.Context(), &list, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	return list.Items
}

const table = "ROWS OF RESULT COUNT"

// times of the rows, which are of the last hours.
func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

func (s *shop) files() []string {
	optOuts := "phone;reason\n+5511900000001;OptOut\n11 90000-0002;Complaint\n"
	leads := `[{"phone": "` + gen.Phone + `", "email": "` + gen.Email + `", "name": "Maria", "status": "contacted",
	  "productId": "1001", "createdAt": "` + ago(2*time.Hour) + `", "instanceName": "loja.vendas", "messages": [
	   {"role": "ai", "text": "oi", "at": "` + ago(time.Hour) + `"},
	   {"role": "user", "text": "quanto custa?", "at": "` + ago(time.Minute) + `"}]},
	 {"phone": "11900000003", "email": "b@example.com", "productId": "1001", "createdAt": "` + ago(time.Hour) + `"},
	 {"phone": "11900000003", "email": "b@example.com", "productId": "1001", "createdAt": "` + ago(2*time.Hour) + `"},
	 {"phone": "11900000004", "productId": "1001", "status": "failed", "createdAt": "` + ago(20*time.Hour) + `",
	  "contactedAt": "` + ago(19*time.Hour) + `"},
	 {"phone": "11900000005", "productId": "1001", "createdAt": "2025-01-01"}]`
	instances := "instance_name,token,base_url,connected_at\nloja.vendas,s3cret,https://a.uazapi.com,2025-01-01\n"
	return []string{"--opt-outs", s.file("optouts.csv", optOuts), "--leads", s.file("leads.json", leads), "--instances",
		s.file("instances.csv", instances)}
}

// TestImport imports everything, twice, and releases it.
func TestImport(t *testing.T) {
	env := testenv.ForTest(t)
	t.Run("a dry run writes nothing", func(t *testing.T) { dryRun(openShop(t, env)) })
	t.Run("all of it, twice", func(t *testing.T) { allTwice(openShop(t, env)) })
	t.Run("opt-outs that end", func(t *testing.T) { optOutsThatEnd(openShop(t, env)) })
	t.Run("rows about one lead", func(t *testing.T) { rowsAboutOne(openShop(t, env)) })
	t.Run("rows that have ended since", func(t *testing.T) { endedSince(openShop(t, env)) })
	t.Run("wrong rows", func(t *testing.T) { wrongRows(openShop(t, env)) })
	t.Run("leads that are there", func(t *testing.T) { joined(openShop(t, env)) })
	t.Run("without the right", func(t *testing.T) { withoutRights(openShop(t, env)) })
	t.Run("released", func(t *testing.T) { release(openShop(t, env)) })
}

func dryRun(s *shop) {
	for mode, want := range map[string]string{
		"client": table + " opt-outs right 2 instances right 1 leads right 3 leads skipped: older than " +
			"recovery.expireAfter 1 leads skipped: the same as another row 1",
		"server": table + " opt-outs made 2 instances made, held 1 leads made 1 leads made, held 2 leads skipped: " +
			"older than recovery.expireAfter 1 leads skipped: the same as another row 1",
	} {
		said := s.importing(want, 0, append(s.files(), "--dry-run="+mode)...)
		if !strings.Contains(said, "Nothing was written (--dry-run="+mode+")") {
			s.Errorf("said %s", said)
		}
	}
	var suppressions v1alpha1.SuppressionList
	var instances v1alpha1.WhatsAppInstanceList
	for _, list := range []client.ObjectList{&suppressions, &instances} {
		if err := s.env.Client.List(s.Context(), list, client.InNamespace(s.namespace)); err != nil {
			s.Fatal(err)
		}
	}
	if n := len(s.leads()) + len(suppressions.Items) + len(instances.Items); n != 0 {
		s.Errorf("%d objects were made", n)
	}
}

func allTwice(s *shop) {
	files := s.files()
	const skipped = " leads skipped: older than recovery.expireAfter 1 leads skipped: the same as another row 1"
	s.importing(table+" opt-outs made 2 instances made, held 1 leads made 1 leads made, held 2"+skipped, 0, files...)
	before := s.leads()
	s.importing(table+" opt-outs unchanged 2 instances unchanged 1"+skipped+" leads unchanged 3", 0, files...)
	if diff := cmp.Diff(before, s.leads()); diff != "" {
		s.Errorf("the second time it changed leads (-before +after):\n%s", diff)
	}
	since := s.file("since.json", `{"phone": "`+gen.Phone+`", "email": "`+gen.Email+`", "productId": "1001",
	  "createdAt": "`+ago(2*time.Hour)+`", "messages": [{"role": "user", "text": "oi?", "at": "`+ago(time.Second)+`"}]}`)
	s.importing(table+" leads completed 1", 0, "--leads", since)
	s.importing(table+" leads unchanged 1", 0, "--leads", since)
	var instance v1alpha1.WhatsAppInstance
	var secret corev1.Secret
	s.get("loja-vendas", &instance)
	s.get("loja-vendas-gateway", &secret)
	if token := string(secret.Data[gateway.KeyToken]); !instance.Spec.Suspend || lead.ImportIncomplete(&instance) ||
		token != "s3cret" || !metav1.IsControlledBy(&secret, &instance) {
		s.Errorf("made %+v and a Secret of %v", instance, secret.OwnerReferences)
	}
	states := map[string]int{}
	for i := range before {
		recovery := &before[i]
		states[recovery.Status.State]++
		isEnded := recovery.Status.CompletionTime != nil
		if isEnded == recovery.Spec.Suspend || lead.ImportIncomplete(recovery) ||
			recovery.CreationTimestamp.Sub(recovery.Spec.ReceivedAt.Time) > clockBehind {
			s.Errorf("made %+v", recovery)
		}
		if talk := recovery.Status.Conversation; recovery.Status.State == "Engaged" &&
			(len(talk) != 2 || talk[0].ID != "c0-step-first" || talk[0].Instance != "loja-vendas") {
			s.Errorf("conversation %+v", talk)
		}
	}
	want := map[string]int{"Engaged": 1, "PendingRecovery": 1, "Expired (ConversationEnded)": 1}
	if diff := cmp.Diff(want, states); diff != "" {
		s.Errorf("states (-want +got):\n%s", diff)
	}
}

// optOutsThatEnd: of several ends of an opt-out the last counts, in one file and in several.
func optOutsThatEnd(s *shop) {
	optOuts := func(rows ...string) string {
		return s.file("ending.csv", "phone,expiresAt\n"+strings.Join(rows, "\n")+"\n")
	}
	const number = "+5511900000001,"
	const twice = " opt-outs skipped: the same as another row 1"
	s.importing(table+" opt-outs made 1"+twice, 0, "--opt-outs",
		optOuts(number+ago(-time.Hour), number+ago(-2*time.Hour)))
	s.importing(table+" opt-outs unchanged 1", 0, "--opt-outs", optOuts(number+ago(-time.Minute)))
	s.importing(table+" opt-outs holds longer 1"+twice, 0, "--opt-outs", optOuts(number+ago(-time.Hour), number))
	var list v1alpha1.SuppressionList
	if err := s.env.Client.List(s.Context(), &list, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	if len(list.Items) != 1 || list.Items[0].Spec.ExpiresAt != nil {
		s.Errorf("made %d Suppressions, want one that never ends: %v", len(list.Items), list.Items)
	}
}

func (s *shop) get(name string, into client.Object) {
	s.Helper()
	if err := s.env.Client.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, into); err != nil {
		s.Fatal(err)
	}
}

func wrongRows(s *shop) {
	leads := s.file("leads.csv", "phone,email,productId,abandonedAt\n11900000003,"+gen.Email+",1001,"+ago(time.Hour)+
		"\n98765,nobody,1001,soon\n")
	said := s.importing("", StatusFailed, "--leads", leads)
	for _, line := range []string{
		"leads: line 3: email: expected an e-mail address, or nothing", "leads: line 3: phone: expected E.164",
		"leads: line 3: abandonedAt: expected a time", "1 rows are wrong, see above. Nothing was written.",
	} {
		if !strings.Contains(said, line) {
			s.Errorf("said %s; want %q", said, line)
		}
	}
	if n := len(s.leads()); n != 0 {
		s.Errorf("%d leads were made", n)
	}
	s.importing(table+" leads made, held 1 leads skipped: wrong 1", 0, "--leads", leads, "--skip-wrong")
}

// rowsAboutOne has several rows about one lead: who bought, or was written to, gets no first message.
func rowsAboutOne(s *shop) {
	row := func(n, hours int, more string) string {
		return fmt.Sprintf(`{"phone": "1190000001%d", "productId": "1001", "createdAt": %q%s}`, n,
			ago(time.Duration(hours)*time.Hour), more) + "\n"
	}
	contacted := `, "contactedAt": "` + ago(90*time.Minute) + `", "status": `
	leads := s.file("leads.jsonl", row(1, 3, "")+row(1, 2, `, "status": "converted"`)+
		row(2, 2, `, "status": "converted"`)+row(2, 1, "")+
		row(3, 2, contacted+`"contacted"`)+row(3, 1, "")+
		row(4, 1, "")+row(4, 2, contacted+`"failed"`)+
		row(5, 2, contacted+`"contacted"`)+row(5, 1, contacted+`"converted"`))
	s.importing(table+" leads made 2 leads made, held 2 leads skipped: bought, as another row says 1 leads skipped: "+
		"ended 2 leads skipped: the same as another row 3", 0, "--leads", leads)
	got := map[string]string{}
	for _, each := range s.leads() {
		got[each.Spec.Customer.Phone] = fmt.Sprintf("held %t, messages %d, %s", each.Spec.Suspend,
			len(each.Status.Conversation), lead.SucceededReason(&each))
	}
	want := map[string]string{
		"+5511900000012": "held true, messages 0, ", "+5511900000013": "held true, messages 1, ",
		"+5511900000014": "held false, messages 1, ConversationEnded",
		"+5511900000015": "held false, messages 1, PurchaseNotAttributed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("leads (-want +got):\n%s", diff)
	}
}

// endedSince imports open leads, and then that they have ended: who bought is not written to, and what was given up is
// not released with the others.
func endedSince(s *shop) {
	leads := func(rows ...string) string { return s.file("leads.jsonl", strings.Join(rows, "")) }
	left, wrote := ago(3*time.Hour), `, "contactedAt": "`+ago(2*time.Hour)+`"`
	row := func(n int, more string) string {
		return fmt.Sprintf(`{"phone": "1190000002%d", "productId": "1001", "createdAt": %q%s}`, n, left, more) + "\n"
	}
	said := s.importing(table+" leads made, held 6", 0, "--leads", leads(row(1, ""), row(2, wrote), row(3, ""),
		row(4, wrote), row(5, ""), row(6, "")))
	if !strings.Contains(said, "are held") {
		s.Errorf("said %s", said)
	}
	now := leads(row(1, `, "status": "converted", "convertedAt": "`+ago(time.Hour)+`"`), row(2, `, "status": "convertido"`),
		row(3, wrote+`, "status": "recovered"`), row(4, wrote+`, "status": "failed"`), row(5, `, "status": "perdido"`),
		row(6, ""), row(7, `, "status": "converted"`), row(8, `, "status": "failed"`))
	const ended = " leads ended there, held here: delete it or release it 1"
	before := s.leads()
	const bought = " leads ended: bought 3 leads ended: given up there 1 leads skipped: ended 2"
	s.importing(table+" leads completed 1"+ended+bought, 0, "--leads", now, "--dry-run=server")
	if diff := cmp.Diff(before, s.leads()); diff != "" {
		s.Errorf("a dry run changed leads (-before +after):\n%s", diff)
	}
	said = s.importing(table+ended+bought+" leads unchanged 1", 0, "--leads", now)
	how := "kubectl delete cartrecoveries -n " + s.namespace + " -l cartrecovery.dev/import-ended"
	if !strings.Contains(said, how) {
		s.Errorf("said %s, want %s", said, how)
	}
	before = s.leads()
	s.importing(table+ended+" leads skipped: ended 4 leads unchanged 3", 0, "--leads", now)
	if diff := cmp.Diff(before, s.leads()); diff != "" {
		s.Errorf("the second time it changed leads (-before +after):\n%s", diff)
	}
	s.endings(map[string]string{
		"+5511900000021": "bought, messages 0", "+5511900000022": "bought, messages 1",
		"+5511900000023": "bought, messages 1", "+5511900000024": "ConversationEnded, messages 1",
		"+5511900000025": "held, messages 0", "+5511900000026": "held, messages 0",
	})
	out, said, _ := s.call("release", "--all", "--leads", "--per-minute", "0")
	if !strings.Contains(out, "leads: 4 held, 4 released") || !strings.Contains(said, "leads: 1 are left.") {
		s.Errorf("released %s, said %s", out, said)
	}
	out, said, _ = s.call("release", "--all", "--leads", "--per-minute", "0", "--ended")
	if !strings.Contains(out, "leads: 1 held, 1 released") || strings.Contains(said, "are left") {
		s.Errorf("released %s, said %s", out, said)
	}
	said = s.importing(table+" leads unchanged 1", 0, "--leads", leads(row(6, "")))
	if strings.Contains(said, "held") {
		s.Errorf("nothing is held, and it said %s", said)
	}
}

// endings compares how leads stand, by their customer's number.
func (s *shop) endings(want map[string]string) {
	s.Helper()
	got := map[string]string{}
	for _, each := range s.leads() {
		state := "open"
		switch reason := lead.SucceededReason(&each); {
		case reason != "":
			state = reason
		case each.Spec.Purchase != nil && strings.HasPrefix(each.Spec.Purchase.EventID, "import-"):
			state = "bought"
		case each.Spec.Suspend:
			state = "held"
		}
		got[each.Spec.Customer.Phone] = fmt.Sprintf("%s, messages %d", state, len(each.Status.Conversation))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("leads (-want +got):\n%s", diff)
	}
}

// joined imports leads that the webhook server has made: one that nobody has written to gets its conversation, and one
// whose import was interrupted the rest of it.
func joined(s *shop) {
	s.create(gen.In(s.namespace, gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.InstanceName = "loja.vendas"
	})))
	customer := v1alpha1.LeadCustomer{Phone: gen.Phone, Email: gen.Email}
	var store v1alpha1.Store
	s.get(gen.Store, &store)
	made := lead.New(&store, v1alpha1.PlatformHotmart, customer, v1alpha1.LeadProduct{ID: "1001"}, nil)
	at := v1alpha1.NewTimestamp(time.Now().Add(-2 * time.Hour))
	lead.Add(made, lead.Begin(lead.FactsOf(made), lead.Start{Trigger: v1alpha1.TriggerAbandonedCart, AbandonedAt: at,
		Phone: gen.Phone}))
	s.create(made)
	files := s.files()[2:4]
	const rest = " leads made 1 leads made, held 1 leads skipped: older than recovery.expireAfter 1 leads skipped: " +
		"the same as another row 1"
	s.importing(table+" leads joined to a lead that was there, held 1"+rest, 0, files...)
	var stored v1alpha1.CartRecovery
	s.get(made.Name, &stored)
	if !stored.Spec.Suspend || len(stored.Status.Conversation) != 2 || stored.Spec.Customer.Name != "Maria" {
		s.Errorf("joined %+v", stored)
	}
	interrupted := stored.DeepCopy()
	metav1.SetMetaDataAnnotation(&interrupted.ObjectMeta, v1alpha1.AnnotationImportIncomplete, "")
	if err := s.env.Client.Patch(s.Context(), interrupted, client.MergeFrom(&stored)); err != nil {
		s.Fatal(err)
	}
	_, said, status := s.call("release", "--all", "--per-minute", "0", "--leads")
	if status != StatusFailed || !strings.Contains(said, "1 leads are not complete and stay held: run the import "+
		"again") {
		s.Errorf("exits with %d, said %s", status, said)
	}
	s.importing(table+" leads completed 1 leads skipped: older than recovery.expireAfter 1 leads skipped: "+
		"the same as another row 1 leads unchanged 2", 0, files...)
}

func withoutRights(s *shop) {
	s.config = rest.CopyConfig(s.config)
	s.config.Impersonate.UserName = "eve"
	_, said, status := s.call("import", "--store", gen.Store, "--opt-outs", s.files()[1])
	want := "kubectl auth can-i get stores.cartrecovery.dev -n " + s.namespace
	if status != StatusForbidden || !strings.Contains(said, want) {
		s.Errorf("exits with %d, said %s; want %d and %s", status, said, StatusForbidden, want)
	}
}

func release(s *shop) {
	if _, said, status := s.call("release", "move"); status != StatusFailed || !strings.Contains(said,
		"nothing was imported") {
		s.Errorf("exits with %d, said %s", status, said)
	}
	s.call(append([]string{"import", "--store", gen.Store, "--batch", "move"}, s.files()...)...)
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"import", "status"}, "IMPORT STORE WHAT HELD INCOMPLETE RELEASED ENDED " +
			"move acme instances 1 0 0 0 move acme leads 2 0 0 1"},
		{[]string{"release", "move", "--dry-run"}, "instances: 1 held, 0 released leads: 2 held, 0 released"},
		{[]string{"release", "--all", "--store", "other", "--leads"}, ""},
		{[]string{"release", "move", "--instances"}, "instances: 1 held, 1 released"},
		{[]string{"release", "move", "--leads", "--per-minute", "6000"}, "leads: 2 held, 2 released"},
		{[]string{"release", "--all"}, "instances: 0 held, 0 released leads: 0 held, 0 released"},
		{[]string{"import", "status", "move"}, "IMPORT STORE WHAT HELD INCOMPLETE RELEASED ENDED " +
			"move acme instances 0 0 1 0 move acme leads 0 0 2 1"},
	} {
		out, said, _ := s.call(step.args...)
		if diff := cmp.Diff(step.want, strings.Join(strings.Fields(out), " ")); diff != "" {
			s.Errorf("%v said %s (-want +got):\n%s", step.args, said, diff)
		}
	}
	for _, recovery := range s.leads() {
		if recovery.Spec.Suspend {
			s.Errorf("%s is held", recovery.Name)
		}
	}
}

// TestUsage: what is missing is told before anything is read.
func TestUsage(t *testing.T) {
	s := &shop{T: t, config: &rest.Config{}, namespace: "loja"}
	for says, args := range map[string][]string{
		"--store is missing":             {"import", "--leads", "a.csv"},
		"nothing to import":              {"import", "--store", "a"},
		"only one file can be the input": {"import", "--store", "a", "--leads", "-", "--opt-outs", "-"},
		"--dry-run: expected":            {"import", "--store", "a", "--leads", "-", "--dry-run=x"},
		"--format: expected csv or json": {"import", "--store", "a", "--leads", "-", "--format=x"},
		"--batch: expected":              {"import", "--store", "a", "--leads", "-", "--batch=a/b"},
		"--time-zone: expected": {"import", "--store", "a", "--leads", "-",
			"--time-zone=Mars"},
		"--concurrency: expected":                        {"import", "--store", "a", "--leads", "-", "--concurrency=0"},
		"give the name of an import, or --all":           {"release"},
		"--per-minute: expected a number from 1 to 6000": {"release", "a", "--per-minute=-1"},
	} {
		t.Run(says, func(t *testing.T) {
			s.T = t
			if _, said, status := s.call(args...); status != StatusUsage || !strings.Contains(said, says) {
				t.Errorf("exits with %d, said %s", status, said)
			}
		})
	}
}

// TestReleaseKeepsItsRate: one goes at once, the next after its time.
func TestReleaseKeepsItsRate(t *testing.T) {
	held := []imported{
		{name: "old", since: time.Unix(1, 0)}, {name: "waits", since: time.Unix(0, 0), waits: true},
		{name: "new", since: time.Unix(2, 0)},
	}
	var order []string
	for len(held) > 0 {
		first := 0
		for i := range held {
			if byUrgency(held[i], held[first]) < 0 {
				first = i
			}
		}
		order = append(order, held[first].name)
		held = append(held[:first], held[first+1:]...)
	}
	if diff := cmp.Diff([]string{"waits", "new", "old"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := &releasing{tool: &tool{clock: clock.RealClock{}}}
	if err := r.pause(ctx, time.Hour); err == nil {
		t.Error("an interrupt is waited out")
	}
}
