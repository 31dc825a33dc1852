package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
)

// leastOpen is the least time a day outside the quiet hours that is no mistake.
const leastOpen = time.Hour

// Warnings says in a sentence each what a policy holds that can never act, although it is
// allowed: usually it was meant otherwise. What keeps everything from being sent is Problem's.
func (p *Policy) Warnings() []string {
	var found []string
	for i := range p.Sequences {
		found = append(found, p.idleSteps(&p.Sequences[i])...)
	}
	if open := p.openTime(); open < leastOpen {
		found = append(found, fmt.Sprintf("spec.recovery.quietHours: %s to %s leaves %s a day to send in",
			p.QuietHours.Start, p.QuietHours.End, short(open)))
	}
	if ttl, ending := p.shortestMemory(); ttl < p.Cooldown {
		found = append(found,
			fmt.Sprintf(
				"spec.recovery.cooldown: a lead that is %s is deleted after %s, and its customer's cooldown of %s "+
					"is forgotten with it",
				ending, short(ttl), short(p.Cooldown)))
	}
	if ttl := p.TTLOf(v1alpha1.PhaseConverted, true); ttl < p.ExpireAfter {
		field := "ttlAfterPurchaseOnly"
		if p.TTL.Converted != nil {
			field = "ttlByPhase.converted"
		}
		found = append(found,
			fmt.Sprintf("spec.recovery."+field+": a purchase is forgotten after %s, and whoever's cart is told later, "+
				"for up to %s (expireAfter), is written to all the same", short(ttl), short(p.ExpireAfter)))
	}
	return append(found, p.contradictions()...)
}

// contradictions are fields of which one makes another meaningless.
func (p *Policy) contradictions() []string {
	var found []string
	// What nobody set is no mistake.
	if p.MaxAnswersPerHour > p.MaxAnswersPerDay && p.MaxAnswersPerHour != DefaultMaxAnswersPerHour {
		found = append(found,
			fmt.Sprintf("spec.recovery.maxAnswersPerHour: %d can never be, because maxAnswersPerDay is %d",
				p.MaxAnswersPerHour, p.MaxAnswersPerDay))
	}
	for _, word := range p.HandOffKeywords {
		if slices.ContainsFunc(p.OptOutKeywords, func(other string) bool { return strings.EqualFold(other, word) }) {
			found = append(found,
				fmt.Sprintf("spec.recovery.handOffKeywords: %q stops everything, because it is in optOutKeywords too",
					clip.Marked(word, maxShownWord)))
		}
	}
	if closed := 24*time.Hour - p.openTime(); closed > 0 && closed >= p.ExpireAfter {
		found = append(found,
			fmt.Sprintf(
				"spec.recovery.quietHours: %s to %s last %s, and a cart that is left when they begin expires after "+
					"%s (expireAfter)",
				p.QuietHours.Start, p.QuietHours.End, short(closed), short(p.ExpireAfter)))
	}
	return found
}

// maxShownWord bounds a keyword in a warning, in runes.
const maxShownWord = 40

// idleSteps are the steps of a sequence that are never sent: due when the lead has expired, or
// after the last message that may go unanswered. The first step is Problem's matter.
func (p *Policy) idleSteps(sequence *v1alpha1.Sequence) []string {
	var found []string
	due := time.Duration(0)
	for i := range sequence.Steps {
		step := &sequence.Steps[i]
		due += step.After.Duration
		name := fmt.Sprintf("spec.recovery.sequences[%s].steps[%s]", sequence.Trigger, step.Name)
		switch {
		case i >= p.MaxUnanswered:
			found = append(found, fmt.Sprintf("%s: never sent, because maxUnanswered is %d", name, p.MaxUnanswered))
		case i > 0 && due >= p.ExpireAfter:
			found = append(found,
				fmt.Sprintf(
					"%s: never sent, because it is due %s after the abandonment at the earliest, and expireAfter is %s",
					name, short(due), short(p.ExpireAfter)))
		}
	}
	return found
}

// openTime is how long a day the quiet hours leave, on days that have any.
func (p *Policy) openTime() time.Duration {
	hours, ok := p.silence()
	if !ok || slices.Contains(hours.days[:], false) {
		return 24 * time.Hour
	}
	length := hours.end - hours.start
	if length < 0 {
		length += 24 * time.Hour
	}
	return 24*time.Hour - length
}

// shortestMemory is the shortest time for which a lead is kept that was written to and whose
// customer may come back, and how such a lead ended.
func (p *Policy) shortestMemory() (ttl time.Duration, ending v1alpha1.Phase) {
	ttl = 1<<63 - 1
	for _, phase := range []v1alpha1.Phase{v1alpha1.PhaseExpired, v1alpha1.PhaseFailed, v1alpha1.PhaseRecovered} {
		if kept := p.TTLOf(phase, false); kept < ttl {
			ttl, ending = kept, phase
		}
	}
	return ttl, ending
}

// Untold are the triggers of a policy's sequences that none of the platforms ever tells of, as
// warnings: a generic mapping names those it tells; every other platform tells all. Without a
// platform nothing comes in at all.
func (p *Policy) Untold(platforms []v1alpha1.StorePlatform) []string {
	if len(platforms) == 0 {
		return []string{"spec.platforms: there is none, so no cart comes in and no purchase stops a recovery"}
	}
	told := map[v1alpha1.Trigger]bool{}
	for i := range platforms {
		if platforms[i].Name != v1alpha1.PlatformGeneric {
			return nil
		}
		if generic := platforms[i].Generic; generic != nil {
			for _, start := range generic.Start {
				told[start.Trigger] = true
			}
		}
	}
	var found []string
	for i := range p.Sequences {
		if trigger := p.Sequences[i].Trigger; !told[trigger] {
			found = append(found,
				fmt.Sprintf(
					"spec.recovery.sequences[%s]: never begins, because no value of "+
						"spec.platforms[generic].generic.start has this trigger", trigger))
		}
	}
	return found
}

// maxWarning bounds the message of the condition, in runes.
const maxWarning = 1024

// Warn shows warnings as the condition PolicyWarning, and takes it away without any.
func Warn(conditions *[]metav1.Condition, warnings []string, generation int64, now metav1.Time) {
	if len(warnings) == 0 {
		apimeta.RemoveStatusCondition(conditions, v1alpha1.ConditionPolicyWarning)
		return
	}
	apimeta.SetStatusCondition(conditions, metav1.Condition{
		Type: v1alpha1.ConditionPolicyWarning, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonNeverActs,
		Message: clip.Marked(strings.Join(warnings, "; "), maxWarning), ObservedGeneration: generation,
		LastTransitionTime: now,
	})
}

// NewWarning is the message of PolicyWarning where it says something else than before, else "".
func NewWarning(before, after []metav1.Condition) string {
	is, was := apimeta.FindStatusCondition(after, v1alpha1.ConditionPolicyWarning), apimeta.FindStatusCondition(before,
		v1alpha1.ConditionPolicyWarning)
	if is == nil || was != nil && was.Message == is.Message {
		return ""
	}
	return is.Message
}
