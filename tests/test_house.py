"""The shape of the house: files and functions stay short, a name means one thing. `lint-imports` checks the layers."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ("pipeline/**/*.py", "flows/**/*.py")
BESIDE = ("tests/**/*.py", "benchmarks/[a-z]*/*.py")  # and not what benchmarks install or download


def trees(*places: str) -> dict[Path, ast.Module]:
    """The syntax of every module in these places."""
    files = [file for place in places for file in ROOT.glob(place)]
    return {file.relative_to(ROOT): ast.parse(file.read_text("utf-8")) for file in files}


def test_no_file_and_no_function_is_long() -> None:
    """At most 350 lines a file and 50 a function, docstrings counted, in the package, its tests and its benchmarks."""
    modules = trees(*PACKAGE, *BESIDE)
    found = {str(file): len((ROOT / file).read_text("utf-8").splitlines()) for file in modules}
    assert {file: lines for file, lines in found.items() if lines > 350} == {}
    functions = {
        f"{file}:{node.name}": node.end_lineno - node.lineno + 1
        for file, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > 50} == {}


def test_a_class_name_means_one_thing() -> None:
    """No two public classes of the package have one name."""
    names = Counter(
        node.name
        for tree in trees(*PACKAGE).values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
