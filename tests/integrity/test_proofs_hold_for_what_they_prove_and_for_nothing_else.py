from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import MalformedProof
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.proofs import (
    is_consistent,
    prove_consistency,
    prove_cover,
    prove_inclusion,
    root_of_cover,
    root_of_inclusion,
)
from ledger.integrity.tiles import Tree
from tests.integrity import model
from tests.integrity.shelf import grown

SIZE = 300
LEAVES = [str(n).encode() for n in range(SIZE)]
TREE = Tree(grown(LEAVES), SIZE)
sizes = st.integers(1, SIZE)


def _spoil(path: list[bytes], data: st.DataObject) -> list[bytes]:
    """Another path: one hash changed, left out, or put in."""
    place = data.draw(st.integers(0, len(path)))
    spoiled = {
        "put in": [*path[:place], bytes(32), *path[place:]],
        "left out": [*path[:place], *path[place + 1 :]],
        "changed": [*path[:place], *(bytes(32) for _ in path[place : place + 1]), *path[place + 1 :]],
    }[data.draw(st.sampled_from(["put in", "left out", "changed"]))]
    return spoiled if spoiled != path else [*path, bytes(32)]


@given(sizes, st.data())
def test_an_inclusion_proof_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = prove_inclusion(TREE.subtree, index, size)

    assert path == model.path(index, LEAVES[:size])
    assert root_of_inclusion(leaf_hash(LEAVES[index]), index, size, path) == model.root(LEAVES[:size])


@given(sizes, st.data())
def test_a_spoiled_inclusion_proof_is_found_out(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = _spoil(prove_inclusion(TREE.subtree, index, size), data)

    with suppress(MalformedProof):
        assert root_of_inclusion(leaf_hash(LEAVES[index]), index, size, path) != model.root(LEAVES[:size])


@given(sizes, st.data())
def test_a_consistency_proof_is_that_of_the_definition(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    path = prove_consistency(TREE.subtree, old, new)
    roots = model.root(LEAVES[:old]), model.root(LEAVES[:new])

    assert path == model.proof(old, LEAVES[:new])
    assert is_consistent(old, roots[0], new, roots[1], path)
    assert not is_consistent(old, bytes(32), new, roots[1], path)
    assert not is_consistent(old, roots[0], new, bytes(32), path)
    assert not is_consistent(old, roots[0], new, roots[1], _spoil(path, data))


def test_every_tree_begins_with_the_empty_one() -> None:
    empty, whole = model.root([]), model.root(LEAVES)

    assert prove_consistency(TREE.subtree, 0, SIZE) == []
    assert is_consistent(0, empty, SIZE, whole, [])
    assert not is_consistent(0, whole, SIZE, whole, [])
    assert not is_consistent(SIZE, whole, 1, empty, [])


@given(sizes, st.data())
def test_a_cover_leads_many_leaves_to_the_root(size: int, data: st.DataObject) -> None:
    indexes = sorted(data.draw(st.sets(st.integers(0, size - 1))))
    cover = list(prove_cover(TREE.subtree, indexes, size))
    leaves = [(index, leaf_hash(LEAVES[index])) for index in indexes]

    assert root_of_cover(leaves, size, cover) == model.root(LEAVES[:size])
    assert len(cover) <= max(1, len(indexes) * size.bit_length())
    with pytest.raises(MalformedProof):
        root_of_cover(leaves, size, [*cover, bytes(32)])
    if cover:
        with pytest.raises(MalformedProof):
            root_of_cover(leaves, size, cover[:-1])
        assert root_of_cover(leaves, size, [*cover[:-1], bytes(32)]) != model.root(LEAVES[:size])
    if leaves:
        wrong = [(index, bytes(32)) for index, _ in leaves]
        assert root_of_cover(wrong, size, cover) != model.root(LEAVES[:size])


def test_the_cover_of_a_whole_tree_is_empty_and_that_of_a_range_is_short() -> None:
    assert list(prove_cover(TREE.subtree, range(SIZE), SIZE)) == []
    assert len(list(prove_cover(TREE.subtree, range(100, 200), SIZE))) <= 2 * SIZE.bit_length()


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_a_leaf_outside_its_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(MalformedProof, match="lie"):
        root_of_inclusion(bytes(32), index, size, [])
