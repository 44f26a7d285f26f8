"""What is written of a call at once is what is written of its values, for every description."""

from __future__ import annotations

import random

import pytest

from pytracer.decode.catalogue import book, numbers
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import Absent, CString
from pytracer.event.schema import Abi, Registers, Run, Task, WholeCall
from pytracer.output.style import LineStyle, Quoting, Style, Xlats
from pytracer.output.text.lines import TextOutput
from pytracer.spec.abi import X86_64
from pytracer.spec.entry import Entry
from tests.output.scene import Text
from tests.tables.test_nonsense import Nonsense, registers

pytestmark = pytest.mark.slow

ROUNDS = 12
RESULTS = (0, 0, 1, 2, 3, 40, 4096, -1, -14, -7, -512, -516, 1 << 40, -(1 << 40))
STYLES = (
    Style(),
    Style(abbreviate=False),
    Style(xlats=Xlats.VERBOSE),
    Style(quoting=Quoting.HEX_UNPRINTABLE),
)
TASK = Task(7, 7, "nonsense")
ENTRIES = sorted(
    ((name, entry) for (name, abi), entry in book().entries.items() if abi == X86_64.index),
    key=lambda item: item[0],
)


class Still(Nonsense):
    """Nonsense that is the same whenever it is read."""

    def __init__(self, seed: str) -> None:
        super().__init__(random.Random(seed))
        self.seed = seed

    def read(self, address: int, length: int) -> bytes | Absent:
        self.chance = random.Random(f"{self.seed} {address} {length}")
        return super().read(address, length)

    def read_cstr(self, address: int, limit: int) -> CString | Absent:
        found = super().read_cstr(address, limit)
        if isinstance(found, CString) and self.chance.random() < 0.5:
            return CString(b"/" + found.data[:40], True)
        return found


@pytest.mark.parametrize(("name", "entry"), ENTRIES, ids=[name for name, _ in ENTRIES])
def test_both_ways_lead_to_one_text(name: str, entry: Entry) -> None:
    found = [nr for nr, (known, _) in numbers(Abi.X86_64).items() if known == name]
    if not found:
        pytest.skip("the ABI has no such call")
    selector = entry.selector(X86_64)
    selected = selector.values if selector else ()
    for turn in range(ROUNDS):
        seed = f"{name} {turn}"
        style = STYLES[turn % len(STYLES)]
        texts = [_text(at_once, seed, found[0], style, selected) for at_once in (True, False)]
        assert texts[0] == texts[1], seed


def _text(at_once: bool, seed: str, nr: int, style: Style, selected: tuple[int, ...]) -> str:
    chance = random.Random(seed)
    args = registers(chance, 8, selected)
    ret = chance.choice(RESULTS)

    def open_call(call: WholeCall) -> tuple[int, Registers, int, int, Nonsense, Nonsense]:
        return nr, args, ret, 0, Still(seed), Still(seed + " after")  # type: ignore[return-value]

    # The second time, what is known of numbers is used.
    run = Run(Abi.X86_64, [(TASK, 1, 2, b"one", None), (TASK, 3, 4, b"other", None)], open_call)
    decoder = Decoder(DecodeOptions(32, not style.abbreviate))
    sink = Text()
    output = TextOutput(sink, style, LineStyle())
    if at_once:
        output.run(run, decoder)
    else:
        for event in run.events():
            output.handle(event, decoder.handle(event))
    output.close()
    return sink.text
