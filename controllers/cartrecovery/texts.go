package cartrecovery

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/controllers/cartrecovery/drafts"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/controllers/cartrecovery/prompt"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
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
