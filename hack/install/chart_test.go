package install

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/internal/testenv"
)

// TestLint is helm lint --strict with every set of values.
func TestLint(t *testing.T) {
	for _, name := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			lint := action.NewLint()
			lint.Strict, lint.Namespace = true, namespace
			for _, err := range lint.Run([]string{chartDir}, valuesIn(t, name)).Errors {
				t.Error(err)
			}
		})
	}
}

// TestChartIsWhatKustomizeInstalls: the two ways to install make the same processes with the same rights. Labels of
// objects and the image's name are all that differs.
func TestChartIsWhatKustomizeInstalls(t *testing.T) {
	for values, folder := range map[string]string{
		"default": "default", "split": "default-split", "namespaced": "default-namespaced",
	} {
		t.Run(values, func(t *testing.T) {
			if difference := cmp.Diff(essence(fromKustomize(t, folder)), essence(fromChart(t, valuesIn(t,
				values)))); difference != "" {
				t.Errorf("config/%s (-) and the chart (+):\n%s", folder, difference)
			}
		})
	}
}

// granted is what a role says, and what it is part of.
type granted struct {
	Rules  []rbacv1.PolicyRule
	Labels map[string]string
}

type bound struct {
	Role     rbacv1.RoleRef
	Subjects []rbacv1.Subject
}

// essence is what must not differ between two ways to install.
func essence(from objects) map[string]any {
	found := map[string]any{}
	for key, object := range from {
		switch o := object.(type) {
		case *appsv1.Deployment:
			for i := range o.Spec.Template.Spec.Containers {
				o.Spec.Template.Spec.Containers[i].Image = ""
			}
			found[key] = o.Spec
		case *corev1.Service:
			found[key] = o.Spec
		case *policyv1.PodDisruptionBudget:
			found[key] = o.Spec
		case *corev1.ServiceAccount:
			found[key] = true
		case *rbacv1.Role:
			found[key] = granted{o.Rules, nil}
		case *rbacv1.ClusterRole:
			labels := maps.Clone(o.Labels)
			maps.DeleteFunc(labels, func(name, _ string) bool { return !strings.HasPrefix(name, "rbac.") })
			found[key] = granted{o.Rules, maps.Collect(maps.All(labels))}
		case *rbacv1.RoleBinding:
			found[key] = bound{o.RoleRef, o.Subjects}
		case *rbacv1.ClusterRoleBinding:
			found[key] = bound{o.RoleRef, o.Subjects}
		case *apiextensionsv1.CustomResourceDefinition:
			found[key] = o.Spec
		}
	}
	return found
}

// TestNetworkPoliciesAreThoseOfConfig: the chart's defaults are the policies of config/network-policy.
func TestNetworkPoliciesAreThoseOfConfig(t *testing.T) {
	values := map[string]any{"networkPolicy": map[string]any{"enabled": true}}
	chart := of[*networkingv1.NetworkPolicy](fromChart(t, values))
	config := of[*networkingv1.NetworkPolicy](fromKustomize(t, "network-policy"))
	if len(config) != len(chart) {
		t.Errorf("config has %d policies, the chart %d", len(config), len(chart))
	}
	for name, policy := range config {
		name = namespace + "/" + release + "-" + strings.TrimPrefix(name, "system/")
		got := chart[name]
		if got == nil {
			t.Errorf("the chart has no %s", name)
			continue
		}
		if strings.HasSuffix(name, "allow-metrics") {
			// The chart's holds where the roles are apart, too.
			delete(policy.Spec.PodSelector.MatchLabels, "control-plane")
		}
		if difference := cmp.Diff(policy.Spec, got.Spec); difference != "" {
			t.Errorf("%s, config (-) and the chart (+):\n%s", name, difference)
		}
	}
}

