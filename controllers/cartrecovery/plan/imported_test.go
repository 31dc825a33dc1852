package plan

import (
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/movein"
)

// imported is a lead that was imported, with its conversation: one that left at T0.
func imported(conversation string, mods ...gen.LeadMod) gen.LeadMod {
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart}}
		s.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: twoSteps}}
	})
	target := &movein.Target{Store: store, Now: gen.T0.Add(5 * time.Hour), Batch: "move",
		Instances: []v1alpha1.WhatsAppInstance{*gen.InstanceObject()}}
	row := `{"phone": "` + gen.Phone + `", "email": "` + gen.Email + `", "productId": "` + gen.ProductID +
		`", "abandonedAt": "` + gen.T0.Format(time.RFC3339) + `", "messages": [` + conversation + `]}`
	return func(l *v1alpha1.CartRecovery) {
		_, err := movein.Read(strings.NewReader(row), movein.JSON, movein.LeadColumns, func(row movein.Row,
			_ *movein.Problem) error {
			made, _, _ := target.Lead(row)
			created := l.CreationTimestamp
			made.Object.DeepCopyInto(l)
			l.CreationTimestamp = created
			made.Complete(l, target.Now)
			delete(l.Annotations, v1alpha1.AnnotationImportIncomplete)
			return nil
		})
		if err != nil {
			panic(err) // of a row of this file
		}
		for _, mod := range mods {
			mod(l)
		}
	}
}

func exported(role, text string, after time.Duration) string {
	return `{"role": "` + role + `", "text": "` + text + `", "at": "` + gen.T0.Add(after).Format(time.RFC3339) +
		`", "id": "` + text + `"}`
}

func released(l *v1alpha1.CartRecovery) { l.Spec.Suspend = false }

// importedCases are the rows about leads of another backend.
func importedCases() []planCase {
	const hour = time.Hour
	first, asks := exported("ai", "oi", gen.FirstDue), exported("user", "quanto custa?", hour)
	answered := exported("ai", "297", hour+time.Minute)
	incomplete := func(l *v1alpha1.CartRecovery) {
		l.Annotations = map[string]string{v1alpha1.AnnotationImportIncomplete: ""}
	}
	held := func(until time.Duration, conversation ...string) planCase {
		return planCase{now: 2 * hour, text: ready(), want: Wait, until: until, blocked: v1alpha1.ReasonSuspended,
			lead: []gen.LeadMod{imported(strings.Join(conversation, ","))}}
	}
	named := func(name string, c planCase) planCase {
		c.name = name
		return c
	}
	return []planCase{
		named("an imported lead is held", held(gen.ExpiresAt)),
		named("an imported lead whose customer waits for an answer is held", held(hour+gen.ExpiresAt, first, asks)),
		{name: "a held lead is over when its customer buys", now: 2 * hour, want: Finish,
			lead:    []gen.LeadMod{imported("", gen.Bought(gen.T0.Add(hour)))},
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a held lead that was written to before is recovered when its customer buys", now: 2 * hour,
			want:    Finish,
			lead:    []gen.LeadMod{imported(first, gen.Bought(gen.T0.Add(hour)))},
			outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a held lead ends when its phone is suppressed", now: 2 * hour, want: Finish, suppressed: true,
			lead: []gen.LeadMod{imported("")}, outcome: v1alpha1.ReasonOptedOut},
		{name: "a held lead expires", now: gen.ExpiresAt, want: Finish, lead: []gen.LeadMod{imported("")},
			outcome: v1alpha1.ReasonNeverContacted},
		{name: "a released lead gets its first message", now: 2 * hour, text: ready(), want: Send, message: gen.FirstID,
			lead: []gen.LeadMod{imported("", released)}},
		{name: "a lead that was written to does not get its first message again", now: 2 * hour, text: ready(),
			steps: twoSteps[:1], want: Wait, until: gen.FirstDue + gen.ExpiresAt,
			lead: []gen.LeadMod{imported(first, released)}},
		{name: "a lead that was written to gets the step after it", now: 3 * hour, text: ready(), steps: twoSteps,
			want: Send, message: lead.StepID(0, "second"), lead: []gen.LeadMod{imported(first, released)}},
		{name: "a customer who waits for an answer gets it", now: 2 * hour, text: ready(), steps: twoSteps, want: Send,
			message: lead.ReplyID(0, "quanto custa?"), from: gen.Instance,
			lead: []gen.LeadMod{imported(first+","+asks, released)}},
		{name: "a customer who was answered is not answered again", now: 3 * hour, text: ready(), steps: twoSteps,
			want: Wait, until: hour + time.Minute + gen.ExpiresAt,
			lead: []gen.LeadMod{imported(first+","+asks+","+answered, released)}},
		{name: "a lead whose conversation is missing is held, whatever its spec says", now: 2 * hour, text: ready(),
			want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended,
			lead: []gen.LeadMod{imported("", released, incomplete)}},
		{name: "a conversation that a person had stays theirs", now: 2 * hour, text: ready(), want: Wait,
			until: hour + gen.ExpiresAt,
			lead:  []gen.LeadMod{imported(first+","+exported("human", "eu ajudo", hour), released)}},
	}
}
