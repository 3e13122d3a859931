{{/* What the release's objects are called. */}}
{{- define "ordermesh.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "ordermesh.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "ordermesh.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are selected: (dict "root" $ "component" NAME). They never change. */}}
{{- define "ordermesh.selector" -}}
app.kubernetes.io/name: {{ include "ordermesh.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of an object: (dict "root" $ "component" NAME). */}}
{{- define "ordermesh.labels" -}}
{{ include "ordermesh.selector" . }}
app.kubernetes.io/part-of: ordermesh
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a pod. No version among them: a new chart alone starts nothing anew. */}}
{{- define "ordermesh.podLabels" -}}
{{ include "ordermesh.selector" . }}
app.kubernetes.io/part-of: ordermesh
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image's name: (dict "image" MAP "version" DEFAULT TAG). */}}
{{- define "ordermesh.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .version) -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What the profile decides where nothing is said. */}}
{{- define "ordermesh.isQuickstart" -}}
{{- if eq .Values.profile "quickstart" }}true{{ end -}}
{{- end -}}

{{- define "ordermesh.partitions" -}}
{{- if kindIs "invalid" .Values.deployment.partitions -}}
{{- ternary 4 32 (eq .Values.profile "quickstart") -}}
{{- else -}}
{{- int .Values.deployment.partitions -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.logReplicas" -}}
{{- if kindIs "invalid" .Values.deployment.logReplicas -}}
{{- ternary (int .Values.nats.servers) 3 (eq .Values.profile "quickstart") -}}
{{- else -}}
{{- int .Values.deployment.logReplicas -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.logBytes" -}}
{{- if kindIs "invalid" .Values.deployment.logBytes -}}
{{- ternary 268435456 1073741824 (eq .Values.profile "quickstart") -}}
{{- else -}}
{{- int64 .Values.deployment.logBytes -}}
{{- end -}}
{{- end -}}

{{/* Groups of services that share logs, by spaces; beside them there is always `notification`, of one partition. */}}
{{- define "ordermesh.groups" -}}
{{- ternary "order payment shipping inventory" "orders stock" (eq .Values.groups "per-service") -}}
{{- end -}}

{{/* Bytes that one NATS server keeps: every log, and 1 GiB for events, the sandbox's ledger and what is small. */}}
{{- define "ordermesh.logBytesTotal" -}}
{{- $groups := len (splitList " " (include "ordermesh.groups" .)) -}}
{{- $logs := add1 (mul $groups (int64 (include "ordermesh.partitions" .))) -}}
{{- add (mul $logs (int64 (include "ordermesh.logBytes" .))) 1073741824 -}}
{{- end -}}

{{/* Bytes of a quantity in Mi, Gi or Ti; 0 of any other. */}}
{{- define "ordermesh.bytes" -}}
{{- if regexMatch "^[0-9]+(Mi|Gi|Ti)$" . -}}
{{- $factor := get (dict "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776) (regexFind "[MGT]i$" .) -}}
{{- mul (regexFind "^[0-9]+" . | int64) $factor -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* Addresses of NATS, each server by its own name: a client that loses one takes another. */}}
{{- define "ordermesh.natsUrl" -}}
{{- if eq .Values.profile "quickstart" -}}
{{- $name := printf "%s-nats" (include "ordermesh.fullname" .) -}}
{{- $urls := list -}}
{{- range $number := until (int .Values.nats.servers) -}}
{{- $urls = append $urls (printf "nats://%s-%d.%s:4222" $name $number $name) -}}
{{- end -}}
{{- join "," $urls -}}
{{- else -}}
{{- .Values.nats.url -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.contactPoints" -}}
{{- if eq .Values.profile "quickstart" -}}
{{- printf "%s-cassandra:9042" (include "ordermesh.fullname" .) -}}
{{- else -}}
{{- .Values.cassandra.contactPoints -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.cassandraReplication" -}}
{{- if .Values.cassandra.replication -}}
{{- .Values.cassandra.replication -}}
{{- else -}}
{{- ternary (int .Values.cassandra.nodes) 3 (eq .Values.profile "quickstart") -}}
{{- end -}}
{{- end -}}

{{/* Seconds in which an owner hands over, as the kernel's setting says. */}}
{{- define "ordermesh.handOverSeconds" -}}
{{- $kernel := .Values.settings.kernel | default dict -}}
{{- $kernel.hand_over_s | default 10 | ceil | int -}}
{{- end -}}

{{/* Seconds until an owner is killed: twice its hand-over covers its own waiting for all partitions, and the rest closing. */}}
{{- define "ordermesh.ownerGraceSeconds" -}}
{{- if kindIs "invalid" .Values.owner.terminationGraceSeconds -}}
{{- add (mul 2 (int (include "ordermesh.handOverSeconds" .))) 20 -}}
{{- else -}}
{{- int .Values.owner.terminationGraceSeconds -}}
{{- end -}}
{{- end -}}

{{/* Name of the secret with the API's certificate. */}}
{{- define "ordermesh.edgeTlsSecret" -}}
{{- if .Values.edge.tls.certManager.enabled -}}
{{- printf "%s-edge-tls" (include "ordermesh.fullname" .) -}}
{{- else -}}
{{- .Values.edge.tls.existingSecret -}}
{{- end -}}
{{- end -}}

{{/*
The programs that are placed, as JSON: name, role, group ("" for all) and values, which are those of the role with what
`perGroup` says merged over them. Each becomes a Deployment.
*/}}
{{- define "ordermesh.units" -}}
{{- $values := .Values -}}
{{- $units := list -}}
{{- $groups := splitList " " (include "ordermesh.groups" .) -}}
{{- if eq .Values.groups "per-service" -}}
{{- range $group := $groups -}}
{{- $own := get $values.perGroup $group | default dict -}}
{{- $edge := mergeOverwrite (deepCopy $values.edge) (deepCopy ($own.edge | default dict)) -}}
{{- $units = append $units (dict "name" (printf "edge-%s" $group) "role" "edge" "group" $group "values" $edge "image" ($own.image | default dict)) -}}
{{- end -}}
{{- else -}}
{{- $units = append $units (dict "name" "edge" "role" "edge" "group" "" "values" (deepCopy .Values.edge) "image" dict) -}}
{{- end -}}
{{- range $group := $groups -}}
{{- $own := get $values.perGroup $group | default dict -}}
{{- $owner := mergeOverwrite (deepCopy $values.owner) (deepCopy ($own.owner | default dict)) -}}
{{- $units = append $units (dict "name" (printf "owner-%s" $group) "role" "owner" "group" $group "values" $owner "image" ($own.image | default dict)) -}}
{{- end -}}
{{- $single := mergeOverwrite (deepCopy $values.owner) (dict "autoscaling" (dict "kind" "none")) -}}
{{- $units = append $units (dict "name" "owner-notification" "role" "owner" "group" "notification" "values" $single "image" dict) -}}
{{- $units = append $units (dict "name" "webhooks" "role" "webhooks" "group" "" "values" (deepCopy .Values.webhooks) "image" dict) -}}
{{- $units = append $units (dict "name" "relay" "role" "relay" "group" "" "values" (deepCopy .Values.relay) "image" dict) -}}
{{- toJson $units -}}
{{- end -}}
