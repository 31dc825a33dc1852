package cartrecovery

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/drafts"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/controllers/cartrecovery/prompt"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/index"
)

// jobFor is the text to write for a message; request holds the Store's settings.
func jobFor(s plan.Snapshot, wanted plan.Message, request ai.Request) (drafts.Job, error) {
	asked, err := prompt.For(s, wanted)
	if err != nil {
		return drafts.Job{}, err
	}
	request.Messages, request.OfferHuman, request.OfferStop = asked.Messages, asked.OffersPerson, asked.OffersStop
	review := drafts.ReviewFor(s.Store, request.Endpoint, asked.Facts.Prompt)
	return drafts.Job{
		Lead:     client.ObjectKeyFromObject(s.Lead),
		Store:    client.ObjectKeyFromObject(s.Store),
		Text:     s.TextID(wanted.ID),
		Due:      wanted.Due,
		Request:  request,
		Endpoint: request.Endpoint.ID(),
		Estimate: request.EstimateTokens() + review.Estimate(request.MaxTokens),
		Limit:    s.Store.Spec.AI.DailyTokenBudget,
		Zone:     s.Policy.Location,
		Check:    checkFor(asked.Facts),
		Review:   review,
		Rewrite: func(refused, detail string) ai.Request {
			again := request
			again.Messages = ai.Rewrite(request.Messages, refused, detail)
			return again
		},
	}, nil
}

// checkFor judges texts by these facts.
func checkFor(facts guard.Facts) func(text string) (reason, detail string) {
	return func(text string) (reason, detail string) {
		if refusal := guard.Check(text, facts); refusal != nil {
			return string(refusal.Reason), refusal.Detail
		}
		return "", ""
	}
}

// prepare asks for the text of a message and does not wait for it; the draft's end brings
// the lead back.
func (r *Reconciler) prepare(ctx context.Context, s plan.Snapshot, wanted plan.Message) (ctrl.Result, error) {
	name, text := client.ObjectKeyFromObject(s.Lead), s.TextID(wanted.ID)
	reason := v1alpha1.ReasonNoCredentials
	// What the text before has cost is written before another costs more: a process that ends
	// loses no more than one.
	booked, err := r.write(ctx, s, plan.CountTokens)
	if err != nil {
		return afterConflict(err)
	}
	s.Lead = booked
	request, err := r.AI.Request(ctx, s.Store)
	wants := drafts.Job{}
	if err == nil {
		reason = v1alpha1.ReasonInvalidTemplate
		wants, err = jobFor(s, wanted, request)
	}
	if _, classed := failure.As(err); classed {
		r.drafts.Refuse(name, text, failure.ReasonOf(err, reason), err)
		return r.soon(), nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.seedBudget(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	r.drafts.Request(wants)
	return r.soon(), nil
}

// seedBudget counts the tokens that the Store used today before this process began to.
func (r *Reconciler) seedBudget(ctx context.Context, s plan.Snapshot) error {
	store, day := client.ObjectKeyFromObject(s.Store), budget.Day(s.Now, s.Policy.Location)
	if s.Store.Spec.AI.DailyTokenBudget == nil || r.Budget.Seeded(store, day) {
		return nil
	}
	var leads v1alpha1.CartRecoveryList
	err := r.Client.List(ctx, &leads, client.InNamespace(store.Namespace),
		client.MatchingFields{index.LeadOfStore: store.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return fmt.Errorf("count the tokens of a Store: %w", err)
	}
	used := budget.UsedOf(leads.Items, store.Name, day, s.Policy.Location)
	if tokens := s.Store.Status.Tokens; tokens != nil && tokens.Day == day {
		used = max(used, tokens.Used)
	}
	r.Budget.Seed(store, day, used)
	return nil
}
