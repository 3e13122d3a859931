"""Java, and Cassandra's jars: copied once by the Maven that is installed and configured here, then checked by hash."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ordermesh.testing.cassandra_nodes.errors import ClusterError, ToolMissing
from ordermesh.testing.cassandra_nodes.lock import locked

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
CHECKSUMS = HERE / "jars.sha256"
JAVA_VERSIONS = (11, 17)
"""What Cassandra 5.0 runs on. The options here are those for 17; 11 knows all of them too."""
COPY_SECONDS_MAX = 900.0
STAMP = "jars.sha256"


def cassandra_version() -> str:
    """As the pom names it."""
    found = re.search(r"<artifactId>cassandra-all</artifactId>\s*<version>([^<]+)</version>", POM.read_text())
    if found is None:
        raise ClusterError(f"{POM} names no version of cassandra-all")
    return found[1]


def find_java() -> Path:
    """The java of JAVA_HOME, else of the path. Raises ToolMissing if there is none, or not one of JAVA_VERSIONS."""
    wanted = "Cassandra 5.0 needs Java 17 (on Debian and its kin: openjdk-17-jre-headless); JAVA_HOME may name it"
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        raise ToolMissing(f"there is no java{f' in JAVA_HOME ({home})' if home else ''}. {wanted}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) not in JAVA_VERSIONS:
        raise ToolMissing(f"{java} is {said.splitlines()[0] if said else 'no Java'}. {wanted}")
    return Path(java)


def has_jars(folder: Path) -> bool:
    """Whether the folder has them already, of this very list."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_bytes() == CHECKSUMS.read_bytes()


def provide_jars(folder: Path) -> Path:
    """The folder with the jars; copies them if they are not there. Raises ToolMissing, ClusterError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if not has_jars(folder):
            _provide(folder)
    return folder


def _provide(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ToolMissing("there is no mvn to get Cassandra's jars by: install Maven (on Debian and its kin: maven)")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        copied = Path(scratch) / "jars"
        _copy(maven, copied)
        _check(copied)
        shutil.copyfile(CHECKSUMS, copied / STAMP)
        shutil.rmtree(folder, ignore_errors=True)
        copied.rename(folder)


def _copy(maven: str, target: Path) -> None:
    command = [maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(POM)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={target.absolute()}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COPY_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"Maven had not copied Cassandra's jars after {COPY_SECONDS_MAX:.0f} s") from error
    if done.returncode != 0:
        raise ClusterError(f"Maven could not copy Cassandra's jars:\n{(done.stdout + done.stderr)[-2000:]}")


def _check(folder: Path) -> None:
    """Raises ClusterError unless the jars are, byte for byte, those that were tried."""
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    expected = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise ClusterError(f"Maven gave other jars than {CHECKSUMS.name} lists, {len(wrong)} of them: {wrong[:5]}")
