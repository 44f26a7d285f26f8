"""From options to whom is traced."""

from __future__ import annotations

import os

from pytracer.cli.messages import Failure, system_failure
from pytracer.cli.options import Options
from pytracer.target.program import NoProgram, environment, find, inherited_environment
from pytracer.target.selection import Attach, Launch, Members, Target


def target(options: Options) -> Target:
    """Find whom to trace.

    Errors: Failure for a program or user that is not there.
    """
    if options.grouped is not None:
        return _members(options)
    if not options.program:
        return Attach(tuple(dict.fromkeys(options.pids)))
    words = tuple(map(os.fsencode, options.program))
    user = _user(options.user) if options.user is not None else None
    try:
        path = find(words[0], os.environb.get(b"PATH"))
    except NoProgram as error:
        name = options.program[0]
        if not error.errno:
            raise Failure(f"Cannot find executable '{name}'") from error
        raise system_failure(f"Cannot stat '{name}'", error.errno) from error
    argv = words if options.argv0 is None else (os.fsencode(options.argv0), *words[1:])
    env = environment(inherited_environment(), map(os.fsencode, options.environment))
    return Launch(path, argv, env, user, options.daemonize, tuple(dict.fromkeys(options.pids)))


def _members(options: Options) -> Members:
    """Find what tasks have to belong to."""
    # Rarely needed: who traces one process does not wait for it.
    from pytracer.target.cgroups import NoTarget, by_path, hierarchies
    from pytracer.target.containers import by_container
    from pytracer.target.patterns import BadPattern, compile_patterns
    from pytracer.target.units import by_unit

    kinds = (
        ("--unit", options.units, by_unit),
        ("--cgroup", options.cgroups, by_path),
        ("--container", options.containers, by_container),
    )
    cgroups = []
    trees = hierarchies()
    for spelled, names, find_group in kinds:
        for name in names:
            try:
                cgroups.append(find_group(name, trees))
            except NoTarget as error:
                raise Failure(f"{spelled} {name}: {error}") from error
    try:
        compile_patterns(options.comms)
    except BadPattern as error:
        raise Failure(f"--comm: {error}") from error
    pids = tuple(dict.fromkeys(options.pids))
    return Members(tuple(dict.fromkeys(cgroups)), options.comms, options.everyone, pids)


def _user(name: str) -> tuple[int, int, str]:
    import pwd

    if os.getuid() or os.geteuid():
        raise Failure("You must be root to use the -u/--username option")
    if ":" in name:
        first, _, second = name.partition(":")
        ids = (first, second)
        if not all(i.isascii() and i.isdigit() and int(i) < 0xFFFFFFFF for i in ids):
            raise Failure(f"Invalid UID:GID pair '{name}'")
        return int(first), int(second), ""
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise Failure(f"Cannot find user '{name}'") from None
    return entry.pw_uid, entry.pw_gid, name
