package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/internal/testenv"
)

var at = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// desk is a caller of the plugin, and the API server that the calls go to.
type desk struct {
	t         *testing.T
	env       *testenv.Environment
	namespace string
	// keys are those of the controllers, which are played here; nil for none.
	keys *suppressionkeys.Keys
	// asleep says that no controllers run.
	asleep bool
	// afterDelete is called once a lead was deleted.
	afterDelete func()
	// as is who calls; an administrator when nil.
	as *rest.Config
}

// call calls the plugin with what is typed, and tells what it printed and exits with.
func (d *desk) call(typed string, args ...string) (out, said string, status int) {
	d.t.Helper()
	config := d.as
	if config == nil {
		config = d.env.Config
	}
	connected, err := newClient(config)
	if err != nil {
		d.t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	root := newRoot(&tool{
		Streams: Streams{In: strings.NewReader(typed), Out: &stdout, Err: &stderr},
		clock:   clocktesting.NewFakeClock(at),
		connect: func() (client.Client, string, error) { return d.observed(connected), d.namespace, nil },
	})
	root.SetArgs(args)
	if err = root.ExecuteContext(d.t.Context()); err != nil {
		stderr.WriteString(err.Error())
	}
	return stdout.String(), stderr.String(), ExitStatus(err)
}

// observed is a client beside which controllers work.
func (d *desk) observed(c client.Client) client.Client {
	return testenv.Intercept(c, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch,
			options ...client.PatchOption) error {
			err := c.Patch(ctx, object, patch, options...)
			if suppression, ok := object.(*v1alpha1.Suppression); ok && err == nil && !d.asleep &&
				suppression.Annotations[v1alpha1.AnnotationEraseRequested] != "" {
				d.eraseNumber(ctx, suppression)
			}
			return err
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object,
			options ...client.DeleteOption) error {
			err := c.Delete(ctx, object, options...)
			if _, ok := object.(*v1alpha1.CartRecovery); ok && err == nil && d.afterDelete != nil {
				d.afterDelete()
			}
			return err
		},
	})
}

// eraseNumber does what the controllers do with a Suppression that is to be erased.
func (d *desk) eraseNumber(ctx context.Context, original *v1alpha1.Suppression) {
	d.t.Helper()
	if d.keys.Count() == 0 {
		told := original.DeepCopy()
		told.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionErased, Status: metav1.ConditionFalse,
			Reason: v1alpha1.ReasonNoKey, Message: "set SUPPRESSION_KEYS", LastTransitionTime: metav1.NewTime(at)}}
		if err := d.env.Client.Status().Patch(ctx, told, client.MergeFrom(original)); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	mac := d.keys.Make(original.Spec.StoreRef.Name, lead.SuppressedHash(original))
	keyed := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: suppressionkeys.Name(mac)},
		Spec: v1alpha1.SuppressionSpec{
			StoreRef: original.Spec.StoreRef, PhoneHMAC: mac, Reason: original.Spec.Reason,
		},
	}
	if err := client.IgnoreAlreadyExists(d.env.Client.Create(ctx, keyed)); err != nil {
		d.t.Fatal(err)
	}
	if err := d.env.Client.Delete(ctx, original); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) create(objects ...client.Object) {
	d.t.Helper()
	for _, object := range objects {
		object.SetNamespace(d.namespace)
		if err := d.env.Client.Create(d.t.Context(), object); err != nil {
			d.t.Fatal(err)
		}
	}
}

// lead makes a lead, which its customer wrote to.
func (d *desk) lead(name, store string, customer v1alpha1.LeadCustomer, mods ...func(*v1alpha1.CartRecovery)) {
	d.t.Helper()
	made := gen.Lead(at, func(l *v1alpha1.CartRecovery) {
		l.Name, l.Spec.StoreRef.Name, l.Spec.Customer = name, store, customer
		l.Labels = lead.Labels(store, customer)
	})
	d.create(made)
	before := made.DeepCopy()
	made.Status.Conversation = []v1alpha1.Message{{ID: "in-1", Role: v1alpha1.RoleCustomer, Text: "Tem desconto?",
		State: v1alpha1.MessageSent, At: v1alpha1.NewTimestamp(at)}}
	for _, mod := range mods {
		mod(made)
	}
	if err := d.env.Client.Status().Patch(d.t.Context(), made, client.MergeFrom(before)); err != nil {
		d.t.Fatal(err)
	}
	d.create(&corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name + ".1"}, Reason: "Blocked",
		InvolvedObject: corev1.ObjectReference{Namespace: d.namespace, Name: name, Kind: "CartRecovery"}})
}

