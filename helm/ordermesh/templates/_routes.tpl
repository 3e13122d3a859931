{{/*
Which edge has which service of the API, as JSON; the one without a service has all others. With an edge for each service
these go to their own, and what belongs to none (the administration, reflection, health) to the first.
*/}}
{{- define "ordermesh.routes" -}}
{{- $routes := list -}}
{{- if eq .Values.groups "per-service" -}}
{{- range $group := splitList " " (include "ordermesh.groups" .) -}}
{{- $routes = append $routes (dict "edge" (printf "edge-%s" $group) "service" (printf "oms.%s.v1.%sService" $group (title $group))) -}}
{{- end -}}
{{- end -}}
{{- $first := first (include "ordermesh.units" . | fromJsonArray) -}}
{{- append $routes (dict "edge" $first.name "service" "") | toJson -}}
{{- end -}}
