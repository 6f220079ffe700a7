# SPDX-License-Identifier: Apache-2.0
"""The house has rooms, and doors between some of them. These tables are the plan of it.

A failure here is a question, not an accident: either the line belongs into another room, or the
plan changes, and then the table says so in the same commit.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cothread", "catools", "coshell")


@dataclass(frozen=True)
class Room:
    """What the modules under one prefix may import.

    Args:
        ours: prefixes of our own modules, besides the room itself.
        theirs: top-level names of other people's packages.
        closed: names of the standard library that have no business here.
    """

    ours: frozenset[str]
    theirs: frozenset[str]
    closed: frozenset[str]


def room(ours: str = "", theirs: str = "", closed: str = "") -> Room:
    """Make a room from three blank-separated lists."""
    return Room(*(frozenset(names.split()) for names in (ours, theirs, closed)))


# A pure room gets bytes and `now` and gives bytes, events and deadlines: it cannot look outside.
OUTSIDE = "asyncio logging os select selectors signal socket ssl subprocess threading time"

# The longest prefix that fits is the room of a module.
ROOMS = {
    "cothread": room("cothread.loops", "greenlet"),
    "cothread.loops": room("cothread", "greenlet PyQt5 qtpy"),
    "cothread.qt": room(theirs="qtpy"),
    # Old import paths: aliases that nothing of ours imports.
    "cothread.catools": room("catools"),
    "cothread.pv": room("catools"),
    "cothread.dbr": room("catools"),
    "cothread.cadef": room("catools"),
    "cothread.tools": room("catools"),
    "catools": room("cothread catools", "numpy"),
    "catools.protocol": room(closed=OUTSIDE),
    "catools.client": room(
        "cothread catools.protocol catools.config catools.conversion catools.encode_numbers "
        "catools.errors catools.values"
    ),
    "catools.testing": room("cothread catools.protocol"),
    "coshell": room(
        "cothread catools coshell", "IPython prompt_toolkit pygments rich traitlets numpy tomli_w"
    ),
    # Joins IPython to the scheduler; has never heard of EPICS.
    "coshell.kernel": room(
        "cothread cothread.scheduler", "IPython greenlet prompt_toolkit pygments rich traitlets"
    ),
    "coshell.panel": room("catools.protocol.dbr", "numpy prompt_toolkit rich", OUTSIDE),
    # The views, which know where they are shown.
    "coshell.qt": room("cothread cothread.loops coshell", "numpy pyqtgraph qtpy rich"),
    "coshell.panel.dock": room("cothread coshell.panel"),
    "coshell.demo": room(theirs="epicscorelibs"),
}

# Parts of cothread that are not for other packages, unless their room names them.
PRIVATE = frozenset(
    {
        "cothread.poller",
        "cothread.scheduler",
        "cothread.switching",
        "cothread.waiting",
        "cothread.waits",
    }
)

# Imported inside functions only, because it is optional or slow to load.
LAZY = {
    "PyQt5": "is optional",
    "catools.arrays": "needs numpy",
    "epicscorelibs": "is optional, and loads an IOC into the process",
    "ipykernel": "is optional",
    "matplotlib": "is optional",
    "numpy": "takes 0.1 s, so it waits for the first array",
    "qtpy": "is optional",
    "pyqtgraph": "is optional",
    "coshell.qt": "needs Qt",
}
# Modules that are themselves imported late, for what they need.
CARRIERS = {
    "catools.arrays",
    "coshell.qt.axes",
    "coshell.qt.chart",
    "coshell.qt.colours",
    "coshell.qt.pictures",
    "coshell.qt.put",
    "coshell.qt.table",
    "coshell.qt.windows",
}
# Other imports inside functions: (from, to) and the reason.
DEFERRED: dict[tuple[str, str], str] = {
    ("cothread.tasks", "cothread.loops"): "awaiting a cothread needs asyncio, nothing else does",
    ("catools.config", "fcntl"): "not on every system",
    ("catools.config", "pwd"): "not on every system",
    ("coshell", "catools"): "importing coshell starts nothing and loads little",
    ("coshell", "coshell.embedding"): "importing coshell starts nothing and loads little",
    ("catools.near_misses", "difflib"): "only a failure needs it",
    ("coshell", "coshell.session"): "importing coshell starts nothing and loads little",
    ("coshell", "coshell.kernel"): "importing coshell starts nothing and loads little",
    ("coshell", "cothread"): "importing coshell starts nothing and loads little",
    ("coshell.app", "catools"): "each command loads only what it needs",
    ("coshell.app", "cothread"): "each command loads only what it needs",
    ("coshell.app", "coshell"): "each command loads only what it needs",
    ("coshell.app", "importlib"): "each command loads only what it needs",
    ("coshell.scripts", "traceback"): "only a script that fails needs it",
    ("coshell.starting", "catools"): "loaded while the prompt is there already",
    ("coshell.starting", "coshell"): "loaded while the prompt is there already",
    ("coshell.starting", "cothread"): "loaded while the prompt is there already",
    ("coshell.starting", "traitlets"): "only a profile with a configuration needs it",
    ("coshell.status", "catools"): "a status line does not start the client",
    ("cothread.hooks", "traceback"): "only a failure needs it",
    ("cothread.inspection", "traceback"): "only those who look need it",
    ("cothread.qt", "importlib"): "Qt is optional",
    ("cothread.input_hook", "ctypes"): "only plain python's own prompt needs it",
    ("cothread.input_hook", "cothread.loops"): "Qt is optional",
}

# What `import X` may load besides the standard library and our own packages.
LOADED = {
    "cothread": {"greenlet"},
    "catools": {"greenlet"},
    "coshell": {"greenlet"},
}


@dataclass(frozen=True)
class Import:
    """One import statement's target."""

    source: str
    target: str
    line: int
    deferred: bool
    for_types: bool

    @property
    def top(self) -> str:
        """The package imported from."""
        return self.target.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