func suppressed(name, store, phone string, hashed bool) *v1alpha1.Suppression {
	made := &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: store}, Phone: phone}}
	if hashed {
		made.Spec.Phone, made.Spec.PhoneHash = "", lead.PhoneHash(phone)
	}
	made.Labels = lead.SuppressionLabels(made)
	return made
}

// What is known of the customer, and of another.
const (
	anaPhone  = "+5511988880001"
	anaOld    = "+551188880001"
	anaSecond = "+5521977770002"
	anaEmail  = "ana@example.com"
	bobPhone  = "+5531966660003"
)

// fill makes what several Stores know of Ana, and what one knows of Bob.
func (d *desk) fill() {
	d.t.Helper()
	d.lead("hotmart-a", "loja", v1alpha1.LeadCustomer{Name: "Ana Lima", Phone: anaOld, Email: anaEmail})
	d.lead("hotmart-b", "loja", v1alpha1.LeadCustomer{Name: "Ana Lima", Phone: anaSecond, Email: "ANA@example.com"})
	d.lead("hotmart-c", "loja", v1alpha1.LeadCustomer{Name: "A. Lima", Phone: anaSecond})
	d.lead("hotmart-d", "loja", v1alpha1.LeadCustomer{Name: "Bob Reis", Phone: bobPhone, Email: "bob@example.com"},
		func(l *v1alpha1.CartRecovery) { l.Status.ChatIDs = []string{"551188880001@s.whatsapp.net"} })
	d.lead("hotmart-e", "outra", v1alpha1.LeadCustomer{Name: "Ana Lima", Phone: anaPhone})
	// Ana's second number is linked in the one Store alone.
	d.lead("hotmart-f", "outra", v1alpha1.LeadCustomer{Name: "Caio", Phone: anaSecond})
	d.create(suppressed("optout-a", "loja", anaPhone, true), suppressed("complaint", "loja", anaSecond, false),
		suppressed("optout-bob", "loja", bobPhone, true), suppressed("other", "outra", anaSecond, true))
	d.create(&v1alpha1.RecoveryLedger{ObjectMeta: metav1.ObjectMeta{Name: "ledger"}, Spec: v1alpha1.RecoveryLedgerSpec{
		StoreRef: v1alpha1.ObjectReference{Name: "loja"}, Entries: []v1alpha1.LedgerEntry{
			{Lead: "hotmart-a", Event: v1alpha1.LedgerSent, Step: "first", At: v1alpha1.NewTimestamp(at)},
			{Lead: "hotmart-d", Event: v1alpha1.LedgerSent, Step: "first", At: v1alpha1.NewTimestamp(at)},
		}}})
}

// left are the objects of the namespace, keyed Suppressions as "keyed".
func (d *desk) left() []string {
	d.t.Helper()
	var names []string
	var leads v1alpha1.CartRecoveryList
	var suppressions v1alpha1.SuppressionList
	var events corev1.EventList
	for _, list := range []client.ObjectList{&leads, &suppressions, &events} {
		if err := d.env.Client.List(d.t.Context(), list, client.InNamespace(d.namespace)); err != nil {
			d.t.Fatal(err)
		}
	}
	for i := range leads.Items {
		names = append(names, leads.Items[i].Name)
	}
	for i := range suppressions.Items {
		if suppressions.Items[i].Spec.PhoneHMAC != "" {
			names = append(names, "keyed "+suppressions.Items[i].Spec.StoreRef.Name)
			continue
		}
		names = append(names, suppressions.Items[i].Name)
	}
	for i := range events.Items {
		names = append(names, "event "+events.Items[i].Name)
	}
	slices.Sort(names)
	return names
}

// everything is what fill makes.
var everything = []string{"complaint", "event hotmart-a.1", "event hotmart-b.1", "event hotmart-c.1",
	"event hotmart-d.1", "event hotmart-e.1", "event hotmart-f.1", "hotmart-a", "hotmart-b", "hotmart-c", "hotmart-d",
	"hotmart-e", "hotmart-f", "optout-a", "optout-bob", "other"}