// TestComponentsFitTogether: what they add names what config/base has, and what they take away is gone.
func TestComponentsFitTogether(t *testing.T) {
	made := withComponents(t)
	for _, wanted := range []string{
		"Deployment cart-recovery-system/cart-recovery-webhooks", "Ingress cart-recovery-system/cart-recovery-webhooks",
		"HTTPRoute cart-recovery-system/cart-recovery-webhooks",
		"ServiceMonitor cart-recovery-system/cart-recovery-operator",
		"PrometheusRule cart-recovery-system/cart-recovery-alerts",
		"ConfigMap cart-recovery-system/cart-recovery-grafana-dashboards",
		"NetworkPolicy cart-recovery-system/cart-recovery-limit-egress",
	} {
		if made[wanted] == nil {
			t.Errorf("there is no %s", wanted)
		}
	}
	if bindings := of[*rbacv1.ClusterRoleBinding](made); len(bindings) > 0 {
		t.Errorf("got %d ClusterRoleBindings, want none", len(bindings))
	}
	for _, ingress := range of[*networkingv1.Ingress](made) {
		for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
			if path.Backend.Service.Name != "cart-recovery-webhooks" {
				t.Errorf("%s leads to %s", path.Path, path.Backend.Service.Name)
			}
		}
	}
	for _, route := range of[*gatewayv1.HTTPRoute](made) {
		if name := route.Spec.Rules[0].BackendRefs[0].Name; name != "cart-recovery-webhooks" {
			t.Errorf("the HTTPRoute leads to %s", name)
		}
	}
	testPorts(t, made)
	testCertificates(t, made)
	monitor := of[*monitoringv1.ServiceMonitor](made)["cart-recovery-system/cart-recovery-operator"]
	metrics := of[*corev1.Service](made)["cart-recovery-system/cart-recovery-metrics"]
	for name, value := range monitor.Spec.Selector.MatchLabels {
		if metrics.Labels[name] != value {
			t.Errorf("the ServiceMonitor asks for %s=%s, which the Service of the metrics does not have", name, value)
		}
	}
}

// testPorts: an Ingress and an HTTPRoute name a port that the Service of the webhooks has.
func testPorts(t *testing.T, made objects) {
	t.Helper()
	var names []string
	var numbers []int32
	for name, service := range of[*corev1.Service](made) {
		if strings.HasSuffix(name, "-webhooks") {
			names = append(names, service.Spec.Ports[0].Name)
			numbers = append(numbers, service.Spec.Ports[0].Port)
		}
	}
	for _, ingress := range of[*networkingv1.Ingress](made) {
		for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
			if port := path.Backend.Service.Port.Name; !slices.Contains(names, port) {
				t.Errorf("%s leads to the port %s of Services with %q", path.Path, port, names)
			}
		}
	}
	for _, route := range of[*gatewayv1.HTTPRoute](made) {
		if port := route.Spec.Rules[0].BackendRefs[0].Port; port == nil || !slices.Contains(numbers, *port) {
			t.Errorf("the HTTPRoute leads to another port than %v", numbers)
		}
	}
}

// testCertificates: what a flag says that a certificate is in is where a Secret is mounted.
func testCertificates(t *testing.T, made objects) (found int) {
	t.Helper()
	for name, deployment := range of[*appsv1.Deployment](made) {
		pod := deployment.Spec.Template.Spec
		secret := map[string]bool{}
		for _, volume := range pod.Volumes {
			secret[volume.Name] = volume.Secret != nil
		}
		mounted := map[string]bool{}
		for _, mount := range pod.Containers[0].VolumeMounts {
			mounted[mount.MountPath] = secret[mount.Name]
		}
		for _, arg := range pod.Containers[0].Args {
			flag, path, _ := strings.Cut(arg, "=")
			switch flag {
			case "--metrics-client-ca-file":
				path = filepath.Dir(path)
			case "--webhook-cert-dir", "--metrics-cert-dir":
			default:
				continue
			}
			if found++; !mounted[path] {
				t.Errorf("%s: %s, where no Secret is mounted", name, arg)
			}
		}
	}
	return found
}

// TestCertificatesAreMounted: of every set of values.
func TestCertificatesAreMounted(t *testing.T) {
	for name, want := range map[string]int{"default": 0, "everything": 3, "namespaced-split": 5} {
		made := fromChart(t, valuesIn(t, name))
		testPorts(t, made)
		if got := testCertificates(t, made); got != want {
			t.Errorf("%s: %d flags with certificates, want %d", name, got, want)
		}
	}
}

// TestMetricsForEverybodyAreBehindAPolicy: where nobody is asked who reads them, the network decides.
func TestMetricsForEverybodyAreBehindAPolicy(t *testing.T) {
	for name, want := range map[string]bool{"default": false, "namespaced": true, "namespaced-split": false} {
		_, got := of[*networkingv1.NetworkPolicy](fromChart(t,
			valuesIn(t, name)))[namespace+"/"+release+"-protect-metrics"]
		if got != want {
			t.Errorf("%s: a policy for metrics: %t, want %t", name, got, want)
		}
	}
}

