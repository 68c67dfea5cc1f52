"""The Compose file: its shape, and Prometheus and Alertmanager run with the files that it mounts.

Docker and Grafana themselves are not run: what is said of them here is their schema, not a proof.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from .common import DEPLOY, ROOT, binary, check, module, need, run, skip

# Long enough for a busy machine; asked again and again until then.
PATIENCE = 120


def main():
    yaml = module("the Compose file", "yaml", "pyyaml")
    if not yaml:
        return
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    check_shape(compose)
    check_mounts(compose)
    check_grafana(yaml)
    if need("Prometheus and Alertmanager of the Compose file", "prometheus", "prometheus-alertmanager", "promtool"):
        check_running(compose)


def check_shape(compose):
    """The schema of the Compose specification, where it is there."""
    schema = os.environ.get("COMPOSE_SCHEMA")
    jsonschema = module("the Compose file's schema", "jsonschema", "jsonschema")
    if not schema or not jsonschema:
        skip("the Compose file's schema", "COMPOSE_SCHEMA names no compose_spec.json")
    else:
        # Newer than the last schema that a package carries.
        compose = {key: value for key, value in compose.items() if key != "name"}
        errors = jsonschema.Draft7Validator(json.loads(Path(schema).read_text(encoding="utf-8"))).iter_errors(compose)
        messages = [f"{'/'.join(map(str, error.path))}: {error.message[:300]}" for error in errors]
        check(not messages, "the Compose file by its schema", "\n".join(messages))
    services = compose["services"]
    check(set(compose["volumes"]) >= {"exporter", "prometheus"}, "volumes")
    for name, service in services.items():
        image = service["image"]
        check(":" in image.rsplit("/", 1)[-1] and not image.endswith(":latest"), f"{name}: a pinned image")
        check(all(port.startswith("127.0.0.1:") for port in service["ports"]), f"{name}: its port is the machine's alone")
    check(services["exporter"]["profiles"] == ["account"], "the real account is a profile")
    check("KNOWBE4_API_KEY" not in services["exporter"]["environment"], "the key is no variable")
    ignored = (DEPLOY / "compose" / ".gitignore").read_text(encoding="utf-8").split()
    check(Path(compose["secrets"]["knowbe4_api_key"]["file"]).name in ignored, "git ignores the key")


def check_mounts(compose):
    """What is mounted from the repository is there, and can't be written to."""
    for name, service in compose["services"].items():
        for mount in service.get("volumes", []):
            source, _, options = mount.partition(":")
            if source.startswith("."):
                check((DEPLOY / source).exists(), f"{name}: {source} is there")
                check(options.endswith(":ro"), f"{name}: {source} is read only")
            else:
                check(source in compose["volumes"], f"{name}: {source} is a volume")


def check_grafana(yaml):
    """Data source and provider are those that the dashboards ask for."""
    provisioning = DEPLOY / "compose" / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    check([source["type"] for source in sources["datasources"]] == ["prometheus"], "one data source of Prometheus")
    check(sources["datasources"][0]["isDefault"], "which is the default")
    providers = yaml.safe_load((provisioning / "dashboards" / "knowbe4.yml").read_text(encoding="utf-8"))
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    folder = providers["providers"][0]["options"]["path"]
    check(f"../dashboards:{folder}:ro" in compose, "the dashboards are mounted where the provider looks")
    home = f"{folder}/knowbe4-overview.json"
    check(home in compose and (ROOT / "dashboards" / "knowbe4-overview.json").is_file(), "the home dashboard is there")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            body = answer.read()
            return json.loads(body) if path.startswith("/api") else body.decode()
    except (OSError, ValueError):
        return None


def until(what, ready):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if ready():
            return check(True, what)
        time.sleep(0.5)
    return check(False, what)


def check_running(compose):
    """Exporter, Prometheus and Alertmanager with the files of the Compose file; only addresses differ."""
    exporter, prometheus, alertmanager = free_port(), free_port(), free_port()
    text = (DEPLOY / "compose" / "prometheus.yml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "knowbe4").symlink_to(ROOT / "alerts")
        (place / "prometheus.yml").write_text(text, encoding="utf-8")
        code, output = run("promtool", "check", "config", place / "prometheus.yml")
        check(code == 0, "promtool check config", output)
        head, found, _ = text.partition("    dns_sd_configs:\n")
        check(bool(found), "prometheus.yml finds the exporters by name")
        text = head.replace("alertmanager:9093", f"127.0.0.1:{alertmanager}").replace("15s", "1s")
        text += f"    static_configs: [{{ targets: ['127.0.0.1:{exporter}'] }}]\n"
        (place / "prometheus.yml").write_text(text, encoding="utf-8")
        commands = [
            [binary(), "demo", "--accelerate", f"--web.listen-address=127.0.0.1:{exporter}"],
            [
                "prometheus",
                f"--config.file={place / 'prometheus.yml'}",
                f"--storage.tsdb.path={place / 'data'}",
                f"--web.listen-address=127.0.0.1:{prometheus}",
            ],
            [
                "prometheus-alertmanager",
                f"--config.file={ROOT / 'alerts' / 'alertmanager.yml'}",
                f"--storage.path={place / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{alertmanager}",
                "--cluster.listen-address=",
                *(option for option in compose["services"]["alertmanager"]["command"] if option.startswith("--data.")),
            ],
        ]
        log = place / "log"
        with log.open("w", encoding="utf-8") as stderr:
            running = [subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=stderr) for command in commands]
        try:
            query = "/api/v1/query?query=knowbe4_account_risk_score"
            until("Prometheus has the simulated organisation", lambda: (ask(prometheus, query) or {}).get("data", {}).get("result"))
            found = ask(prometheus, "/api/v1/alertmanagers") or {}
            check(len(found.get("data", {}).get("activeAlertmanagers", [])) == 1, "Prometheus has its Alertmanager", str(found))
            status = ask(alertmanager, "/api/v2/status") or {}
            check("inhibit_rules" in status.get("config", {}).get("original", ""), "Alertmanager has routes and inhibitions")
            forgets = "repeat_interval is greater than the data retention period"
            check(forgets not in log.read_text(encoding="utf-8"), "Alertmanager remembers what it has sent until it repeats it")
            rules = (ask(prometheus, "/api/v1/rules") or {}).get("data", {}).get("groups", [])
            errors = [rule["name"] for group in rules for rule in group["rules"] if rule["health"] == "err"]
            files = {Path(group["file"]).name for group in rules}
            check(files == {path.name for path in (ROOT / "alerts").glob("*.rules.yml")}, "all rules", str(files))
            check(not errors, "no rule fails", str(errors))
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=30)
