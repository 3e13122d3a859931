{{/*
Arguments of the JVM. Settings come as system properties, which count before the image's cassandra.yaml: a write is
acknowledged when it is synced, with others of the same 5 ms. Nodes of a small, new cluster know each other at once.
*/}}
{{- define "ordermesh.cassandraJvmOptions" -}}
{{- $options := list
  "-Dcassandra.config.allow_system_properties=true"
  "-Dcassandra.settings.commitlog_sync=group"
  "-Dcassandra.settings.commitlog_sync_group_window=5ms"
  "-Dcassandra.settings.commitlog_sync_period=0ms"
  "-Dcassandra.settings.commitlog_total_space=512MiB"
  "-Dcassandra.settings.disk_failure_policy=die"
  "-Dcassandra.settings.commit_failure_policy=die"
  "-Dcassandra.ring_delay_ms=5000"
-}}
{{- if eq (int .Values.cassandra.nodes) 1 -}}
{{- $options = append $options "-Dcassandra.skip_wait_for_gossip_to_settle=0" -}}
{{- end -}}
{{- join " " (append $options .Values.cassandra.jvmOptions) | trim -}}
{{- end -}}
