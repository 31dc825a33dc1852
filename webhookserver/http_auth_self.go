package webhookserver

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// NewSelfAuthorizer returns an Authorizer that asks the API server of a configuration with the callers' own tokens:
// who they are with a SelfSubjectReview, what they may do with a SelfSubjectAccessReview. Kubernetes lets everybody
// ask both of themselves, so the operator needs no right in the whole cluster. Its own credentials are not used.
// See docs/decisions/0114-callers-are-asked-with-their-own-tokens.md.
func NewSelfAuthorizer(config *rest.Config) (Authorizer, error) {
	anonymous := rest.AnonymousClientConfig(config)
	// tokenReviews limits how often strangers have it asked.
	anonymous.QPS, anonymous.Burst, anonymous.RateLimiter = -1, 0, nil
	client, err := kubernetes.NewForConfig(anonymous)
	if err != nil {
		return nil, fmt.Errorf("build the client that asks for callers: %w", err)
	}
	return selfAuthorizer{
		authentication: client.AuthenticationV1().RESTClient(), authorization: client.AuthorizationV1().RESTClient(),
	}, nil
}

// selfAuthorizer has clients without credentials: each request brings its caller's.
type selfAuthorizer struct{ authentication, authorization rest.Interface }

// Authenticate asks with a SelfSubjectReview.
func (r selfAuthorizer) Authenticate(ctx context.Context, token string) (Caller, bool, error) {
	review := &authenticationv1.SelfSubjectReview{}
	err := create(ctx, r.authentication, "selfsubjectreviews", token, review)
	if apierrors.IsUnauthorized(err) {
		return Caller{}, false, nil
	}
	if err != nil {
		return Caller{}, false, fmt.Errorf("ask the API server who a caller is: %w", err)
	}
	return review.Status.UserInfo, true, nil
}

// Authorize asks with a SelfSubjectAccessReview. A token that was taken back meanwhile may do nothing.
func (r selfAuthorizer) Authorize(ctx context.Context, _ Caller, token, verb, namespace string) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: instancesIn(namespace, verb),
	}}
	err := create(ctx, r.authorization, "selfsubjectaccessreviews", token, review)
	if apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask the API server what a caller may do: %w", err)
	}
	return review.Status.Allowed, nil
}

// create asks with a caller's token, and reads the answer into what was asked.
func create(ctx context.Context, client rest.Interface, resource, token string, review runtime.Object) error {
	return client.Post().Resource(resource).SetHeader("Authorization", "Bearer "+token).Body(review).
		Do(ctx).Into(review)
}
