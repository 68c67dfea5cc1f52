"""The chart, by Helm's own SDK and Kubernetes' own schemas, and the plain manifests made from it."""

import tempfile
from pathlib import Path

import manifests

from .common import ROOT, binary, check, module, need, run

ACCOUNT = {"name": "acme", "region": "EU", "existingSecret": {"name": "keys", "key": "acme"}}
OTHER = {
    "name": "globex",
    "existingSecret": {"name": "globex", "key": "token"},
    "budget": {"requests_per_day": 3000, "share": 0.5},
    "collectors": {"enrollments": {"min_interval": "6h"}, "policies": {"enabled": False}},
    "phishing": {"windows": ["30d", "90d"], "max_tests": 100},
    "groups": {"include": "Sales.*", "min_size": 5},
    "segments": ["department"],
    "segment_min_size": 10,
}
POSTGRESQL = {"type": "postgresql"}
COMBINATIONS = {
    "defaults": {},
    "many accounts": {"accounts": [ACCOUNT, OTHER], "defaults": {"budget": {"share": 0.6}}},
    "postgresql": {"storage": POSTGRESQL, "replicas": 3, "scrapeConfig": {"enabled": True}},
    "postgresql with its CA, without a budget for disruptions": {
        "storage": {"type": "postgresql", "postgresql": {"caSecret": "ca"}},
        "podDisruptionBudget": {"enabled": False},
    },
    "operator": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {
            "enabled": True,
            "overrides": [
                {"account": "gold-.*", "threshold": "account_risk_score_high", "tier": "gold", "value": 60},
                {"threshold": "phishing_test_gap_days", "value": "Inf"},
            ],
        },
        "dashboards": {"enabled": True, "namespace": "grafana"},
    },
    "guarded": {
        "webConfig": {"existingSecret": "web"},
        "networkPolicy": {"enabled": True, "ingressFrom": [{"namespaceSelector": {}}]},
        "serviceMonitor": {"enabled": True, "scheme": "https", "tlsConfig": {"insecureSkipVerify": True}},
    },
    "guarded postgresql": {"storage": POSTGRESQL, "networkPolicy": {"enabled": True}},
    "OpenShift": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
    "annotations, a digest and a proxy": {
        "scrapeAnnotations": True,
        "image": {"digest": "sha256:" + "0" * 64},
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "extraArgs": ["--web.enable-lifecycle"],
        "serviceAccount": {"create": False},
        "imagePullSecrets": [{"name": "pull"}],
        "storage": {"embedded": {"storageClassName": "fast", "annotations": {"a": "b"}}},
    },
}
TYPOS = {
    "acounts": [ACCOUNT],
    "accounts": [{**ACCOUNT, "budget": {"requests_per_dya": 3000}}],
    "accounts ": [ACCOUNT],
    "replicas": "two",
    "storage": {"type": "postgres"},
    "serviceMonitor": {"enabeld": True},
    "image": {"tags": "1"},
    "staleAfter": "3 days",
    "log": {"level": "warning"},
}


def main():
    helm = module("the chart", "helm_python", "helm-python-sdk")
    validate = module("the chart", "kubernetes_validate", "kubernetes-validate")
    if not helm or not validate:
        return
    chart = helm.Chart.load(str(manifests.CHART))
    report = helm.lint(str(manifests.CHART), strict=True)
    bad = [message for message in report["messages"] if message["severity"] > 1]
    check(not bad and not report["errors"], "helm lint --strict", str(report))
    rendered = {name: manifests.render(chart, values) for name, values in COMBINATIONS.items()}
    for name, objects in rendered.items():
        check_objects(name, objects, validate)
    check_combinations(rendered)
    for key, value in TYPOS.items():
        try:
            chart.render({key: value}, name="release")
            check(False, f"values with {key}: {value} are refused")
        except helm.HelmError as error:
            check(key.strip() in str(error) or "Additional" in str(error), f"{key} is refused by name", str(error))
    for scraped in ({"serviceMonitor": {"enabled": True}}, {"scrapeAnnotations": True}):
        try:
            chart.render({"storage": POSTGRESQL, **scraped}, name="release")
            check(False, f"{scraped} is refused where replicas would double each series")
        except helm.HelmError as error:
            check("scrapes the service" in str(error), "series that would be doubled are refused", str(error))
    check_metrics_are_the_repositorys(rendered["operator"])
    check_configurations(rendered)
    for path, text in manifests.plain(chart).items():
        there = path.read_text(encoding="utf-8") if path.is_file() else ""
        check(there == text, f"{path.relative_to(ROOT)} is what deploy/build makes")


