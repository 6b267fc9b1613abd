"""Finds whatever the code keys by facts: tables, sets and unions of modules, and functions that tell facts apart.

A table is what a module, or a class of it, writes down fact by fact, as classes or as words; what is computed from
other names is none. A function is a table too where it asks for two facts or more by themselves, unless these are all
the facts of a table: then it tells apart what is together there. `python -m tests.domain.tables` says what is wrong.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, NamedTuple, get_args

from ledger.domain import events
from ledger.domain.events import JOB_FACTS, LEDGER_FACTS, OWNER_FACTS, Damaged, Fact

ROOT = Path(__file__).parents[2]
LISTS = {"JOB_FACTS": JOB_FACTS, "OWNER_FACTS": OWNER_FACTS, "LEDGER_FACTS": LEDGER_FACTS}
KINDS = [frozenset(fact.name for fact in facts) for facts in LISTS.values()]
CLASSES = [fact for fact in vars(events).values() if isinstance(fact, type) and issubclass(fact, Fact)]
WORDS = {vars(fact)["name"] for fact in CLASSES if "name" in vars(fact) and fact is not Damaged}
OTHER_WORDS = "ledger.demo.fake"  # what its journal tells of tasks are words of its own
OF_AN_EVENT = re.compile(r"(\b|_)(name|event|word)\)?$|\['event'\]$")  # how an expression ends that is a fact's word
LEFT_OUT = re.compile(r"^_?NOT_IN_")

Words = frozenset[str]


class Table(NamedTuple):
    """Something keyed by facts: where it is, the words of the facts that it has, and of those that it leaves out."""

    name: str
    has: Words
    leaves_out: Words

    def wrongs(self) -> Iterator[str]:
        """A sentence for each fact of which it says nothing, and for each that it has and leaves out."""
        for kind in KINDS:
            if kind & (self.has | self.leaves_out):
                yield from (
                    f"{self.name} says nothing of {word}." for word in sorted(kind - self.has - self.leaves_out)
                )
        yield from (f"{self.name} has {word}, and leaves it out." for word in sorted(self.has & self.leaves_out))


class Found(NamedTuple):
    """What a module has: tables, functions that may be some, all values of facts, and what leaves facts out of none."""

    tables: list[Table]
    functions: list[Table]
    values: set[Words]
    of_nothing: list[str]


def word_of(value: object) -> str | None:
    """The word of a fact, as its class or as itself; None for what is none, such as an equal word of another kind."""
    if isinstance(value, type) and issubclass(value, Fact):
        value = vars(value).get("name")
    return value if type(value) is str and value in WORDS else None


def words_of(value: object) -> Words:
    """The facts that a value is keyed by; none where it is keyed by anything else as well."""
    if isinstance(value, UnionType):
        value = get_args(value)
    if not isinstance(value, Mapping | frozenset | set | tuple | list):
        return frozenset()
    words = [word_of(item) for item in value]
    return frozenset(word for word in words if word) if all(words) else frozenset()


def named_in(node: ast.AST, module: ModuleType, subject: ast.AST | None = None) -> set[str]:
    """The facts that an expression names by class, under whatever name, or by word, if it may be the `subject`'s."""
    by_word = subject is None or OF_AN_EVENT.search(ast.unparse(subject)) is not None
    found: set[str] = set()
    for part in ast.walk(node):
        words: list[str | None] = []
        if isinstance(part, ast.Name):
            words = [word_of(vars(module).get(part.id))]
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            words = [word_of(getattr(vars(module).get(part.value.id), part.attr, None))]
        elif by_word and isinstance(part, ast.Constant) and isinstance(part.value, str):
            words = [word_of(word) for word in part.value.split()]
        found |= {word for word in words if word} if all(words) else set()
    return found


def asked_in(function: ast.AST, module: ModuleType) -> set[str]:
    """The facts that a function asks for by themselves: compared, matched, or the keys of a table of its own."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for side in sides:
                found |= named_in(side, module, next(other for other in sides if other is not side))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            found |= named_in(node.args[1], module)
        elif isinstance(node, ast.match_case):
            found |= named_in(node.pattern, module)
        elif isinstance(node, ast.Dict | ast.Set):
            keys = [key for key in (node.keys if isinstance(node, ast.Dict) else node.elts) if key is not None]
            words = [named_in(key, module) for key in keys]
            found |= set().union(*words) if len(words) > 1 and all(words) else set()
    return found


def look_through(module: ModuleType, source: str) -> Found:
    """What a module has that is keyed by facts."""
    tree, place = ast.parse(source), module.__name__
    written = {name: words_of(_value(module, name)) for name, value in _written(tree) if named_in(value, module)}
    left_out = {LEFT_OUT.sub("", name): written[name] for name in written if LEFT_OUT.match(name)}
    tables = [
        Table(f"{place}.{name}", words, left_out.pop(name.rpartition(".")[2].lstrip("_"), frozenset()))
        for name, words in written.items()
        if words and not LEFT_OUT.match(name) and name not in LISTS
    ]
    functions = [
        Table(f"{place}.{name}", frozenset(asked), left_out.pop(name.strip("_").upper(), frozenset()))
        for name, node in _functions(tree)
        if len(asked := asked_in(node, module)) > 1
    ]
    values = {words_of(value) for value in vars(module).values()}
    of_nothing = [f"{place}: NOT_IN_{name} leaves facts out of nothing." for name in left_out]
    return Found(tables, functions, values, of_nothing)


def _holders(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The statements of a module, and of its classes with their names before them."""
    yield from (("", node) for node in tree.body)
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    yield from ((f"{holder.name}.", node) for holder in classes for node in holder.body)


def _written(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """What is given a name in a module, or in a class of it, and by which expression."""
    for prefix, node in _holders(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((prefix + target.id, node.value) for target in targets if isinstance(target, ast.Name))


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The functions of a module, and the methods of its classes; those within are part of them."""
    for _, node in _holders(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def _value(module: ModuleType, name: str) -> Any:
    value: Any = module
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def everything() -> Iterator[Found]:
    """What each module of the ledger has."""
    for path in (path for room in ("ledger", "projections") for path in sorted((ROOT / room).rglob("*.py"))):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith(OTHER_WORDS):
            yield look_through(import_module(name), path.read_text())


def tables_of(found: list[Found]) -> list[Table]:
    """The tables, and those of the functions that are some."""
    together = {words for each in found for words in each.values}
    functions = [it for each in found for it in each.functions if it.leaves_out or it.has not in together]
    return [*(table for each in found for table in each.tables), *functions]


def wrongs(found: list[Found]) -> list[str]:
    """A sentence for each fact that is forgotten or said twice, by a table or by the lists."""
    unlisted = WORDS - frozenset.union(*KINDS)
    return [
        *(f"ledger.domain.events has {word} in none of its lists." for word in sorted(unlisted)),
        *(sentence for table in tables_of(found) for sentence in table.wrongs()),
        *(sentence for each in found for sentence in each.of_nothing),
    ]


if __name__ == "__main__":
    sentences = wrongs(list(everything()))
    print(*sentences, sep="\n")
    sys.exit(bool(sentences))
