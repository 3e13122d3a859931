"""The budget of style, as tests: sizes, docstrings, banned words, equal services, links and references of the docs.

Each test collects every offender and names it with its place, so that one run shows all there is to mend. What ruff,
mypy and import-linter can say is said there (`scripts/lint`), not here.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "services" / "ordermesh"

FUNCTION_LINES_P90_MAX = 25
FUNCTION_LINES_MAX = 70
FILE_LINES_MEDIAN_MAX = 150
FILE_LINES_MAX = 500
NAME_WORDS_MIN = 4
"""A test whose name has at least that many words after `test_` is a sentence and needs no docstring."""

SERVICES = ("order", "inventory", "payment", "shipping")
SERVICE_FILES = {"__init__.py", "model.py", "decider.py", "api.py", "rows.py", "app.py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """The files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for line in output.splitlines() if (path := ROOT / line).is_file())


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), filename=str(path))


def python_files(*folders: str) -> list[Path]:
    """The Python files of ours in those folders."""
    roots = [ROOT / folder for folder in folders]
    return [path for path in tracked() if path.suffix == ".py" and any(root in path.parents for root in roots)]


def text_files() -> Iterator[tuple[Path, str]]:
    """The tracked files that are text, generated ones aside, with their text."""
    for path in tracked():
        if path.suffix not in {".xz", ".gz", ".png"} and ROOT / "gen" not in path.parents:
            yield path, path.read_text()


def place(path: Path, line: int = 0) -> str:
    """How an offender is named."""
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[Function]:
    """All functions of a file, nested ones too."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def length(node: Function) -> int:
    """Lines of a function without decorators and docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def report(offenders: Sequence[str], rule: str) -> None:
    """Fails with the rule and all that breaks it."""
    assert not offenders, f"{rule}\n  " + "\n  ".join(offenders)


def lines_that(pattern: str, *, files: Callable[[Path], bool]) -> list[str]:
    """The lines of text files that match, as offenders."""
    expression = re.compile(pattern)
    return [
        f"{place(path, number)}: {line.strip()[:100]}"
        for path, text in text_files()
        if files(path)
        for number, line in enumerate(text.splitlines(), start=1)
        if expression.search(line)
    ]


def is_python(path: Path) -> bool:
    """Whether a file is Python of ours, this one aside: it names what it bans."""
    return path.suffix == ".py" and path != Path(__file__).resolve()


@pytest.mark.parametrize("folder", ["services", "tests"])
def test_functions_are_short(folder: str) -> None:
    """Nine functions of ten have at most 25 lines, and none has more than 70."""
    lengths = {place(path, node.lineno): length(node) for path in python_files(folder) for node in functions(path)}

    report(
        [f"{where}: {lines} lines" for where, lines in lengths.items() if lines > FUNCTION_LINES_MAX],
        f"no function is longer than {FUNCTION_LINES_MAX} lines",
    )
    assert quantiles(lengths.values(), n=10)[-1] <= FUNCTION_LINES_P90_MAX


@pytest.mark.parametrize("folder", ["services", "tests"])
def test_files_are_short(folder: str) -> None:
    """Half of the files have at most 150 lines, and none has more than 500."""
    lengths = {place(path): len(path.read_text().splitlines()) for path in python_files(folder)}

    report(
        [f"{where}: {lines} lines" for where, lines in lengths.items() if lines > FILE_LINES_MAX],
        f"no file is longer than {FILE_LINES_MAX} lines",
    )
    assert median(lengths.values()) <= FILE_LINES_MEDIAN_MAX


def test_every_module_says_what_it_is() -> None:
    """Every module has a docstring, tests and scripts too."""
    modules = python_files("services", "tests", "scripts")

    report([place(path) for path in modules if not ast.get_docstring(parsed(path))], "a module has a docstring")


def undocumented(node: ast.Module | ast.ClassDef, path: Path) -> Iterator[str]:
    """The public classes and functions below a node that have no docstring."""
    for child in node.body:
        if not isinstance(child, Function | ast.ClassDef) or child.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator) for decorator in getattr(child, "decorator_list", ())}
        overloaded = decorators & {"overload", "override"} or any(name.endswith(".setter") for name in decorators)
        if not overloaded and not ast.get_docstring(child):
            yield f"{place(path, child.lineno)}: {child.name}"
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, path)