@functools.cache
def modules() -> dict[str, Path]:
    """Map the names of all our modules to their files."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def resolve(source: str, node: ast.ImportFrom) -> str:
    """Return the absolute name of the module a `from` statement names."""
    if not node.level:
        return node.module or ""
    is_package = modules()[source].name == "__init__.py"
    base = source.split(".")
    base = base[: len(base) - node.level + is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def statements(
    node: ast.AST, deferred: bool = False, for_types: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Walk a syntax tree for imports, noting whether they run, and when."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, deferred, for_types
            continue
        inside = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = for_types or (
            isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        )
        yield from statements(child, inside, typing)


@functools.cache
def imports() -> tuple[Import, ...]:
    """Return every import in our packages, down to the submodule where one is meant."""
    found = []
    for source, path in modules().items():
        for node, deferred, for_types in statements(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            else:
                base = resolve(source, node)
                names = [f"{base}.{alias.name}" for alias in node.names]
                targets = [name if name in modules() else base for name in names]
            found += [
                Import(source, target, node.lineno, deferred, for_types)
                for target in dict.fromkeys(targets)
            ]
    return tuple(found)


def within(name: str, prefix: str) -> bool:
    """Tell whether a module is `prefix` or below it."""
    return name == prefix or name.startswith(prefix + ".")


def room_of(module: str) -> str:
    """Return the prefix of the room a module stands in."""
    return max((prefix for prefix in ROOMS if within(module, prefix)), key=len)


def listing(lines: Iterator[str]) -> str:
    """Join what is wrong into a message; empty when nothing is."""
    return "\n".join(sorted(lines))


def is_lazy(edge: Import) -> bool:
    """Tell whether the target is one that is always imported late."""
    return any(within(edge.target, name) for name in LAZY)


def named_deferral(edge: Import) -> bool:
    """Tell whether the table lists an import inside a function."""
    return edge.deferred and any(
        within(edge.source, source) and within(edge.target, target) for source, target in DEFERRED
    )


def wrong_door(edge: Import) -> str | None:
    """Say what is wrong with an import, None when its room allows it."""
    name = room_of(edge.source)
    rules = ROOMS[name]
    if edge.top == "_typeshed" and edge.for_types:
        return None
    if edge.top in sys.stdlib_module_names:
        return f"room {name} is closed to it" if edge.top in rules.closed else None
    if edge.top not in PACKAGES:
        if edge.top in rules.theirs:
            return None
        return f"room {name} may import of others: {', '.join(sorted(rules.theirs)) or 'nothing'}"
    private = next((part for part in PRIVATE if within(edge.target, part)), None)
    if private and not within(edge.source, "cothread") and private not in rules.ours:
        return "a private part of cothread: what is needed belongs into its public face"
    if room_of(edge.target) == name or any(within(edge.target, ours) for ours in rules.ours):
        return None
    if named_deferral(edge):
        return None
    return f"room {name} may import of ours: {', '.join(sorted(rules.ours)) or 'nothing'}"


def test_every_import_goes_through_a_door():
    wrong = listing(f"{edge}: {why}" for edge in imports() if (why := wrong_door(edge)))
    assert not wrong, f"imports against the plan:\n{wrong}"


def test_every_room_of_the_plan_is_built():
    empty = [prefix for prefix in ROOMS if not any(within(name, prefix) for name in modules())]
    assert not empty, f"rooms without modules: {empty}"


def test_no_import_circles():
    edges: dict[str, set[str]] = {name: set() for name in modules()}
    for edge in imports():
        if edge.target in edges and not (edge.deferred or edge.for_types):
            edges[edge.source].add(edge.target)

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            new = edges[todo.pop()] - seen
            seen |= new
            todo += new
        return seen

    circles = [name for name in edges if name in reachable(name)]
    assert not circles, f"modules that import themselves by way of others: {circles}"


def test_deferred_imports_are_named():
    wrong = listing(
        str(edge)
        for edge in imports()
        if edge.deferred and not (is_lazy(edge) or edge.for_types or named_deferral(edge))
    )
    assert not wrong, f"imports inside functions that no table names:\n{wrong}"


def test_lazy_packages_are_imported_late():
    wrong = listing(
        f"{edge}, which {reason}"
        for edge in imports()
        for name, reason in LAZY.items()
        if within(edge.target, name)
        and edge.source not in CARRIERS
        and not (edge.deferred or edge.for_types)
    )
    assert not wrong, f"imports that belong inside the function that needs them:\n{wrong}"


# Runs in a fresh interpreter: import what the arguments name, then say what that has started.
PROBE = """
import importlib, os, sys, threading

