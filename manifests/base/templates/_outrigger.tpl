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
