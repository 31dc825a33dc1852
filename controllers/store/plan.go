package store

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/mapping"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/status"
	"cartrecovery.dev/operator/internal/templates"
)

// snapshot is everything plan decides on.
type snapshot struct {
	store *v1alpha1.Store
	// claimants are all Stores, in any namespace, that claim the clientID.
	claimants []v1alpha1.Store
	// claimedBy is the namespace that has the clientID, "" while none has it.
	claimedBy string
	// missing names a Secret that the Store refers to and that does not exist; "" for none.
	missing string
	// refused is why its AI endpoint may not be called, nil when it may.
	refused   *failure.Error
	hasAIKey  bool
	publicURL string
	numbers   numbers
	// keyMissing: a Suppression of the Store is of a key that the operator does not have.
	keyMissing bool
	// leads and tokens are as of now, or as they were counted last.
	leads  *v1alpha1.LeadCounts
	tokens *v1alpha1.TokenUsage
	// restored is how many leads wait until it is known what was sent before a restore.
	restored int
	// policy that holds for leads without a Product.
	policy policy.Policy
}

// findings are what there is to say of a Store.
type findings struct {
	// claims says that the clientID becomes the namespace's from now on.
	claims bool
	// Finding is whether the Store is ready.
	status.Finding
	webhooks  []v1alpha1.StoreWebhook
	leads     *v1alpha1.LeadCounts
	tokens    *v1alpha1.TokenUsage
	effective *v1alpha1.EffectivePolicy
	summary   *v1alpha1.StoreSummary
}

// plan judges a Store. Of several problems it tells the one that keeps most from working.
func plan(s *snapshot) findings {
	found := s.judge()
	found.Also = []metav1.Condition{s.numbers.canSend(found.Status, found.Reason)}
	return found
}

func (s *snapshot) judge() findings {
	found := findings{leads: s.leads, tokens: s.tokens, effective: s.policy.Effective(),
		summary: summaryOf(s.numbers, s.leads)}
	found.Status = metav1.ConditionFalse
	if taken := s.taken(); taken != "" {
		found.Reason, found.Message = v1alpha1.ReasonClientIDTaken, taken
		return found
	}
	found.webhooks = webhooks(s.store, s.publicURL)
	found.Warnings = append(s.policy.Warnings(), s.policy.Untold(s.store.Spec.Platforms)...)
	if warning := ai.BudgetWarning(s.store); warning != "" {
		found.Warnings = append(found.Warnings, warning)
	}
	found.Reason, found.Message = s.problem()
	if found.Reason == "" {
		found.Status, found.Reason, found.Message = metav1.ConditionTrue, v1alpha1.ReasonReady,
			"everything that is needed is there"
	}
	// A Store that never worked keeps no clientID from anybody.
	found.claims = s.claimedBy == "" && (found.Status == metav1.ConditionTrue || hasLeads(s.leads))
	return found
}

func hasLeads(counted *v1alpha1.LeadCounts) bool {
	return counted != nil && counted.Pending+counted.Active+counted.Recovered+counted.Converted+counted.Closed > 0
}

// taken says who else has the clientID; "" when this Store has it.
func (s *snapshot) taken() string {
	switch has := owner.StoreOf(s.claimants, s.claimedBy); {
	case has < 0:
		return fmt.Sprintf(
			"spec.clientID: namespace %s has it and keeps it; who may hand it over deletes the ClientIDClaim %s, or "+
				"changes "+
				"its spec.namespace (see docs/configuration.md)", s.claimedBy, owner.ClaimName(s.store.Spec.ClientID))
	case s.claimants[has].UID != s.store.UID:
		return fmt.Sprintf("spec.clientID: Store %s/%s has it and gets the traffic", s.claimants[has].Namespace,
			s.claimants[has].Name)
	}
	return ""
}

