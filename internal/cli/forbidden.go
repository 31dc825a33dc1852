package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// request is what was asked of the API server.
type request struct {
	verb, namespace, subresource string
}

// forbidden is a right that the caller has not got.
type forbidden struct {
	request
	resource string
	err      error
}

func (f *forbidden) Unwrap() error { return f.err }

func (f *forbidden) Error() string {
	resource, scope, question := f.resource, "in the whole cluster", " --all-namespaces"
	if f.namespace != "" {
		scope, question = "in the namespace "+f.namespace, " -n "+f.namespace
	}
	if f.subresource != "" {
		resource += "/" + f.subresource
		question = " --subresource=" + f.subresource + question
	}
	return fmt.Sprintf("you may not %s %s %s. Ask for that right; this says whether you have it:\n"+
		"  kubectl auth can-i %s %s%s", f.verb, resource, scope, f.verb, f.resource, question)
}

// explain tells which right a request lacked, or that there are no CRDs. Other refusals of the API server, such as a
// quota's, say themselves what is wrong.
func explain(r request, err error) error {
	if apimeta.IsNoMatchError(err) {
		return fmt.Errorf("the cluster has not got the CRDs of cart-recovery-operator; docs/install.md says how to "+
			"install it: %w", err)
	}
	var status apierrors.APIStatus
	if !apierrors.IsForbidden(err) || !errors.As(err, &status) || status.Status().Details == nil ||
		!strings.Contains(status.Status().Message, " cannot "+r.verb+" resource ") {
		return err
	}
	details := status.Status().Details
	resource := metav1.GroupResource{Group: details.Group, Resource: details.Kind}
	return &forbidden{request: r, resource: resource.String(), err: err}
}

// explaining has a client explain its errors.
func explaining(c client.WithWatch) client.Client {
	return interceptor.NewClient(c, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption) error {
			return explain(request{verb: "get", namespace: key.Namespace}, c.Get(ctx, key, object, options...))
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList,
			options ...client.ListOption) error {
			namespace := (&client.ListOptions{}).ApplyOptions(options).Namespace
			return explain(request{verb: "list", namespace: namespace}, c.List(ctx, list, options...))
		},
		Create: func(ctx context.Context, c client.WithWatch, object client.Object,
			options ...client.CreateOption) error {
			return explain(of("create", object), c.Create(ctx, object, options...))
		},
		Update: func(ctx context.Context, c client.WithWatch, object client.Object,
			options ...client.UpdateOption) error {
			return explain(of("update", object), c.Update(ctx, object, options...))
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch,
			options ...client.PatchOption) error {
			return explain(of("patch", object), c.Patch(ctx, object, patch, options...))
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object,
			options ...client.DeleteOption) error {
			return explain(of("delete", object), c.Delete(ctx, object, options...))
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, object client.Object,
			options ...client.DeleteAllOfOption) error {
			namespace := (&client.DeleteAllOfOptions{}).ApplyOptions(options).Namespace
			return explain(request{verb: "deletecollection", namespace: namespace},
				c.DeleteAllOf(ctx, object, options...))
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, name string, object client.Object,
			options ...client.SubResourceUpdateOption) error {
			r := of("update", object)
			r.subresource = name
			return explain(r, c.SubResource(name).Update(ctx, object, options...))
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, object client.Object,
			patch client.Patch, options ...client.SubResourcePatchOption) error {
			r := of("patch", object)
			r.subresource = name
			return explain(r, c.SubResource(name).Patch(ctx, object, patch, options...))
		},
	})
}

func of(verb string, object client.Object) request {
	return request{verb: verb, namespace: object.GetNamespace()}
}