def check_objects(name, objects, validate):
    """Each object is one that the API server takes."""
    for thing in objects:
        where = f"{name}: {thing['kind']} {thing['metadata']['name']}"
        check(len(thing["metadata"]["name"]) <= 63, f"{where}: a name of at most 63 characters")
        if thing["apiVersion"].startswith("monitoring.coreos.com/"):
            continue
        for version in ("1.29", validate.latest_version()):
            try:
                validate.validate(thing, version, strict=True)
                check(True, where)
            except (validate.ValidationError, validate.SchemaNotFoundError) as error:
                check(False, f"{where} by Kubernetes {version}", str(error))
    pods = [thing["spec"]["template"] for thing in objects if "template" in thing.get("spec", {})]
    check(len(pods) == 1, f"{name}: one workload")
    labels = pods[0]["metadata"]["labels"].items()
    for thing in objects:
        spec = thing.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels", selector).items()
        check(wanted <= labels, f"{name}: {thing['kind']} selects the pods", f"{wanted} {labels}")


def of(objects, kind):
    return [thing for thing in objects if thing["kind"] == kind]


def check_combinations(rendered):
    """What each combination is there for."""
    kinds = {name: [thing["kind"] for thing in objects] for name, objects in rendered.items()}
    for name in ("defaults", "many accounts", "operator"):
        (workload,) = of(rendered[name], "StatefulSet")
        check(workload["spec"]["replicas"] == 1, f"{name}: one pod writes the ledger")
        check(workload["spec"]["volumeClaimTemplates"], f"{name}: the ledger is on a volume")
        check("Deployment" not in kinds[name] and "PodDisruptionBudget" not in kinds[name], f"{name}: nothing of replicas")
    (workload,) = of(rendered["postgresql"], "Deployment")
    check(workload["spec"]["replicas"] == 3, "postgresql: replicas")
    check(len(workload["spec"]["template"]["spec"]["topologySpreadConstraints"]) == 2, "postgresql: spread over nodes and zones")
    check("PodDisruptionBudget" in kinds["postgresql"] and "StatefulSet" not in kinds["postgresql"], "postgresql: kinds")
    check("PodDisruptionBudget" not in kinds["postgresql with its CA, without a budget for disruptions"], "no budget for disruptions")
    (scrape,) = of(rendered["postgresql"], "ScrapeConfig")
    (service,) = of(rendered["postgresql"], "Service")
    target = scrape["spec"]["staticConfigs"][0]["targets"][0]
    wanted = f"{service['metadata']['name']}.monitoring.svc:{service['spec']['ports'][0]['port']}"
    check(target == wanted, "scrapeConfig names the service", target)
    (monitor,) = of(rendered["operator"], "ServiceMonitor")
    check(monitor["spec"]["endpoints"][0]["honorLabels"], "the exporter's labels are honoured")
    check(monitor["metadata"]["labels"]["release"] == "prometheus", "labels of the ServiceMonitor")
    many = of(rendered["many accounts"], "StatefulSet")[0]["spec"]["template"]["spec"]
    keys = next(volume["projected"]["sources"] for volume in many["volumes"] if volume["name"] == "keys")
    found = {(key["secret"]["name"], key["secret"]["items"][0]["key"], key["secret"]["items"][0]["path"]) for key in keys}
    check(found == {("keys", "acme", "acme"), ("globex", "token", "globex")}, "each account's secret", str(found))
    guarded = of(rendered["guarded"], "StatefulSet")[0]["spec"]["template"]["spec"]["containers"][0]
    check("exec" in guarded["livenessProbe"] and "tcpSocket" in guarded["readinessProbe"], "probes behind a web configuration")
    for name, ports in (("guarded", {53, 443}), ("guarded postgresql", {53, 443, 5432})):
        (policy,) = of(rendered[name], "NetworkPolicy")
        out = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
        check(out == ports, f"{name}: ways out", str(out))
    openshift = of(rendered["OpenShift"], "StatefulSet")[0]["spec"]["template"]["spec"]["securityContext"]
    check("runAsUser" not in openshift and openshift["runAsNonRoot"], "OpenShift chooses the user", str(openshift))
    for name, objects in rendered.items():
        (workload,) = of(objects, "StatefulSet") + of(objects, "Deployment")
        pod = workload["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        context = container["securityContext"]
        tight = context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
        check(tight and context["capabilities"] == {"drop": ["ALL"]}, f"{name}: no privilege")
        check(pod["automountServiceAccountToken"] is False, f"{name}: no token of the API server")
        named = {mount["name"] for mount in container["volumeMounts"]}
        claimed = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        check(named == {volume["name"] for volume in pod["volumes"]} | claimed, f"{name}: volumes and their mounts")


def check_metrics_are_the_repositorys(objects):
    """Rules and dashboards are the same bytes as in alerts/ and dashboards/."""
    import yaml

    files = sorted((ROOT / "dashboards").glob("*.json"))
    maps = {key: text for thing in of(objects, "ConfigMap") for key, text in thing["data"].items() if key.endswith(".json")}
    check(sorted(maps) == [path.name for path in files] and files, "a ConfigMap for each dashboard", str(sorted(maps)))
    for path in files:
        check(maps.get(path.name) == path.read_text(encoding="utf-8"), f"{path.name} is the same bytes")
        check(len(maps.get(path.name, "")) < 200_000, f"{path.name} is far below the 262,144 bytes that kubectl apply takes")
    boards = [thing for thing in of(objects, "ConfigMap") if "grafana_dashboard" in thing["metadata"]["labels"]]
    check(len(boards) == len(files), "Grafana's sidecar finds them")
    check({thing["metadata"]["namespace"] for thing in boards} == {"grafana"}, "dashboards in their namespace")
    rules = [thing["spec"] for thing in of(objects, "PrometheusRule")]
    ours = [path for path in sorted((ROOT / "alerts").glob("*.rules.yml")) if "overrides" not in path.name]
    for path in ours:
        check(yaml.safe_load(path.read_text(encoding="utf-8")) in rules, f"{path.name} is a PrometheusRule")
    check(len(rules) == len(ours) + 1, "one PrometheusRule a file, and the overrides")
    expressions = [rule["expr"] for spec in rules for rule in spec["groups"][0]["rules"] if rule.get("record") == "knowbe4:threshold:override"]
    wanted = ['60 * knowbe4:account:known{account=~"gold-.*"}', 'Inf * knowbe4:account:known{account=~".*"}']
    check(expressions == wanted, "overrides of thresholds", str(expressions))
    if need("the rules of the chart", "promtool"):
        with tempfile.TemporaryDirectory() as folder:
            for number, spec in enumerate(rules):
                (Path(folder) / f"{number}.yml").write_text(yaml.safe_dump(spec), encoding="utf-8")
            code, output = run("promtool", "check", "rules", *sorted(Path(folder).iterdir()))
            check(code == 0, "promtool check rules", output)


def check_configurations(rendered):
    """The exporter itself takes the configuration that the chart writes."""
    for name, objects in rendered.items():
        (text,) = [thing["data"]["knowbe4.yml"] for thing in of(objects, "ConfigMap") if "knowbe4.yml" in thing["data"]]
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for account in ("acme", "globex", "default"):
                (place / account).write_text(f"key-of-{account}", encoding="utf-8")
            (place / "url").write_text("postgresql://exporter:secret@db/exporter", encoding="utf-8")
            text = text.replace("/run/secrets/knowbe4", folder).replace("/run/secrets/postgresql", folder)
            text = text.replace("path: /data", f"path: {folder}/data")
            (place / "knowbe4.yml").write_text(text, encoding="utf-8")
            code, output = run(binary(), "check", f"--config.file={place / 'knowbe4.yml'}")
            check(code in (0, 3), f"{name}: the exporter takes the configuration", output + text)
