{{- /* What changes an object of manifests/base, each in place; nothing of this is printed. */ -}}

{{- /* Its namespace, where it has one, and the label that all of ours bear. */ -}}
{{- define "outrigger.placed" }}
{{- $isOfTheCluster := or (hasPrefix "Cluster" .kind) (hasPrefix "ValidatingAdmission" .kind) (hasSuffix "WebhookConfiguration" .kind) }}
{{- if not $isOfTheCluster }}{{ $_ := set .metadata "namespace" "outrigger-system" }}{{ end }}
{{- $_ := set .metadata "labels" (merge (dict "app.kubernetes.io/part-of" "outrigger") (default dict .metadata.labels)) }}
{{- end }}

{{- define "outrigger.deployment" }}
{{- $values := .chart.Values }}
{{- $_ := set .object.spec "replicas" $values.replicas }}
{{- $pod := .object.spec.template.spec }}
{{- $container := first $pod.containers }}
{{- $version := printf ":%s" (default .chart.Chart.AppVersion $values.image.tag) }}
{{- with $values.image.digest }}{{ $version = printf "@%s" . }}{{ end }}
{{- $_ := set $container "image" (print $values.image.repository $version) }}
{{- with $values.resources }}{{ $_ := set $container "resources" . }}{{ end }}
{{- range $name := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with index $values $name }}{{ $_ := set $pod $name . }}{{ end }}
{{- end }}
{{- end }}

{{- /* Connections of namespaces without our labels go where their pods go. */ -}}
{{- define "outrigger.connections" }}
{{- if .values.everyConnection }}
{{- $selectors := dict }}
{{- range .object.webhooks }}{{ $_ := set $selectors .name .namespaceSelector }}{{ end }}
{{- range .object.webhooks }}
{{- if eq .name "other-connection.validate.outrigger.dev" }}
{{- $_ := set . "namespaceSelector" (index $selectors "pod.validate.outrigger.dev") }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* A pod that was skipped cannot be told from one whose sidecar was taken out; one that opts out can. */ -}}
{{- define "outrigger.optedIn" }}
{{- if eq (default "" .floor.unresolvable) "skip" }}
{{- if eq .object.kind "ValidatingAdmissionPolicyBinding" }}{{ $_ := set .object "isLeftOut" true }}{{ end }}
{{- end }}
{{- if and .floor.allowOptOut (eq .object.kind "ValidatingAdmissionPolicy") }}
{{- $optsOut := "!has(object.metadata.annotations) || !('outrigger.dev/inject' in object.metadata.annotations) || object.metadata.annotations['outrigger.dev/inject'] != 'false'" }}
{{- $_ := set .object.spec "matchConditions" (append .object.spec.matchConditions (dict "name" "does-not-opt-out" "expression" $optsOut)) }}
{{- end }}
{{- end }}

{{- /*
cert-manager keeps the certificate, and its injector writes caBundle: what overlays/cert-manager changes. The webhook reads a
mounted Secret, and has no right to what only an authority of our own needs.
*/ -}}
{{- define "outrigger.certManager" }}
{{- $name := .metadata.name }}
{{- if hasSuffix "WebhookConfiguration" .kind }}
{{- $annotations := dict "cert-manager.io/inject-ca-from" "outrigger-system/outrigger-webhook" }}
{{- $_ := set .metadata "annotations" (merge $annotations (default dict .metadata.annotations)) }}
{{- else if and (eq .kind "Deployment") (eq $name "outrigger-webhook") }}
{{- $pod := .spec.template.spec }}
{{- $container := first $pod.containers }}
{{- $_ := set $container "args" (append $container.args "--cert-dir=/etc/outrigger-tls") }}
{{- $_ := set $container "volumeMounts" (append $container.volumeMounts (dict "name" "tls" "mountPath" "/etc/outrigger-tls" "readOnly" true)) }}
{{- $_ := set $pod "volumes" (append $pod.volumes (dict "name" "tls" "secret" (dict "secretName" "outrigger-webhook-tls"))) }}
{{- else if and (eq .kind "ClusterRole") (eq $name "outrigger-webhook") }}
{{- $rules := list }}
{{- range .rules }}{{ if not (has "admissionregistration.k8s.io" .apiGroups) }}{{ $rules = append $rules . }}{{ end }}{{ end }}
{{- $_ := set . "rules" $rules }}
{{- else if or (eq $name "outrigger-ca") (and (has .kind (list "Role" "RoleBinding")) (eq $name "outrigger-webhook")) }}
{{- $_ := set . "isLeftOut" true }}
{{- end }}
{{- end }}
