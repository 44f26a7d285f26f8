"""The frame that the kernel leaves on the stack of a signal's handler, and restores from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pytracer.spec.abi import I386, X32, X86_64, Layout
from pytracer.spec.context import Context
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Struct, Value
from pytracer.tables.structs.signal import SIGSET_BYTES, signal_set

# Bytes from the stack pointer to the mask once the return address is off the stack.
# Source: struct rt_sigframe, rt_sigframe_ia32 and rt_sigframe_x32, arch/x86/include/asm/sigframe.h,
# with their ucontexts, arch/x86/include/asm/ia32.h and arch/x86/include/uapi/asm/ucontext.h.
_RT_MASK: Final = {X86_64.index: 296, I386.index: 248, X32.index: 280}
# struct sigframe_ia32: oldmask in its sigcontext, extramask behind its 624 bytes of fpstate.
_OLD_MASK: Final = 80
_OLD_EXTRA: Final = 712


class _SigFrame(Pointee):
    """A signal frame at the stack pointer: the mask that the call will restore."""

    def pieces(self, abi: Layout) -> tuple[tuple[int, int], ...]:
        """Where the parts of the mask lie: (offset, length)."""
        raise NotImplementedError

    def bind_at(self, scope: Scope) -> DecodeAt:
        pieces = self.pieces(scope.abi)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value | None:
            if not address:
                return None
            mask = b""
            for offset, length in pieces:
                data = ctx.memory.read(address + offset, length)
                if not isinstance(data, bytes):
                    return Struct((("mask", Address(address + offset)),))
                mask += data
            found = signal_set(mask)
            if len(pieces) > 1:
                # It lies in more than one place: of an undecoded frame, this shows where it is.
                return Struct((("mask", found),), address)
            at = address + pieces[0][0]
            return Struct((("mask", replace(found, address=at)),))

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        end = max(offset + length for offset, length in self.pieces(planning.abi))
        return (Fetch(at, planning.phase, Length(From.CONST, end), end),)


class RtSigFrame(_SigFrame):
    """The frame of rt_sigreturn."""

    def pieces(self, abi: Layout) -> tuple[tuple[int, int], ...]:
        return ((_RT_MASK[abi.index], SIGSET_BYTES),)


class OldSigFrame(_SigFrame):
    """The frame of the i386 sigreturn, with the mask in two halves."""

    def pieces(self, abi: Layout) -> tuple[tuple[int, int], ...]:
        return ((_OLD_MASK, 4), (_OLD_EXTRA, 4))
