package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
)

// The bounds of EffectivePolicy's fields, in characters and items.
const (
	maxSequenceText = 1024
	maxLineText     = 256
	maxShortText    = 32
	maxHandOff      = 64
	maxTexts        = 128
	maxSequences    = 4
	maxKeyword      = 64
	maxKeywords     = 50
	maxHost         = 253
	maxHosts        = 20
)

const none = "none"

// Effective is the policy in words, for kubectl describe. It says which texts are set and
// never holds one.
func (p *Policy) Effective() *v1alpha1.EffectivePolicy {
	effective := &v1alpha1.EffectivePolicy{}
	for i := range fields {
		fields[i].show(p, effective)
	}
	return effective
}

// describeSequences has a text for each sequence.
func (p *Policy) describeSequences() []string {
	var sequences []string
	for i := range p.Sequences {
		sequences = append(sequences, describeSequence(&p.Sequences[i]))
	}
	return clipAll(sequences, maxSequences, maxSequenceText)
}

// describeSequence is for example "AbandonedCart: first after 15m, second after 24h (fixed
// text)".
func describeSequence(sequence *v1alpha1.Sequence) string {
	var steps []string
	for i := range sequence.Steps {
		step := &sequence.Steps[i]
		text := step.Name + " after " + short(step.After.Duration)
		if step.Text != "" {
			text += " (fixed text)"
		}
		steps = append(steps, text)
	}
	return string(sequence.Trigger) + ": " + strings.Join(steps, ", ")
}

// describeQuiet is for example "21:00-08:00 America/Sao_Paulo, every day, spread over 30m".
func (p *Policy) describeQuiet() string {
	hours, ok := p.silence()
	if !ok {
		return none
	}
	days := "every day"
	if len(p.QuietHours.Days) > 0 {
		days = "from " + strings.Join(daysOf(hours), ", ")
	}
	return p.QuietHours.Start + "-" + p.QuietHours.End + " " + hours.zone.String() + ", " + days +
		", spread over " + short(quietSpread(p.QuietHours))
}

// daysOf are the days on which a silence starts, from Monday on.
func daysOf(hours silence) []string {
	var days []string
	for n := range hours.days {
		if day := (n + 1) % len(hours.days); hours.days[day] {
			days = append(days, string(weekdays[day]))
		}
	}
	return days
}

// describeTTL is for example "720h, Expired 24h, purchases without a cart 72h".
func (p *Policy) describeTTL() string {
	var text strings.Builder
	text.WriteString(short(p.TTLAfterFinished))
	for _, phase := range []v1alpha1.Phase{
		v1alpha1.PhaseRecovered, v1alpha1.PhaseConverted, v1alpha1.PhaseFailed, v1alpha1.PhaseOptedOut,
		v1alpha1.PhaseExpired,
	} {
		if ttl := p.TTLOf(phase, false); ttl != p.TTLAfterFinished {
			text.WriteString(", " + string(phase) + " " + short(ttl))
		}
	}
	return text.String() + ", purchases without a cart " + short(p.TTLOf(v1alpha1.PhaseConverted, true))
}

// describeAnswers is for example "20 an hour, 60 a day".
func (p *Policy) describeAnswers() string {
	return strconv.Itoa(p.MaxAnswersPerHour) + " an hour, " + strconv.Itoa(p.MaxAnswersPerDay) + " a day"
}

// describeHandOff is for example "resumes after 24h", or "stays".
func (p *Policy) describeHandOff() string {
	if p.HandOffResumeAfter == 0 {
		return "stays"
	}
	return "resumes after " + short(p.HandOffResumeAfter)
}

// describeTexts names the texts that are set.
func (p *Policy) describeTexts() string {
	var set []string
	for _, text := range []struct{ field, value string }{
		{"firstMessageNotice", p.FirstMessageNotice},
		{"optOutConfirmation", p.OptOutConfirmation},
		{"handOffText", p.HandOffText},
		{"fallbackText", p.FallbackText},
	} {
		if text.value != "" {
			set = append(set, text.field)
		}
	}
	if len(set) == 0 {
		return none
	}
	return strings.Join(set, ", ")
}

// short writes a duration as people do: 15m, not 15m0s.
func short(d time.Duration) string {
	text := d.String()
	if whole, ok := strings.CutSuffix(text, "m0s"); ok {
		text = whole + "m"
	}
	if whole, ok := strings.CutSuffix(text, "h0m"); ok {
		text = whole + "h"
	}
	return clip.Marked(text, maxShortText)
}

// clipAll cuts a list to so many texts of so many characters; the list itself stays as it
// is.
func clipAll(list []string, items, most int) []string {
	list = slices.Clone(list[:min(len(list), items)])
	for i := range list {
		list[i] = clip.Marked(list[i], most)
	}
	return list
}
