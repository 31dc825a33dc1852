package webhookserver

import (
	"github.com/gofiber/fiber/v2"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/webhookserver/formats"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// routeNone is the label of requests to what does not exist. What a path holds can be a key, and is never a label.
const routeNone = "none"

// timed observes how long requests take, by route and status code. It stands before everything else, and has errors
// answered itself: their status is known only then.
func (s *Server) timed(c *fiber.Ctx) error {
	began := s.Clock.Now()
	if failed := c.Next(); failed != nil {
		if err := s.onError(c, failed); err != nil {
			return err
		}
	}
	route := c.Route().Path
	if !isDeclared(route) {
		route = routeNone
	}
	s.Metrics.WebhookRequest(route, c.Response().StatusCode()).Observe(s.Clock.Since(began).Seconds())
	return nil
}

// isDeclared says whether a path is that of a route, as it is declared.
func isDeclared(path string) bool {
	for i := range routes {
		if routes[i].path == path {
			return true
		}
	}
	return false
}

// KnownLabels are the values of labels that deliveries are counted by.
func KnownLabels() metrics.Known {
	known := metrics.Known{
		Sources: []string{sourceGateway, sourceDetected, "none"},
		Results: []string{
			resultCreated, resultReopened, resultStopped, resultRecorded, resultReversed, resultUnchanged,
			resultGathered, resultIgnored, resultUnusable, resultAmbiguous, resultUnmatched, resultUnauthorized,
			resultMalformed, resultNotFound, resultUnavailable, resultRefused, resultPanicked,
		},
		Routes:   []string{routeNone},
		Unusable: []string{v1alpha1.UnusableNoCustomer, v1alpha1.UnusableNoSale},
	}
	for _, platform := range platforms.Names() {
		known.Platforms = append(known.Platforms, string(platform))
	}
	known.Sources = append(append(known.Sources, known.Platforms...), formats.All()...)
	for _, row := range routes {
		known.Routes = append(known.Routes, row.path)
	}
	return known
}
