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

{{/* What every webhook has in common, by its FailurePolicy: the path tells meshvet which, for while it isn't ready. */}}
{{- define "meshvet.hook" -}}
clientConfig:
  service:
    namespace: {{ .Release.Namespace }}
    name: {{ include "meshvet.name" . }}
    path: /validate{{ if eq .FailurePolicy "Ignore" }}/ignore{{ end }}
    port: 443
  {{- if eq .Values.certificate.mode "managed" }}
  # meshvet writes the caBundle, and keeps it right.
  {{- end }}
  {{- if eq .Values.certificate.mode "files" }}
  caBundle: {{ required "certificate.mode is files: set certificate.files.caBundle (meshvet ca-bundle prints it)" .Values.certificate.files.caBundle }}
  {{- end }}
{{- with .Values.webhook.namespaceSelector }}
# A namespace can be taken out, for the time of a migration say: kubectl label namespace NAME meshvet.dev/admission=disabled
namespaceSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.webhook.objectSelector }}
objectSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Only what can have a verdict is sent to meshvet: controllers' writes cost nothing. Nodes without TLS are sent too: a plaintext
# server is what a client that enforces TLS trips over.
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
