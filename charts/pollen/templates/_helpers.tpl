{{- define "pollen.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "pollen.fullname" -}}
{{- $name := include "pollen.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Cluster-scoped names carry the namespace: two releases of one name may stand in two namespaces. */}}
{{- define "pollen.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "pollen.fullname" .) }}
{{- end }}

{{/* Tells releases apart in statuses and events, and is a label's value on the token Secrets. */}}
{{- define "pollen.controllerName" -}}
{{- printf "%s.%s" .Release.Namespace (include "pollen.fullname" .) | trunc 63 | trimSuffix "-" | trimSuffix "." }}
{{- end }}

{{- define "pollen.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "pollen.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "pollen.selectorLabels" -}}
app.kubernetes.io/name: {{ include "pollen.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pollen.labels" -}}
{{ include "pollen.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pollen.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "pollen.crdMetadata" -}}
labels: {{- include "pollen.labels" . | nindent 2 }}
{{- if or .Values.crds.keep .Values.crds.annotations }}
annotations:
  {{- if .Values.crds.keep }}
  helm.sh/resource-policy: keep
  {{- end }}
  {{- with .Values.crds.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What the operator does in every namespace that it serves. */}}
{{- define "pollen.workloadRules" -}}
- apiGroups: [pollen.dev]
  resources: [connectorinstances, pollerresources]
  verbs: [get, list, watch]
- apiGroups: [pollen.dev]
  resources: [connectorinstances/status, pollerresources/status]
  verbs: [update]
# Segments of checkpoints that are too large for a status; they never change.
- apiGroups: [pollen.dev]
  resources: [pollerwindows]
  verbs: [get, list, create, delete]
# Watched as metadata and read by name when a spec names one; RBAC cannot tell that from reading all.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Instances that another release has are left to it while its Lease lives.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get]
{{- end }}

{{- define "pollen.subjects" -}}
- kind: ServiceAccount
  name: {{ include "pollen.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
