"""Messages of NETLINK_CRYPTO: algorithms.

Source: include/uapi/linux/cryptouser.h, Linux 6.18.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Chars, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Hex, Number
from pytracer.spec.type import Type
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants import netfamilies as nf
from pytracer.tables.netlink.attributes import U32, Attributes, Payload, plain, typed, until_nul

_UINT = Number("uint")
_NAME = Chars(64, whole=True)  # CRYPTO_MAX_NAME


def _report(names: str, numbers: str) -> Payload:
    """What is reported of an algorithm; too few bytes may be text."""
    fields: dict[str, Type] = dict.fromkeys(names.split(), _NAME)
    decode = typed(StructOf(None, None, **fields, **dict.fromkeys(numbers.split(), _UINT)))

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        value = decode(ctx, data, family)
        return plain(ctx, data, family) if value is None else value

    return payload


def _type(ctx: Context, data: bytes, family: int) -> Value | None:
    name = until_nul(ctx, data, family)
    return None if name is None else Struct((("type", name),))


_ATTRIBUTES = Attributes(
    nf.CRYPTO_ATTRIBUTES,
    {
        nf.CRYPTOCFGA_PRIORITY_VAL: U32,
        nf.CRYPTOCFGA_REPORT_LARVAL: _type,
        nf.CRYPTOCFGA_REPORT_HASH: _report("type", "blocksize digestsize"),
        nf.CRYPTOCFGA_REPORT_BLKCIPHER: _report(
            "type geniv", "blocksize min_keysize max_keysize ivsize"
        ),
        nf.CRYPTOCFGA_REPORT_AEAD: _report("type geniv", "blocksize maxauthsize ivsize"),
        nf.CRYPTOCFGA_REPORT_COMPRESS: _type,
        nf.CRYPTOCFGA_REPORT_RNG: _report("type", "seedsize"),
        nf.CRYPTOCFGA_REPORT_CIPHER: _report("type", "blocksize min_keysize max_keysize"),
        nf.CRYPTOCFGA_REPORT_AKCIPHER: _type,
        nf.CRYPTOCFGA_REPORT_KPP: _type,
        nf.CRYPTOCFGA_REPORT_ACOMP: _type,
    },
)
_ALGORITHM = typed(
    StructOf(
        cru_name=_NAME,
        cru_driver_name=_NAME,
        cru_module_name=_NAME,
        cru_type=Hex(),
        cru_mask=Hex(),
        cru_refcnt=_UINT,
        cru_flags=Hex(),
    ),
    _ATTRIBUTES,
)
_ABOUT_ALGORITHMS = (
    nf.CRYPTO_MSG_NEWALG,
    nf.CRYPTO_MSG_DELALG,
    nf.CRYPTO_MSG_UPDATEALG,
    nf.CRYPTO_MSG_GETALG,
)


def crypto_message(ctx: Context, kind: int, data: bytes) -> Value | None:
    """Decode what follows the header; None when it is not about an algorithm."""
    if kind not in _ABOUT_ALGORITHMS:
        return None
    value = _ALGORITHM(ctx, data, 0)
    return plain(ctx, data, 0) if value is None else value
