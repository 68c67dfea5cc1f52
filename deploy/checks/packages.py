"""The packages, made, installed, started, upgraded and removed in a Debian of their own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from .common import ROOT, binary, check, need, run, skip

BASE = ROOT / "target" / "ci-bookworm"
STATE = "var/lib/knowbe4-exporter"


def main():
    if not need("the packages", "strip", "dpkg-deb", "rpmbuild", "rpm", "debootstrap", "chroot"):
        return
    if os.geteuid() != 0:
        skip("the packages", "a chroot needs root")
        return
    manual = ROOT / "target" / "debug" / "examples" / "manual"
    if not manual.is_file():
        skip("the packages", "cargo build --example manual")
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        code, output = run(manual, place / "manual")
        check(code == 0, "man pages and completions are made", output)
        _, helped = run(binary(), "--help")
        commands = [line.split()[0] for line in helped.split("Commands:")[1].split("\n\n")[0].splitlines() if line.startswith("  ") and line[2] != " "]
        for command in commands:
            page = place / "manual" / "man" / f"knowbe4-exporter-{command}.1"
            check(page.is_file() or command == "help", f"a man page of {command}")
        # A debug build is mostly tables for debuggers, which take minutes to compress.
        program = place / "knowbe4-exporter"
        code, output = run("strip", "-o", program, binary())
        check(code == 0, "strip", output)
        for version in ("0.1.0", "0.1.1"):
            again = place / "again" if version == "0.1.0" else None
            for output in filter(None, (place / "packages", again)):
                code, said = run(
                    ROOT / "deploy/packages/build", "--binary", program, "--arch", "amd64", "--version", version,
                    "--manual", place / "manual", "--output", output, env={"SOURCE_DATE_EPOCH": "1760000000"},
                )  # fmt: skip
                check(code == 0, f"packages of {version} are made", said)
        for package in sorted((place / "again").iterdir()):
            same = package.read_bytes() == (place / "packages" / package.name).read_bytes()
            check(same, f"{package.name}: two builds give the same bytes")
        if not BASE.is_dir():
            code, said = run("debootstrap", "--variant=minbase", "--include=rpm", "bookworm", f"{BASE}.part", timeout=1800)
            if code:
                skip("the packages' installation", f"debootstrap: {said[-300:]}")
                return
            Path(f"{BASE}.part").rename(BASE)
        root = place / "root"
        shutil.copytree(BASE, root, symlinks=True, ignore=lambda folder, names: names if folder.endswith("/dev") else [])
        (root / "dev" / "null").touch()
        for package in (place / "packages").iterdir():
            shutil.copy(package, root / "root")
        check_deb(root)
        check_rpm(root)


def inside(root, *command):
    return run("chroot", root, *command)


def check_deb(root):
    code, said = inside(root, "dpkg", "-i", "/root/knowbe4-exporter_0.1.0_amd64.deb")
    check(code == 0, "the .deb is installed", said)
    check_started(root)
    default = root / "etc/default/knowbe4-exporter"
    default.write_text("KNOWBE4_REGION=EU\n", encoding="utf-8")
    kept = root / STATE / "kept"
    kept.write_text("state", encoding="utf-8")
    code, said = inside(root, "dpkg", "-i", "/root/knowbe4-exporter_0.1.1_amd64.deb")
    check(code == 0 and kept.is_file(), "an upgrade keeps the state", said)
    check(default.read_text(encoding="utf-8") == "KNOWBE4_REGION=EU\n", "an upgrade keeps the settings")
    check_started(root)
    code, said = inside(root, "dpkg", "-r", "knowbe4-exporter")
    check(code == 0 and kept.is_file() and not (root / "usr/bin/knowbe4-exporter").exists(), "removed, its state is kept", said)
    code, said = inside(root, "dpkg", "-P", "knowbe4-exporter")
    check(code == 0 and not kept.exists() and not default.exists(), "purged, nothing is left", said)


def check_rpm(root):
    for step, file in (("installed", "0.1.0"), ("upgraded", "0.1.1")):
        code, said = inside(root, "rpm", "-U", "--nodeps", f"/root/knowbe4-exporter-{file}-1.x86_64.rpm")
        check(code == 0, f"the .rpm is {step}", said)
        check_started(root)
    kept = root / STATE / "kept"
    kept.write_text("state", encoding="utf-8")
    code, said = inside(root, "rpm", "-e", "knowbe4-exporter")
    check(code == 0 and kept.is_file() and not (root / "usr/bin/knowbe4-exporter").exists(), "the .rpm is removed", said)


def check_started(root):
    """Runs what the unit runs, with the simulated organisation in place of a key."""
    unit = (root / "usr/lib/systemd/system/knowbe4-exporter.service").read_text(encoding="utf-8")
    (start,) = [line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart=")]
    program, command = start.split()
    check(command == "serve", "the unit runs serve")
    state = root / STATE
    state.mkdir(parents=True, exist_ok=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "STATE_DIRECTORY": f"/{STATE}",
        "KNOWBE4_API_KEY": "simulated",
        "KNOWBE4_BASE_URL": "http://127.0.0.1:1",
        "KNOWBE4_EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{port}",
    }
    process = subprocess.Popen(
        ["chroot", root, program, command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        ready, deadline = False, time.monotonic() + 60
        while not ready and time.monotonic() < deadline and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
                    ready = answer.status == 200
            except OSError:
                time.sleep(0.2)
        check(ready, "the installed program serves")
        code, said = run("chroot", root, program, "health", f"--web.listen-address=127.0.0.1:{port}")
        check(code == 0, "and is healthy", said)
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    check(process.returncode == 0, "it ends when it is told to", said)
    check(any(state.rglob("*")), "its state is where the unit says")
