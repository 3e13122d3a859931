{{/* What cannot work, as JSON: a sentence for each, with the value's name and what to do. */}}
{{- define "ordermesh.problems" -}}
{{- $problems := concat
  (include "ordermesh.profileProblems" . | fromJsonArray)
  (include "ordermesh.sizeProblems" . | fromJsonArray)
  (include "ordermesh.scalingProblems" . | fromJsonArray)
  (include "ordermesh.networkProblems" . | fromJsonArray)
  (include "ordermesh.nameProblems" . | fromJsonArray)
-}}
{{- toJson $problems -}}
{{- end -}}

{{- define "ordermesh.profileProblems" -}}
{{- $values := .Values -}}
{{- $problems := list -}}
{{- if eq $values.profile "production" -}}
{{- if not $values.nats.url -}}
{{- $problems = append $problems "nats.url: production needs the addresses of your NATS servers, as nats://a:4222,nats://b:4222,nats://c:4222." -}}
{{- end -}}
{{- if not $values.cassandra.contactPoints -}}
{{- $problems = append $problems "cassandra.contactPoints: production needs the addresses of some of your Cassandra nodes, as 10.0.0.11,10.0.0.12:9042." -}}
{{- end -}}
{{- else if eq $values.profile "quickstart" -}}
{{- if $values.nats.url -}}
{{- $problems = append $problems "nats.url: quickstart brings a NATS of its own; set profile to production to use yours, or leave nats.url empty." -}}
{{- end -}}
{{- if $values.cassandra.contactPoints -}}
{{- $problems = append $problems "cassandra.contactPoints: quickstart brings a Cassandra of its own; set profile to production to use yours, or leave cassandra.contactPoints empty." -}}
{{- end -}}
{{- if or $values.nats.auth.existingSecret $values.nats.tls.existingSecret -}}
{{- $problems = append $problems "nats.auth, nats.tls: the quickstart's NATS has neither accounts nor TLS; set profile to production, or leave them empty." -}}
{{- end -}}
{{- if or $values.cassandra.auth.existingSecret $values.cassandra.tls.enabled -}}
{{- $problems = append $problems "cassandra.auth, cassandra.tls: the quickstart's Cassandra has neither accounts nor TLS; set profile to production, or leave them empty." -}}
{{- end -}}
{{- else -}}
{{- $problems = append $problems (printf "profile: is %q, has to be quickstart or production." $values.profile) -}}
{{- end -}}
{{- if not (has $values.groups (list "default" "per-service")) -}}
{{- $problems = append $problems (printf "groups: is %q, has to be default or per-service." $values.groups) -}}
{{- end -}}
{{- if and $values.cassandra.tls.existingSecret (not $values.cassandra.tls.enabled) -}}
{{- $problems = append $problems "cassandra.tls.existingSecret: has certificates, but cassandra.tls.enabled is false: nothing would be encrypted." -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "ordermesh.sizeProblems" -}}
{{- $values := .Values -}}
{{- $problems := list -}}
{{- $quickstart := eq $values.profile "quickstart" -}}
{{- $partitions := int (include "ordermesh.partitions" .) -}}
{{- $logReplicas := int (include "ordermesh.logReplicas" .) -}}
{{- if or (lt $partitions 1) (gt $partitions 1024) -}}
{{- $problems = append $problems (printf "deployment.partitions: is %d, has to be from 1 to 1024." $partitions) -}}
{{- end -}}
{{- if not (has $logReplicas (list 1 3)) -}}
{{- $problems = append $problems (printf "deployment.logReplicas: is %d, has to be 1 or 3: of two, none may be lost." $logReplicas) -}}
{{- end -}}
{{- if lt (int64 (include "ordermesh.logBytes" .)) 16777216 -}}
{{- $problems = append $problems (printf "deployment.logBytes: is %s, has to be at least 16777216 (16 MiB): what is under way has to fit." (include "ordermesh.logBytes" .)) -}}
{{- end -}}
{{- if lt (int $values.deployment.waitSeconds) 30 -}}
{{- $problems = append $problems (printf "deployment.waitSeconds: is %d, has to be at least 30: Cassandra takes that long to start." (int $values.deployment.waitSeconds)) -}}
{{- end -}}
{{- if not (has (int $values.nats.servers) (list 1 3)) -}}
{{- $problems = append $problems (printf "nats.servers: is %d, has to be 1 or 3: of two, none may be lost." (int $values.nats.servers)) -}}
{{- end -}}
{{- if not (has (int $values.cassandra.nodes) (list 1 3)) -}}
{{- $problems = append $problems (printf "cassandra.nodes: is %d, has to be 1 or 3: of two, none may be lost." (int $values.cassandra.nodes)) -}}
{{- end -}}
{{- if $quickstart -}}
{{- if gt $logReplicas (int $values.nats.servers) -}}
{{- $problems = append $problems (printf "deployment.logReplicas: is %d, but nats.servers is %d: each replica is on another server." $logReplicas (int $values.nats.servers)) -}}
{{- end -}}
{{- $replication := toString $values.cassandra.replication -}}
{{- if and (regexMatch "^[0-9]+$" $replication) (gt (int $replication) (int $values.cassandra.nodes)) -}}
{{- $problems = append $problems (printf "cassandra.replication: is %s, but cassandra.nodes is %d: each replica is on another node." $replication (int $values.cassandra.nodes)) -}}
{{- end -}}
{{- $room := include "ordermesh.bytes" (toString $values.nats.storage.size) | int64 -}}
{{- if eq $room 0 -}}
{{- $problems = append $problems (printf "nats.storage.size: is %q, has to be a whole number of Mi, Gi or Ti, as 4Gi." (toString $values.nats.storage.size)) -}}
{{- else if lt $room (include "ordermesh.logBytesTotal" . | int64) -}}
{{- $problems = append $problems (printf "nats.storage.size: is %s, but %d partitions of each group with deployment.logBytes %s and 1 GiB beside need %s bytes." $values.nats.storage.size $partitions (include "ordermesh.logBytes" .) (include "ordermesh.logBytesTotal" .)) -}}
{{- end -}}
{{- end -}}
{{- if lt (int $values.cassandra.heapMebibytes) 256 -}}
{{- $problems = append $problems (printf "cassandra.heapMebibytes: is %d, has to be at least 256." (int $values.cassandra.heapMebibytes)) -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "ordermesh.scalingProblems" -}}
{{- $root := . -}}
{{- $problems := list -}}
{{- $partitions := int (include "ordermesh.partitions" .) -}}
{{- range $unit := include "ordermesh.units" . | fromJsonArray -}}
{{- if lt (int $unit.values.replicas) 0 -}}
{{- $problems = append $problems (printf "%s: replicas is %d, has to be at least 0." $unit.name (int $unit.values.replicas)) -}}
{{- end -}}
{{- if and (eq $unit.role "owner") (gt (include "ordermesh.podsMax" $unit | int) $partitions) -}}
{{- $problems = append $problems (printf "%s: %s owners of %d partitions: those above the number of partitions would have nothing to do." $unit.name (include "ordermesh.podsMax" $unit) $partitions) -}}
{{- end -}}
{{- if and (eq $unit.role "owner") (not (has $unit.values.autoscaling.kind (list "none" "hpa" "keda"))) -}}
{{- $problems = append $problems (printf "%s: autoscaling.kind is %q, has to be none, hpa or keda." $unit.name $unit.values.autoscaling.kind) -}}
{{- end -}}
{{- if include "ordermesh.isScaled" $unit -}}
{{- if gt (int $unit.values.autoscaling.minReplicas) (int $unit.values.autoscaling.maxReplicas) -}}
{{- $problems = append $problems (printf "%s: autoscaling.minReplicas is %d and maxReplicas %d: the first has to be the smaller." $unit.name (int $unit.values.autoscaling.minReplicas) (int $unit.values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if lt (int $unit.values.autoscaling.minReplicas) 1 -}}
{{- $problems = append $problems (printf "%s: autoscaling.minReplicas is %d, has to be at least 1." $unit.name (int $unit.values.autoscaling.minReplicas)) -}}
{{- end -}}
{{- if and (eq $unit.role "edge") (not (dig "requests" "cpu" "" $unit.values.resources)) -}}
{{- $problems = append $problems (printf "%s: autoscaling is by a share of the CPU that is requested, and resources.requests.cpu is not given." $unit.name) -}}
{{- end -}}
{{- if and (eq $unit.role "owner") (eq $unit.values.autoscaling.kind "keda") (not $unit.values.autoscaling.prometheusAddress) -}}
{{- $problems = append $problems (printf "%s: autoscaling.prometheusAddress: keda needs the address of Prometheus, as http://prometheus.monitoring:9090." $unit.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $needed := add (int (include "ordermesh.handOverSeconds" .)) 10 -}}
{{- if lt (int (include "ordermesh.ownerGraceSeconds" .)) (int $needed) -}}
{{- $problems = append $problems (printf "owner.terminationGraceSeconds: is %s, has to be at least %d: kernel.hand_over_s and what comes after it." (include "ordermesh.ownerGraceSeconds" .) (int $needed)) -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "ordermesh.networkProblems" -}}
{{- $values := .Values -}}
{{- $problems := list -}}
{{- $tls := $values.edge.tls -}}
{{- if $tls.enabled -}}
{{- if and $tls.existingSecret $tls.certManager.enabled -}}
{{- $problems = append $problems "edge.tls: existingSecret and certManager.enabled exclude each other: there is one certificate." -}}
{{- end -}}
{{- if not (or $tls.existingSecret $tls.certManager.enabled) -}}
{{- $problems = append $problems "edge.tls: is enabled without a certificate; name a secret in edge.tls.existingSecret, or enable edge.tls.certManager." -}}
{{- end -}}
{{- if and $tls.certManager.enabled (not $tls.certManager.issuerName) -}}
{{- $problems = append $problems "edge.tls.certManager.issuerName: cert-manager needs the name of an issuer." -}}
{{- end -}}
{{- else if or $tls.existingSecret $tls.clientCaSecret $tls.certManager.enabled -}}
{{- $problems = append $problems "edge.tls: has a certificate, but edge.tls.enabled is false: nothing would be encrypted." -}}
{{- end -}}
{{- if and $values.verify.schedule $tls.enabled (not $tls.ownClientSecret) -}}
{{- $problems = append $problems "verify.schedule: with edge.tls.enabled the audit needs certificates; name a secret in edge.tls.ownClientSecret." -}}
{{- end -}}
{{- if and (eq $values.payments.provider "stripe") (not $values.payments.stripe.existingSecret) -}}
{{- $problems = append $problems "payments.stripe.existingSecret: Stripe needs a key; name the secret that it is in." -}}
{{- end -}}
{{- if and (eq $values.payments.provider "sandbox") $values.payments.stripe.existingSecret -}}
{{- $problems = append $problems "payments.stripe: has a secret, but payments.provider is sandbox: no money would move." -}}
{{- end -}}
{{- if lt (int $values.payments.reconcile.sinceHours) 1 -}}
{{- $problems = append $problems (printf "payments.reconcile.sinceHours: is %d, has to be at least 1." (int $values.payments.reconcile.sinceHours)) -}}
{{- end -}}
{{- if gt (int $values.payments.reconcile.sinceHours) 744 -}}
{{- $problems = append $problems (printf "payments.reconcile.sinceHours: is %d, has to be at most 744, 31 days." (int $values.payments.reconcile.sinceHours)) -}}
{{- end -}}
{{- if and $values.payments.reconcile.schedule $tls.enabled (not $tls.ownClientSecret) -}}
{{- $problems = append $problems "payments.reconcile.schedule: with edge.tls.enabled the comparison needs certificates; name a secret in edge.tls.ownClientSecret." -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
{{- $problems = append $problems "ingress.host: gRPC needs a host name of its own." -}}
{{- end -}}
{{- range $host := $values.gateway.httpHostnames -}}
{{- if has $host $values.gateway.hostnames -}}
{{- $problems = append $problems (printf "gateway.httpHostnames: %s is in gateway.hostnames too; a Gateway takes a host name for gRPC or for HTTP." $host) -}}
{{- end -}}
{{- end -}}
{{- if and (or $values.ingress.http.host $values.gateway.httpHostnames) $tls.enabled (ne (toString $values.settings.http_api) "true") -}}
{{- $problems = append $problems "ingress.http, gateway.httpHostnames: HTTP has no API where gRPC speaks TLS; set settings.http_api to true, and know that nothing is encrypted between the proxy and the edge." -}}
{{- end -}}
{{- if and $values.gateway.enabled (not $values.gateway.parentRefs) -}}
{{- $problems = append $problems "gateway.parentRefs: a route belongs to a Gateway; name it." -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "ordermesh.nameProblems" -}}
{{- $values := .Values -}}
{{- $problems := list -}}
{{- $groups := splitList " " (include "ordermesh.groups" .) -}}
{{- range $name, $own := $values.perGroup -}}
{{- if not (has $name $groups) -}}
{{- $problems = append $problems (printf "perGroup.%s: there is no such group; these are %s." $name (join ", " $groups)) -}}
{{- end -}}
{{- range $part := keys ($own | default dict) | sortAlpha -}}
{{- if not (has $part (list "edge" "owner" "image")) -}}
{{- $problems = append $problems (printf "perGroup.%s.%s: there is no such part; these are edge, owner, image." $name $part) -}}
{{- else -}}
{{- if and (eq $part "edge") (ne $values.groups "per-service") -}}
{{- $problems = append $problems (printf "perGroup.%s.edge: a group has an edge of its own only if groups is per-service." $name) -}}
{{- end -}}
{{- range $key := keys (get $own $part) | sortAlpha -}}
{{- if not (hasKey (get $values $part) $key) -}}
{{- $problems = append $problems (printf "perGroup.%s.%s.%s: there is no such value; these are %s." $name $part $key (keys (get $values $part) | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $given := dict "data" "" "grpc" "" "http" "" "nats" "nats.url" "nats_user" "nats.auth" "nats_password" "nats.auth" "nats_password_file" "nats.auth" "nats_creds" "nats.auth" "nats_ca" "nats.tls" "nats_cert" "nats.tls" "nats_key" "nats.tls" "replicas" "deployment.logReplicas" "partitions" "deployment.partitions" "groups" "groups" "log_bytes" "deployment.logBytes" "start_wait_s" "deployment.waitSeconds" "sandbox_ledger" "" "payment_provider" "payments.provider" "stripe_api_key" "payments.stripe" "stripe_api_key_file" "payments.stripe" "stripe_webhook_secret" "payments.stripe" "stripe_webhook_secret_file" "payments.stripe" "store" "" "cassandra_contact_points" "cassandra.contactPoints" "cassandra_keyspace" "cassandra.keyspace" "cassandra_datacenter" "cassandra.datacenter" "cassandra_replication" "cassandra.replication" "cassandra_user" "cassandra.auth" "cassandra_password" "cassandra.auth" "cassandra_password_file" "cassandra.auth" "cassandra_tls" "cassandra.tls" "cassandra_tls_ca" "cassandra.tls" "cassandra_tls_certificate" "cassandra.tls" "cassandra_tls_key" "cassandra.tls" "tls_cert" "edge.tls" "tls_key" "edge.tls" "tls_client_ca" "edge.tls" -}}
{{- range $name := keys $values.settings | sortAlpha -}}
{{- if hasKey $given $name -}}
{{- $problems = append $problems (printf "settings.%s: the chart decides that%s." $name (ternary (printf "; set %s" (get $given $name)) "" (ne (get $given $name) ""))) -}}
{{- end -}}
{{- end -}}
{{- $choices := list (list "payments.provider" $values.payments.provider "sandbox" "stripe") (list "antiAffinity" $values.antiAffinity "soft" "hard" "none") (list "image.pullPolicy" $values.image.pullPolicy "Always" "IfNotPresent" "Never") (list "edge.service.type" $values.edge.service.type "ClusterIP" "NodePort" "LoadBalancer") -}}
{{- range $choice := $choices -}}
{{- if not (has (index $choice 1) (slice $choice 2)) -}}
{{- $problems = append $problems (printf "%s: is %q, has to be one of %s." (index $choice 0) (index $choice 1) (slice $choice 2 | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- $images := dict "image.tag" $values.image "nats.image.tag" $values.nats.image "cassandra.image.tag" $values.cassandra.image -}}
{{- range $name := keys $images | sortAlpha -}}
{{- $image := get $images $name -}}
{{- if and (eq ($image.tag | default "") "latest") (not $image.digest) -}}
{{- $problems = append $problems (printf "%s: latest is another image each time, and nobody could go back to it; name a version." $name) -}}
{{- end -}}
{{- if and $image.digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $image.digest)) -}}
{{- $problems = append $problems (printf "%s: is %q, has to be sha256: and 64 hexadecimal digits." (replace ".tag" ".digest" $name) $image.digest) -}}
{{- end -}}
{{- end -}}
{{- range $variable := $values.extraEnv -}}
{{- if and (regexMatch "PASSWORD|SECRET|API_KEY" ($variable.name | default "")) ($variable.value) -}}
{{- $problems = append $problems (printf "extraEnv: %s has its value in plain text; take it from a secret by valueFrom.secretKeyRef." $variable.name) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}
