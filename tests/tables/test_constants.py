"""The committed constants are those that are generated, and equal the kernel's headers."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from pytracer.spec.xlat import Xlat
from tools import gen_constants, gen_ioctls
from tools.probe import SYSTEM, ProbeError, compile_and_read, names_defined

MODULES = sorted(path.stem for path in gen_constants.INPUT.glob("*.toml"))
# What the compiler says is asked for once.
FACTS = gen_constants.Facts()
needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or not Path("/usr/include/linux/fcntl.h").exists(),
    reason="needs gcc and the kernel's headers",
)
# Names come and go with the headers, so only these can be asked to give the same text again.
needs_linux_6_1 = pytest.mark.skipif(
    not gen_constants.made_from_these_headers(),
    reason="the installed kernel headers are not the ones that the tables are made from, Linux 6.1",
)


def tables_of(name: str) -> dict[str, Xlat]:
    module = importlib.import_module(f"pytracer.tables.constants.{name}")
    return {key: value for key, value in vars(module).items() if isinstance(value, Xlat)}


@needs_compiler
@needs_linux_6_1
@pytest.mark.parametrize("name", MODULES)
def test_committed_module_equals_generated(name: str) -> None:
    for path, text in gen_constants.generate([name], FACTS).items():
        assert path.read_text() == text, f"run python -m tools.gen_constants {name}"


@needs_compiler
@pytest.mark.parametrize("name", MODULES)
def test_values_equal_a_fresh_compile(name: str) -> None:
    """Except what newer headers are known to have changed."""
    module = gen_constants.load(gen_constants.INPUT / f"{name}.toml")
    generated = tables_of(name)
    newer = gen_constants.load_newer()
    compiled = FACTS.values(module.tables)
    for table in module.tables:
        if table.name.startswith("_") or table.bits:
            continue
        entries = {entry: value for value, entry in generated[table.name].entries}
        changed = newer.get(f"{name}.{table.name}", {})
        mask = (1 << table.unsigned) - 1 if table.unsigned else -1
        for constant, value in compiled[table.name].items():
            if constant in changed or constant in table.values:
                continue
            if not table.within or table.within[0] <= value < table.within[1]:
                assert entries[constant.removeprefix(table.strip)] == value & mask, constant


@pytest.mark.parametrize("name", MODULES)
def test_plain_names_agree_with_the_tables(name: str) -> None:
    module = importlib.import_module(f"pytracer.tables.constants.{name}")
    for table in tables_of(name).values():
        names = [entry for _, entry in table.entries]
        assert len(set(names)) == len(names)
        for value, entry in table.entries:
            if hasattr(module, entry):
                assert getattr(module, entry) == value


def test_wider_flags_are_taken_before_their_parts() -> None:
    from pytracer.tables.constants import files

    assert files.O_FLAGS.names_in(files.O_SYNC | files.O_CREAT) == (("O_CREAT", "O_SYNC"), 0)
    assert files.O_FLAGS.names_in(files.O_DSYNC) == (("O_DSYNC",), 0)
    assert files.O_FLAGS.names_in(files.O_TMPFILE) == (("O_TMPFILE",), 0)
    assert files.O_FLAGS.names_in(0x40000000) == ((), 0x40000000)


def test_zero_is_named_only_when_it_has_a_name() -> None:
    from pytracer.tables.constants import files, memory

    assert memory.PROT_FLAGS.names_in(0) == (("PROT_NONE",), 0)
    assert memory.PROT_FLAGS.names_in(1) == (("PROT_READ",), 0)
    assert files.O_FLAGS.names_in(0) == ((), 0)


def test_first_of_two_names_wins() -> None:
    from pytracer.tables.constants import errno

    assert errno.ERRNO.name_of(11) == "EAGAIN"
    assert errno.ERRNO.name_of(512) == "ERESTARTSYS"
    assert errno.ERRNO.value_of("ERESTARTSYS") == 512
    assert errno.ERRNO.name_of(4095) is None


@needs_compiler
def test_layouts_are_read_for_every_abi() -> None:
    source = "#include <linux/time_types.h>\n#include <asm/stat.h>\n"
    expressions = {
        "size": "sizeof(struct stat)",
        "mode": "offsetof(struct stat, st_mode)",
        "sign": "-1",
    }
    assert compile_and_read(source, expressions) == {"size": 144, "mode": 24, "sign": -1}
    assert compile_and_read(source, expressions, "i386")["size"] == 64
    assert compile_and_read(source, expressions, "x32")["size"] == 144


@needs_compiler
def test_what_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(ProbeError) as caught:
        compile_and_read('#define TEXT "x"\n', {"good": "1", "text": "TEXT", "none": "NONE"})
    assert caught.value.expressions == ("text", "none")


@needs_compiler
def test_names_come_with_the_header_that_defines_them() -> None:
    names = names_defined("#include <linux/membarrier.h>\n")
    assert names["MEMBARRIER_CMD_QUERY"].endswith("linux/membarrier.h")


@needs_compiler
@needs_linux_6_1
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("abi", gen_ioctls.MODULES)
def test_committed_ioctl_codes_equal_generated(abi: str) -> None:
    for path, text in gen_ioctls.generate([abi]).items():
        assert path.read_text() == text, "run python -m tools.gen_ioctls"


def test_ioctl_codes_are_those_of_their_abi() -> None:
    codes = {
        abi: gen_ioctls.parse(importlib.import_module(f"pytracer.tables.constants.{module}").CODES)
        for abi, module in gen_ioctls.MODULES.items()
    }
    for table in codes.values():
        assert table[0x5413] == ("TIOCGWINSZ",)
        assert table[0x541B] == ("FIONREAD",)
        assert table[0x5402] == ("SNDCTL_TMR_START", "TCSETS")
        assert table[0xC058FF0B] == ("PIDFD_GET_INFO",)
        assert list(table) == sorted(table)
        assert all(0 <= code < 1 << 32 and names for code, names in table.items())
    assert codes["x86_64"][0x80086601] == ("FS_IOC_GETFLAGS",)
    assert codes["i386"][0x80046601] == ("FS_IOC32_GETFLAGS",)
    assert 0x80086601 not in codes["i386"]


@needs_compiler
def test_ioctl_codes_equal_one_compiled_header() -> None:
    known = gen_ioctls.load()
    for abi, module in gen_ioctls.MODULES.items():
        codes = importlib.import_module(f"pytracer.tables.constants.{module}").CODES
        table = gen_ioctls.parse(codes)
        found, _ = gen_ioctls.scan("linux/dm-ioctl.h", abi, SYSTEM, known)
        assert len(found) > 10
        for name, code in found.items():
            assert name in table[code]
