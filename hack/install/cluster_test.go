package install

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// TestSetsAreTaken validates what the chart and config render. Three judge: kubeconform (conform); the decoders of the
// types' own modules, which refuse unknown fields (objects.read; the Prometheus operator's kinds have this one only);
// and a real API server, asked to apply every object without storing it, fields strictly validated, with the Gateway
// API's own CRDs. Pods are made of the templates in a namespace that enforces the Pod Security Standard "restricted".
func TestSetsAreTaken(t *testing.T) {
	t.Parallel()
	p := startPlane(t, gatewayAPI(t))
	strict := client.WithFieldValidation(p.client, metav1.FieldValidationStrict)
	for _, name := range []string{namespace, "shop", "courses"} {
		made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name,
			Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
		if err := p.client.Create(t.Context(), made); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("kubeconform", func(t *testing.T) { conform(t, p) })
	sets := map[string]objects{}
	for _, name := range valueSets(t) {
		sets["chart "+name] = fromChart(t, valuesIn(t, name))
	}
	for _, folder := range []string{"default", "default-split", "default-namespaced"} {
		sets["config/"+folder] = fromKustomize(t, folder)
	}
	sets["all of config/components"] = withComponents(t)
	for name, set := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for key, object := range set {
				if strings.HasSuffix(object.GetObjectKind().GroupVersionKind().Group, "monitoring.coreos.com") {
					continue
				}
				//nolint:staticcheck // the typed objects have no apply configurations
				if err := strict.Patch(t.Context(), object, client.Apply, client.DryRunAll, client.ForceOwnership,
					client.FieldOwner("test")); err != nil {
					t.Errorf("%s: %v", key, err)
				}
			}
			for key, deployment := range of[*appsv1.Deployment](set) {
				if err := strict.Create(t.Context(), podOf(deployment), client.DryRunAll); err != nil {
					t.Errorf("a pod of %s: %v", key, err)
				}
			}
		})
	}
	for _, deployment := range of[*appsv1.Deployment](sets["chart default"]) {
		pod := podOf(deployment)
		pod.Spec.SecurityContext.RunAsNonRoot = nil
		if err := strict.Create(t.Context(), pod, client.DryRunAll); !apierrors.IsForbidden(err) {
			t.Errorf("got %v for a pod that may run as root, want it refused", err)
		}
	}
}

func podOf(deployment *appsv1.Deployment) *corev1.Pod {
	template := deployment.Spec.Template.DeepCopy()
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Namespace, pod.GenerateName = deployment.Namespace, deployment.Name+"-"
	return pod
}

// gatewayAPI installs the CRDs of the Gateway API, which its Go module has.
func gatewayAPI(t *testing.T) func(*envtest.Environment) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api")
	printed, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(printed)), "config", "crd", "standard",
		"gateway.networking.k8s.io_httproutes.yaml")
	return func(environment *envtest.Environment) {
		environment.CRDInstallOptions.Paths = append(environment.CRDInstallOptions.Paths, path)
	}
}
