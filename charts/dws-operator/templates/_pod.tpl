{{/* What all Pods have in common: the operator's, that of `helm test` and the simulator's. What a cluster asks of
     one of them (a quota its resources, a taint its toleration, a mesh its annotation) it asks of the others. */}}

{{/* Labels of a Pod. Takes a list: the root, the component. */}}
{{- define "dws-operator.podLabels" -}}
{{- $values := (index . 0).Values -}}
{{ include "dws-operator.selector" . }}
{{- with merge (dict) ($values.podLabels | default dict) ($values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The spec of a Pod but for its containers and volumes. Takes the same list. */}}
{{- define "dws-operator.pod" -}}
{{- $root := index . 0 -}}
{{- $operator := eq (index . 1) "operator" -}}
{{- with $root.Values -}}
# The variables of Services would read like settings.
enableServiceLinks: false
automountServiceAccountToken: {{ $operator }}
{{- if $operator }}
serviceAccountName: {{ include "dws-operator.serviceAccount" $root }}
{{- end }}
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- include "dws-operator.podSecurity" $root | nindent 2 }}
  {{- with .podSecurityContext }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- /* How the operator's Pods lie to each other: one of another kind that kept away from them too could find
       no node left. */}}
{{- with $operator | ternary .affinity (pick (.affinity | default dict) "nodeAffinity") }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A container but for its name, arguments, environment, ports and mounts. Takes a list: the root, the image's
     values, the resources. */}}
{{- define "dws-operator.container" -}}
image: {{ include "dws-operator.image" . | quote }}
imagePullPolicy: {{ (index . 1).pullPolicy }}
{{- with index . 2 }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "dws-operator.containerSecurity" (index . 0) | nindent 2 }}
{{- end -}}