func TestPrivacyCommands(t *testing.T) {
	if testing.Short() || os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("needs an API server")
	}
	env, err := testenv.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	for name, test := range map[string]func(*desk){
		"erase": erases, "erase in rounds": erasesWhatComes, "erase without controllers": erasesNothingUnkeyed,
		"erase a placeholder": refusesPlaceholders, "erase and suppress": suppresses,
		"erase without rights": saysWhatIsDenied,
		"export":               exports,
	} {
		t.Run(name, func(t *testing.T) {
			namespace, err := env.Namespace(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			test(&desk{t: t, env: env, namespace: namespace, keys: testenv.SuppressionKeys('a')})
		})
	}
}

func erases(d *desk) {
	d.fill()
	out, said, status := d.call("", "erase", "--phone", anaPhone, "--dry-run")
	if status != 0 || !strings.Contains(out, "Store loja: 3 leads, 2 Suppressions") ||
		!strings.Contains(out, "cartrecovery/hotmart-c  of") || !strings.Contains(out, "linked by another lead") {
		d.t.Errorf("a dry run exits with %d: %s%s", status, out, said)
	}
	if diff := cmp.Diff(everything, d.left()); diff != "" {
		d.t.Errorf("left by a dry run (-want +got):\n%s", diff)
	}
	if _, said, status := d.call("", "erase", "--phone", anaPhone); status != StatusUsage ||
		!strings.Contains(said, "--yes") {
		d.t.Errorf("where nobody can be asked it exits with %d: %s", status, said)
	}
	out, said, status = d.call(anaPhone+"\n", "erase", "--phone-file", "-", "--yes")
	if status != 0 || !strings.Contains(out, "Erased: 4 leads, 4 events, 2 Suppressions") {
		d.t.Errorf("exits with %d: %s%s", status, out, said)
	}
	for _, remains := range []string{"gateway", "AI's provider", "sales platform", "backups", "audit log",
		"RecoveryLedgers", "keyed Suppression"} {
		if !strings.Contains(out, remains) {
			d.t.Errorf("it does not say that something remains: %s", remains)
		}
	}
	for _, personal := range []string{"88880001", "77770002", "Lima", "example.com", "desconto"} {
		if strings.Contains(out+said, personal) {
			d.t.Errorf("it prints %s", personal)
		}
	}
	want := []string{"event hotmart-d.1", "event hotmart-f.1", "hotmart-d", "hotmart-f", "keyed loja", "keyed loja",
		"optout-bob", "other"}
	if diff := cmp.Diff(want, d.left()); diff != "" {
		d.t.Errorf("left (-want +got):\n%s", diff)
	}
	out, _, status = d.call("", "erase", "--phone", anaPhone, "--yes")
	if status != 0 || !strings.Contains(out, "Nothing is stored of this customer") {
		d.t.Errorf("again: exits with %d: %s", status, out)
	}
	out, _, status = d.call("", "erase", "--phone", anaPhone, "--scan", "--dry-run")
	if status != 0 || !strings.Contains(out, "hotmart-d") || !strings.Contains(out, "has messages from the number") {
		d.t.Errorf("with --scan: exits with %d: %s", status, out)
	}
}

func erasesWhatComes(d *desk) {
	d.fill()
	once := false
	d.afterDelete = func() {
		if !once {
			once = true
			d.lead("hotmart-new", "loja", v1alpha1.LeadCustomer{Name: "Ana Lima", Phone: anaSecond})
			d.create(suppressed("optout-again", "loja", anaSecond, true))
		}
	}
	out, said, status := d.call("", "erase", "--email", anaEmail, "--store", "loja", "--yes")
	if status != 0 || !strings.Contains(out, "Erased: 4 leads, 4 events, 3 Suppressions") {
		d.t.Errorf("exits with %d: %s%s", status, out, said)
	}
	if slices.Contains(d.left(), "hotmart-new") || !slices.Contains(d.left(), "hotmart-e") {
		d.t.Errorf("left: %v", d.left())
	}
}

