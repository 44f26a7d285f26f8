"""Comparing the layout of a described structure with the compiler's."""

from __future__ import annotations

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import Pad, StructOf
from tools.probe import ProbeError, compile_and_read


def assert_laid_out(
    layout: Layout, name: str, headers: tuple[str, ...], described: StructOf
) -> None:
    """Check size and offsets of a structure against the C type of these headers.

    Fields that the headers do not know yet are passed over.
    """
    placed, size, _ = described.place(layout)
    source = "#define __force\n" + "".join(f"#include <{header}>\n" for header in headers)
    shown = [field for field in placed if not isinstance(field.kind, Pad)]
    expressions = {"": f"sizeof({name})"}
    expressions |= {field.name: f"offsetof({name}, {field.name})" for field in shown}
    try:
        found = compile_and_read(source, expressions, layout.name)
    except ProbeError as younger:
        expressions = {k: v for k, v in expressions.items() if k not in younger.expressions}
        found = compile_and_read(source, expressions, layout.name)
    assert len(found) > 1
    expected = {field.name: field.offset for field in shown} | {"": size}
    assert {key: expected[key] for key in found} == found
