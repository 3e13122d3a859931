{{/* The configuration of the quickstart's NATS servers. What is acknowledged is on a disk: `sync_interval: always`. */}}
{{- define "ordermesh.natsConfiguration" -}}
{{- $name := printf "%s-nats" (include "ordermesh.fullname" .) -}}
{{- $servers := int .Values.nats.servers -}}
# Votes are counted by this name: a server keeps it for good.
server_name: $POD_NAME
port: 4222
http_port: 8222
pid_file: /tmp/nats.pid
max_payload: 8MB
max_pending: 64MB
lame_duck_grace_period: 2s
lame_duck_duration: 30s
jetstream {
  store_dir: /data
  sync_interval: always
  max_memory_store: 64MB
  # {{ include "ordermesh.partitions" . }} partitions of {{ len (splitList " " (include "ordermesh.groups" .)) }} groups with {{ include "ordermesh.logBytes" . }} bytes each, and 1 GiB beside.
  max_file_store: {{ include "ordermesh.logBytesTotal" . }}
}
{{- if gt $servers 1 }}
cluster {
  name: {{ $name }}
  port: 6222
  # Clients keep to the names they were given: addresses of pods change.
  no_advertise: true
  connect_retries: 120
  routes: [
    {{- range $number := until $servers }}
    nats-route://{{ $name }}-{{ $number }}.{{ $name }}:6222
    {{- end }}
  ]
}
{{- end }}
{{- end -}}
