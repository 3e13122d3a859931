{{/* What `helm test` does: an order has to be completed. Only the shell's own words, so that the image needs no tools. */}}
{{- define "ordermesh.testScript" -}}
{{- $services := dict "order" (include "ordermesh.server" .) "stock" (include "ordermesh.server" .) -}}
{{- range $unit := include "ordermesh.units" . | fromJsonArray -}}
{{- if and (eq $unit.role "edge") (eq $unit.group "inventory") -}}
{{- $_ := set $services "stock" (printf "%s-%s:%d" (include "ordermesh.fullname" $) $unit.name (int $unit.values.service.grpcPort)) -}}
{{- end -}}
{{- end -}}
ordermesh stock receive HELM-TEST 1 --server {{ $services.stock }}
answer=$(ordermesh order create --customer helm-test --line HELM-TEST:1:1.00 --output json --server {{ $services.order }})
id=${answer#*\"order_id\": \"}
id=${id%%\"*}
echo "created $id"
ordermesh order watch "$id" --until-ended --server {{ $services.order }}
case $(ordermesh order get "$id" --consistency linearizable --output json --server {{ $services.order }}) in
  *ORDER_STATE_COMPLETED*) echo "completed" ;;
  *) echo "it ended otherwise" && exit 1 ;;
esac
{{- end -}}
