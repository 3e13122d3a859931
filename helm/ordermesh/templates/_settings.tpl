{{/* Settings as environment variables, without secrets. */}}
{{- define "ordermesh.settings" -}}
{{- $values := .Values -}}
ORDERMESH_DATA: /data
ORDERMESH_GRPC: "0.0.0.0:50051"
ORDERMESH_HTTP: "0.0.0.0:8080"
ORDERMESH_START_WAIT_S: {{ int $values.deployment.waitSeconds | quote }}
ORDERMESH_NATS: {{ include "ordermesh.natsUrl" . | quote }}
ORDERMESH_SANDBOX_LEDGER: nats
ORDERMESH_PAYMENT_PROVIDER: {{ $values.payments.provider | quote }}
{{- if eq $values.payments.provider "stripe" }}
ORDERMESH_STRIPE_API_KEY_FILE: /secrets/stripe/{{ $values.payments.stripe.apiKeyKey }}
{{- with $values.payments.stripe.webhookSecretKey }}
ORDERMESH_STRIPE_WEBHOOK_SECRET_FILE: /secrets/stripe/{{ . }}
{{- end }}
{{- end }}
ORDERMESH_STORE: cassandra
ORDERMESH_CASSANDRA_CONTACT_POINTS: {{ include "ordermesh.contactPoints" . | quote }}
ORDERMESH_CASSANDRA_KEYSPACE: {{ $values.cassandra.keyspace | quote }}
{{- with $values.cassandra.datacenter }}
ORDERMESH_CASSANDRA_DATACENTER: {{ . | quote }}
{{- end }}
{{- if $values.nats.auth.existingSecret }}
{{- if $values.nats.auth.credentialsKey }}
ORDERMESH_NATS_CREDS: /secrets/nats/{{ $values.nats.auth.credentialsKey }}
{{- else }}
ORDERMESH_NATS_PASSWORD_FILE: /secrets/nats/{{ $values.nats.auth.passwordKey }}
{{- end }}
{{- end }}
{{- if $values.nats.tls.existingSecret }}
ORDERMESH_NATS_CA: /secrets/nats-tls/{{ $values.nats.tls.caKey }}
{{- with $values.nats.tls.certKey }}
ORDERMESH_NATS_CERT: /secrets/nats-tls/{{ . }}
{{- end }}
{{- with $values.nats.tls.keyKey }}
ORDERMESH_NATS_KEY: /secrets/nats-tls/{{ . }}
{{- end }}
{{- end }}
{{- if $values.cassandra.auth.existingSecret }}
ORDERMESH_CASSANDRA_PASSWORD_FILE: /secrets/cassandra/{{ $values.cassandra.auth.passwordKey }}
{{- end }}
{{- if $values.cassandra.tls.enabled }}
ORDERMESH_CASSANDRA_TLS: "true"
{{- if $values.cassandra.tls.existingSecret }}
{{- with $values.cassandra.tls.caKey }}
ORDERMESH_CASSANDRA_TLS_CA: /secrets/cassandra-tls/{{ . }}
{{- end }}
{{- with $values.cassandra.tls.certKey }}
ORDERMESH_CASSANDRA_TLS_CERTIFICATE: /secrets/cassandra-tls/{{ . }}
{{- end }}
{{- with $values.cassandra.tls.keyKey }}
ORDERMESH_CASSANDRA_TLS_KEY: /secrets/cassandra-tls/{{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := omit $values.settings "kernel" }}
ORDERMESH_{{ upper $name }}: {{ include "ordermesh.settingText" $value | quote }}
{{- end }}
{{- range $name, $value := $values.settings.kernel | default dict }}
ORDERMESH_KERNEL__{{ upper $name }}: {{ include "ordermesh.settingText" $value | quote }}
{{- end }}
{{- end -}}

{{/* A value as the program reads it: whole numbers without an exponent. */}}
{{- define "ordermesh.settingText" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* What makes a deployment; only the job is told. */}}
{{- define "ordermesh.deploymentSettings" -}}
- name: ORDERMESH_PARTITIONS
  value: {{ include "ordermesh.partitions" . | quote }}
- name: ORDERMESH_REPLICAS
  value: {{ include "ordermesh.logReplicas" . | quote }}
- name: ORDERMESH_LOG_BYTES
  value: {{ include "ordermesh.logBytes" . | quote }}
- name: ORDERMESH_GROUPS
  value: {{ .Values.groups | quote }}
- name: ORDERMESH_CASSANDRA_REPLICATION
  value: {{ include "ordermesh.cassandraReplication" . | quote }}
{{- end -}}
