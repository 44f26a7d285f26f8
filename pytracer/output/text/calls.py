"""Calls as pieces of lines: arguments, results, alignment."""

from __future__ import annotations

import os
from functools import lru_cache

from pytracer.decode.call import Call
from pytracer.event.schema import GroupStop, Signal, TaskExit
from pytracer.output.style import LineStyle, Style
from pytracer.output.text.leader import seconds
from pytracer.output.text.render import Renderer
from pytracer.spec.values import Became, Returned, Titled, Value

# Results kept for being written again.
MOST_RESULTS = 1 << 14

# Words for error numbers are the C library's: pytracer never sets a locale for messages.
error_text = lru_cache(maxsize=1024)(os.strerror)


class CallWriter:
    """Writes the parts of calls in one style."""

    def __init__(self, style: Style, lines: LineStyle) -> None:
        self.style = style
        self.renderer = Renderer(style)
        self.digits = lines.duration
        # What closes the arguments at a column and leads to the result.
        self.closing = [") " + " " * (style.column - i - 2) + "= " for i in range(style.column)]
        # Results that are shared, as most are; keyed by identity.
        self._results: dict[Returned, str] = {}
        # Renderers of calls that are written otherwise than most, made when they are needed.
        self._unlike = style.undecoded | (style.whole if style.abbreviate else frozenset())
        self._others: dict[tuple[bool, bool], Renderer] = {}
        # Whether one renderer writes the arguments of all calls, as is usual.
        self.uniform = not self._unlike and not style.arg_names
        self._arguments = self.renderer.arguments

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
        renderer = self.renderer_of(call) if self._unlike else self.renderer
        if self.style.arg_names:
            write = renderer.write
            return ", ".join(
                [
                    write(value)
                    if not name or isinstance(value, Became | Titled)
                    else f"{name}={write(value)}"
                    for name, value in values
                ]
            )
        return renderer.arguments(values)

    def begin(self, call: Call) -> str:
        """Write the call as far as its entry tells: ``read(3``."""
        values = call.values
        if not values:
            return f"{call.compiled.name}("
        if self.uniform:
            return f"{call.compiled.name}({self._arguments(values)}"
        return f"{call.compiled.name}({self.join(call, values)}"

    def rest(self, call: Call) -> str:
        """Write the arguments that only the exit told, with the separator before them."""
        at = call.at_entry
        values = call.values
        if self._unlike and self.renderer_of(call).undecoded:
            # An address becomes nothing else.
            values = [value for value in values if type(value[1]) is not Became]
        if len(values) <= at:
            return ""
        if not at:
            return self.join(call, values)
        late = values[at:]
        text = self.join(call, late)
        # What an argument became continues it; anything else is another argument.
        return f" {text}" if type(late[0][1]) is Became else f", {text}"

    def result(self, call: Call, result: Returned) -> str:
        """Write what a call came back with."""
        renderer = self.renderer_of(call)
        write = renderer.write
        text = "?" if result.shown is None else write(result.shown)
        if result.error is not None:
            if not result.error:
                text = f"{text} (errno {-result.value})"
            elif result.note is not None:
                text = f"{text} {result.error} ({write(result.note)})"
            else:
                text = f"{text} {result.error} ({error_text(-result.value)})"
        elif result.note is not None:
            remark = renderer.remark(result.note)
            text = f"{text} ({remark})" if remark else text
        if len(self._results) >= MOST_RESULTS:
            self._results.clear()
        self._results[result] = text
        return text

    def end(self, call: Call, column: int) -> str:
        """Write the rest of a line that has reached ``column``."""
        result, end = call.result, call.end
        assert result is not None
        assert end is not None
        text = self._results.get(result) or self.result(call, result)
        if end.injected:
            text += " (INJECTED)"
        if self.digits is not None:
            text = f"{text} <{seconds(max(0, call.duration_ns), self.digits)}>"
        rest = self.rest(call)
        column += len(rest)
        closing = self.closing[column] if column < len(self.closing) else ") = "
        return f"{rest}{closing}{text}\n"

    def below(self, event: Signal | GroupStop | TaskExit) -> str:
        """Write what stands below a line that is no call: nothing, in most styles."""
        return ""

    def gone(self, call: Call, column: int) -> str:
        """Write the end of a call that does not come back: its task is on its way out."""
        text = "" if call.told else " <unfinished ...>"
        column += len(text)
        closing = self.closing[column] if column < len(self.closing) else ") = "
        return f"{text}{closing}?\n"
