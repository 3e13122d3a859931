{{/* Ports in the addresses of NATS, by spaces; 4222 where one has none. */}}
{{- define "ordermesh.natsPorts" -}}
{{- $ports := list -}}
{{- range splitList "," (include "ordermesh.natsUrl" .) -}}
{{- $ports = append $ports (regexFind ":[0-9]+/?$" (trim .) | trimAll ":/" | default "4222") -}}
{{- end -}}
{{- $ports | uniq | join " " -}}
{{- end -}}

{{/* Ports in the addresses of Cassandra, by spaces; 9042 where one has none. */}}
{{- define "ordermesh.cassandraPorts" -}}
{{- $ports := list -}}
{{- range splitList "," (include "ordermesh.contactPoints" .) -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" (trim .) | trimAll ":" | default "9042") -}}
{{- end -}}
{{- $ports | uniq | join " " -}}
{{- end -}}
