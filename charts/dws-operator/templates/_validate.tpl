{{/* What values.schema.json cannot say: values that contradict each other. */}}
{{- define "dws-operator.validate" -}}
{{- $account := .Values.account -}}
{{- $given := .Values.credentials -}}
{{- $secret := $given.existingSecret -}}
{{- $keys := or $given.accessKey $given.secretKey $given.securityToken -}}
{{- $user := or $given.domainName $given.userName $given.userPassword -}}

{{- if and $secret (or $keys $user) -}}
{{- fail "credentials.existingSecret stands beside other credentials: give one of them" -}}
{{- end -}}
{{- if and $keys (not (and $given.accessKey $given.secretKey)) -}}
{{- fail "credentials.accessKey and credentials.secretKey belong together: give both" -}}
{{- end -}}
{{- if and $user (not (and $given.domainName $given.userName $given.userPassword)) -}}
{{- fail "credentials.domainName, credentials.userName and credentials.userPassword belong together: give all three" -}}
{{- end -}}
{{- if and $keys $user -}}
{{- fail "credentials: give an access key, or a user with its password, not both" -}}
{{- end -}}

{{- if .Values.simulator.enabled -}}
{{- if or $secret $keys $user -}}
{{- fail "simulator.enabled stands beside credentials: the simulator has its own; leave credentials empty, or, to go from a trial to an account, delete the resources first and set simulator.enabled=false" -}}
{{- end -}}
{{- range $name, $value := $account -}}
{{- if $value -}}
{{- fail (printf "simulator.enabled stands beside account.%s: the operator talks to the simulator; leave account empty, or set simulator.enabled=false" $name) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- if and (not $account.region) (not $secret) (or $keys $user $account.authUrl $account.endpoint) -}}
{{- fail "account.region is missing: credentials and endpoints belong to a region, such as ap-southeast-3" -}}
{{- end -}}
{{- if not (or $secret $keys $user .Values.settings.allowNamespaceCredentials) -}}
{{- fail "settings.allowNamespaceCredentials is false and there are no credentials: nothing could work; give credentials, or allow those of namespaces" -}}
{{- end -}}
{{- range $name := list "authUrl" "endpoint" -}}
{{- if and (hasPrefix "http://" (index $account $name | default "")) (not $.Values.settings.allowInsecureEndpoints) -}}
{{- fail (printf "account.%s is plain http: make it https, or set settings.allowInsecureEndpoints" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with .Values.settings.activePollInterval -}}
{{- if gt (include "dws-operator.milliseconds" . | int64) (include "dws-operator.milliseconds" $.Values.settings.pollInterval | int64) -}}
{{- fail (printf "settings.activePollInterval (%s) is above settings.pollInterval (%s): make it as short, or shorter" . $.Values.settings.pollInterval) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.caBundle.configMap .Values.caBundle.secret -}}
{{- fail "caBundle.configMap stands beside caBundle.secret: give one of them" -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "leaderElection.enabled is false with more than one replica: two operators over one account repeat what costs money; set replicas to 1" -}}
{{- end -}}
{{- if and (has "*" .Values.adoptionNamespaces) (gt (len .Values.adoptionNamespaces) 1) -}}
{{- fail "adoptionNamespaces holds \"*\" beside names: write [\"*\"] for all namespaces, or only names" -}}
{{- end -}}
{{- range .Values.adoptionNamespaces -}}
{{- if and $.Values.watchNamespaces (ne . "*") (not (has . $.Values.watchNamespaces)) -}}
{{- fail (printf "adoptionNamespaces holds %s, which watchNamespaces does not: nothing is looked at there; add it to watchNamespaces too" .) -}}
{{- end -}}
{{- end -}}
{{- range $name, $image := dict "image" .Values.image "simulator.image" .Values.simulator.image -}}
{{- if contains ":" (last (splitList "/" $image.repository)) -}}
{{- fail (printf "%s.repository (%s) holds a tag: write it into %s.tag" $name $image.repository $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
