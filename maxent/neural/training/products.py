"""Products of matrices in a compiled graph: by oneDNN where PyTorch's own library is half as fast.

On x86 PyTorch multiplies float32 matrices by MKL, which on processors that are not Intel's keeps to
instructions of half the width; oneDNN, which PyTorch brings too, does not look at the maker.  On a
Zen 5 a product of 256 x 256 matrices takes 145 microseconds instead of 308.  So in the graph of an
update large products are made by oneDNN there: the same numbers but for rounding.  Which ones, the
processor's kind and the sizes say, never a measurement: the same call gives the same numbers.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SMALLEST = 2**20
"""Multiplications in a product from which oneDNN is faster."""
NARROWEST = 16
"""Rows, terms and columns, at least."""


def options() -> dict[str, Any]:
    """What `torch.compile` is told of it, as its `options`: nothing where MKL is as fast."""
    if not _pays():
        return {}
    try:
        from torch._inductor.custom_graph_pass import CustomGraphPass
    except ImportError:  # private to PyTorch, which may move it
        return {}

    class LargeProducts(CustomGraphPass):
        def __call__(self, graph: torch.fx.Graph) -> None:
            by_onednn(graph)

        def uuid(self) -> str:  # a graph that is cached was made by this file as it is
            return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()

    return {"post_grad_custom_post_pass": LargeProducts()}


def by_onednn(graph: torch.fx.Graph) -> None:
    """Have large products of float32 matrices on the CPU made by `product`, in place."""
    aten = torch.ops.aten
    for node in list(graph.nodes):
        if node.target not in (aten.mm.default, aten.bmm.default, aten.addmm.default):
            continue
        *added, left, right = node.args
        if node.kwargs or not _is_large(left.meta["val"], right.meta["val"]):
            continue
        with graph.inserting_before(node):
            made = graph.call_function(torch.ops.maxent.product.default, (left, right))
            for term in added:
                made.meta["val"] = node.meta["val"]
                made = graph.call_function(aten.add.Tensor, (made, term))
            made.meta["val"] = node.meta["val"]
        node.replace_all_uses_with(made)
        graph.erase_node(node)


def product(left: Tensor, right: Tensor) -> Tensor:
    """left @ right by oneDNN: (M, K), (K, N) -> (M, N), or C of each -> (C, M, N)."""
    if left.ndim == 3:
        return torch.stack([product(*pair) for pair in zip(left, right, strict=True)])
    made: Tensor = torch.ops.mkldnn._linear_pointwise(left, right.mT, None, "none", [], "")
    return made


LIBRARY = torch.library.Library("maxent", "FRAGMENT")
"""Of operations that a graph can hold, one from the cache too: they go when nothing holds this."""
LIBRARY.define("product(Tensor left, Tensor right) -> Tensor")
LIBRARY.impl("product", product, "CPU")
torch.library.register_fake("maxent::product", torch.matmul, lib=LIBRARY)


def _is_large(left: Tensor, right: Tensor) -> bool:
    rows, terms, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    return (
        left.device.type == "cpu"
        and left.dtype == right.dtype == torch.float32
        and min(rows, terms, columns) >= NARROWEST
        and rows * terms * columns >= SMALLEST
    )


@cache
def _pays() -> bool:
    """Whether oneDNN is there, and the processor has wide instructions and is not Intel's."""
    try:
        maker = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return (
        "AuthenticAMD" in maker
        and torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
