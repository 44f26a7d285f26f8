"""Asynchronous reading and writing, in its first form: io_setup, io_submit and what follows."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Number, Pointer, UInt
from pytracer.tables.structs.aio import IO_EVENT, IOCB, IOCB_HEADER
from pytracer.tables.structs.sigmask import MASK_AND_SIZE
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64

LONG = Number("long")
EVENTS = Out(ArrayOf(IO_EVENT, "ret"))

syscall("io_setup", nr_events=UInt(), ctx_idp=Out(Pointer()), classes="memory")
syscall("io_destroy", ctx_id=Pointer(), classes="memory")
syscall("io_submit", ctx_id=Pointer(), nr=LONG, iocbpp=ArrayOf(In(IOCB), "nr"))
syscall("io_cancel", ctx_id=Pointer(), iocb=In(IOCB_HEADER), result=Out(IO_EVENT))
syscall(
    "io_getevents",
    ctx_id=Pointer(),
    min_nr=LONG,
    nr=LONG,
    events=EVENTS,
    timeout=In(TIMESPEC),
)
syscall(
    "io_pgetevents",
    ctx_id=Pointer(),
    min_nr=LONG,
    nr=LONG,
    events=EVENTS,
    timeout=In(TIMESPEC),
    sig=MASK_AND_SIZE,
)
syscall(
    "io_pgetevents_time64",
    ctx_id=Pointer(),
    min_nr=LONG,
    nr=LONG,
    events=EVENTS,
    timeout=In(TIMESPEC64),
    sig=MASK_AND_SIZE,
    abis=(I386,),
)