began = []
def watch(event, arguments):
    if event in ("socket.__new__", "subprocess.Popen", "os.fork", "_thread.start_new_thread"):
        began.append(event)
    if event == "open" and isinstance(arguments[2], int):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR):
            began.append(f"writing {arguments[0]}")

def descriptors():
    return {(fd, os.readlink(f"/proc/self/fd/{fd}")) for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")} if os.path.isdir("/proc/self/fd") else set()

sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
opened = descriptors()
sys.addaudithook(watch)
for name in sys.argv[2:]:
    importlib.import_module(name)
began += [f"thread {thread.name}" for thread in threading.enumerate()[1:]]
# libffi keeps itself open, whoever loads it.
began += [f"descriptor {target}" for _, target in descriptors() - opened if "libffi" not in target]
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print("began:", *began, sep="\\n  ")
print("loaded:", *sorted(tops - sys.stdlib_module_names))
"""


def probe(*names: str) -> tuple[str, set[str]]:
    """Import modules in an interpreter of their own.

    Returns:
        What that started, one per line, and the packages it loaded.
    """
    run = subprocess.run(
        [sys.executable, "-B", "-P", "-c", PROBE, str(ROOT), *names],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    began, _, loaded = run.stdout.partition("loaded:")
    return began.removeprefix("began:").strip(), set(loaded.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_starts_nothing_and_loads_little(package):
    began, loaded = probe(package)
    assert not began, f"import {package} starts:\n{began}"
    ours = {name for name in loaded if name in PACKAGES}
    others = {name for name in loaded - ours if not name.startswith("_")}
    assert others <= LOADED[package], f"import {package} loads {others - LOADED[package]}"


def test_importing_everything_starts_nothing():
    everything = [
        name
        for name in modules()
        if not name.endswith("__main__")
        and not name.startswith("cothread.qt")
        and name not in CARRIERS
    ]
    began, _ = probe(*everything)
    assert not began, f"importing all our modules starts:\n{began}"