def test_every_public_name_says_what_it_is() -> None:
    """Every public class, function and method of the program has a docstring."""
    offenders = [line for path in python_files("services") for line in undocumented(parsed(path), path)]

    report(offenders, "a public name has a docstring")


def test_every_test_is_a_claim() -> None:
    """A test says what it claims: by its docstring, or by a name that is a sentence."""
    offenders = [
        f"{place(path, node.lineno)}: {node.name}"
        for path in python_files("tests")
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node) and len(node.name.split("_")) <= NAME_WORDS_MIN
    ]

    report(offenders, "a test has a docstring, or a name that is a sentence")


def test_nothing_is_left_to_be_done() -> None:
    """No file says that something is still to be done."""
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"])

    report(lines_that(rf"\b({words})\b", files=lambda path: path.suffix != ".csv"), "what is to be done is an issue")


def test_no_error_is_swallowed_blindly() -> None:
    """An except clause names what it catches."""
    offenders = [
        place(path, node.lineno)
        for path in python_files("services", "tests", "scripts")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]

    report(offenders, "an except clause names what it catches")


def test_only_the_command_line_prints() -> None:
    """Only commands write to standard output: cli, a cli.py, what is run by `python -m`. Everything else logs."""
    offenders = [
        place(path, node.lineno)
        for path in python_files("services")
        if CODE / "cli" not in path.parents and path.name != "cli.py" and "__main__" not in path.read_text()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    report(offenders, "only the command line prints")


def test_every_exception_from_a_check_has_its_reason() -> None:
    """Silencing mypy or ruff names the code, and says why in the same line."""
    offenders = lines_that(r"#\s*type:\s*ignore(?!\[[\w, -]+\]\s+#\s*\w)", files=is_python)
    offenders += lines_that(r"#\s*noqa(?!:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s+(#|-)\s*\w)", files=is_python)

    report(offenders, "an ignored check has a code and a reason: `# noqa: BLE001 # why`")


def test_the_services_have_the_same_files() -> None:
    """Who has read one service knows where everything is in the next."""
    offenders = []
    for service in SERVICES:
        found = {path.name for path in tracked() if path.parent == CODE / service}
        offenders += [f"{service} lacks {name}" for name in sorted(SERVICE_FILES - found)]

    report(offenders, f"every service has {', '.join(sorted(SERVICE_FILES))}")


def test_no_machine_and_no_registry_is_named() -> None:
    """Nothing depends on where a machine keeps its files, or on which registry it uses."""
    folders = "|".join(["work", "root", "farm", "home"])
    hosts = ["py" + "pi.org", "python" + "hosted", "registry." + "npmjs", "proxy." + "golang", "deb." + "debian"]
    offenders = lines_that(rf"(?<![\w.}}])/({folders})/[a-z]", files=lambda path: True)
    offenders += lines_that("|".join(re.escape(host) for host in hosts), files=lambda path: True)

    report(offenders, "no absolute path of a machine, no host of a package registry")


def headings(path: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+\s+(.+?)\s*$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(path: Path, text: str) -> Iterator[str]:
    """The relative links of a page that lead nowhere."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        if not page.exists() or (anchor and page.suffix == ".md" and anchor not in headings(page)):
            yield f"{place(path)}: {target}"


def test_every_link_of_the_docs_leads_somewhere() -> None:
    """Relative links name files and headings that exist."""
    offenders = [line for path, text in text_files() if path.suffix == ".md" for line in broken_links(path, text)]

    report(offenders, "a link leads somewhere")


def test_every_page_is_in_the_index() -> None:
    """Every page of docs is linked from docs/README.md."""
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [path.relative_to(ROOT / "docs") for path in tracked() if ROOT / "docs" in path.parents]

    report(
        [str(page) for page in pages if page.suffix == ".md" and page.name != "README.md" and f"({page})" not in index],
        "docs/README.md links to every page",
    )
