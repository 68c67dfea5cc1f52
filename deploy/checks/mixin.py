"""The mixin, by jsonnet itself: the repository's files, and only what _config says is different."""

import json
import tempfile
from pathlib import Path

from .common import DEPLOY, ROOT, check, module, need, run

FIELDS = "{ rules: m.prometheusRules, alerts: m.prometheusAlerts, dashboards: m.grafanaDashboards }"


def evaluate(jsonnet, config):
    mixin = DEPLOY / "mixin" / "mixin.libsonnet"
    code = f"local m = (import '{mixin}') {{ _config+:: {config} }}; {FIELDS}"
    return json.loads(jsonnet.evaluate_snippet("test", code))


def main():
    jsonnet = module("the mixin", "_jsonnet", "jsonnet")
    yaml = module("the mixin", "yaml", "pyyaml")
    if not jsonnet or not yaml:
        return
    groups = lambda name: yaml.safe_load((ROOT / "alerts" / name).read_text(encoding="utf-8"))["groups"]
    plain = evaluate(jsonnet, "{}")
    rules = groups("knowbe4-thresholds.rules.yml") + groups("knowbe4-recording.rules.yml")
    check(plain["rules"]["groups"] == rules, "recording rules are those of alerts/")
    alerts = groups("knowbe4-security.rules.yml") + groups("knowbe4-exporter.rules.yml")
    check(plain["alerts"]["groups"] == alerts, "alerts are those of alerts/")
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "dashboards").glob("*.json")}
    check(plain["dashboards"] == files and files, "dashboards are those of dashboards/", str(plain["dashboards"].keys() ^ files.keys()))
    carried = {path.name for path in (ROOT / "alerts").glob("*.rules.yml")}
    known = {"knowbe4-thresholds.rules.yml", "knowbe4-recording.rules.yml", "knowbe4-security.rules.yml"}
    check(carried == known | {"knowbe4-exporter.rules.yml", "knowbe4-overrides.rules.yml"}, "no rule file is left out", str(carried))

    own = evaluate(
        jsonnet,
        """{ thresholds: { account_risk_score_high: 61 }, accountThresholds: { acme: { account_risk_score_high: 70 } },
             dashboardTags: ['mine'], runbookURLPattern: 'https://wiki.example/%s' }""",
    )
    texts = [
        (rule["record"], rule["expr"])
        for group in own["rules"]["groups"]
        for rule in group["rules"]
        if rule.get("labels", {}).get("threshold") == "account_risk_score_high"
    ]
    wanted = [
        ("knowbe4:threshold:override", '70 * knowbe4:account:known{account="acme"}'),
        ("knowbe4:threshold:default", "61 * knowbe4:account:known"),
    ]
    check(texts == wanted, "thresholds of _config", str(texts))
    urls = [rule["annotations"]["runbook_url"] for group in own["alerts"]["groups"] for rule in group["rules"]]
    check(all(url.startswith("https://wiki.example/KnowBe4") for url in urls) and urls, "runbooks of one's own")
    check(all("mine" in board["tags"] for board in own["dashboards"].values()), "tags of one's own")
    try:
        evaluate(jsonnet, "{ thresholds: { account_risk_score_hihg: 61 } }")
        check(False, "a misspelt threshold is refused")
    except RuntimeError as error:
        check("account_risk_score_hihg" in str(error), "a misspelt threshold is named", str(error))
    if need("the mixin's rules", "promtool"):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("rules", "alerts"):
                (Path(folder) / f"{name}.json").write_text(json.dumps(own[name]), encoding="utf-8")
            code, output = run("promtool", "check", "rules", *sorted(Path(folder).iterdir()))
            check(code == 0, "promtool check rules", output)