func erasesNothingUnkeyed(d *desk) {
	d.fill()
	d.asleep = true
	out, said, status := d.call("", "erase", "--phone", anaPhone, "--yes", "--wait", "300ms")
	if status != StatusFailed || !strings.Contains(said, "do they run") {
		d.t.Errorf("without controllers it exits with %d: %s%s", status, out, said)
	}
	if diff := cmp.Diff(everything, d.left()); diff != "" {
		d.t.Errorf("without controllers (-want +got):\n%s", diff)
	}
	d.asleep, d.keys = false, nil
	for _, name := range []string{"optout-a", "complaint"} {
		asked := &v1alpha1.Suppression{}
		key := client.ObjectKey{Namespace: d.namespace, Name: name}
		if err := d.env.Client.Get(d.t.Context(), key, asked); err != nil {
			d.t.Fatal(err)
		}
		d.eraseNumber(d.t.Context(), asked)
	}
	out, said, status = d.call("", "erase", "--phone", anaPhone, "--yes")
	if status != StatusFailed || !strings.Contains(said, "set SUPPRESSION_KEYS") {
		d.t.Errorf("without a key it exits with %d: %s%s", status, out, said)
	}
	if diff := cmp.Diff(everything, d.left()); diff != "" {
		d.t.Errorf("without a key (-want +got):\n%s", diff)
	}
}

func refusesPlaceholders(d *desk) {
	for i := range 10 {
		digit := string(rune('0' + i))
		d.lead("hotmart-"+digit, "loja", v1alpha1.LeadCustomer{Name: "Ana", Phone: "+551198888000" + digit,
			Email: "nao@tem.com"})
	}
	_, said, status := d.call("", "erase", "--phone", "+5511988880001", "--yes")
	if status != StatusFailed || !strings.Contains(said, "placeholder") || len(d.left()) != 20 {
		d.t.Errorf("exits with %d: %s; left %v", status, said, d.left())
	}
	_, said, status = d.call("", "erase", "--phone", "+5511988880001", "--direct", "--yes")
	if status != 0 || len(d.left()) != 18 || slices.Contains(d.left(), "hotmart-1") {
		d.t.Errorf("with --direct it exits with %d: %s; left %v", status, said, d.left())
	}
}

func suppresses(d *desk) {
	d.fill()
	if _, said, status := d.call("", "erase", "--email", "nobody@example.com", "--suppress", "--yes"); status !=
		StatusUsage || !strings.Contains(said, "--phone") {
		d.t.Errorf("without a number it exits with %d: %s", status, said)
	}
	if out, said, status := d.call("", "erase", "--phone", anaPhone, "--suppress", "--yes"); status != 0 {
		d.t.Errorf("exits with %d: %s%s", status, out, said)
	}
	want := []string{"event hotmart-d.1", "event hotmart-f.1", "hotmart-d", "hotmart-f", "keyed loja", "keyed loja",
		"keyed outra", "optout-bob", "other"}
	if diff := cmp.Diff(want, d.left()); diff != "" {
		d.t.Errorf("left (-want +got):\n%s", diff)
	}
	if out, said, status := d.call("", "erase", "--phone", "+5541955550005", "--store", "loja", "--suppress",
		"--yes"); status != 0 || len(d.left()) != len(want)+1 {
		d.t.Errorf("somebody of whom nothing is known: exits with %d: %s%s", status, out, said)
	}
}

// saysWhatIsDenied: who may not do a part of it learns which right is missing, and nothing is done behind it.
func saysWhatIsDenied(d *desk) {
	d.fill()
	user := rest.CopyConfig(d.env.Config)
	user.Impersonate = rest.ImpersonationConfig{UserName: "eve-" + d.namespace}
	d.as = user
	may := func(name string, rule rbacv1.PolicyRule) {
		d.create(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{rule}},
			&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
				Subjects: []rbacv1.Subject{{
					Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user.Impersonate.UserName,
				}},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}})
	}
	// The API server knows of a right moments after it was given.
	calls := func(until int, says string) {
		d.t.Helper()
		deadline := time.NewTimer(10 * time.Second)
		defer deadline.Stop()
		for {
			out, said, status := d.call("", "erase", "--phone", anaPhone, "--yes")
			if status == until && strings.Contains(out+said, says) {
				return
			}
			select {
			case <-deadline.C:
				d.t.Fatalf("exits with %d: %s%s; want %d, with %q", status, out, said, until, says)
			default:
			}
		}
	}
	group := []string{v1alpha1.GroupVersion.Group}
	calls(StatusForbidden, "you may not list cartrecoveries")
	may("leads", rbacv1.PolicyRule{APIGroups: group, Resources: []string{"cartrecoveries"}, Verbs: []string{"list"}})
	calls(StatusForbidden, "you may not list suppressions")
	may("suppressions", rbacv1.PolicyRule{APIGroups: group, Resources: []string{"suppressions"},
		Verbs: []string{"list", "get", "patch"}})
	calls(StatusForbidden, "you may not delete cartrecoveries")
	may("delete", rbacv1.PolicyRule{APIGroups: group, Resources: []string{"cartrecoveries"}, Verbs: []string{"delete"}})
	calls(0, "the events of these objects, which you may not")
}