// TestDocumentedValues: the values that docs/install.md shows are values of the chart.
func TestDocumentedValues(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(content, -1) {
		var values map[string]any
		if err := sigsyaml.Unmarshal(block[1], &values); err != nil {
			t.Fatal(err)
		}
		if values["apiVersion"] != nil {
			continue
		}
		found++
		if _, err := rendered(loadChart(t), release, values); err != nil {
			t.Errorf("%s%v", block[1], err)
		}
	}
	if found == 0 {
		t.Error("docs/install.md shows no values")
	}
}

// TestCRDsOutliveTheRelease: deleting a CRD deletes every opt-out, so the default is to keep them.
func TestCRDsOutliveTheRelease(t *testing.T) {
	for name, row := range map[string]struct {
		values map[string]any
		crds   int
		kept   bool
	}{
		"by default":      {nil, 7, true},
		"not kept":        {map[string]any{"crds": map[string]any{"keep": false}}, 7, false},
		"of someone else": {map[string]any{"crds": map[string]any{"enabled": false}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			crds := of[*apiextensionsv1.CustomResourceDefinition](fromChart(t, row.values))
			if len(crds) != row.crds {
				t.Errorf("got %d CRDs, want %d", len(crds), row.crds)
			}
			for _, crd := range crds {
				if kept := crd.Annotations["helm.sh/resource-policy"] == "keep" &&
					crd.Annotations["argocd.argoproj.io/sync-options"] == "Delete=false"; kept != row.kept {
					t.Errorf("%s: kept is %t, want %t", crd.Name, kept, row.kept)
				}
			}
		})
	}
}

// TestNamespacedHasNoRightInTheCluster: whoever installs it needs none either.
func TestNamespacedHasNoRightInTheCluster(t *testing.T) {
	for key, object := range fromChart(t, valuesIn(t, "namespaced-split")) {
		if strings.HasPrefix(key, "Cluster") || object.GetNamespace() == "" {
			t.Errorf("%s is in no namespace", key)
		}
	}
	bindings := of[*rbacv1.RoleBinding](fromChart(t, valuesIn(t, "namespaced-split")))
	for _, wanted := range []string{
		"shop/cart-recovery-controllers-rolebinding", "shop/cart-recovery-webhooks-rolebinding",
		"courses/cart-recovery-controllers-rolebinding", "courses/cart-recovery-webhooks-rolebinding",
	} {
		if bindings[wanted] == nil {
			t.Errorf("there is no %s", wanted)
		}
	}
	roles := of[*rbacv1.Role](fromChart(t, valuesIn(t, "namespaced")))
	for _, rule := range roles["shop/cart-recovery-manager-role"].Rules {
		for _, inCluster := range []string{"clientidclaims", "tokenreviews", "subjectaccessreviews"} {
			if slices.Contains(rule.Resources, inCluster) {
				t.Errorf("a Role says %s, which is in no namespace", inCluster)
			}
		}
	}
}

