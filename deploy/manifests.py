"""Renders the chart: for its checks, and for the plain manifests in kubernetes/."""

from pathlib import Path

DEPLOY = Path(__file__).resolve().parent
CHART = DEPLOY / "helm" / "knowbe4-exporter"
# What the plain manifests are for, and the values that make them.
PLAIN = {
    "embedded.yaml": ("One pod with a volume: kubectl create secret generic knowbe4 --from-file=api-key=KEYFILE first.", {}),
}


def render(chart, values, name="release", namespace="monitoring"):
    """All objects that the chart makes of the values."""
    import yaml

    texts = chart.render(values, name=name, namespace=namespace)
    return [
        thing
        for path, text in sorted(texts.items())
        if not path.endswith("NOTES.txt")
        for thing in yaml.safe_load_all(text)
        if thing
    ]


def plain(chart):
    """The plain manifests by path."""
    import yaml

    made = {}
    for file, (purpose, values) in PLAIN.items():
        objects = render(chart, values, name="knowbe4-exporter", namespace="default")
        for thing in objects:
            # kubectl's --namespace chooses.
            thing["metadata"].pop("namespace", None)
            without_helm(thing)
        texts = [dump(thing) for thing in objects]
        header = f"# {purpose}\n# Made by deploy/build from deploy/helm: change the chart, not this file.\n"
        made[DEPLOY / "kubernetes" / file] = header + "---\n".join(["", *texts]).lstrip("\n")
    return made


def dump(thing):
    """One object as YAML; text of several lines stays legible."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper, value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(thing, Dumper=Dumper, sort_keys=False, width=120)


def without_helm(thing):
    """Takes out the labels that say that Helm looks after an object."""
    for labels in (thing["metadata"].get("labels"), thing.get("spec", {}).get("template", {}).get("metadata", {}).get("labels")):
        for label in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
            (labels or {}).pop(label, None)
