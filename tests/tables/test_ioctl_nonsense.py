"""Whatever an ioctl request points to, decoding raises nothing and text comes out."""

from __future__ import annotations

import random

import pytest

from pytracer.decode.catalogue import numbers
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit
from pytracer.output.style import LineStyle
from pytracer.output.text.lines import TextOutput
from pytracer.spec.abi import LAYOUTS
from pytracer.tables.ioctls import TOPICS
from pytracer.tables.ioctls.request import codes, topic
from tests.output.scene import Text
from tests.tables.test_nonsense import STYLES, TASK, Nonsense

ROUNDS = 8
ADDRESS = 0x1000
MODULES = sorted({name for names in TOPICS.values() for name in names})


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("abi", Abi)
def test_decoding_requests_raises_nothing(module: str, abi: Abi) -> None:
    (number,) = (nr for nr, (name, _) in numbers(abi).items() if name == "ioctl")
    known = codes(LAYOUTS[abi.value])
    described = topic(module)
    wanted = [known[name] for name in described.REQUESTS if name in known]
    wanted.extend(getattr(described, "CODES", {}))
    assert wanted
    chance = random.Random(f"{module} {abi}")
    for code in wanted:
        for turn in range(ROUNDS):
            memory = Nonsense(chance)
            style = STYLES[turn % len(STYLES)]
            decoder = Decoder(DecodeOptions(32, not style.abbreviate))
            sink = Text()
            output = TextOutput(sink, style, LineStyle())
            argument = ADDRESS * turn
            args = (3, code, argument, 0, 0, 0)
            enter = SyscallEnter(TASK, 1, abi, number, args, memory)
            output.handle(enter, decoder.handle(enter))
            ret = chance.choice((0, 0, 0, 1, 2, 40, -14, -516, 1 << 40))
            leave = SyscallExit(TASK, 2, ret, memory)
            output.handle(leave, decoder.handle(leave))
            output.flush()
            assert "ioctl(" in sink.text
            assert sink.text.endswith("\n")
