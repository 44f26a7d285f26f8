"""Where strace 7.2 prints otherwise than the strace 6.1 that the tests run, and why.

pytracer prints what 7.2 prints. Each entry rewrites a line of 6.1 into the line of 7.2, as
narrowly as it can. What 6.1 does not tell stands as a regular expression between ⟦ and ⟧.
Every entry cites the strace release notes or the 7.2 behaviour it comes from. Anything that
is not listed here must be equal.
"""

from __future__ import annotations

import re

from tests.differential import accepted_calls, accepted_kernel, accepted_network
from tests.differential.difference import Difference, differs

DIFFERENCES: tuple[Difference, ...] = (
    # General formatting
    differs(
        "7.2 prints the separator with the argument that follows it, 6.1 with the one before",
        r",  <(unfinished|detached|pid changed to \d+) \.\.\.>",
        r" <\1 ...>",
    ),
    differs(
        "7.2 writes shifted bits without blanks",
        r"(?<![\"\\])1 << ([A-Z][A-Z0-9_]+)",
        r"1<<\1",
        "ioctl",
    ),
    differs(
        "7.2 names the call that was interrupted; 6.1 names restart_syscall or a wrong one",
        r"<\.\.\. resuming interrupted \w+ \.\.\.>",
        r"<... resuming interrupted ⟦[\w ]+⟧ ...>",
        "restart_syscall",
    ),
    *accepted_calls.DIFFERENCES,
    *accepted_network.DIFFERENCES,
    *accepted_kernel.DIFFERENCES,
    # Input and output control, section 4.11 of the release notes
    differs(
        "7.2 prints the data of a request that it does not know, with -v",
        r"(_IOC\([A-Z_|]+, \w+, \w+, \w+\)|[A-Z_]+\(\d+\)), (0x[0-9a-f]+)\)",
        r'\1, ⟦\2|"[^"]*"(?:\.\.\.)?(?: => "[^"]*"(?:\.\.\.)?)?⟧)',
        "ioctl",
    ),
    differs(
        "7.2 prints what a clock can adjust at the most, of which 6.1 knows nothing",
        r"(PTP_CLOCK_GETCAPS2?, \{.*, adjust_phase=\d+)\}",
        r"\1, max_phase_adj=0}",
        "ioctl",
    ),
    differs(
        "7.2 prints the clock with which samples are compared",
        r"(PTP_SYS_OFFSET_EXTENDED2?, \{n_samples=\d+)",
        r"\1, clockid=CLOCK_REALTIME",
        "ioctl",
    ),
    differs(
        "7.2 prints what a device has left as it was once",
        r"(VIDIOC_(?:REQBUFS|S_CTRL)\b.*=(-?\d+)) => \2\}",
        r"\1}",
        "ioctl",
    ),
    # Messages of the kind that go to the log
    differs(
        "7.2 tells the terminal's commands from the sound card's by the descriptor",
        r"SNDCTL_TMR_(?:TIMEBASE|START|STOP|CONTINUE|TEMPO|SOURCE) or (TC[A-Z]+)",
        r"⟦(?:SNDCTL_TMR_\w+ or )?\1⟧",
        "ioctl",
    ),
)

_RESULT = re.compile(r"(.*(?:\)|<unfinished \.\.\.>))( +)(= .*)", re.DOTALL)
_MARKED = re.compile(r"⟦(.*?)⟧", re.DOTALL)


def expected(text: str, name: str, column: int = 40) -> str:
    """Rewrite a line of strace 6.1 into the line of strace 7.2, with its "=" in ``column``."""
    rewritten = text
    for difference in DIFFERENCES:
        if not difference.only or name in difference.only:
            rewritten = difference.pattern.sub(difference.replacement, rewritten)
    if rewritten == text:
        return text
    parts = _RESULT.fullmatch(rewritten)
    if parts is None:
        return rewritten
    width = len(_MARKED.sub("", parts[1]))
    if "⟦" in rewritten and width < column:
        return f"{parts[1]}⟦ +⟧{parts[3]}"
    return f"{parts[1]}{' ' * max(1, column - width)}{parts[3]}"


def equal(wanted: str, actual: str) -> bool:
    """Tell whether a line is the wanted one, which may hold ⟦regular expressions⟧."""
    if wanted == actual:
        return True
    if "⟦" not in wanted:
        return False
    pieces = _MARKED.split(wanted)
    pattern = "".join(
        f"(?:{piece})" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)
    )
    return re.fullmatch(pattern, actual, re.DOTALL) is not None
