"""What the parts share: counting checks, running programs, saying what was skipped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent
ROOT = DEPLOY.parent

passed = 0
failed = 0
skipped = 0


def check(ok, what, detail=""):
    """Counts one check, and says so when it failed."""
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {what}" + (f"\n{detail}" if detail else ""))
    return ok


def skip(what, why):
    """Says loudly that something was not checked."""
    global skipped
    skipped += 1
    print(f"SKIPPED {what}: {why}")


def need(what, *programs):
    """Whether all programs are there; says what is skipped otherwise."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        skip(what, f"{', '.join(missing)} not installed")
    return not missing


def module(what, name, package):
    """A Python module that may be missing."""
    try:
        return __import__(name)
    except ImportError:
        skip(what, f"pip install {package}")
        return None


def run(*command, cwd=ROOT, env=None, timeout=600, stdin=None):
    """Exit code and output of a program, both streams together."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        input=stdin,
    )
    return done.returncode, done.stdout + done.stderr


def binary():
    """The exporter: $KNOWBE4_EXPORTER, or what cargo built last."""
    named = os.environ.get("KNOWBE4_EXPORTER")
    if named:
        return Path(named)
    built = [ROOT / "target" / profile / "knowbe4-exporter" for profile in ("debug", "release")]
    there = sorted((path for path in built if path.is_file()), key=lambda path: path.stat().st_mtime)
    if not there:
        sys.exit("no binary: cargo build, or name one by KNOWBE4_EXPORTER")
    return there[-1]
