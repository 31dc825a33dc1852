package webhookserver

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"cartrecovery.dev/operator/webhookserver/formats"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// retryAfter is when, in seconds, to try again what could not be stored.
const retryAfter = 5

// The results of deliveries: in answers, and as the label of the metric.
const (
	resultCreated   = "created"
	resultReopened  = "reopened"
	resultStopped   = "stopped"
	resultRecorded  = "recorded"
	resultReversed  = "reversed"
	resultUnchanged = "unchanged"
	// resultGathered: a receipt, or a change of a connection, that is stored a few seconds
	// later, with those that come until then.
	resultGathered = "gathered"
	resultIgnored  = "ignored"
	// resultUnusable: the event matters, and cannot be used; the Store shows why.
	resultUnusable = "unusable"

	// The rest is counted only.
	resultAmbiguous    = "ambiguous"
	resultUnmatched    = "unmatched"
	resultUnauthorized = "unauthorized"
	resultMalformed    = "malformed"
	resultNotFound     = "notfound"
	resultUnavailable  = "unavailable"
	resultRefused      = "refused"
	// resultPanicked: a fault of the server; the log says where.
	resultPanicked = "panicked"
)

// The reasons of ignored deliveries, beside those of platforms and formats.
const (
	ignoredNoPhone          = "NoPhone"
	ignoredNoCustomer       = "NoCustomer"
	ignoredNoSequence       = "NoSequence"
	ignoredSuppressed       = "Suppressed"
	ignoredAlreadyPurchased = "AlreadyPurchased"
	ignoredAlreadyFinished  = "AlreadyFinished"
	ignoredCooldown         = "Cooldown"
	ignoredTooOld           = "TooOld"
	ignoredTooManyLeads     = "TooManyLeads"
	ignoredNoEvent          = "NoEvent"
	ignoredNoOpenLead       = "NoOpenLead"
	ignoredAmbiguous        = "Ambiguous"
	ignoredPing             = "Ping"
	ignoredReceipt          = "Receipt"
	ignoredReaction         = "Reaction"
	ignoredOwn              = "OwnMessage"
	ignoredUnknownMessage   = "UnknownMessage"
	ignoredNoInstance       = "NoInstance"
	// ignoredOldMessage: it was written before the conversation began.
	ignoredOldMessage = "OldMessage"
)

// The reasons of messages that are recorded, where they mean more than what they say.
const (
	// recordedOptOut: the customer asked not to be written to.
	recordedOptOut = "OptedOut"
	// recordedWrongNumber: who has the number is not the customer.
	recordedWrongNumber = "WrongNumber"
	// recordedAutomatic: a machine of the paired number wrote it; it hands nothing over.
	recordedAutomatic = "Automatic"
	// recordedPairedPhone: the paired number wrote to itself.
	recordedPairedPhone = "PairedPhone"
)

// outcome says what became of one event or message.
type outcome struct {
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
	// Field is what an unusable event lacks.
	Field string   `json:"field,omitempty"`
	Lead  string   `json:"lead,omitempty"`
	Leads []string `json:"leads,omitempty"`
	// InFlight says, of a purchase, that a message was being sent when it was stored.
	InFlight *bool `json:"inFlight,omitempty"`

	// unmatched is set on what is a message or tells of one, and belongs to no lead.
	unmatched bool
}

func ignored(reason string) outcome { return outcome{Result: resultIgnored, Reason: reason} }

// unmatched is the outcome of a message that belongs to no lead as far as anybody can tell.
func unmatched(reason string) outcome {
	return outcome{Result: resultIgnored, Reason: reason, unmatched: true}
}

// outcomes says what became of a delivery with several events or messages.
type outcomes struct {
	outcome
	Events []outcome `json:"events"`
}

// weights order results: the heaviest of several speaks for all.
var weights = []string{
	resultIgnored, resultUnmatched, resultAmbiguous, resultUnchanged, resultGathered, resultUnusable, resultReversed,
	resultCreated, resultReopened, resultRecorded, resultStopped,
}

// combine makes one result and body of the outcomes of a delivery.
func combine(parts []outcome) (result string, body any) {
	parts = slices.CompactFunc(parts, func(a, b outcome) bool {
		return a.Result == resultIgnored && b.Result == resultIgnored && a.Reason == b.Reason && a.Lead == b.Lead
	})
	switch len(parts) {
	case 0:
		return resultIgnored, ignored(ignoredNoEvent)
	case 1:
		return counted(parts[0]), parts[0]
	}
	whole := outcomes{outcome: parts[0], Events: parts}
	whole.Lead, whole.Leads, whole.InFlight = "", nil, nil
	for _, part := range parts {
		if slices.Index(weights, counted(part)) > slices.Index(weights, counted(whole.outcome)) {
			whole.Result, whole.Reason, whole.Field, whole.unmatched = part.Result, part.Reason, part.Field,
				part.unmatched
		}
		for _, name := range append([]string{part.Lead}, part.Leads...) {
			if name != "" && !slices.Contains(whole.Leads, name) {
				whole.Leads = append(whole.Leads, name)
			}
		}
		if part.InFlight != nil && (whole.InFlight == nil || *part.InFlight) {
			whole.InFlight = part.InFlight
		}
	}
	return counted(whole.outcome), whole
}