// restoredMessage says how many leads wait after a restore, and for what. Most go on by themselves.
func restoredMessage(leads int) string {
	who := fmt.Sprintf("%d leads wait", leads)
	if leads == 1 {
		who = "1 lead waits"
	}
	return "restored from a backup: " + who +
		" until it is known what was sent. Some minutes are for the ledger and the gateway's " +
		"look-ups, which need nobody; only where a lead's condition Blocked says that the gateway cannot tell, a " +
		"person has to annotate the Store with " +
		v1alpha1.AnnotationRestoreAcknowledged + " (see docs/backup.md)"
}

// problem is why the Store is not ready, as reason and message.
func (s *snapshot) problem() (reason, message string) {
	spec := &s.store.Spec
	if s.restored > 0 {
		return v1alpha1.ReasonRestoredFromBackup, restoredMessage(s.restored)
	}
	if s.keyMissing {
		return v1alpha1.ReasonSuppressionKeyMissing, "a Suppression of the Store has a spec.phoneHMAC of a key that " +
			"is not in SUPPRESSION_KEYS of the controllers: nothing is sent until it is back (docs/privacy.md); " +
			"kubectl get suppressions shows which one is KeyMissing"
	}
	if !isTimeZone(spec.TimeZone) {
		return v1alpha1.ReasonInvalidTimeZone, "spec.timeZone: " + spec.TimeZone +
			" is no IANA time zone, such as America/Sao_Paulo"
	}
	if !phone.IsRegion(spec.Region) {
		return v1alpha1.ReasonInvalidRegion, "spec.region: " + spec.Region +
			" is no region that has telephone numbers, such as BR or GB (ISO 3166-1)"
	}
	if problem := mappingProblem(spec.Platforms); problem != "" {
		return v1alpha1.ReasonInvalidMapping, problem
	}
	if s.missing != "" {
		return v1alpha1.ReasonSecretNotFound, s.missing
	}
	if s.refused != nil {
		return s.refused.Reason, s.refused.Shown()
	}
	if problem := templates.Problem("spec.ai.systemPrompt", spec.AI.SystemPrompt, &spec.Recovery); problem != "" {
		return v1alpha1.ReasonInvalidTemplate, problem
	}
	if problem := policy.Problem(&spec.Recovery, &s.policy); problem != "" {
		return v1alpha1.ReasonInvalidPolicy, problem
	}
	if spec.AI.APIKeySecretRef == nil && !s.hasAIKey {
		return v1alpha1.ReasonNoCredentials, "spec.ai.apiKeySecretRef: set it, or give the operator OPENAI_API_KEY"
	}
	if spec.Suspend {
		return v1alpha1.ReasonSuspended, "spec.suspend is set: deliveries are stored, and nothing is sent"
	}
	return "", ""
}

// mappingProblem is what keeps the generic platform's mapping from being used: the field
// and what was expected there; "" for nothing.
func mappingProblem(platforms []v1alpha1.StorePlatform) string {
	for i := range platforms {
		if platforms[i].Name != v1alpha1.PlatformGeneric {
			continue
		}
		if _, err := mapping.Compile(platforms[i].Generic); err != nil {
			return "spec.platforms[" + string(platforms[i].Name) + "]." + err.Error()
		}
	}
	return ""
}

// isTimeZone knows the IANA time zones; "Local" is whatever the machine is set to.
func isTimeZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// webhooks are the URLs to enter at the Store's platforms.
func webhooks(store *v1alpha1.Store, publicURL string) []v1alpha1.StoreWebhook {
	if publicURL == "" {
		return nil
	}
	urls := make([]v1alpha1.StoreWebhook, 0, len(store.Spec.Platforms))
	for i := range store.Spec.Platforms {
		name := store.Spec.Platforms[i].Name
		urls = append(urls, v1alpha1.StoreWebhook{
			Platform: name,
			URL: strings.TrimRight(publicURL, "/") + "/api/webhooks/" + string(name) + "/" +
				url.PathEscape(store.Spec.ClientID),
		})
	}
	return urls
}
