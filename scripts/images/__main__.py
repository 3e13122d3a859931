"""`scripts/image`: makes images as archives, or as a root file system in a directory."""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import warnings
from pathlib import Path

from ordermesh.testing.cassandra_nodes.errors import ClusterError, ToolMissing
from scripts.images.archive import Image, write_archive
from scripts.images.debian import ImageError
from scripts.images.recipes import RECIPES


def main() -> None:
    """Makes what the command line asks for; exit status 1 with a sentence where it cannot."""
    parser = argparse.ArgumentParser(prog="scripts/image", description=__doc__)
    parser.add_argument("what", nargs="?", default="ordermesh", choices=[*RECIPES, "all"])
    parser.add_argument("--output", type=Path, default=Path("dist"), help="directory of the archives (dist)")
    parser.add_argument("--tag", default="", help="tag of the image, instead of the version of what is in it")
    parser.add_argument("--rootfs", type=Path, help="write the root file system into this directory, and no archive")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    try:
        for name in RECIPES if asked.what == "all" else [asked.what]:
            image = RECIPES[name](asked.tag)
            if asked.rootfs is not None:
                unpack(image, asked.rootfs)
            else:
                asked.output.mkdir(parents=True, exist_ok=True)
                path = asked.output / f"{image.name.replace(':', '-')}-{image.architecture}.tar"
                digest = write_archive(image, path)
                print(f"{path}  {image.name}  {digest}  {path.stat().st_size:,} bytes")
    except (ImageError, ClusterError, ToolMissing, OSError) as error:
        print(f"scripts/image: {error}", file=sys.stderr)
        sys.exit(1)


def unpack(image: Image, folder: Path) -> None:
    """Writes the layers into a directory, each over the one before; owners are kept where that is permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    for tree in image.layers:
        with io.BytesIO() as stream:
            tree.write(stream)
            stream.seek(0)
            with tarfile.open(fileobj=stream) as layer:
                layer.extractall(folder, filter="fully_trusted")


if __name__ == "__main__":
    main()
