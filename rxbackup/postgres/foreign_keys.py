"""The order that foreign keys ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

Node = TypeVar("Node", int, str)


def parents_first(  # noqa: C901 - one algorithm, clearer whole
    nodes: Iterable[Node], parents: Mapping[Node, AbstractSet[Node]]
) -> tuple[list[Node], list[set[Node]]]:
    """Order nodes so that each comes after the ones it refers to, as far as cycles allow.

    Args:
        nodes: all nodes, in the order to keep among equals.
        parents: for each node the nodes it refers to. References to itself and to strangers are ignored.

    Returns:
        The order, and the cycles: every set of two or more nodes that refer to each other in a ring.
    """
    # Tarjan's algorithm gives strongly connected components, each after the ones it points to:
    # with edges from child to parent that is parents first. Written as a loop: schemas may be deep.
    wanted = list(nodes)
    known = set(wanted)
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    on_stack: set[Node] = set()
    stack: list[Node] = []
    order: list[Node] = []
    cycles: list[set[Node]] = []
    position = {node: i for i, node in enumerate(wanted)}

    def neighbours(node: Node) -> list[Node]:
        return sorted((p for p in parents.get(node, ()) if p in known and p != node), key=position.__getitem__)

    for start in wanted:
        if start in index:
            continue
        work = [(start, iter(neighbours(start)))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            for parent in rest:
                if parent not in index:
                    index[parent] = low[parent] = len(index)
                    stack.append(parent)
                    on_stack.add(parent)
                    work.append((parent, iter(neighbours(parent))))
                    break
                if parent in on_stack:
                    low[node] = min(low[node], index[parent])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = _pop_component(stack, on_stack, node)
                    order.extend(sorted(component, key=position.__getitem__))
                    if len(component) > 1:
                        cycles.append(component)
    return order, cycles


def _pop_component(stack: list[Node], on_stack: set[Node], root: Node) -> set[Node]:
    component: set[Node] = set()
    while True:
        node = stack.pop()
        on_stack.discard(node)
        component.add(node)
        if node == root:
            return component
