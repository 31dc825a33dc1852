package gen

import (
	"reflect"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// PolicyChange is a change of one field of a recovery policy, and of nothing else.
type PolicyChange struct {
	// Field is its path in spec.recovery, such as "ttlByPhase.expired".
	Field string
	// Before and After differ in the field alone.
	Before, After v1alpha1.RecoveryPolicy
}

// PolicyChanges are several changes of each field of a recovery policy: fields that are added to the
// types come by themselves.
func PolicyChanges() []PolicyChange {
	var changes []PolicyChange
	policy := reflect.TypeFor[v1alpha1.RecoveryPolicy]()
	for i := range policy.NumField() {
		changes = append(changes, changesOf([]int{i}, jsonName(policy.Field(i)))...)
	}
	return changes
}

// policyBase is a policy in which the fields of a path can be changed: what they need beside them
// is there.
func policyBase(path string) v1alpha1.RecoveryPolicy {
	var base v1alpha1.RecoveryPolicy
	switch top, _, _ := strings.Cut(path, "."); top {
	case "sequences":
		base.Sequences = []v1alpha1.Sequence{{
			Trigger: v1alpha1.TriggerAbandonedCart,
			Steps:   []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: FirstDue}}},
		}}
	case "quietHours":
		base.QuietHours = &v1alpha1.QuietHours{Start: "21:00", End: "08:00"}
	case "ttlByPhase":
		base.TTLByPhase = &v1alpha1.PhaseTTL{}
	case "handOff":
		base.HandOff = &v1alpha1.HandOffPolicy{}
	}
	return base
}

// changesOf are the changes of a field, or of the fields within it. index is the way to it.
func changesOf(index []int, path string) []PolicyChange {
	before := policyBase(path)
	field := follow(reflect.ValueOf(&before).Elem(), index)
	within, kind := 0, field.Type()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct {
		kind = kind.Elem()
	}
	if kind.Kind() == reflect.Struct && kind != reflect.TypeFor[v1alpha1.Duration]() {
		within = kind.NumField()
	}
	var changes []PolicyChange
	for i := range within {
		changes = append(changes, changesOf(append(append([]int{}, index...), i), path+"."+jsonName(kind.Field(i)))...)
	}
	if within > 0 {
		return changes
	}
	for _, value := range policyValues(field.Type()) {
		after := policyBase(path)
		follow(reflect.ValueOf(&after).Elem(), index).Set(value)
		changes = append(changes, PolicyChange{Field: path, Before: before, After: after})
	}
	return changes
}

// follow goes down to a field, into the first element of lists. What is on the way is made.
func follow(value reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		switch value.Kind() {
		case reflect.Pointer:
			if value.IsNil() {
				value.Set(reflect.New(value.Type().Elem()))
			}
			value = value.Elem()
		case reflect.Slice:
			if value.Len() == 0 {
				value.Set(reflect.MakeSlice(value.Type(), 1, 1))
			}
			value = value.Index(0)
		}
		value = value.Field(i)
	}
	return value
}

// policyWords are the values of the fields that have a few only.
var policyWords = []string{"Customer", "Product", "Answer", "HandOff", "Ignore", "Wait", "Move", "Mon", "Fri",
	"AbandonedCart", "PixPending", "BoletoPending", "PaymentRefused"}

// policyTexts are the values of other texts: templates, times of day, hosts, and what customers say
// in tests.
var policyTexts = []string{"", "x", "00:00", "12:00", "18:30", "example.com", "Tem desconto?"}

// policyValues are values of a type, some of which should make a difference.
func policyValues(of reflect.Type) []reflect.Value {
	switch {
	case of.Kind() == reflect.Pointer:
		var pointers []reflect.Value
		for _, value := range policyValues(of.Elem()) {
			pointer := reflect.New(of.Elem())
			pointer.Elem().Set(value)
			pointers = append(pointers, pointer)
		}
		return pointers
	case of.Kind() == reflect.Slice:
		var lists []reflect.Value
		for _, value := range policyValues(of.Elem()) {
			lists = append(lists, reflect.Append(reflect.MakeSlice(of, 0, 1), value))
		}
		return lists
	case of == reflect.TypeFor[v1alpha1.Duration]():
		return valuesOf(of, v1alpha1.Duration{}, v1alpha1.Duration{Duration: time.Minute},
			v1alpha1.Duration{Duration: time.Hour}, v1alpha1.Duration{Duration: 30 * time.Hour},
			v1alpha1.Duration{Duration: 8000 * time.Hour})
	case of.Kind() == reflect.Bool:
		return valuesOf(of, true, false)
	case of.Kind() == reflect.Int32, of.Kind() == reflect.Int64:
		return valuesOf(of, 0, 1, 2, 7, 50)
	case of.Kind() == reflect.String && of != reflect.TypeFor[string]():
		return valuesOf(of, policyWords...)
	case of.Kind() == reflect.String:
		return valuesOf(of, policyTexts...)
	}
	return nil
}

func valuesOf[T any](of reflect.Type, list ...T) []reflect.Value {
	var values []reflect.Value
	for _, each := range list {
		values = append(values, reflect.ValueOf(each).Convert(of))
	}
	return values
}

// jsonName is the name of a field in JSON.
func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}
