{{/* What the operator's container and that of `helm test` have in common beyond what all have (_pod.tpl): the
     settings, the account, the authorities. */}}
{{- define "dws-operator.environment" -}}
{{- with .Values.watchNamespaces }}
- name: DWS_OPERATOR_NAMESPACE
  value: {{ join "," . | quote }}
{{- end }}
- name: DWS_OPERATOR_ADOPTION_NAMESPACES
  value: {{ join "," .Values.adoptionNamespaces | quote }}
- name: DWS_OPERATOR_LEADER_ELECTION
  value: {{ .Values.leaderElection.enabled | quote }}
- name: DWS_OPERATOR_LEASE_NAME
  value: {{ .Values.leaderElection.leaseName | default (include "dws-operator.fullname" .) }}
{{- $settings := .Values.settings }}
{{- if .Values.simulator.enabled }}
{{- $settings = merge (dict "allowInsecureEndpoints" true) $settings }}
{{- end }}
{{- range $name, $value := $settings }}
{{- if ne (toString $value) "" }}
- name: DWS_OPERATOR_{{ $name | snakecase | upper }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
- name: DWS_OPERATOR_CA_BUNDLE
  value: /etc/dws-operator/ca/{{ .Values.caBundle.key }}
{{- end }}
- name: RUST_LOG
  value: {{ .Values.logLevel | quote }}
{{- $account := dict "HW_REGION_NAME" .Values.account.region "HW_PROJECT_NAME" .Values.account.projectName
  "HW_PROJECT_ID" .Values.account.projectId "HW_CLOUD" .Values.account.cloud
  "HW_AUTH_URL" .Values.account.authUrl "DWS_ENDPOINT" .Values.account.endpoint }}
{{- if .Values.simulator.enabled }}
{{- $url := include "dws-operator.simulatorUrl" . }}
{{- $account = dict "HW_AUTH_URL" $url "DWS_ENDPOINT" $url }}
{{- end }}
{{- range $name, $value := $account }}
{{- with $value }}
- name: {{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Environment and mounts of the program. */}}
{{- define "dws-operator.program" -}}
env:
  {{- include "dws-operator.environment" . | trim | nindent 2 }}
{{- with include "dws-operator.credentialsSecret" . }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
volumeMounts:
  - name: ca
    mountPath: /etc/dws-operator/ca
    readOnly: true
{{- end }}
{{- end -}}

{{- define "dws-operator.authorities" -}}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret -}}
volumes:
  - name: ca
    {{- with .Values.caBundle.configMap }}
    configMap:
      name: {{ . }}
    {{- end }}
    {{- with .Values.caBundle.secret }}
    secret:
      secretName: {{ . }}
    {{- end }}
{{- end }}
{{- end -}}
