{{/* The name of everything: the release's. */}}
{{- define "meshvet.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* The labels that select the pods: never change them. */}}
{{- define "meshvet.selector" -}}
app.kubernetes.io/name: meshvet
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of every object. */}}
{{- define "meshvet.labels" -}}
{{ include "meshvet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where a webhook is called: of its `path`. */}}
{{- define "meshvet.client" -}}
{{- $values := .root.Values -}}
clientConfig:
  service:
    namespace: {{ .root.Release.Namespace }}
    name: {{ include "meshvet.name" .root }}
    {{- if ne $values.certificate.mode "managed" }}
    path: {{ .path }}{{ with $values.webhook.pathSecret }}/{{ . }}{{ end }}
    {{- end }}
    port: 443
  {{- if eq $values.certificate.mode "managed" }}
  # meshvet writes the caBundle and the path, which is a secret, and keeps both right: they aren't in here, so that no upgrade undoes them.
  {{- end }}
  {{- if eq $values.certificate.mode "files" }}
  caBundle: {{ required "certificate.mode is files: set certificate.files.caBundle (meshvet ca-bundle prints it)" $values.certificate.files.caBundle }}
  {{- end }}
{{- end }}

{{/* What the webhooks of the mesh's own objects have in common, by their FailurePolicy: the path tells meshvet which, for while it isn't ready. */}}
{{- define "meshvet.hook" -}}
{{- include "meshvet.client" (dict "root" . "path" (eq .FailurePolicy "Ignore" | ternary "/validate/ignore" "/validate")) }}
{{- with .Values.webhook.namespaceSelector }}
# To exclude a namespace, for example during a migration: kubectl label namespace NAME meshvet.dev/admission=disabled
namespaceSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.webhook.objectSelector }}
objectSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Only changes that can have a verdict are sent to meshvet: controllers' writes cost nothing. Nodes without TLS are sent too: a plaintext
# server breaks a client that enforces TLS.
matchConditions:
  - name: is-not-being-deleted
    expression: "!has(object.metadata.deletionTimestamp)"
  - name: spec-changes
    expression: >-
      request.operation != 'UPDATE' || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec
  {{- with .Values.webhook.matchConditions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
matchPolicy: Equivalent
sideEffects: None
admissionReviewVersions: [v1]
timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
{{- end }}

{{/*
What the webhooks of everything else have in common: their `path`, and their `condition`, whose expression is in conditions/`file`.cel.
With `namespaces` only those are looked at; with `everywhere` there is no namespace to look at.
*/}}
{{- define "meshvet.entry" -}}
{{- include "meshvet.client" . }}
{{- if not .everywhere }}
{{- $selector := .root.Values.webhook.namespaceSelector }}
# Never where the cluster's own parts are, or meshvet's.
namespaceSelector:
  {{- with $selector.matchLabels }}
  matchLabels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  matchExpressions:
    {{- with $selector.matchExpressions }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    - key: kubernetes.io/metadata.name
      operator: NotIn
      values: [kube-node-lease, kube-public, kube-system, {{ .root.Release.Namespace }}]
    {{- with .namespaces }}
    # The value secrets.namespaces.
    - key: kubernetes.io/metadata.name
      operator: In
      values: [{{ join ", " . }}]
    {{- end }}
{{- end }}
matchConditions:
  - name: {{ .condition }}
    expression: |-
      {{- include "meshvet.condition" . | nindent 6 }}
failurePolicy: Ignore
matchPolicy: Equivalent
sideEffects: None
admissionReviewVersions: [v1]
timeoutSeconds: 2
{{- end }}

{{/*
The expression of conditions/`file`.cel. That of workloads ends with what counts as a change of the pod template: where the kinds of the
policy's list have theirs is added to it.
*/}}
{{- define "meshvet.condition" -}}
{{- $expression := .root.Files.Get (printf "conditions/%s.cel" .file) | trim -}}
{{- if eq .file "workloads" -}}
{{- $expression = trimSuffix ")" $expression -}}
{{- range .root.Values.policy.workloads -}}
{{- if .template -}}
{{- /* Up to the first place in a list: what stands in it can only be told apart by comparing all of it. */ -}}
{{- $place := "" -}}
{{- $done := false -}}
{{- range splitList "/" (trimPrefix "/" .template) -}}
{{- if regexMatch "^[0-9]+$" . -}}{{- $done = true -}}{{- end -}}
{{- if not $done -}}
{{- $place = printf "%s[?%s]" $place (. | replace "~1" "/" | replace "~0" "~" | toJson) -}}
{{- end -}}
{{- end -}}
{{- $expression = printf "%s ||\n  (request.kind.kind == %s && object%s.orValue({}) != oldObject%s.orValue({}))" $expression (toJson .kind) $place $place -}}
{{- end -}}
{{- end -}}
{{- $expression = printf "%s)" $expression -}}
{{- end -}}
{{- $expression -}}
{{- end }}

{{- define "meshvet.subject" -}}
- kind: ServiceAccount
  name: {{ include "meshvet.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The Secret that is mounted: none under the managed mode. */}}
{{- define "meshvet.tlsSecret" -}}
{{- if eq .Values.certificate.mode "cert-manager" -}}
{{ include "meshvet.name" . }}-tls
{{- else if eq .Values.certificate.mode "files" -}}
{{ required "certificate.mode is files: set certificate.files.secretName" .Values.certificate.files.secretName }}
{{- end -}}
{{- end }}
