package plan

import (
	"maps"
	"slices"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// blockedReason is how a lead that waits for a reason behaves.
type blockedReason struct {
	// isQuiet says that no event tells of it: it is the policy's own doing, or an event of another object tells.
	isQuiet bool
	// isSticky says that it is shown until the next attempt, also while nothing stands in the way of that.
	isSticky bool
	// isTimeless says that the end of the wait is only when it is looked at again: what stands in the way tells no
	// time, and writing each look would cost a write a minute and lead.
	isTimeless bool
	// isMeant says that the wait is what the policy or a person asks for: a message that waits for it is not overdue.
	isMeant bool
}

// blockedReasons are all reasons of the Blocked condition of a CartRecovery.
var blockedReasons = map[string]blockedReason{
	v1alpha1.ReasonAIRefused:             {isTimeless: true},
	v1alpha1.ReasonAIUnavailable:         {isTimeless: true},
	v1alpha1.ReasonAutomaticReplies:      {isMeant: true},
	v1alpha1.ReasonClaimsPaid:            {isMeant: true},
	v1alpha1.ReasonCooldown:              {isQuiet: true, isMeant: true},
	v1alpha1.ReasonEndpointNotAllowed:    {isTimeless: true},
	v1alpha1.ReasonGatewayUnavailable:    {isSticky: true, isTimeless: true},
	v1alpha1.ReasonGatewayUnreachable:    {},
	v1alpha1.ReasonInConversation:        {isQuiet: true, isMeant: true},
	v1alpha1.ReasonInternalError:         {isTimeless: true},
	v1alpha1.ReasonInvalidTemplate:       {},
	v1alpha1.ReasonLeadTokenBudget:       {},
	v1alpha1.ReasonNoConnectedInstance:   {},
	v1alpha1.ReasonNoCredentials:         {isTimeless: true},
	v1alpha1.ReasonNoSequence:            {},
	v1alpha1.ReasonNumberLost:            {},
	v1alpha1.ReasonPaced:                 {isQuiet: true, isTimeless: true},
	v1alpha1.ReasonQuietHours:            {isQuiet: true, isMeant: true},
	v1alpha1.ReasonRestoredFromBackup:    {isQuiet: true, isTimeless: true},
	v1alpha1.ReasonRestricted:            {isSticky: true},
	v1alpha1.ReasonSecretNotAllowed:      {isTimeless: true},
	v1alpha1.ReasonStoreNotFound:         {},
	v1alpha1.ReasonSuppressionKeyMissing: {},
	v1alpha1.ReasonSuspended:             {isMeant: true},
	v1alpha1.ReasonTextRefused:           {},
	v1alpha1.ReasonTextUnreviewed:        {},
	v1alpha1.ReasonThrottled:             {isSticky: true},
	v1alpha1.ReasonTokenBudget:           {},
	v1alpha1.ReasonTooManyAnswers:        {isMeant: true},
	v1alpha1.ReasonUnconfirmed:           {},
	v1alpha1.ReasonWithPerson:            {isMeant: true},
}

// IsTold says whether an event tells of a lead that begins to wait for a reason.
func IsTold(reason string) bool { return reason != "" && !blockedReasons[reason].isQuiet }

// BlockedReasons are all reasons of the Blocked condition of a CartRecovery, in the order of their names.
func BlockedReasons() []string { return slices.Sorted(maps.Keys(blockedReasons)) }

// Owed is when the message that is wanted should have left, or is to leave; zero when there is none, or when it waits
// because the policy, a person or the pace of its number wants it to.
func (a *Action) Owed() time.Time {
	if blockedReasons[a.Blocked].isMeant {
		return time.Time{}
	}
	return a.due
}
