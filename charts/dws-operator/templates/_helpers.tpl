{{/* The release's full name: what is made bears it, or begins with it. */}}
{{- define "dws-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which Pods are found. Takes a list: the root, the component. */}}
{{- define "dws-operator.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Selects the Pods that talk to the service: those of the operator and that of `helm test`. */}}
{{- define "dws-operator.callers" -}}
matchLabels:
  app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
  app.kubernetes.io/instance: {{ .Release.Name }}
matchExpressions:
- key: app.kubernetes.io/component
  operator: In
  values: [operator, test]
{{- end -}}

{{/* All labels of an object. Takes the same list, at its end those of its kind where there are any. */}}
{{- define "dws-operator.labels" -}}
{{- $root := index . 0 -}}
{{ include "dws-operator.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- $own := dict }}
{{- if gt (len .) 2 }}{{ $own = index . 2 | default dict }}{{ end }}
{{- with merge (dict) $own ($root.Values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image's reference. Takes a list: the root, the image's values. */}}
{{- define "dws-operator.image" -}}
{{- $image := index . 1 -}}
{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "dws-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "dws-operator.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* What stands under `credentials`, by the names that the operator reads; empty where nothing does. */}}
{{- define "dws-operator.credentials" -}}
{{- with .Values.credentials -}}
{{- $keys := dict "HW_ACCESS_KEY" .accessKey "HW_SECRET_KEY" .secretKey "HW_SECURITY_TOKEN" .securityToken
  "HW_DOMAIN_NAME" .domainName "HW_USER_NAME" .userName "HW_USER_PASSWORD" .userPassword -}}
{{- range $name, $value := $keys }}
{{- with $value }}
{{ $name }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- /* Those that the simulator accepts if it is told none; they open nothing else. */}}
{{- if .Values.simulator.enabled }}
HW_REGION_NAME: cn-north-4
HW_ACCESS_KEY: SIMULATORACCESSKEY01
HW_SECRET_KEY: SimulatorSecretKeyForTryingThings0000001
{{- end }}
{{- end -}}

{{/* The Secret that the operator's environment comes from; empty where there is none. */}}
{{- define "dws-operator.credentialsSecret" -}}
{{- if .Values.credentials.existingSecret -}}
{{- .Values.credentials.existingSecret -}}
{{- else if include "dws-operator.credentials" . -}}
{{- include "dws-operator.fullname" . }}-credentials
{{- end -}}
{{- end -}}

{{- define "dws-operator.simulatorUrl" -}}
http://{{ include "dws-operator.fullname" . }}-simulator.{{ .Release.Namespace }}.svc:18080
{{- end -}}

{{/* A duration as the operator takes it (500ms, 60s, 10m, 1h). */}}
{{- define "dws-operator.milliseconds" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) $unit) -}}
{{- end -}}

{{/* The time that a Pod has for its end: the request that is in flight, 15 s to store its answer, 15 s
     for the Lease and for the end itself. */}}
{{- define "dws-operator.terminationGrace" -}}
{{- add 30 (div (include "dws-operator.milliseconds" .Values.settings.requestTimeout | int64) 1000) -}}
{{- end -}}

{{/* What Pod Security `restricted` asks of a Pod. The image says which user it is. */}}
{{- define "dws-operator.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What it asks of a container, and a root that nobody can write to. */}}
{{- define "dws-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}