func exports(d *desk) {
	d.fill()
	out, said, status := d.call("", "export", "--phone", anaPhone, "--store", "loja")
	if status != 0 {
		d.t.Fatalf("exits with %d: %s", status, said)
	}
	var got export
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Stores) != 1 {
		d.t.Fatalf("%v: %s", err, out)
	}
	part := got.Stores[0]
	var names []string
	for i := range part.Leads {
		names = append(names, part.Leads[i].Name)
		if part.Leads[i].Status.Conversation[0].Text != "Tem desconto?" {
			d.t.Errorf("%s: the conversation is missing", part.Leads[i].Name)
		}
	}
	for i := range part.Suppressions {
		names = append(names, part.Suppressions[i].Name)
	}
	for _, entry := range part.Ledger {
		names = append(names, "ledger "+entry.Lead)
	}
	slices.Sort(names)
	want := []string{"complaint", "hotmart-a", "hotmart-b", "hotmart-c", "ledger hotmart-a", "optout-a"}
	if diff := cmp.Diff(want, names); diff != "" {
		d.t.Errorf("exported (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{anaPhone, anaSecond}, part.Phones); diff != "" {
		d.t.Errorf("numbers (-want +got):\n%s", diff)
	}

	path := filepath.Join(d.t.TempDir(), "ana.yaml")
	out, said, status = d.call(anaEmail, "export", "--email-file", "-", "-o", "yaml", "--to", path)
	if status != 0 || out != "" {
		d.t.Fatalf("exits with %d: %s%s", status, out, said)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		d.t.Errorf("the file: %v, %v", info, err)
	}
	content, err := os.ReadFile(path)
	if err != nil || yaml.Unmarshal(content, &got) != nil || len(got.Stores) != 1 {
		d.t.Errorf("the file holds %s, %v", content, err)
	}
	if _, said, status := d.call("", "export", "--email", anaEmail, "--to", path); status != StatusFailed {
		d.t.Errorf("over a file that is there: exits with %d: %s", status, said)
	}
	if _, said, status := d.call("", "export", "--email", "nobody@example.com"); status != StatusFailed ||
		!strings.Contains(said, "nothing is stored") {
		d.t.Errorf("of nobody: exits with %d: %s", status, said)
	}
}

func TestWhoIsMeant(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	odd := filepath.Join(t.TempDir(), "odd")
	if err := os.WriteFile(odd, []byte("1198888\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		args []string
		said string
	}{
		"a file with another number":  {[]string{"--phone-file", odd}, "--phone-file: expected a number"},
		"a file with another address": {[]string{"--email-file", odd}, "--email-file: expected an address"},
		"an empty file, by its flag":  {[]string{"--email-file", empty}, "--email-file: read who"},
		"a number, by its flag":       {[]string{"--phone", "119"}, "--phone: expected a number"},
		"nobody":                      {nil, "name the customer"},
		"a number without a plus":     {[]string{"--phone", "11988880001"}, "with a plus sign"},
		"a number that is none":       {[]string{"--phone", "+55119"}, "with a plus sign"},
		"an address without an at":    {[]string{"--email", "ana"}, "such as ana@example.com"},
		"a number twice":              {[]string{"--phone", anaPhone, "--phone-file", "-"}, "given twice"},
		"an empty file":               {[]string{"--phone-file", empty}, "first line is empty"},
		"a file that is not there":    {[]string{"--email-file", empty + "2"}, "no such file"},
		"nothing typed":               {[]string{"--phone-file", "-"}, "first line is empty"},
		"an argument, for a number":   {[]string{anaPhone}, "unknown command"},
	} {
		for _, command := range []string{"erase", "export"} {
			t.Run(command+" "+name, func(t *testing.T) {
				_, said, status := call(t, append([]string{command}, row.args...)...)
				if status == 0 || !strings.Contains(said, row.said) {
					t.Errorf("exits with %d: %s; want %q", status, said, row.said)
				}
			})
		}
	}
}
