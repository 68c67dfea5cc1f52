"""The image: its Dockerfile linted, and an image of it inspected and run as clusters run it.

$KNOWBE4_IMAGE names an image that is built already; without it the image is built, where its base image can be had.
"""

import json
import os
import tempfile
import time
from pathlib import Path

from .common import ROOT, check, need, run, skip

MOST_BYTES = 15 * 1024 * 1024
CONTAINERS_CONF = """[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
"""


def main():
    if need("the Dockerfile's lint", "hadolint"):
        code, output = run("hadolint", ROOT / "Dockerfile")
        check(code == 0, "hadolint", output)
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    bases = {line.split()[-3] for line in text.splitlines() if line.startswith("FROM") and " AS " in line}
    check(all(":" in base and base.count(".") >= 2 for base in bases), "base images are pinned", str(bases))
    context = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    for path in (path.removeprefix("./") for paths in copied for path in paths):
        check(f"!{path}" in context, f".dockerignore lets {path} in")
    if not need("the image", "podman", "buildah"):
        return
    image = os.environ.get("KNOWBE4_IMAGE") or build()
    if image:
        inspect(image)
        check_running(image)


def build():
    """An image of the Dockerfile, or None where its base can't be had."""
    base = next(line.split()[-3] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM"))
    if run("podman", "image", "exists", f"docker.io/library/{base}")[0] and run("podman", "pull", "-q", f"docker.io/library/{base}")[0]:
        skip("the image", f"its base {base} can't be had")
        return None
    code, output = run(
        "buildah", "bud", "--pull-never", "--layers", "--network=host", "--format", "docker", "-t", "localhost/knowbe4-exporter:check", ".",
        env={"BUILDAH_ISOLATION": "chroot"}, timeout=3600,
    )  # fmt: skip
    return "localhost/knowbe4-exporter:check" if check(code == 0, "the image is built", output[-3000:]) else None


def inspect(image):
    code, output = run("podman", "image", "inspect", image)
    if not check(code == 0, f"{image} is there", output):
        return
    (found,) = json.loads(output)
    config = found["Config"]
    check(found["Size"] < MOST_BYTES, f"below {MOST_BYTES} bytes", str(found["Size"]))
    print(f"{image}: {found['Size']} bytes, {found['Architecture']}")
    check(config["User"] == "65532:65532", "a numeric user that isn't root", config["User"])
    check(list(config["Volumes"]) == ["/data"], "state is on a volume")
    check("health" in " ".join((found.get("Healthcheck") or config.get("Healthcheck") or {}).get("Test", [])), "it checks its health")
    wanted = {"title", "description", "licenses", "source", "version", "revision"}
    labels = {label.removeprefix("org.opencontainers.image.") for label in config["Labels"]}
    check(wanted <= labels, "labels of the image", str(labels))


def check_running(image):
    """As a user of group 0, and as its own; read only, without capabilities; the state outlives the container."""
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "containers.conf"
        conf.write_text(CONTAINERS_CONF, encoding="utf-8")
        env = {"CONTAINERS_CONF": str(conf)}
        podman = lambda *words, timeout=120: run("podman", *words, env=env, timeout=timeout)
        tight = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory", "64m", "--network=host", "--no-healthcheck"]
        flags = ["--web.listen-address=127.0.0.1:10599"]
        for user in ("65532:65532", "1000680000:0"):
            name, volume = f"knowbe4-check-{user.split(':')[0]}", f"knowbe4-check-{user.split(':')[0]}"
            podman("rm", "-f", name)
            podman("volume", "rm", "-f", volume)
            key = Path(folder) / "key"
            key.write_text("a-key", encoding="utf-8")
            key.chmod(0o444)
            start = [
                "run", "-d", "--name", name, *tight, "--user", user, "-v", f"{volume}:/data", "-v", f"{key}:/run/secrets/key:ro",
                "-e", "KNOWBE4_API_KEY_FILE=/run/secrets/key", "-e", "KNOWBE4_BASE_URL=http://127.0.0.1:1", image, "serve", *flags,
            ]  # fmt: skip
            for step in ("a fresh volume", "the volume of an earlier container"):
                code, output = podman(*start)
                check(code == 0, f"{user} on {step}: started", output)
                healthy, deadline = False, time.monotonic() + 60
                while not healthy and time.monotonic() < deadline:
                    code, output = podman("exec", name, "/knowbe4-exporter", "health", *flags)
                    healthy = code == 0
                    time.sleep(0.5)
                check(healthy, f"{user} on {step}: healthy", output + podman("logs", name)[1])
                podman("stop", "-t", "20", name)
                code, output = podman("inspect", "--format", "{{.State.ExitCode}}", name)
                check(output.strip() == "0", f"{user} on {step}: ended by SIGTERM", output)
                podman("rm", "-f", name)
            code, where = podman("volume", "inspect", "--format", "{{.Mountpoint}}", volume)
            check(code == 0 and any(Path(where.strip()).rglob("*")), f"{user}: its state is on the volume")
            podman("volume", "rm", "-f", volume)
        code, output = podman("run", "--rm", *tight, image, "--version")
        check(code == 0 and output.startswith("knowbe4-exporter "), "--version", output)

