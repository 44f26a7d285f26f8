"""Calls as pieces of lines: arguments, results, alignment."""

from __future__ import annotations

import os
from functools import lru_cache

from pytracer.decode.call import Call
from pytracer.output.text.leader import seconds
from pytracer.output.text.render import Renderer
from pytracer.output.text.style import LineStyle, Style
from pytracer.spec.values import Became, Titled, Value

# Words for error numbers are the C library's: pytracer never sets a locale for messages.
error_text = lru_cache(maxsize=1024)(os.strerror)


class CallWriter:
    """Writes the parts of calls in one style."""

    def __init__(self, style: Style, lines: LineStyle) -> None:
        self.style = style
        self.lines = lines
        self.column = style.column
        self.renderer = Renderer(style)
        # Renderers of calls that are written otherwise than most, made when they are needed.
        self._unlike = style.undecoded | (style.whole if style.abbreviate else frozenset())
        self._others: dict[tuple[bool, bool], Renderer] = {}

    def renderer_of(self, call: Call) -> Renderer:
        """The renderer for one call's values."""
        name = call.compiled.name
        if name not in self._unlike:
            return self.renderer
        style = self.style
        key = name in style.undecoded, style.abbreviate and name not in style.whole
        if key not in self._others:
            self._others[key] = Renderer(style, *key)
        return self._others[key]

    def join(self, call: Call, values: list[tuple[str, Value]]) -> str:
        """Write arguments with what separates them."""
        write = self.renderer_of(call).write
        if self.style.arg_names:
            return ", ".join(
                [
                    write(value)
                    if not name or isinstance(value, Became | Titled)
                    else f"{name}={write(value)}"
                    for name, value in values
                ]
            )
        return ", ".join([write(value) for _, value in values])

    def begin(self, call: Call) -> str:
        """Write the call as far as its entry tells: ``read(3``."""
        return f"{call.compiled.name}({self.join(call, call.values)}"

    def rest(self, call: Call) -> str:
        """Write the arguments that only the exit told, with the separator before them."""
        late = call.values[call.at_entry :]
        if not late:
            return ""
        text = self.join(call, late)
        if not call.at_entry:
            return text
        # What an argument became continues it; anything else is another argument.
        return f" {text}" if isinstance(late[0][1], Became) else f", {text}"

    def result(self, call: Call) -> str:
        """Write what follows the equals sign."""
        result = call.result
        assert result is not None
        write = self.renderer_of(call).write
        text = "?" if result.shown is None else write(result.shown)
        if result.error is not None:
            if not result.error:
                text = f"{text} (errno {-result.value})"
            elif result.note is not None:
                text = f"{text} {result.error} ({write(result.note)})"
            else:
                text = f"{text} {result.error} ({error_text(-result.value)})"
        elif result.note is not None:
            text = f"{text} ({write(result.note)})"
        if call.injected:
            text += " (INJECTED)"
        if self.lines.duration is not None:
            text = f"{text} <{seconds(max(0, call.duration_ns), self.lines.duration)}>"
        return text

    def end(self, call: Call, column: int) -> str:
        """Write the rest of a line that has reached ``column``."""
        rest = self.rest(call)
        pad = self.column - column - len(rest) - 2
        return f"{rest}) {' ' * pad}= {self.result(call)}\n"

    def gone(self, call: Call, column: int) -> str:
        """Write the end of a call that does not come back: its task is on its way out."""
        text = ") " if call.told else " <unfinished ...>) "
        return f"{text}{' ' * (self.column - column - len(text))}= ?\n"
