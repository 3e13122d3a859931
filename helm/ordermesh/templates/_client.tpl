{{/* Address of the API from inside: that of the first edge. */}}
{{- define "ordermesh.server" -}}
{{- $edge := first (include "ordermesh.units" . | fromJsonArray) -}}
{{ include "ordermesh.fullname" . }}-{{ $edge.name }}:{{ int $edge.values.service.grpcPort }}
{{- end -}}

{{/* A pod that calls the API by the program's own commands: (dict "root" $ "component" NAME "arguments" LIST), or "script". */}}
{{- define "ordermesh.clientPod" -}}
metadata:
  labels:
    {{- include "ordermesh.selector" . | nindent 4 }}
    ordermesh/client: "true"
spec:
  {{- include "ordermesh.clientPodSpec" . | nindent 2 }}
{{- end -}}

{{- define "ordermesh.clientPodSpec" -}}
restartPolicy: Never
serviceAccountName: {{ include "ordermesh.fullname" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "ordermesh.pullSecrets" .root }}
securityContext:
  {{- include "ordermesh.podSecurity" 65532 | nindent 2 }}
containers:
  - name: {{ .component }}
    image: {{ include "ordermesh.image" (dict "image" .root.Values.image "version" .root.Chart.AppVersion) }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    {{- if .script }}
    command: [/bin/sh, -euc]
    args:
      - |
        {{- .script | nindent 8 }}
    {{- else }}
    args:
      {{- toYaml .arguments | nindent 6 }}
    {{- end }}
    {{- $tls := .root.Values.edge.tls }}
    {{- if $tls.enabled }}
    env:
      - {name: ORDERMESH_SERVER_CA, value: /secrets/client/ca.crt}
      {{- if $tls.clientCaSecret }}
      - {name: ORDERMESH_SERVER_CERT, value: /secrets/client/tls.crt}
      - {name: ORDERMESH_SERVER_KEY, value: /secrets/client/tls.key}
      {{- end }}
    {{- end }}
    volumeMounts:
      - name: tmp
        mountPath: /tmp
      {{- if $tls.enabled }}
      - name: client
        mountPath: /secrets/client
        readOnly: true
      {{- end }}
    resources:
      requests: {cpu: 20m, memory: 128Mi}
      limits: {memory: 512Mi}
    securityContext:
      {{- include "ordermesh.containerSecurity" . | nindent 6 }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
  {{- if $tls.enabled }}
  - name: client
    secret:
      secretName: {{ $tls.ownClientSecret }}
      defaultMode: 0440
  {{- end }}
{{- end -}}
