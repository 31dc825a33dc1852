{{/* What every object's name begins with: the release's name, as far as it says what is released. */}}
{{- define "cro.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "cart-recovery" .Release.Name -}}
{{- include "cro.releaseName" . | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-cart-recovery" (include "cro.releaseName" . | trunc 26 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* The release's name as Services may have it: Helm takes dots and a digit in front, too. */}}
{{- define "cro.releaseName" -}}
{{- if not (regexMatch "^[a-z]" .Release.Name) -}}
{{- fail "fullnameOverride: expected where the release's name does not begin with a letter, as Services have to" -}}
{{- end -}}
{{- .Release.Name | replace "." "-" -}}
{{- end -}}

{{/* The labels of every object. */}}
{{- define "cro.labels" -}}
app.kubernetes.io/name: cart-recovery-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What selects the pods of a component. Those of config/default, so that one can follow the other. */}}
{{- define "cro.selector" -}}
control-plane: {{ . }}
app.kubernetes.io/name: cart-recovery-operator
{{- end -}}

{{/* The component that takes webhooks. */}}
{{- define "cro.webhooksComponent" -}}
{{- ternary "webhooks" "controller-manager" .Values.split.enabled -}}
{{- end -}}

{{- define "cro.image" -}}
{{- $tag := .Values.image.tag -}}
{{- if and (not $tag) (not .Values.image.digest) }}{{ $tag = .Chart.AppVersion }}{{ end -}}
{{- .Values.image.repository -}}
{{- with $tag }}:{{ . }}{{ end -}}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "cro.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- printf "%s-controller-manager" (include "cro.fullname" .) -}}
{{- else -}}
{{- fail "serviceAccount.name: expected one that exists, because of serviceAccount.create=false" -}}
{{- end -}}
{{- end -}}

{{/* What somebody needs who reads metrics. Tokens cannot be looked at without rights in the whole cluster. */}}
{{- define "cro.metricsAuth" -}}
{{- $auth := .Values.metrics.auth -}}
{{- if and .Values.watchNamespaces (eq $auth "token") -}}
{{- fail "metrics.auth: expected certificate or none with watchNamespaces: tokens are looked at with rights in the whole cluster" -}}
{{- end -}}
{{- if and (eq $auth "certificate") (not .Values.metrics.clientCASecret) -}}
{{- fail "metrics.clientCASecret: expected the Secret with ca.crt, because of metrics.auth=certificate" -}}
{{- end -}}
{{- if and .Values.metrics.clientCASecret $auth (ne $auth "certificate") -}}
{{- fail "metrics.clientCASecret: expected metrics.auth=certificate beside it" -}}
{{- end -}}
{{- if $auth -}}
{{- $auth -}}
{{- else if .Values.metrics.clientCASecret -}}
certificate
{{- else -}}
{{- ternary "none" "token" (not (empty .Values.watchNamespaces)) -}}
{{- end -}}
{{- end -}}

{{/* Certificates: volumes, and where they are mounted. Given: root, and whether the process takes webhooks. */}}
{{- define "cro.certificates" -}}
{{- $found := list -}}
{{- if .webhooks -}}{{- with .root.Values.webhookTLS.secretName -}}
{{- $found = append $found (dict "name" "webhook-cert" "secret" . "path" "/etc/cart-recovery-operator/webhooks") -}}
{{- end -}}{{- end -}}
{{- with .root.Values.metrics.certSecret -}}
{{- $found = append $found (dict "name" "metrics-cert" "secret" . "path" "/etc/cart-recovery-operator/metrics") -}}
{{- end -}}
{{- with .root.Values.metrics.clientCASecret -}}
{{- $found = append $found (dict "name" "metrics-clients" "secret" . "path" "/etc/cart-recovery-operator/metrics-clients") -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{- define "cro.certificateVolumes" -}}
{{- range include "cro.certificates" . | fromYamlArray }}
- name: {{ .name }}
  secret: {secretName: {{ .secret }}}
{{- end }}
{{- end -}}

{{- define "cro.certificateMounts" -}}
{{- range include "cro.certificates" . | fromYamlArray }}
- {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
{{- end }}
{{- end -}}

{{/* The Service of the webhooks: the name and the number of its port. */}}
{{- define "cro.portName" -}}
{{- ternary "https" "http" (not (empty .Values.webhookTLS.secretName)) -}}
{{- end -}}
{{- define "cro.port" -}}
{{- default (ternary 443 80 (not (empty .Values.webhookTLS.secretName))) .Values.service.port -}}
{{- end -}}

{{/* The arguments that processes of every role share. */}}
{{- define "cro.args" -}}
- --webhook-bind-address=:9090
- --metrics-bind-address=:8443
- --health-probe-bind-address=:8081
{{- end -}}

{{- define "cro.settings" -}}
{{- with .Values.watchNamespaces }}
- --namespaced
{{- end }}
{{- with include "cro.metricsAuth" . }}
{{- if ne . "token" }}
- --metrics-auth={{ . }}
{{- end }}
{{- end }}
{{- with .Values.metrics.certSecret }}
- --metrics-cert-dir=/etc/cart-recovery-operator/metrics
{{- end }}
{{- with .Values.metrics.clientCASecret }}
- --metrics-client-ca-file=/etc/cart-recovery-operator/metrics-clients/ca.crt
{{- end }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.trustedProxies }}
- --trusted-proxies={{ join "," . }}
{{- end }}
{{- with .Values.logLevel }}
- --zap-log-level={{ . }}
{{- end }}
{{- end -}}

{{/* What only a process that sends is told. */}}
{{- define "cro.sending" -}}
{{- with .Values.leaderElection.leaseDuration }}
- --leader-election-lease-duration={{ . }}
{{- end }}
{{- with .Values.leaderElection.renewDeadline }}
- --leader-election-renew-deadline={{ . }}
{{- end }}
{{- with .Values.leaderElection.retryPeriod }}
- --leader-election-retry-period={{ . }}
{{- end }}
{{- with .Values.restoreHold }}
- --restore-hold={{ . }}
{{- end }}
{{- with .Values.allowedHosts }}
- --allowed-hosts={{ join "," . }}
{{- end }}
{{- with .Values.allowEndpointCIDRs }}
- --allow-endpoint-cidrs={{ join "," . }}
{{- end }}
{{- if .Values.allowHTTPEndpoints }}
- --allow-http-endpoints
{{- end }}
{{- end -}}

{{/* The container, apart from arguments and environment. Given: root, resources, mounts. */}}
{{- define "cro.container" -}}
name: manager
image: {{ include "cro.image" .root | quote }}
{{- with .root.Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
ports:
- {name: webhooks, containerPort: 9090}
- {name: metrics, containerPort: 8443}
- {name: health, containerPort: 8081}
# A new process waits up to half a minute for CRDs that were applied just before it.
startupProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 20
  timeoutSeconds: 5
# Ready once the caches are filled: a rollout goes on only then.
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
  timeoutSeconds: 3
lifecycle:
  preStop:
    # Load balancers take a moment to see that this replica is going away; it goes on answering for that long.
    sleep: {seconds: 5}
{{- with .resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with .mounts }}
volumeMounts: {{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{/* The pod, apart from its containers and volumes. Given: root, component, of (the values of the component). */}}
{{- define "cro.pod" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 0 }}
{{- end }}
# preStop 5 s, the lead's hand-over 2 s, and what is under way 45 s at the most.
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with .of.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
{{- if .of.topologySpreadConstraints }}
{{ toYaml .of.topologySpreadConstraints }}
{{- else }}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "cro.selector" .component | nindent 6 }}
{{- end }}
{{- end -}}

{{/* The environment of a process that sends. */}}
{{- define "cro.env" -}}
- {name: GOMEMLIMIT, value: {{ .Values.goMemoryLimit | quote }}}
{{- $values := .Values }}
{{- range list "OPENAI_API_KEY" "OPENAI_BASE_URL" "UAZAPI_BASE_URL" "UAZAPI_ADMIN_TOKEN" "EVOLUTION_BASE_URL" "EVOLUTION_API_KEY" "SUPPRESSION_KEYS" "PUBLIC_URL" }}
{{- if and (eq . "PUBLIC_URL") $values.publicURL }}
- {name: PUBLIC_URL, value: {{ $values.publicURL | quote }}}
{{- else }}
- name: {{ . }}
  valueFrom:
    secretKeyRef: {name: {{ $values.existingSecret }}, key: {{ . }}, optional: true}
{{- end }}
{{- end }}
{{- end -}}

{{/* The public paths of an Ingress or HTTPRoute. */}}
{{- define "cro.paths" -}}
- /api/webhooks/
- /api/whatsapp/webhook
{{- if .connect }}
- /api/whatsapp/connect
{{- end }}
{{- if .status }}
- /api/whatsapp/status
{{- end }}
{{- end -}}
