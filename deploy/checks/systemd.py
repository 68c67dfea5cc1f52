"""The units, by systemd's own programs."""

import re
import tempfile
from pathlib import Path

from .common import DEPLOY, binary, check, need, run

UNITS = ("knowbe4-exporter.service", "knowbe4-exporter.socket")
# What the whole machine is 10 of.
MOST_EXPOSURE = 1.5


def main():
    if not need("systemd units", "systemd-analyze"):
        return
    unit = (DEPLOY / "systemd" / UNITS[0]).read_text(encoding="utf-8")
    speaks = b"NOTIFY_SOCKET" in binary().read_bytes()
    check(speaks == ("Type=notify" in unit), "Type=notify is for a program that notifies", f"it does: {speaks}")
    with tempfile.TemporaryDirectory() as folder:
        for name in UNITS:
            text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
            # verify looks whether the program is there.
            (Path(folder) / name).write_text(text.replace("/usr/bin/knowbe4-exporter", "/bin/true"), encoding="utf-8")
        units = [str(Path(folder) / name) for name in UNITS]
        code, output = run("systemd-analyze", "verify", "--man=no", *units)
        ours = [line for line in output.splitlines() if "knowbe4" in line or folder in line]
        check(code == 0 and not ours, "systemd-analyze verify", output)
        code, output = run("systemd-analyze", "security", "--offline=yes", "--no-pager", units[0])
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", output)
        check(found and float(found[1]) <= MOST_EXPOSURE, f"exposure is at most {MOST_EXPOSURE}", output)