// counted is the metric's label of an outcome.
func counted(o outcome) string {
	switch {
	case o.Result == resultIgnored && o.Reason == ignoredAmbiguous:
		return resultAmbiguous
	case o.Result == resultIgnored && o.unmatched:
		return resultUnmatched
	}
	return o.Result
}

// problem is the body of an answer that is no success. It never holds a value of the
// request.
type problem struct {
	Error    string `json:"error"`
	Reason   string `json:"reason,omitempty"`
	Field    string `json:"field,omitempty"`
	Expected string `json:"expected,omitempty"`
}

// answer is the answer to a request.
type answer struct {
	status int
	body   any
	// source and result are the labels it is counted under; without a source it is not.
	source, result string
	// retry tells the caller to try again.
	retry bool
	// challenge tells it to authenticate.
	challenge bool
	// private answers hold a credential and are not to be kept.
	private bool
}

// isAuthentic says whether only a caller with a credential gets this answer. Ignored deliveries do not count: the test
// call of a platform is ignored, and needs no credential.
func (a *answer) isAuthentic() bool {
	return a.source != "" && a.status == fiber.StatusOK && a.result != resultIgnored
}

// from sets what a delivery's answer is counted under.
func (a answer) from(source string) answer {
	a.source = source
	return a
}

func (a answer) write(c *fiber.Ctx) error {
	if a.retry {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(retryAfter))
	}
	if a.challenge {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	if a.private {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}
	return c.Status(a.status).JSON(a.body)
}

// handled answers what became of the parts of a delivery.
func handled(parts []outcome) answer {
	result, body := combine(parts)
	return answer{status: fiber.StatusOK, result: result, body: body}
}

// notFound is the answer for every client, platform and instance that is not there.
func notFound() answer {
	return answer{status: fiber.StatusNotFound, result: resultNotFound, body: problem{Error: "not found"}}
}

func unauthorized() answer {
	return answer{
		status: fiber.StatusUnauthorized, result: resultUnauthorized,
		body: problem{Error: "the credential is missing or wrong"},
	}
}

func malformed(field, expected string) answer {
	return answer{
		status: fiber.StatusBadRequest, result: resultMalformed,
		body: problem{Error: "the request cannot be read", Field: field, Expected: expected},
	}
}

func unavailable() answer {
	return answer{
		status: fiber.StatusServiceUnavailable, result: resultUnavailable, retry: true,
		body: problem{Error: "it could not be stored; try again"},
	}
}

// busy is the answer when there is no room for a request.
func busy() answer {
	return answer{
		status: fiber.StatusServiceUnavailable, result: resultUnavailable, retry: true,
		body: problem{Error: "the server is busy; try again"},
	}
}

// refused is the answer to a request that reaches no handler.
func refused(status int) answer {
	texts := map[int]string{
		fiber.StatusNotFound:         "not found",
		fiber.StatusMethodNotAllowed: "the method is not allowed here",
		fiber.StatusRequestTimeout:   "the request took too long to arrive",
		fiber.StatusRequestEntityTooLarge: "the body is larger than allowed here: 1 MiB, of connect and " +
			"status 4 KiB",
		fiber.StatusRequestHeaderFieldsTooLarge: "the headers are larger than 16 KiB",
	}
	text, known := texts[status]
	result := resultRefused
	switch {
	case !known && status < fiber.StatusInternalServerError:
		text = "the request cannot be read"
	case !known:
		text, result = "internal error", resultPanicked
	}
	return answer{status: status, source: "none", result: result, body: problem{Error: text}}
}

// inputAnswer is the answer to a delivery that cannot be read; false for other errors.
func inputAnswer(err error) (answer, bool) {
	if sale, ok := errors.AsType[*platforms.InputError](err); ok {
		return malformed(sale.Field, sale.Expected), true
	}
	if message, ok := errors.AsType[*formats.InputError](err); ok {
		return malformed(message.Field, message.Expected), true
	}
	return answer{}, false
}

// storeAnswer is the answer when something could not be stored or read: try again, unless the schema refuses it every
// time.
func storeAnswer(err error) answer {
	if apierrors.IsInvalid(err) {
		return malformed(invalidField(err), "a value that the resource's schema accepts")
	}
	return unavailable()
}

// invalidField is the first field that the API server refused, "" when it does not say.
func invalidField(err error) string {
	var refusal apierrors.APIStatus
	if !errors.As(err, &refusal) {
		return ""
	}
	details := refusal.Status().Details
	if details == nil || len(details.Causes) == 0 {
		return ""
	}
	return details.Causes[0].Field
}

// logFailure logs an error without anything personal.
func (s *Server) logFailure(message string, err error, keysAndValues ...any) {
	s.Logger.Info(message, append(loggable(err), keysAndValues...)...)
}

// loggable are the keys and values of an error. The API server's words on why it refused an object can hold the
// object's values, and the URL of a call can hold the hash of a phone number, so only the cause and the field are kept.
func loggable(err error) []any {
	var refusal apierrors.APIStatus
	var transport *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return []any{"cause", "Timeout"}
	case errors.As(err, &refusal):
		return []any{"cause", string(apierrors.ReasonForError(err)), "field", invalidField(err)}
	case errors.As(err, &transport):
		return []any{"cause", transport.Err.Error()}
	}
	return []any{"cause", err.Error()}
}
