"""Large products of a compiled graph are made by oneDNN, and are the same but for rounding."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from maxent.neural.training import products

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN"
)
ROWS, TERMS, COLUMNS = 192, 128, 96


def factors(*leading, dtype=torch.float32):
    source = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(*leading, *shape, generator=source, dtype=dtype)
        for shape in ((ROWS, TERMS), (TERMS, COLUMNS))
    )


@pytest.mark.parametrize("leading", [(), (3,)])
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_a_product(leading, turned):
    """Of matrices as they lie in memory, and of transposed ones."""
    left, right = (
        each.mT.contiguous().mT if other else each
        for each, other in zip(factors(*leading), turned, strict=True)
    )
    exact = left.double() @ right.double()
    assert (products.product(left, right) - exact).abs().max() < 1e-5 * exact.abs().max()


def graph_of(function, *arguments):
    """Its graph before and after large products are made by oneDNN: operations, and the values."""
    traced = make_fx(function, tracing_mode="fake")(*arguments)
    products.by_onednn(traced.graph)
    traced.recompile()
    names = [str(node.target) for node in traced.graph.nodes if node.op == "call_function"]
    return names, traced(*arguments)


@pytest.mark.parametrize(
    ("function", "leading", "made"),
    [
        (lambda left, right: left @ right, (), ["maxent.product.default"]),
        (torch.bmm, (2,), ["maxent.product.default"]),
        (
            lambda left, right: torch.addmm(right[0], left, right),
            (),
            ["aten.select.int", "maxent.product.default", "aten.add.Tensor"],
        ),
    ],
)
def test_large_products_of_a_graph(function, leading, made):
    arguments = factors(*leading)
    names, values = graph_of(function, *arguments)
    assert names == made
    plain = function(*arguments)
    assert values.shape == plain.shape and (values - plain).abs().max() < 1e-5 * plain.abs().max()


@pytest.mark.parametrize("what", ["small", "narrow", "float64"])
def test_other_products_are_left_alone(what):
    left, right = factors(dtype=torch.float64 if what == "float64" else torch.float32)
    if what == "small":
        left = left[:16]
    if what == "narrow":
        left, right = left.repeat(20, 1), right[:, :8]
    names, values = graph_of(torch.mm, left, right)
    assert names == ["aten.mm.default"] and torch.equal(values, left @ right)


def test_only_where_it_pays(monkeypatch):
    monkeypatch.setattr(products, "_pays", lambda: False)
    assert products.options() == {}
    monkeypatch.setattr(products, "_pays", lambda: True)
    (made,) = products.options().values()
    assert made.uuid() == products.options()["post_grad_custom_post_pass"].uuid()
