"""The workflows by their published schema and by what they name, and the text of a release."""

from .common import DEPLOY, ROOT, check, module, need, run


def main():
    yaml = module("the workflows", "yaml", "pyyaml")
    if not yaml:
        return
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    if need("the workflows' schema", "check-jsonschema"):
        code, text = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
        check(code == 0, "the workflows' schema", text)
    for path in workflows:
        flow = yaml.safe_load(path.read_text(encoding="utf-8"))
        check(flow["permissions"] == {"contents": "read"}, f"{path.name}: reads only, unless a job says more")
        for name, job in flow["jobs"].items():
            where = f"{path.name}: {name}"
            needs = job.get("needs", [])
            check(set([needs] if isinstance(needs, str) else needs) <= flow["jobs"].keys(), f"{where} needs jobs that are there")
            check("uses" in job or ("runs-on" in job and job["steps"]), f"{where} runs somewhere")
            for step in job.get("steps", []):
                check(("uses" in step) != ("run" in step), f"{where}: a step uses or runs", str(step))
                check("@" in step.get("uses", "@"), f"{where}: a pinned action", str(step))
                for word in step.get("run", "").split():
                    if word.startswith(("deploy/", ".ci/")) and not word.startswith("deploy/helm"):
                        check((ROOT / word).exists(), f"{where}: {word} is there")
    code, text = run(DEPLOY / "release" / "notes", "0.1.0")
    check(code == 0 and text.startswith("### "), "the release's text", text[:200])
    check("\n  " not in text, "its lines aren't wrapped")
    code, text = run(DEPLOY / "release" / "notes", "newest")
    check(code == 64, "a wrong version is refused", text)
    for script in ("deploy/release/build", "deploy/packages/build", ".ci/run"):
        code, text = run("bash", "-n", ROOT / script)
        check(code == 0, f"{script} is a script", text)
    version = next(line for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version = ")).split('"')[1]
    chart = yaml.safe_load((DEPLOY / "helm/knowbe4-exporter/Chart.yaml").read_text(encoding="utf-8"))
    check((chart["version"], chart["appVersion"]) == (version, version), "the chart has the program's version", str(chart))
    check(f"ARG VERSION={version}" in (ROOT / "Dockerfile").read_text(encoding="utf-8"), "so has the image")
