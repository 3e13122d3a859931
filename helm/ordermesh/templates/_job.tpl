{{/* The pod of the job that makes the deployment. */}}
{{- define "ordermesh.deploymentPod" -}}
metadata:
  labels:
    {{- include "ordermesh.selector" . | nindent 4 }}
    ordermesh/client: "true"
spec:
  restartPolicy: OnFailure
  serviceAccountName: {{ include "ordermesh.fullname" .root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "ordermesh.pullSecrets" .root | nindent 2 }}
  securityContext:
    {{- include "ordermesh.podSecurity" 65532 | nindent 4 }}
  containers:
    - name: deployment
      image: {{ include "ordermesh.image" (dict "image" .root.Values.image "version" .root.Chart.AppVersion) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [deployment, create, --wait-s, {{ int .root.Values.deployment.waitSeconds | quote }}]
      {{- include "ordermesh.environment" . | nindent 6 }}
      resources:
        {{- toYaml .root.Values.deployment.resources | nindent 8 }}
      securityContext:
        {{- include "ordermesh.containerSecurity" . | nindent 8 }}
  {{- include "ordermesh.volumes" . | nindent 2 }}
{{- end -}}