// TestOnlyWebhooksArePublic: connect and status are let in where somebody says so.
func TestOnlyWebhooksArePublic(t *testing.T) {
	const connect, status = "/api/whatsapp/connect", "/api/whatsapp/status"
	webhooks := []string{"/api/webhooks/", "/api/whatsapp/webhook"}
	for name, row := range map[string]struct {
		add  map[string]any
		want []string
	}{
		"by default":   {nil, webhooks},
		"connect, too": {map[string]any{"connect": true}, append(slices.Clone(webhooks), connect)},
		"status, too":  {map[string]any{"status": true}, append(slices.Clone(webhooks), status)},
	} {
		t.Run(name, func(t *testing.T) {
			ingress := map[string]any{"enabled": true, "hosts": []any{"hooks.example.com"}}
			route := map[string]any{"enabled": true, "parentRefs": []any{map[string]any{"name": "public"}}}
			maps.Copy(ingress, row.add)
			maps.Copy(route, row.add)
			made := fromChart(t, map[string]any{"ingress": ingress, "httpRoute": route})
			var paths, matches []string
			for _, each := range of[*networkingv1.Ingress](made) {
				for _, path := range each.Spec.Rules[0].HTTP.Paths {
					paths = append(paths, path.Path)
				}
			}
			for _, each := range of[*gatewayv1.HTTPRoute](made) {
				for _, match := range each.Spec.Rules[0].Matches {
					matches = append(matches, *match.Path.Value)
				}
			}
			if difference := cmp.Diff(row.want, paths) + cmp.Diff(row.want, matches); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// TestAutoscalingHasItsDeployment: what a HorizontalPodAutoscaler scales has no replicas that the next upgrade sets.
func TestAutoscalingHasItsDeployment(t *testing.T) {
	for name, deployment := range map[string]string{"high-availability": "webhooks", "one": "controller-manager"} {
		values := map[string]any{"autoscaling": map[string]any{"enabled": true}}
		if name != "one" {
			values = valuesIn(t, name)
		}
		made := fromChart(t, values)
		scaled := of[*autoscalingv2.HorizontalPodAutoscaler](made)[namespace+"/"+release+"-"+deployment]
		if scaled == nil || scaled.Spec.ScaleTargetRef.Name != release+"-"+deployment {
			t.Fatalf("%s: nothing scales %s", name, deployment)
		}
		for key, each := range of[*appsv1.Deployment](made) {
			if scales := strings.HasSuffix(key, deployment); scales != (each.Spec.Replicas == nil) {
				t.Errorf("%s: %s has replicas %v", name, key, each.Spec.Replicas)
			}
		}
	}
}

// TestMonitoringReadsFiles: rules and dashboards are those of the chart's files folder, whatever their form, and none
// where there is none.
func TestMonitoringReadsFiles(t *testing.T) {
	values := map[string]any{"monitoring": map[string]any{
		"prometheusRule": map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}},
		"dashboards":     map[string]any{"enabled": true},
	}}
	with := func(files map[string]string) objects {
		t.Helper()
		loaded := loadChart(t)
		loaded.Files = slices.DeleteFunc(loaded.Files, func(file *common.File) bool {
			return strings.HasPrefix(file.Name, "files/rules/") || strings.HasPrefix(file.Name, "files/dashboards/")
		})
		for name, content := range files {
			loaded.Files = append(loaded.Files, &common.File{Name: name, Data: []byte(content)})
		}
		text, err := rendered(loaded, release, values)
		if err != nil {
			t.Fatal(err)
		}
		found := objects{}
		found.read(t, "monitoring", []byte(text["cart-recovery-operator/templates/monitoring.yaml"]))
		return found
	}
	if none := with(nil); len(none) != 0 {
		t.Errorf("got %v of no files", none)
	}
	const alert = "groups: [{name: %, rules: [{alert: A, expr: up == 0, " +
		"annotations: {summary: '{{ $labels.pod }} is down'}}]}]"
	some := with(map[string]string{
		"files/rules/a.yaml":          strings.Replace(alert, "%", "a", 1),
		"files/rules/b.yaml":          "kind: PrometheusRule\nspec:\n  " + strings.Replace(alert, "%", "b", 1),
		"files/dashboards/leads.json": `{"title":"Leads {{ pod }}"}`,
	})
	rule := of[*monitoringv1.PrometheusRule](some)[namespace+"/"+release]
	if rule == nil || len(rule.Spec.Groups) != 2 || rule.Labels["release"] != "prometheus" ||
		rule.Spec.Groups[1].Rules[0].Annotations["summary"] != "{{ $labels.pod }} is down" {
		t.Errorf("got %+v, want both groups as they are", rule)
	}
	board := of[*corev1.ConfigMap](some)[namespace+"/"+release+"-dashboard-leads"]
	if board == nil || board.Labels["grafana_dashboard"] != "1" ||
		board.Data["leads.json"] != `{"title":"Leads {{ pod }}"}` {
		t.Errorf("got %+v, want the dashboard as it is", board)
	}
}

// TestWrongValuesAreRefused: each with a message that names the value.
func TestWrongValuesAreRefused(t *testing.T) {
	one := func(path string, value any) map[string]any {
		names := strings.Split(path, ".")
		for _, name := range slices.Backward(names) {
			value = map[string]any{name: value}
		}
		return value.(map[string]any)
	}
	for name, row := range map[string]struct {
		values map[string]any
		want   []string
	}{
		"a value that is none":    {one("replica", 2), []string{"replica"}},
		"one in a section":        {one("ingress.host", "hooks.example.com"), []string{"/ingress", "host"}},
		"a number as a text":      {one("replicas", "two"), []string{"/replicas", "integer"}},
		"a digest without sha256": {one("image.digest", "0123"), []string{"/image/digest", "sha256"}},
		"a policy that is none": {one("image.pullPolicy", "Sometimes"),
			[]string{"/image/pullPolicy", "IfNotPresent"}},
		"a level that is none": {one("logLevel", "loud"), []string{"/logLevel", "debug"}},
		"a duration without unit": {one("leaderElection.leaseDuration", "15"),
			[]string{"/leaderElection/leaseDuration"}},
		"a namespace in capitals": {one("watchNamespaces", []any{"Shop"}), []string{"/watchNamespaces/0"}},
		"namespaces as one text":  {one("watchNamespaces", "a,b"), []string{"/watchNamespaces", "array"}},
		"a URL without a scheme":  {one("publicURL", "hooks.example.com"), []string{"/publicURL", "https"}},
		"a flag without dashes":   {one("extraArgs", []any{"leader-elect"}), []string{"/extraArgs/0", "--"}},
		"a volume of the node": {one("extraVolumes", []any{map[string]any{"name": "x", "hostPath": map[string]any{}}}),
			[]string{"/extraVolumes/0", "hostPath"}},
		"an Ingress without hosts": {one("ingress.enabled", true), []string{"/ingress/hosts", "minItems"}},
		"a route without parents":  {one("httpRoute.enabled", true), []string{"/httpRoute/parentRefs", "minItems"}},
		"too little time to end": {one("terminationGracePeriodSeconds", 10),
			[]string{"/terminationGracePeriodSeconds", "52"}},
		"a port out of range": {one("service.port", 70000), []string{"/service/port", "65,535"}},
		"a way to metrics that is none": {one("metrics.auth", "mtls"),
			[]string{"/metrics/auth", "certificate"}},
		"tokens without rights in the cluster": {map[string]any{"watchNamespaces": []any{"shop"},
			"metrics": map[string]any{"auth": "token"}}, []string{"metrics.auth", "certificate or none"}},
		"certificates of nobody": {one("metrics.auth", "certificate"), []string{"metrics.clientCASecret"}},
		"an authority that nobody asks": {one("metrics", map[string]any{"auth": "none", "clientCASecret": "ca"}),
			[]string{"metrics.clientCASecret", "metrics.auth=certificate"}},
		"a ServiceMonitor without a certificate": {map[string]any{
			"metrics":    map[string]any{"auth": "certificate", "clientCASecret": "ca"},
			"monitoring": one("serviceMonitor.enabled", true),
		}, []string{"monitoring.serviceMonitor.tlsConfig", "client certificate"}},
		"an API server without ports": {one("networkPolicy.egress.apiServerPorts", []any{}),
			[]string{"/networkPolicy/egress/apiServerPorts", "minItems"}},
		"autoscaling by nothing": {one("autoscaling", map[string]any{"enabled": true,
			"targetCPUUtilizationPercentage": 0}), []string{"autoscaling.targetCPUUtilizationPercentage"}},
		"a name that no Service may have": {one("fullnameOverride", "2go"), []string{"/fullnameOverride"}},
		"the account of every pod":        {one("serviceAccount.create", false), []string{"serviceAccount.name"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rendered(loadChart(t), release, row.values)
			if err == nil {
				t.Fatal("it is taken")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

// schemaNode is what is read of values.schema.json.
type schemaNode struct {
	Description          string                 `json:"description"`
	Properties           map[string]*schemaNode `json:"properties"`
	AdditionalProperties *any                   `json:"additionalProperties"`
}

// TestSchemaIsThatOfTheValues: every value is described, every description has its value, and nothing else is taken.
func TestSchemaIsThatOfTheValues(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	root := schemaNode{Description: "the values"}
	if err := json.Unmarshal(content, &root); err != nil {
		t.Fatal(err)
	}
	compare(t, "values", &root, loadChart(t).Values)
}

func compare(t *testing.T, path string, node *schemaNode, value any) {
	t.Helper()
	if node.Description == "" && path != "values" {
		t.Errorf("%s is not described", path)
	}
	fields, isObject := value.(map[string]any)
	if len(node.Properties) == 0 || !isObject {
		return
	}
	if node.AdditionalProperties == nil || *node.AdditionalProperties != any(false) {
		t.Errorf("%s takes what is not described", path)
	}
	for name, child := range node.Properties {
		// What a parent chart says has no default.
		parents := path == "values" && (name == "global" || name == "enabled")
		if _, there := fields[name]; !there && !parents && !strings.HasSuffix(path, "resources") {
			t.Errorf("%s.%s is in the schema and has no default in values.yaml", path, name)
		}
		compare(t, path+"."+name, child, fields[name])
	}
	for name := range fields {
		if node.Properties[name] == nil {
			t.Errorf("%s.%s is in values.yaml and not in the schema", path, name)
		}
	}
}

// TestNames: releases of any name have objects that say what they are.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"cart-recovery": "cart-recovery-webhooks", "my-cart-recovery": "my-cart-recovery-webhooks",
		"prod": "prod-cart-recovery-webhooks", "cart-recovery-operator": "cart-recovery-operator-webhooks",
		"cart-recovery.eu": "cart-recovery-eu-webhooks", "shop.eu": "shop-eu-cart-recovery-webhooks",
	} {
		files, err := rendered(loadChart(t), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(files["cart-recovery-operator/templates/service.yaml"], "name: "+want+"\n") {
			t.Errorf("release %s has no %s", name, want)
		}
	}
	if _, err := rendered(loadChart(t), "2024", nil); err == nil || !strings.Contains(err.Error(), "fullnameOverride") {
		t.Errorf("release 2024: got %v, want an error that names fullnameOverride", err)
	}
}

// TestOddValuesAreTaken: what people write, too, and what it becomes.
func TestOddValuesAreTaken(t *testing.T) {
	made := fromChart(t, map[string]any{
		"enabled": true, "logLevel": 2, "podAnnotations": map[string]any{
			"kubectl.kubernetes.io/default-container": "sidecar"},
		"networkPolicy": map[string]any{"enabled": true, "egress": map[string]any{"apiServerPorts": nil}},
		"monitoring": map[string]any{"prometheusRule": map[string]any{
			"enabled": true, "runbooks": "https://git.example.com/runbooks/"}},
	})
	pod := of[*appsv1.Deployment](made)[namespace+"/"+release+"-controller-manager"].Spec.Template
	if !slices.Contains(pod.Spec.Containers[0].Args, "--zap-log-level=2") {
		t.Errorf("got the arguments %q, want the log level 2", pod.Spec.Containers[0].Args)
	}
	for name, policy := range of[*networkingv1.NetworkPolicy](made) {
		for _, rule := range policy.Spec.Egress {
			if len(rule.Ports) == 0 {
				t.Errorf("%s lets everything out", name)
			}
		}
	}
	for _, group := range of[*monitoringv1.PrometheusRule](made)[namespace+"/"+release].Spec.Groups {
		for _, rule := range group.Rules {
			want := "https://git.example.com/runbooks/" + rule.Alert + ".md"
			if got := rule.Annotations["runbook_url"]; got != want {
				t.Errorf("got the runbook %s, want %s", got, want)
			}
		}
	}
}

// TestNotes: what is missing is said.
func TestNotes(t *testing.T) {
	for values, want := range map[string]string{
		"default": "image.repository is the placeholder", "namespaced": "no right in the whole cluster",
		"high-availability": "An uninstall keeps the CRDs",
	} {
		files, err := rendered(loadChart(t), release, valuesIn(t, values))
		if err != nil {
			t.Fatal(err)
		}
		if notes := files["cart-recovery-operator/templates/NOTES.txt"]; !strings.Contains(notes, want) {
			t.Errorf("%s: got\n%s\nwant it to say %q", values, notes, want)
		}
	}
	for replicas, want := range map[int]bool{0: false, 1: true, 2: false} {
		files, err := rendered(loadChart(t), release, map[string]any{"replicas": replicas})
		if err != nil {
			t.Fatal(err)
		}
		notes := files["cart-recovery-operator/templates/NOTES.txt"]
		if got := strings.Contains(notes, "can be drained"); got != want {
			t.Errorf("%d replicas: got\n%s\nthat a node cannot be drained: %t, want %t", replicas, notes, got, want)
		}
	}
}

// TestImageHasWhatIsEmbedded: docker build sees what .dockerignore lets through, and the program embeds its roles.
func TestImageHasWhatIsEmbedded(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(testenv.Root(), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	ignored := strings.Split(read(".dockerignore"), "\n")
	found := 0
	for line := range strings.Lines(read("cluster_check.go")) {
		if path, embeds := strings.CutPrefix(strings.TrimSpace(line), "//go:embed "); embeds {
			found++
			if !slices.Contains(ignored, "!"+path) {
				t.Errorf(".dockerignore keeps %s from docker build, which then fails", path)
			}
		}
	}
	if found == 0 {
		t.Error("cluster_check.go embeds nothing any more")
	}
}
