"""What options and the configuration file may say, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytracer_exporter import settings
from pytracer_exporter.configuration import BadConfiguration, Configuration
from pytracer_exporter.reading import Watched
from pytracer_exporter.settings import Address, Backend, BadSetting, Settings

from pytracer.decode.catalogue import numbers_by_name
from pytracer.event.schema import Abi

WHOLE = """
listen = ["127.0.0.1:9435", "[::1]:0"]
trace = "%network,!"
backend = "ebpf"
buckets = ["1us", "1ms"]
max-series = 500
fd-type = true
cpu-time = false
program-time = true
user = "nobody"
web-config = "web.yml"
log-level = "debug"

[target.web]
unit = "nginx.service"
comm = ["php*", "python3"]

[target."the rest"]
all = true
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "exporter.toml"
    path.write_text(text)
    return path


def test_a_file_may_say_everything(tmp_path: Path) -> None:
    path = _file(tmp_path, WHOLE.replace(",!", ""))
    found = Configuration(path=path).read()
    assert found.listen == (Address("127.0.0.1", 9435), Address("::1", 0))
    assert (Abi.X86_64, numbers_by_name(Abi.X86_64)["connect"]) in found.calls
    assert (Abi.X86_64, numbers_by_name(Abi.X86_64)["read"]) not in found.calls
    assert found.buckets.bounds_ns == (1023, 1048575)
    assert (found.backend, found.max_series, found.fd_type) == (Backend.EBPF, 500, True)
    assert (found.cpu_time, found.program_time) == (False, True)
    assert (found.user, found.log_level) == ("nobody", "debug")
    assert found.web_config == tmp_path / "web.yml"
    assert found.targets == (
        Watched("web", units=("nginx.service",), comms=("php*", "python3")),
        Watched("the rest", everyone=True),
    )


def test_the_command_line_goes_first_and_adds_targets(tmp_path: Path) -> None:
    path = _file(tmp_path, 'max-series = 700\nfd-type = true\n[target.web]\nunit = "nginx"\n')
    words = {"max_series": 900}
    targets = (Watched("web", pids=(7,)), Watched("db", units=("redis",)))
    found = Configuration(words, targets, path).read()
    assert (found.max_series, found.fd_type) == (900, True)
    assert found.targets == (
        Watched("web", pids=(7,), units=("nginx",)),
        Watched("db", units=("redis",)),
    )


def test_what_nobody_says_has_a_default() -> None:
    found = Configuration(targets=(Watched("all", everyone=True),)).read()
    assert found == Settings((Watched("all", everyone=True),))
    assert (str(found.listen[0]), found.max_series) == ("127.0.0.1:9435", 10_000)
    assert found.calls.everything


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "there is nothing to watch"),
        ("nonsense", "is not TOML"),
        ("listn = 'x'", "listn: there is no such key: there are listen, trace"),
        ("fd-type = 'yes'", "fd-type: yes is neither true nor false"),
        ("max-series = 1.5", "max-series: 1.5 is no whole number of 1 to 1000000"),
        ("max-series = true", "max-series: true is no whole number"),
        ("max-series = 10\n[target.a]\npid = 1", "--max-series 10 is too few: 1 targets need 37"),
        ("listen = []", "listen: there is no address"),
        ("listen = 9435", "listen: 9435 is no text"),
        ("listen = 'localhost'", "listen: 'localhost' is no HOST:PORT"),
        ("listen = '::1:9435'", "listen: '::1:9435' is no HOST:PORT"),
        ("listen = 'a:65536'", "listen: 'a:65536' is no HOST:PORT"),
        ("trace = 'opn'", "trace: invalid system call 'opn'"),
        ("trace = 'signal=TERM'", "trace: 'signal=' is not among"),
        ("trace = 'none'", "trace: no system call is left"),
        ("backend = 'dtrace'", "backend: there is no 'dtrace': choose one of auto, ebpf, ptrace"),
        ("buckets = ['1ms', 5]", "buckets: 5 is no text"),
        ("buckets = 1000", "buckets: 1000 bounds: there may be 2 to 64"),
        ("target = 1", "target: write a table for each"),
        ("[target]\nweb = 'nginx'", "target.web: write a table, [target.web]"),
        ("[target.web]", "target web has no criterion: give it one of pid, unit"),
        ("[target.web]\nunits = 'a'", "target.web.units: there is no such key: there are pid"),
        ("[target.web]\nunit = 'a b'", "target.web.unit: 'a b' is no unit's name"),
        ("[target.web]\nunit = [1]", "target.web.unit: 1 is no text"),
        ("[target.web]\npid = 0", "target.web.pid: 0 is no whole number of 1 to 4194304"),
        ("[target.web]\ncomm = ''", "target.web.comm: there has to be something"),
        ("[target.web]\nall = 'yes'", "target.web.all: yes is neither true nor false"),
        ('[target."a\\u0007"]\npid = 1', "a target's name is printable"),
    ],
)
def test_a_file_that_is_wrong_is_told_in_a_line(tmp_path: Path, text: str, cause: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(BadConfiguration) as caught:
        Configuration(path=path).read()
    told = str(caught.value)
    assert told.startswith(f"{path}: ")
    assert cause in told
    assert "\n" not in told


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, cause in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(BadConfiguration, match=f"^{path}: {cause}"):
            Configuration(path=path).read()
    path = tmp_path / "latin"
    path.write_bytes(b"user = '\xfc'")
    with pytest.raises(BadConfiguration, match="is not UTF-8"):
        Configuration(path=path).read()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nginx", ("nginx", "nginx")),
        ("web=nginx.service", ("web", "nginx.service")),
        ("/system.slice/a=b", ("/system.slice/a=b", "/system.slice/a=b")),
        ("a=/b=c", ("a", "/b=c")),
        ("=x", ("=x", "=x")),
        ("php*", ("php*", "php*")),
    ],
)
def test_names_of_targets(text: str, named: tuple[str, str]) -> None:
    assert settings.named(text) == named


@pytest.mark.parametrize("text", [":9435", "[::]:1", "localhost:80", "10.0.0.1:65535"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    found = settings.value("listen", text)["listen"]
    assert isinstance(found, tuple)
    assert [str(address) for address in found] == [text]


def test_every_key_is_an_option_and_documented() -> None:
    from pytracer_exporter.command import app
    from typer.main import get_command

    options = {name.lstrip("-") for each in get_command(app).params for name in each.opts}
    assert {*settings.KEYS, *settings.CRITERIA} <= options
    page = (Path(__file__).resolve().parents[2] / "docs" / "exporter.md").read_text()
    for name in options - {"e", "help"}:
        assert f"`--{name}" in page, name


@pytest.mark.parametrize("text", ["", "x" * 201, "a\nb"])
def test_a_name_can_be_a_label(text: str) -> None:
    with pytest.raises(BadSetting):
        settings.target(text, "pid", 1)
