"""Quotas: the command, whom it is for and what it passes.

Source: include/uapi/linux/{quota,dqblk_xfs}.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.pointer import In, Out, Path
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, Pointer, Scalar, Uid, UInt
from pytracer.spec.switch import Absent, Switch
from pytracer.spec.type import Type
from pytracer.spec.values import Function, Integer, Phrase, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.files import (
    Q_GETFMT,
    Q_GETINFO,
    Q_GETNEXTQUOTA,
    Q_GETQUOTA,
    Q_QUOTAOFF,
    Q_QUOTAON,
    Q_SETINFO,
    Q_SETQUOTA,
    Q_SYNC,
    Q_XGETNEXTQUOTA,
    Q_XGETQSTAT,
    Q_XGETQSTATV,
    Q_XGETQUOTA,
    Q_XQUOTAOFF,
    Q_XQUOTAON,
    Q_XQUOTARM,
    Q_XQUOTASYNC,
    Q_XSETQLIM,
    QUOTA_BLOCK_VALID,
    QUOTA_COMMANDS,
    QUOTA_FORMATS,
    QUOTA_INFO_FLAGS,
    QUOTA_INFO_VALID,
    QUOTA_TYPES,
    XFS_QUOTA_FLAGS,
    XFS_QUOTA_TYPES,
)

SUBCMDSHIFT = 8
COMMAND_MASK = 0xFFFFFF00
WIDE = Number("u64")
SHORT = Number("ushort")


def _word(xlat: Xlat, number: int) -> Phrase:
    name = xlat.name_of(number)
    plain = f"{number:#x}" if number else "0"
    return Phrase(name or f"{plain} /* {xlat.unknown} */", number)


class QuotaCommand(Scalar):
    """A command and the kind of quota that it is for."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        command = _word(QUOTA_COMMANDS, number >> SUBCMDSHIFT)
        kind = _word(QUOTA_TYPES, number & ~COMMAND_MASK)
        return Function("QCMD", (command, kind), Integer(number))


_LIMITS: dict[str, Type] = {
    "dqb_bhardlimit": WIDE,
    "dqb_bsoftlimit": WIDE,
    "dqb_curspace": WIDE,
    "dqb_ihardlimit": WIDE,
    "dqb_isoftlimit": WIDE,
    "dqb_curinodes": WIDE,
}
_TIMES: dict[str, Type] = {
    "dqb_btime": WIDE,
    "dqb_itime": WIDE,
    "dqb_valid": FlagSet(QUOTA_BLOCK_VALID),
}
QUOTA = StructOf(brief=tuple(_LIMITS), **_LIMITS, **_TIMES)  # type: ignore[arg-type]
NEXT_QUOTA = StructOf(
    brief=(*_LIMITS, "dqb_id"),
    **_LIMITS,  # type: ignore[arg-type]
    **_TIMES,  # type: ignore[arg-type]
    dqb_id=UInt(),
)
INFO = StructOf(
    dqi_bgrace=WIDE,
    dqi_igrace=WIDE,
    dqi_flags=FlagSet(QUOTA_INFO_FLAGS),
    dqi_valid=FlagSet(QUOTA_INFO_VALID),
)
XFS_QUOTA = StructOf(
    brief=(
        "d_version",
        "d_flags",
        "d_fieldmask",
        "d_id",
        "d_blk_hardlimit",
        "d_blk_softlimit",
        "d_ino_hardlimit",
        "d_ino_softlimit",
        "d_bcount",
        "d_icount",
    ),
    d_version=Number("char"),
    d_flags=FlagSet(XFS_QUOTA_TYPES, "uchar"),
    d_fieldmask=Hex("ushort"),
    d_id=UInt(),
    d_blk_hardlimit=WIDE,
    d_blk_softlimit=WIDE,
    d_ino_hardlimit=WIDE,
    d_ino_softlimit=WIDE,
    d_bcount=WIDE,
    d_icount=WIDE,
    d_itimer=Int(),
    d_btimer=Int(),
    d_iwarns=SHORT,
    d_bwarns=SHORT,
    padding2=Pad(4),
    d_rtb_hardlimit=WIDE,
    d_rtb_softlimit=WIDE,
    d_rtbcount=WIDE,
    d_rtbtimer=Int(),
    d_rtbwarns=SHORT,
    padding3=Pad(10),
)
_FILE = StructOf(qfs_ino=WIDE, qfs_nblks=WIDE, qfs_nextents=UInt())
_FILE_V = StructOf(qfs_ino=WIDE, qfs_nblks=WIDE, qfs_nextents=UInt(), pad=Pad(4))
XFS_STATE = StructOf(
    brief=("qs_version",),
    qs_version=Number("char"),
    qs_flags=FlagSet(XFS_QUOTA_FLAGS, "ushort"),
    pad=Pad(1),
    qs_uquota=_FILE,
    qs_gquota=_FILE,
    qs_incoredqs=UInt(),
    qs_btimelimit=Int(),
    qs_itimelimit=Int(),
    qs_rtbtimelimit=Int(),
    qs_bwarnlimit=SHORT,
    qs_iwarnlimit=SHORT,
)
XFS_STATE_V = StructOf(
    brief=("qs_version",),
    qs_version=Number("char"),
    pad1=Pad(1),
    qs_flags=FlagSet(XFS_QUOTA_FLAGS, "ushort"),
    qs_incoredqs=UInt(),
    qs_uquota=_FILE_V,
    qs_gquota=_FILE_V,
    qs_pquota=_FILE_V,
    qs_btimelimit=Int(),
    qs_itimelimit=Int(),
    qs_rtbtimelimit=Int(),
    qs_bwarnlimit=SHORT,
    qs_iwarnlimit=SHORT,
    pad2=Pad(64),
)


