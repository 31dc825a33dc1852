package v1alpha1

import (
	"encoding/json"
	"fmt"
	"time"
)

// Timestamp is a point in time to the microsecond, RFC 3339 in JSON. It writes six
// digits of the second's fraction and reads any number of them: unlike
// metav1.MicroTime, which fails on an object that a person wrote with whole seconds.
//
// +kubebuilder:validation:Type=string
// +kubebuilder:validation:Format=date-time
// +kubebuilder:validation:MaxLength=40
// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$`
// +kubebuilder:object:generate=false
type Timestamp struct {
	time.Time
}

const timestampFormat = "2006-01-02T15:04:05.000000Z07:00"

// NewTimestamp returns t in UTC, to the microsecond: what it will be when it is read back.
func NewTimestamp(t time.Time) Timestamp {
	return Timestamp{t.UTC().Truncate(time.Microsecond)}
}

// MarshalJSON writes RFC 3339 with microseconds, in UTC.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return json.Marshal(t.UTC().Format(timestampFormat))
}

// UnmarshalJSON reads RFC 3339 with or without a fraction; null is the zero time.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		t.Time = time.Time{}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("timestamp: expected a string: %w", err)
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("timestamp: expected RFC 3339: %w", err)
	}
	t.Time = parsed.UTC()
	return nil
}

// DeepCopyInto copies t.
func (t *Timestamp) DeepCopyInto(out *Timestamp) { *out = *t }

// DeepCopy returns a copy of t.
func (t *Timestamp) DeepCopy() *Timestamp {
	if t == nil {
		return nil
	}
	out := *t
	return &out
}

// Duration is a length of time, written as Go writes it: "15m", "1h30m".
//
// +kubebuilder:validation:Type=string
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$')",message="expected a duration such as 15m, 24h or 1h30m: numbers with ms, s, m or h, without a sign; there are no days, a week is 168h"
// +kubebuilder:object:generate=false
type Duration struct {
	time.Duration
}

// MarshalJSON writes the duration as Go does.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(d.String())
}

// UnmarshalJSON reads a duration as Go does.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("duration: expected a string such as \"15m\": %w", err)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("duration: expected a text such as \"15m\": %w", err)
	}
	d.Duration = parsed
	return nil
}

// DeepCopyInto copies d.
func (d *Duration) DeepCopyInto(out *Duration) { *out = *d }

// DeepCopy returns a copy of d.
func (d *Duration) DeepCopy() *Duration {
	if d == nil {
		return nil
	}
	out := *d
	return &out
}
