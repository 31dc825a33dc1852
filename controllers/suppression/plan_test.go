package suppression

import (
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/internal/testenv"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// object makes a Suppression of gen's phone, as a person writes it.
func object(mods ...func(*v1alpha1.Suppression)) *v1alpha1.Suppression {
	made := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "s", Generation: 3},
		Spec:       v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, Phone: gen.Phone},
	}
	for _, mod := range mods {
		mod(made)
	}
	return made
}

func until(at time.Time) func(*v1alpha1.Suppression) {
	return func(s *v1alpha1.Suppression) { s.Spec.ExpiresAt = &metav1.Time{Time: at} }
}

func TestPlan(t *testing.T) {
	for name, row := range map[string]struct {
		mods    []func(*v1alpha1.Suppression)
		noStore bool
		want    string
		says    string
		again   time.Duration
	}{
		"for ever": {nil, false, "True/Suppressing", "not written to", 0},
		"for a time": {[]func(*v1alpha1.Suppression){until(now.Add(time.Minute))}, false,
			"True/Suppressing", "until spec.expiresAt", time.Minute},
		"for a hundred years": {[]func(*v1alpha1.Suppression){until(now.AddDate(400, 0, 0))}, false,
			"True/Suppressing", "until", longestWait},
		"to its last second": {[]func(*v1alpha1.Suppression){until(now)}, false, "False/Lapsed",
			"may be written to again", 0},
		"lapsed": {[]func(*v1alpha1.Suppression){until(now.AddDate(-1, 0, 0))}, false, "False/Lapsed",
			"spec.expiresAt has passed", 0},
		"without its Store": {nil, true, "True/Suppressing", "there is no Store acme", 0},
		"for a time, and without": {[]func(*v1alpha1.Suppression){until(now.Add(time.Hour))}, true, "True/Suppressing",
			"there is no Store acme", time.Hour},
		"lapsed, and without": {[]func(*v1alpha1.Suppression){until(now)}, true, "False/Lapsed",
			"may be written to again", 0},
	} {
		got := plan(&snapshot{suppression: object(row.mods...), storeFound: !row.noStore, now: now})
		if string(got.Status)+"/"+got.Reason != row.want || !strings.Contains(got.Message, row.says) ||
			got.again != row.again {
			t.Errorf("%s: %s/%s, %q, again in %s", name, got.Status, got.Reason, got.Message, got.again)
		}
		if strings.Contains(got.Message, "98765") {
			t.Errorf("%s: the message tells the number", name)
		}
	}
}

func TestPlanOfErasure(t *testing.T) {
	asked := func(s *v1alpha1.Suppression) {
		s.Annotations = map[string]string{v1alpha1.AnnotationEraseRequested: "now"}
	}
	byKey := func(letter byte) func(*v1alpha1.Suppression) {
		return func(s *v1alpha1.Suppression) {
			s.Spec.Phone = ""
			s.Spec.PhoneHMAC = testenv.SuppressionKeys(letter).Make(gen.Store, lead.PhoneHash(gen.Phone))
		}
	}
	type mods = []func(*v1alpha1.Suppression)
	for name, row := range map[string]struct {
		mods      mods
		keys      *suppressionkeys.Keys
		erase     bool
		notErased string
		active    string
	}{
		"nobody asked":          {nil, keys, false, "", v1alpha1.ReasonSuppressing},
		"asked":                 {mods{asked}, keys, true, "", v1alpha1.ReasonSuppressing},
		"asked, without a key":  {mods{asked}, nil, false, v1alpha1.ReasonNoKey, v1alpha1.ReasonSuppressing},
		"lapsed, without a key": {mods{asked, until(now)}, nil, true, "", v1alpha1.ReasonLapsed},
		"keyed":                 {mods{byKey('a')}, keys, false, "", v1alpha1.ReasonSuppressing},
		"keyed, and asked": {mods{byKey('a'), asked}, keys, false, v1alpha1.ReasonAlreadyKeyed,
			v1alpha1.ReasonSuppressing},
		"keyed, without its key":       {mods{byKey('b')}, keys, false, "", v1alpha1.ReasonKeyMissing},
		"keyed, and without any":       {mods{byKey('a')}, nil, false, "", v1alpha1.ReasonKeyMissing},
		"keyed, lapsed, without a key": {mods{byKey('a'), until(now)}, nil, false, "", v1alpha1.ReasonLapsed},
		"keyed, lapsed, without, asked": {mods{byKey('a'), until(now), asked}, nil, false, v1alpha1.ReasonAlreadyKeyed,
			v1alpha1.ReasonLapsed},
	} {
		t.Run(name, func(t *testing.T) {
			got := plan(&snapshot{suppression: object(row.mods...), storeFound: true, now: now, keys: row.keys})
			if got.erase != row.erase || got.Reason != row.active {
				t.Errorf("erase %t, Active %s; want %t, %s", got.erase, got.Reason, row.erase, row.active)
			}
			reason := ""
			if got.notErased != nil {
				reason = got.notErased.Reason
			}
			if reason != row.notErased {
				t.Errorf("Erased is False for %q, want %q", reason, row.notErased)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	hash := lead.PhoneHash(gen.Phone)
	whole := map[string]string{v1alpha1.LabelStore: gen.Store, v1alpha1.LabelPhoneKey: hash}
	for name, row := range map[string]struct {
		labels, want map[string]string
	}{
		"none": {nil, whole},
		"all":  {whole, nil},
		"another's": {map[string]string{v1alpha1.LabelStore: gen.Store, v1alpha1.LabelPhoneKey: "x"},
			map[string]string{v1alpha1.LabelPhoneKey: hash}},
		"somebody else": {map[string]string{"team": "a"}, whole},
	} {
		if got := missing(object(func(s *v1alpha1.Suppression) { s.Labels = row.labels })); !maps.Equal(got, row.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSetupRejectsMissingDependencies(t *testing.T) {
	if err := (&Reconciler{}).SetupWithManager(nil); err == nil || !strings.Contains(err.Error(), "is needed") {
		t.Errorf("SetupWithManager = %v, want it to name what is missing", err)
	}
}
