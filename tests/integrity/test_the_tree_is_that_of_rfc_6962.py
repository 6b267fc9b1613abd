import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import TreeDamaged
from ledger.integrity.hashing import EMPTY_ROOT
from ledger.integrity.leaf import SUMS_BYTES
from ledger.integrity.proofs import prove_consistency, prove_inclusion
from ledger.integrity.tiles import Growth, Tree
from tests.integrity import model
from tests.integrity.shelf import Shelf, grown

# The eight leaves and their roots in the test suite of the Certificate Transparency project.
LEAVES = [bytes.fromhex(said) for said in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATH_OF_FIRST_IN_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
PROOF_OF_SIX_IN_EIGHT = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    ROOTS[3],
]


def test_the_empty_tree_has_the_published_root() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Tree(Shelf(), 0).root() == Growth(Shelf(), 0).root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_tree_has_the_published_roots(size: int) -> None:
    assert Tree(grown(LEAVES[:size]), size).root().hex() == ROOTS[size - 1]


def test_the_reference_tree_has_the_published_proofs() -> None:
    tree = Tree(grown(LEAVES), 8)

    assert [one.hex() for one in prove_inclusion(tree.subtree, 0, 8)] == PATH_OF_FIRST_IN_EIGHT
    assert [one.hex() for one in prove_consistency(tree.subtree, 6, 8)] == PROOF_OF_SIX_IN_EIGHT


@given(st.integers(0, 700), st.sets(st.integers(0, 700), max_size=6), st.data())
def test_a_tree_grown_in_any_pieces_is_the_one_of_the_definition(
    size: int, cuts: set[int], data: st.DataObject
) -> None:
    leaves = [str(n).encode() for n in range(size)]
    shelf = grown(leaves, [cut for cut in cuts if cut <= size])

    assert Tree(shelf, size).root() == Growth(shelf, size).root() == model.root(leaves)
    older = data.draw(st.integers(0, size))
    assert Tree(shelf, size).subtree(0, older) == Growth(shelf, older).root() == model.root(leaves[:older])
    assert b"".join(shelf.tiles[0, n].sums for n in range((size + 255) // 256)) == b"".join(
        n.to_bytes(SUMS_BYTES, "big") for n in range(size)
    )


def test_appending_and_proving_touch_few_tiles() -> None:
    size = 256 * 256 + 300
    shelf = grown([str(n).encode() for n in range(size)])
    shelf.read = 0
    growth = Growth(shelf, size)
    assert shelf.put(growth.append([b"x" * 32], [b"s" * SUMS_BYTES])) == 1
    prove_inclusion(Tree(shelf, size).subtree, 12_345, size)
    prove_consistency(Tree(shelf, size).subtree, 54_321, size)

    assert shelf.read <= 20


def test_a_tile_that_is_gone_is_named() -> None:
    shelf = grown([str(n).encode() for n in range(600)])
    del shelf.tiles[0, 2]

    with pytest.raises(TreeDamaged, match="0/2") as raised:
        Tree(shelf, 600).root()
    assert raised.value.facts["tile"] == 2
