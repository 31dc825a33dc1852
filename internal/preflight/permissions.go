package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/authorization/v1"
)

// atOnce is how many questions are under way.
const atOnce = 8

// ErrForbidden: the operator's service account may not do what it needs to.
var ErrForbidden = errors.New("the operator's service account lacks permissions")

// Permissions asks the API server whether this process may do everything that the rules of its
// role say, in each of the namespaces; none is the whole cluster. The error names each verb and
// resource that is missing.
func Permissions(ctx context.Context, reviews client.SelfSubjectAccessReviewInterface, rules []rbacv1.PolicyRule, namespaces []string) error {
	var (
		asking  sync.WaitGroup
		mu      sync.Mutex
		missing []string
		failed  error
	)
	slots := make(chan struct{}, atOnce)
	for _, wanted := range attributes(rules, namespaces) {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			allowed, err := ask(ctx, reviews, wanted)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				failed = err
			case !allowed:
				missing = append(missing, describe(wanted))
			}
		})
	}
	asking.Wait()
	if failed != nil {
		return failed
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%w: it may not %s; apply its roles with %s", ErrForbidden, named(missing), Install)
}

func ask(ctx context.Context, reviews client.SelfSubjectAccessReviewInterface, wanted authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &wanted}}
	answer, err := reviews.Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask the API server whether this process may %s: %w", describe(wanted), err)
	}
	return answer.Status.Allowed, nil
}

// attributes are what the rules allow, one by one. Reviews of callers are asked for in the whole
// cluster, as they are made.
func attributes(rules []rbacv1.PolicyRule, namespaces []string) []authorizationv1.ResourceAttributes {
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	var all []authorizationv1.ResourceAttributes
	for i := range rules {
		for _, group := range rules[i].APIGroups {
			in := namespaces
			if strings.HasSuffix(group, ".k8s.io") && group != "events.k8s.io" {
				in = []string{""}
			}
			for _, resource := range rules[i].Resources {
				for _, verb := range rules[i].Verbs {
					all = append(all, each(group, resource, verb, rules[i].ResourceNames, in)...)
				}
			}
		}
	}
	return all
}

func each(group, resource, verb string, names, namespaces []string) []authorizationv1.ResourceAttributes {
	if len(names) == 0 {
		names = []string{""}
	}
	resource, sub, _ := strings.Cut(resource, "/")
	var all []authorizationv1.ResourceAttributes
	for _, namespace := range namespaces {
		for _, name := range names {
			all = append(all, authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: sub, Name: name,
			})
		}
	}
	return all
}

// describe is for example "patch suppressions.cartrecovery.dev/status in namespace shop".
func describe(wanted authorizationv1.ResourceAttributes) string {
	text := wanted.Verb + " " + wanted.Resource
	if wanted.Group != "" {
		text += "." + wanted.Group
	}
	if wanted.Subresource != "" {
		text += "/" + wanted.Subresource
	}
	if wanted.Name != "" {
		text += " " + wanted.Name
	}
	if wanted.Namespace != "" {
		text += " in namespace " + wanted.Namespace
	}
	return text
}