def _by_command(cases: dict[tuple[int, ...], Type], default: Type) -> Switch:
    shifted: dict[int | tuple[int, ...], Type] = {
        tuple(command << SUBCMDSHIFT & COMMAND_MASK for command in commands): kind
        for commands, kind in cases.items()
    }
    return Switch(on="op", cases=shifted, default=default, mask=COMMAND_MASK)


IDS = _by_command(
    {
        (
            Q_QUOTAOFF,
            Q_SYNC,
            Q_XQUOTASYNC,
            Q_GETFMT,
            Q_GETINFO,
            Q_SETINFO,
            Q_XGETQSTAT,
            Q_XGETQSTATV,
            Q_XQUOTAON,
            Q_XQUOTAOFF,
            Q_XQUOTARM,
        ): Absent(),
        (Q_QUOTAON,): Enum(QUOTA_FORMATS),
    },
    default=Uid(),
)
DATA = _by_command(
    {
        (Q_QUOTAOFF, Q_SYNC, Q_XQUOTASYNC): Absent(),
        (Q_QUOTAON,): Path(),
        (Q_GETQUOTA,): Out(QUOTA),
        (Q_SETQUOTA,): In(QUOTA),
        (Q_GETNEXTQUOTA,): Out(NEXT_QUOTA),
        (Q_GETFMT,): Out(Enum(QUOTA_FORMATS)),
        (Q_GETINFO,): Out(INFO),
        (Q_SETINFO,): In(INFO),
        (Q_XGETQUOTA, Q_XGETNEXTQUOTA): Out(XFS_QUOTA),
        (Q_XSETQLIM,): In(XFS_QUOTA),
        (Q_XGETQSTAT,): Out(XFS_STATE),
        (Q_XGETQSTATV,): Out(XFS_STATE_V),
        (Q_XQUOTAON, Q_XQUOTAOFF): In(FlagSet(XFS_QUOTA_FLAGS)),
        (Q_XQUOTARM,): In(FlagSet(XFS_QUOTA_TYPES)),
    },
    default=Pointer(),
)
