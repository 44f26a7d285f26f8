"""What each value and each object looks like in JSON, declared for the schema.

The schema takes types from the annotations of ``spec/values.py`` and ``event/schema.py``: a shape
only says which member a field becomes. A field that is no member must be listed as left
out, so that nothing is forgotten when the values grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pytracer.event import schema as events
from pytracer.output.ndjson.calls import ABIS
from pytracer.output.ndjson.summary import PERCENTILES
from pytracer.output.style import Status
from pytracer.spec import values

Schema: TypeAlias = dict[str, Any]

INTEGER: Final[Schema] = {"type": "integer"}
STRING: Final[Schema] = {"type": "string"}
TRUE: Final[Schema] = {"const": True}
HEX: Final[Schema] = {"type": "string", "pattern": "^(0x)?[0-9a-f]*$"}
ADDRESS: Final[Schema] = {"type": "string", "pattern": "^0x[0-9a-f]+$"}
VALUE: Final[Schema] = {"$ref": "#/$defs/value"}
TEXT: Final[Schema] = {"$ref": "#/$defs/Text"}


def list_of(items: Schema) -> Schema:
    """An array of any length."""
    return {"type": "array", "items": items}


@dataclass(frozen=True, slots=True)
class Shape:
    """How a class looks.

    ``plain``: the JSON that says it all in simple cases. ``members``: of the object that it is
    otherwise; a string names the field whose annotation tells the member's type. ``needed``:
    members that are always there. ``left_out``: fields that become no member of their own.
    ``title``: what the definition is about, where the class's docstring is not for users.
    """

    title: str
    members: Mapping[str, str | Schema] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    plain: tuple[Schema, ...] = ()
    left_out: tuple[str, ...] = ()


VALUES: Final[Mapping[type, Shape]] = {
    values.Integer: Shape(
        "A number. Integers may exceed 2^53: read them with a parser that keeps them exact.",
        plain=(INTEGER,),
        left_out=("value", "base"),
    ),
    values.Address: Shape(
        "A pointer that is shown as itself, in hexadecimal; null for NULL.",
        plain=(ADDRESS, {"type": "null"}),
        left_out=("value",),
    ),
    values.Symbol: Shape(
        "One of a set of constants; the name is null when the set does not know the value.",
        {"value": "value", "name": "name"},
        ("value", "name"),
        left_out=("unknown", "base"),
    ),
    values.Flags: Shape(
        "A combination of constants: its value, the names in it, and the bits without a name.",
        {"value": "value", "flags": "names", "rest": "rest"},
        ("value", "flags"),
        left_out=("unknown", "base", "tail", "silent"),
    ),
    values.Text: Shape(
        "Bytes of the target. A string when they are UTF-8 and all there are; else an object, in "
        "which hex is exact, and text too where there is no hex. truncated: the target's "
        "goes on.",
        {"text": STRING, "hex": HEX, "truncated": "more"},
        plain=(STRING,),
        left_out=("data", "address", "path", "escaped", "terminated"),
    ),
    values.Descriptor: Shape(
        "A file descriptor. name: a special value such as AT_FDCWD. path, device, deleted, about: "
        "what it refers to (-y).",
        {
            "fd": "value",
            "name": "name",
            "path": TEXT,
            "device": STRING,
            "deleted": TRUE,
            "about": TEXT,
        },
        ("fd",),
    ),
    values.ProcessId: Shape(
        "The id of a process, thread or process group, and its name (-Y).",
        {"pid": "value", "comm": TEXT, "translated": "translated"},
        ("pid",),
    ),
    values.Struct: Shape(
        "Fields by name; those without one are called _1, _2 by their place. _more: there are "
        "fields that are not shown (use -v), or not known. An address where structures are not "
        "wanted (-e verbose=).",
        {"_more": "more"},
        plain=(ADDRESS,),
        left_out=("fields", "address", "brief"),
    ),
    values.Array: Shape(
        "A list. An object when it goes on: truncated says that there is more than was read, "
        "unreadable_at where reading failed, note what is known of the whole. An address where "
        "arrays are not wanted (-e verbose=).",
        {
            "items": "items",
            "note": "note",
            "unreadable_at": ADDRESS,
            "truncated": "more",
        },
        ("items",),
        plain=(list_of(VALUE), ADDRESS),
        left_out=("address", "brief", "hidden", "room"),
    ),
    values.Set: Shape(
        "A set without order: of signals, with their numbers, of descriptors, of processors. "
        "inverted: all but these. truncated: what follows was not read.",
        {
            "set": list_of({"anyOf": [STRING, INTEGER, {"$ref": "#/$defs/Descriptor"}]}),
            "numbers": "numbers",
            "truncated": TRUE,
            "inverted": "inverted",
        },
        ("set",),
        plain=(ADDRESS,),
        left_out=("items", "members", "address"),
    ),
    values.Changed: Shape(
        "A value before and after the call.",
        {"before": "before", "after": "after"},
        ("before", "after"),
    ),
    values.Became: Shape(
        "What something had become after the call; what it was before is not known.",
        {"after": "value"},
        ("after",),
    ),
    values.Noted: Shape(
        "A value, and either its name or a remark on it.",
        {"value": "value", "name": STRING, "note": STRING},
        ("value",),
        left_out=("instead", "unless_raw", "only_raw", "verbose"),
    ),
    values.Function: Shape(
        "A value given as the function or macro that makes it; raw: the value itself.",
        {"function": "name", "args": "args", "raw": "raw"},
        ("function", "args"),
        left_out=("title",),
    ),
    values.Phrase: Shape(
        "Words for a value, and the number behind it, if any.",
        {"phrase": "text", "value": "value"},
        ("phrase",),
        left_out=("meant", "unless_raw"),
    ),
    values.Joined: Shape(
        "Parts that belong together but do not make up a number.",
        {"parts": "parts", "separator": "separator"},
        ("parts", "separator"),
        left_out=("value", "decoded"),
    ),
    values.Titled: Shape(
        "A value with a name of its own.",
        {"title": "title", "value": "value"},
        ("title", "value"),
    ),
    values.Unavailable: Shape(
        "Memory that could not be read, and why: null, unmapped, not captured, truncated.",
        {"address": ADDRESS, "unreadable": "reason"},
        ("address", "unreadable"),
    ),
}

NS: Final[Schema] = {"type": "integer", "minimum": 0}
_WHEN: Final[Mapping[str, str | Schema]] = {"time_ns": NS, "wall_ns": NS}
_TASK: Final[Mapping[str, str | Schema]] = {**_WHEN, "pid": INTEGER, "tid": INTEGER, "comm": TEXT}
_SIGNAL: Final[Mapping[str, str | Schema]] = {"signal": STRING, "signo": INTEGER}
_IP: Final[Mapping[str, str | Schema]] = {"ip": ADDRESS}
_STACK: Final[Mapping[str, str | Schema]] = {"stack": list_of({"$ref": "#/$defs/frame"})}
_NAME: Final[Schema] = {"anyOf": [TEXT, {"type": "null"}]}
_PARENT: Final[Schema] = {
    "type": "object",
    "properties": {"pid": INTEGER, "tid": INTEGER},
    "required": ["pid", "tid"],
    "additionalProperties": False,
}


def _times(*names: str) -> Schema:
    return {
        "type": "object",
        "properties": dict.fromkeys(names, NS),
        "required": list(names),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Line:
    """One type of objects. ``event``: the class that it comes from, where there is one."""

    shape: Shape
    event: type | None = None


def _about(
    title: str, event: type, members: Mapping[str, str | Schema], *left_out: str, optional: int = 0
) -> Line:
    """An object about a task; the last ``optional`` members need not be there."""
    needed = tuple(members)[: len(members) - optional]
    shape = Shape(
        title,
        {
            **_TASK,
            **members,
            **(_IP if "ip" in _fields(event) else {}),
            **(_STACK if "memory" in _fields(event) else {}),
        },
        (*_TASK, *needed),
        left_out=("task", "time_ns", *left_out),
    )
    return Line(shape, event)


def _fields(event: type) -> tuple[str, ...]:
    return tuple(event.__dataclass_fields__)  # type: ignore[attr-defined]


LINES: Final[Mapping[str, Line]] = {
    "start": Line(
        Shape(
            "Begins every file. wall_offset_ns: wall_ns = time_ns + wall_offset_ns.",
            {
                "schema": {"const": 1},
                "pytracer": STRING,
                "backend": {"enum": ["ptrace", "ebpf", "replay"]},
                "kernel": STRING,
                "wall_offset_ns": INTEGER,
                "command": list_of(TEXT),
                "pids": list_of(INTEGER),
                "string_limit": INTEGER,
            },
            (
                "schema",
                "pytracer",
                "backend",
                "kernel",
                "wall_offset_ns",
                "command",
                "pids",
                "string_limit",
            ),
        )
    ),
    "syscall": Line(
        Shape(
            "A call that is over. time_ns: when it was entered. status: unfinished when it did "
            "not come back, detached when pytracer let go before it did; ret is then null. "
            "ret: -1 when it failed, null when it is about to be restarted. result: what "
            "ret means, where that is more than the number. note: a remark on the result.",
            {
                **_TASK,
                "syscall": STRING,
                "nr": "nr",
                "abi": {"enum": list(ABIS.values())},
                "args": {"$ref": "#/$defs/args"},
                "status": {"enum": [status.value for status in Status]},
                "ret": {"type": ["integer", "null"]},
                "result": VALUE,
                "errno": {"type": ["string", "null"]},
                "errno_number": INTEGER,
                "note": VALUE,
                "exit_ns": NS,
                "duration_ns": NS,
                "cpu_ns": INTEGER,
                "injected": TRUE,
                **_IP,
                **_STACK,
            },
            (*_TASK, "syscall", "nr", "abi", "args", "status", "ret"),
            left_out=("task", "time_ns", "memory", "resumes", "args"),
        ),
        events.SyscallEnter,
    ),
    "signal": _about(
        "A signal was delivered.",
        events.Signal,
        {**_SIGNAL, "siginfo": {"anyOf": [{"$ref": "#/$defs/Struct"}, {"type": "null"}]}},
    ),
    "stop": _about("The task stopped for job control.", events.GroupStop, _SIGNAL, "signo"),
    "task": _about(
        "A task is traced from here on.",
        events.TaskNew,
        {"by": "by", "parent": _PARENT},
        optional=1,
    ),
    "exec": _about(
        "The task runs a new program. former_tid differs from tid when another thread than the "
        "first called execve: it has taken over the first one's id.",
        events.TaskExec,
        {"former_tid": "former_tid"},
    ),
    "exit": _about("The task has exited.", events.TaskExit, {"code": INTEGER}, "status"),
    "killed": _about(
        "The task was killed by a signal.",
        events.TaskExit,
        {**_SIGNAL, "core_dumped": {"type": "boolean"}},
        "status",
    ),
    "detach": _about("pytracer let go of a task that lives on.", events.TaskDetached, {}),
    "lost": Line(
        Shape(
            "count events are missing, for this reason.",
            {**_WHEN, "count": "count", "reason": "reason"},
            (*_WHEN, "count", "reason"),
            left_out=("time_ns",),
        ),
        events.Lost,
    ),
    "summary": Line(
        Shape(
            "Counted calls (-c, -C): of an interval that ended at this time (--interval), or all.",
            {
                **_WHEN,
                "covers": {"enum": ["interval", "all"]},
                "duration_ns": NS,
                "calls": list_of({"$ref": "#/$defs/counts"}),
            },
            (*_WHEN, "covers", "duration_ns", "calls"),
        )
    ),
}
# A frame of a stack, or a remark in the place of those that are missing.
FRAME: Final = Shape(
    "Innermost first (-k). file: what is mapped there, address in it; function: null where none is "
    "known, offset behind its beginning. remark: why there are no more.",
    {"file": TEXT, "function": _NAME, "offset": INTEGER, "address": ADDRESS, "remark": STRING},
    left_out=(),
)
# The calls of one name in a summary.
COUNTS: Final = Shape(
    "wall: times between entry and exit, with percentiles that are off by at most an eighth. cpu: "
    "system time; not there with -w. errnos: failed calls by errno. histogram: pairs of a "
    "duration in nanoseconds and the number of calls that took at least that, and less "
    "than the next one's; what is not there is zero.",
    {
        "syscall": STRING,
        "abi": {"enum": list(ABIS.values())},
        "calls": INTEGER,
        "errors": INTEGER,
        "errnos": {"type": "object", "additionalProperties": INTEGER},
        "wall": _times("total_ns", "min_ns", "max_ns", *PERCENTILES),
        "cpu": _times("total_ns", "min_ns", "max_ns"),
        "histogram": list_of({"type": "array", "prefixItems": [NS, NS], "items": False}),
    },
    ("syscall", "abi", "calls", "errors", "errnos", "wall", "histogram"),
)
# What a call's exit adds is part of its one object; nothing else is told of a task on its way out,
# and of what is mapped nothing but what stacks make of it.
WITHIN: Final = (events.SyscallExit, events.TaskExiting, events.Mapped)
