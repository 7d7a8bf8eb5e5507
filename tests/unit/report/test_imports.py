import subprocess
import sys

PROBE = """
import sys
import {module}
print("\\n".join(sys.modules))
"""
HEAVY = ("matplotlib", "scipy", "sklearn", "tensorflow", "PIL", "jinja2")


def imported_by(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_writers_import_nothing_heavy() -> None:
    assert not imported_by("imforensics.report.writers").intersection(HEAVY)


def test_escaping_needs_only_the_core_types() -> None:
    loaded = imported_by("imforensics.report.escaping")
    assert not loaded.intersection((*HEAVY, "pydantic", "yaml"))
