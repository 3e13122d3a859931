{{/* Nothing runs as root, nothing is gained at run time: what the restricted Pod Security Standard asks for. */}}
{{- define "ordermesh.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "ordermesh.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where pods of one component may be: (dict "root" $ "component" NAME "values" MAP). */}}
{{- define "ordermesh.placement" -}}
{{- $selector := include "ordermesh.selector" . -}}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
tolerations:
{{- range $key := list "node.kubernetes.io/unreachable" "node.kubernetes.io/not-ready" }}
  - key: {{ $key }}
    operator: Exists
    effect: NoExecute
    tolerationSeconds: {{ int $.root.Values.nodeLostSeconds }}
{{- end }}
{{- with .values.tolerations }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
{{- if ne .root.Values.antiAffinity "none" }}
affinity:
  podAntiAffinity:
    {{- if eq .root.Values.antiAffinity "hard" }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- $selector | nindent 12 }}
    {{- else }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- $selector | nindent 14 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* What every container of the program is told: (dict "root" $ "role" ROLE). Secrets come by reference only. */}}
{{- define "ordermesh.environment" -}}
{{- $values := .root.Values -}}
envFrom:
  - configMapRef:
      name: {{ include "ordermesh.fullname" .root }}-settings
env:
  - name: ORDERMESH_INSTANCE
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
{{- if and $values.nats.auth.existingSecret (not $values.nats.auth.credentialsKey) }}
  - name: ORDERMESH_NATS_USER
    valueFrom:
      secretKeyRef:
        name: {{ $values.nats.auth.existingSecret }}
        key: {{ $values.nats.auth.userKey }}
{{- end }}
{{- if $values.cassandra.auth.existingSecret }}
  - name: ORDERMESH_CASSANDRA_USER
    valueFrom:
      secretKeyRef:
        name: {{ $values.cassandra.auth.existingSecret }}
        key: {{ $values.cassandra.auth.userKey }}
{{- end }}
{{- if eq .role "deployment" }}
  {{- include "ordermesh.deploymentSettings" .root | nindent 2 }}
{{- end }}
{{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
{{- range $name, $secret := include "ordermesh.secrets" . | fromJson }}
  - name: {{ $name }}
    mountPath: /secrets/{{ $name }}
    readOnly: true
{{- end }}
{{- end -}}

{{- define "ordermesh.volumes" -}}
volumes:
  - name: data
    emptyDir:
      sizeLimit: 64Mi
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- range $name, $secret := include "ordermesh.secrets" . | fromJson }}
  - name: {{ $name }}
    secret:
      secretName: {{ $secret }}
      defaultMode: 0440
{{- end }}
{{- end -}}

{{/* Secrets that are mounted at /secrets/NAME, as JSON: {NAME: secret}. */}}
{{- define "ordermesh.secrets" -}}
{{- $values := .root.Values -}}
{{- $secrets := dict -}}
{{- with $values.nats.auth.existingSecret }}{{ $_ := set $secrets "nats" . }}{{ end -}}
{{- with $values.nats.tls.existingSecret }}{{ $_ := set $secrets "nats-tls" . }}{{ end -}}
{{- with $values.cassandra.auth.existingSecret }}{{ $_ := set $secrets "cassandra" . }}{{ end -}}
{{- with $values.cassandra.tls.existingSecret }}{{ $_ := set $secrets "cassandra-tls" . }}{{ end -}}
{{- if and (eq $values.payments.provider "stripe") (has .role (list "owner" "edge")) -}}
{{- $_ := set $secrets "stripe" $values.payments.stripe.existingSecret -}}
{{- end -}}
{{- if and $values.edge.tls.enabled (eq .role "edge") -}}
{{- $_ := set $secrets "edge-tls" (include "ordermesh.edgeTlsSecret" .root) -}}
{{- with $values.edge.tls.clientCaSecret }}{{ $_ := set $secrets "edge-client-ca" . }}{{ end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}
