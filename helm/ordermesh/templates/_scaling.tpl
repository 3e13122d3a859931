{{/* Whether something else than the chart says how many pods a unit has. */}}
{{- define "ordermesh.isScaled" -}}
{{- if eq .role "edge" -}}
{{- if .values.autoscaling.enabled }}true{{ end -}}
{{- else if eq .role "owner" -}}
{{- if ne .values.autoscaling.kind "none" }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* Most pods that a unit may have. */}}
{{- define "ordermesh.podsMax" -}}
{{- if include "ordermesh.isScaled" . -}}{{ int .values.autoscaling.maxReplicas }}{{- else -}}{{ int .values.replicas }}{{- end -}}
{{- end -}}

{{/* How owners come and go: one after the other, and back only after a while, because partitions move each time. */}}
{{- define "ordermesh.calm" -}}
scaleUp:
  stabilizationWindowSeconds: 15
  policies:
    - {type: Pods, value: 1, periodSeconds: 30}
scaleDown:
  stabilizationWindowSeconds: {{ int .scaleDownSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: 120}
{{- end -}}

{{/*
How full the frames of a group's fullest partition are, on average, as a query: (dict "about" LABELS). They fill up before
anything waits. 0 while nothing is decided.
*/}}
{{- define "ordermesh.frameFillQuery" -}}
{{- $rate := "sum by (partition) (rate(ordermesh_frame_items_%s{%s}[2m]))" -}}
max({{ printf $rate "sum" .about }} / {{ printf $rate "count" .about }} > 0) or vector(0)
{{- end -}}
