"""The image: its Dockerfile linted, and an image of it inspected and run as clusters run it.

Where their base image can be had, the image of this machine's architecture is built, and with qemu-user-static the one for arm64.
$KNOWBE4_IMAGE and $KNOWBE4_IMAGE_ARM64 name images that are built already.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from .common import ROOT, check, need, run, skip

OWN = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
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
    check_manifests(text)
    if not need("the image", "podman", "buildah"):
        return
    image = os.environ.get("KNOWBE4_IMAGE") or build(OWN)
    if image:
        inspect(image)
        check_running(image)
    if image and need("the image for arm64", "qemu-aarch64-static"):
        image = os.environ.get("KNOWBE4_IMAGE_ARM64") or build("arm64")
        if image:
            inspect(image, "arm64")
            check_emulated(image)


def check_manifests(text):
    """The layer of the dependencies has a source for whatever the manifests name."""
    stage = re.sub(r"\\\n", "", text).split(" AS manifests\n", 1)[1].split("\nFROM ", 1)[0]
    with tempfile.TemporaryDirectory() as folder:
        for line in stage.splitlines():
            if line.startswith("COPY "):
                for path in line.split()[1:-1]:
                    run("cp", "-R", ROOT / path, folder)
            elif line.startswith("RUN "):
                code, output = run("sh", "-c", line.removeprefix("RUN "), cwd=folder)
                check(code == 0, "the manifests are prepared", output)
        code, output = run("cargo", "metadata", "--locked", "--no-deps", "--format-version=1", cwd=folder)
        check(code == 0, "the manifests are whole", output)


def build(architecture):
    """An image of the Dockerfile for `architecture`, or None where its base can't be had."""
    base = next(line.split()[-3] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM"))
    if run("podman", "image", "exists", f"docker.io/library/{base}")[0] and run("podman", "pull", "-q", f"docker.io/library/{base}")[0]:
        skip("the image", f"its base {base} can't be had")
        return None
    image = f"localhost/knowbe4-exporter:check-{architecture}"
    code, output = run(
        "buildah", "bud", "--pull-never", "--layers", "--network=host", "--format", "docker", "--platform", f"linux/{architecture}",
        "--build-arg", f"BUILDPLATFORM=linux/{OWN}", "--build-arg", f"TARGETARCH={architecture}", "-t", image, ".",
        env={"BUILDAH_ISOLATION": "chroot"}, timeout=3600,
    )  # fmt: skip
    return image if check(code == 0, f"the image for {architecture} is built", output[-3000:]) else None


def inspect(image, architecture=None):
    code, output = run("podman", "image", "inspect", image)
    if not check(code == 0, f"{image} is there", output):
        return
    (found,) = json.loads(output)
    config = found["Config"]
    check(found["Size"] < MOST_BYTES, f"below {MOST_BYTES} bytes", str(found["Size"]))
    print(f"{image}: {found['Size']} bytes, {found['Architecture']}")
    check(architecture in (None, found["Architecture"]), "the architecture that was asked for", found["Architecture"])
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



def check_emulated(image):
    """The program for arm64 out of its image, under user-mode emulation."""
    code, folder = run("podman", "image", "mount", image)
    if not check(code == 0, "the image for arm64 is mounted", folder):
        return
    program = ["qemu-aarch64-static", Path(folder.strip()) / "knowbe4-exporter"]
    try:
        code, output = run(*program, "--version")
        check(code == 0 and output.startswith("knowbe4-exporter "), "arm64: --version", output)
        flag = "--web.listen-address=127.0.0.1:10598"
        demo = subprocess.Popen([str(word) for word in (*program, "demo", flag)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        healthy, deadline = False, time.monotonic() + 120
        while not healthy and time.monotonic() < deadline and demo.poll() is None:
            healthy = run(*program, "health", flag)[0] == 0
        demo.terminate()
        _, output = demo.communicate(timeout=60)
        check(healthy, "arm64: healthy", output)
        check(demo.returncode == 0, "arm64: ended by SIGTERM", f"{demo.returncode}\n{output}")
    finally:
        run("podman", "image", "unmount", image)
