"""Requests of virtual machines.

Source: include/uapi/linux/kvm.h, arch/x86/include/uapi/asm/kvm.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, FixedArray, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import In, Out
from pytracer.spec.returns import NewFd, Returns
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, UInt
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Array, Phrase, Struct, Value
from pytracer.tables.constants.kvm import KVM_CAPABILITIES, KVM_CPUID_FLAGS, KVM_MEMORY_FLAGS

_WIDE, _ADDRESS = Number("u64"), Hex("u64")
_BYTE = Number("uchar")

_MEMORY_REGION = StructOf(
    slot=UInt(),
    flags=FlagSet(KVM_MEMORY_FLAGS),
    guest_phys_addr=_ADDRESS,
    memory_size=_WIDE,
    userspace_addr=_ADDRESS,
)


class _Registers(StructOf):
    """struct kvm_regs; abbreviated, two runs of the general registers are left out."""

    FIELDS = "rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags"
    SHOWN = ("rax", "", "rsp", "rbp", "", "rip", "rflags")

    def __init__(self) -> None:
        fields: dict[str, Type] = dict.fromkeys(self.FIELDS.split(), _ADDRESS)
        super().__init__(None, None, **fields)

    def bind(self, scope: Scope) -> Decode:
        whole = super().bind(scope)
        left_out: Value = Phrase("...")

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Value:
            value: Value = whole(ctx, raw, frame)
            if ctx.whole or not isinstance(value, Struct):
                return value
            found = dict(value.fields)
            return Struct(tuple((name, found.get(name, left_out)) for name in self.SHOWN))

        return decode


_SEGMENT = StructOf(
    base=_ADDRESS,
    limit=UInt(),
    selector=Number("ushort"),
    type=_BYTE,
    present=_BYTE,
    dpl=_BYTE,
    db=_BYTE,
    s=_BYTE,
    l=_BYTE,
    g=_BYTE,
    avl=_BYTE,
    _pad=Pad(2),
)
_TABLE = StructOf(base=_ADDRESS, limit=Number("ushort"), _pad=Pad(6))
_SEGMENTS: dict[str, Type] = dict.fromkeys(
    ["cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt"], _SEGMENT
)
_CONTROL: dict[str, Type] = dict.fromkeys(["cr0", "cr2", "cr3", "cr4", "cr8", "efer"], _WIDE)
_SPECIAL = StructOf(
    ("cs",),
    None,
    **_SEGMENTS,
    gdt=_TABLE,
    idt=_TABLE,
    **_CONTROL,
    apic_base=_ADDRESS,
    interrupt_bitmap=FixedArray(_ADDRESS, 4),
)
_CPUID_ENTRY = StructOf(
    function=Hex(),
    index=Hex(),
    flags=FlagSet(KVM_CPUID_FLAGS),
    eax=Hex(),
    ebx=Hex(),
    ecx=Hex(),
    edx=Hex(),
    _pad=Pad(12),
)


class _Entries(ArrayOf):
    """What a processor says of itself; abbreviated, only whether it says anything."""

    def __init__(self) -> None:
        super().__init__(_CPUID_ENTRY, "nent")

    def bind_at(self, scope: Scope) -> Any:
        whole = super().bind_at(scope)
        number = scope.number(self.count)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if ctx.whole:
                value: Value = whole(ctx, address, frame)
                return value
            return Array((), more=number(ctx, frame) > 0)

        return decode_at


_MOST_CPUID_BYTES = 8 + 256 * 40  # KVM_MAX_CPUID_ENTRIES, arch/x86/include/asm/kvm_host.h
_CPUID = Trailing(
    StructOf(nent=UInt(), _pad=Pad(4)), "entries", _Entries(), limit=_MOST_CPUID_BYTES
)

REQUESTS: dict[str, Type] = {
    "KVM_CREATE_VCPU": UInt(),
    "KVM_SET_USER_MEMORY_REGION": In(_MEMORY_REGION),
    "KVM_SET_REGS": In(_Registers()),
    "KVM_GET_REGS": Out(_Registers()),
    "KVM_SET_SREGS": In(_SPECIAL),
    "KVM_GET_SREGS": Out(_SPECIAL),
    "KVM_SET_CPUID2": In(_CPUID),
    "KVM_GET_SUPPORTED_CPUID": Out(_CPUID),
    "KVM_GET_EMULATED_CPUID": Out(_CPUID),
    "KVM_CHECK_EXTENSION": Enum(KVM_CAPABILITIES, "kulong"),
}
RESULTS: dict[str, Returns] = {
    "KVM_CREATE_VM": NewFd(),
    "KVM_CREATE_VCPU": NewFd(),
}
