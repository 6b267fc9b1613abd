"""Which intervals hold a point, by a few look-ups in plain B-trees.

The whole numbers are the nodes of one balanced binary tree that is stored nowhere: the odd ones are its leaves, and a
number with k trailing zeros stands k levels above them. An interval belongs to its fork, the highest node in it; a
point lies only in intervals whose fork is the point itself or above it. So an index by fork and start and one by fork
and end find every interval that holds a point in one look-up a level, and read no other: the virtual backbone of the
relational interval tree of Kriegel, Pötke and Seidl, "Managing Intervals Efficiently in Object-Relational Databases"
(VLDB 2000).
"""


def fork(first: int, last: int) -> int:
    """The node that an interval belongs to, both ends included; 1 ≤ first ≤ last."""
    level = ((first - 1) ^ last).bit_length() - 1
    return last >> level << level


def path(point: int, levels: int) -> tuple[list[int], list[int]]:
    """The nodes whose intervals may hold a point, so many levels up: those up to the point, and those beyond it.

    `levels` is the number of binary digits of the largest point on record.
    """
    above = [(point >> level + 1 << level + 1) | 1 << level for level in range(_zeros(point), levels)]
    return [node for node in above if node <= point], [node for node in above if node > point]


def _zeros(point: int) -> int:
    return (point & -point).bit_length() - 1
