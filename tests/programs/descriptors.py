"""Descriptors of every kind, made, copied, handed on and used again: for -y and -yy."""

import array
import fcntl
import os
import select
import socket
import subprocess
import sys
import threading


def files() -> None:
    """Open, rename, remove; start paths from folders; work in folders, and in one that is gone."""
    os.makedirs("a/very/deep/" + "/".join(["folder"] * 23))
    for name in ("one", "two", "three"):  # the same number for one file after the other
        fd = os.open(name, os.O_RDWR | os.O_CREAT)
        os.write(fd, name.encode())
        os.close(fd)
    folder = os.open("a/very", os.O_RDONLY)
    inner = os.open("deep", os.O_RDONLY, dir_fd=folder)
    os.chdir("a")
    os.stat("very")
    os.fchdir(inner)
    os.stat("folder")
    deep = os.open("/".join(["folder"] * 23), os.O_RDONLY)
    os.chdir("../../..")
    renamed = os.open("one", os.O_RDONLY)
    os.rename("one", "other")
    os.read(renamed, 1)
    os.unlink("other")
    os.read(renamed, 1)
    for fd in (folder, inner, deep, renamed):
        os.close(fd)
    odd = os.open("x (deleted)", os.O_WRONLY | os.O_CREAT)
    os.write(odd, b"x")
    os.close(odd)
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    os.path.exists("nothing")
    os.chdir("..")
    link = os.open("/proc/self/fd", os.O_RDONLY)
    os.close(link)
    os.close(os.open("/dev/null", os.O_RDWR))
    os.close(os.memfd_create("memory"))
    os.close(os.open("/proc/self/ns/uts", os.O_RDONLY))


def copies() -> None:
    """Have several descriptors of one file, one of a number that was another's."""
    fd = os.open("two", os.O_RDWR | os.O_CREAT)
    other = os.dup(fd)
    os.dup2(fd, 77)
    os.close(fd)
    high = fcntl.fcntl(77, fcntl.F_DUPFD_CLOEXEC, 90)
    os.read(high, 2)
    os.close(other)
    reused = os.open("three", os.O_RDONLY | os.O_CREAT)
    os.read(reused, 2)
    os.closerange(70, 100)
    os.close(reused)


def pipes() -> None:
    """Wait for a pipe in every way."""
    reading, writing = os.pipe()
    epoll = select.epoll()
    epoll.register(reading, select.EPOLLIN)
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    select.select([reading], [writing], [], 0)
    poll.poll(0)
    os.write(writing, b"x")
    epoll.poll(0)
    poll.poll(0)
    select.select([reading], [writing], [], 0)
    event = os.eventfd(3)
    os.eventfd_write(event, 5)
    os.eventfd_read(event)
    epoll.close()
    subprocess.run(
        ["/bin/cat"], stdin=reading, pass_fds=(event,), input=None, timeout=20
    ) if 0 else None
    for fd in (reading, writing, event):
        os.close(fd)


def inherited() -> None:
    """Hand one descriptor on to another program, and not the other."""
    kept, dropped = (os.open(name, os.O_RDWR | os.O_CREAT) for name in ("two", "three"))
    os.set_inheritable(kept, True)
    subprocess.run(["/bin/sh", "-c", f"cat <&{kept}; cat <&{dropped} 2>&-"], close_fds=False)
    os.close(kept)
    os.close(dropped)


def sockets() -> None:
    """Make sockets of all families that need no privilege to speak of, and talk."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.send(b"hello")
    server.recv(5)
    for each in (client, server, listener):
        each.close()
    six = socket.socket(socket.AF_INET6)
    six.bind(("::1", 0))
    six.listen()
    with socket.create_connection(six.getsockname()[:2]) as client:
        client.send(b"six")
    six.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
            two.sendto(b"x", one.getsockname())
            two.connect(one.getsockname())
            two.send(b"y")
        one.recv(1)
    named = socket.socket(socket.AF_UNIX)
    named.bind("named\x01")
    named.listen()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("named\x01")
        server, _ = named.accept()
        server.send(b"x")
        client.recv(1)
        server.close()
    named.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hidden:
        hidden.bind(f"\0hidden-{os.getpid()}")
        hidden.getsockname()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.bind((0, 0))
        netlink.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) as raw:
        raw.getsockname()


def passed() -> None:
    """Send descriptors to oneself."""
    one, two = socket.socketpair()
    fds = [os.open("two", os.O_RDONLY | os.O_CREAT), os.eventfd(0)]
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
    one.sendmsg([b"take"], rights)
    for fd in fds:
        os.close(fd)
    _, messages, _, _ = two.recvmsg(4, socket.CMSG_SPACE(8))
    for fd in array.array("i", messages[0][2]):
        os.close(fd)
    one.close()
    two.close()


def shared() -> None:
    """Two threads take turns at opening and closing."""

    def work(name: str, mine: threading.Semaphore, theirs: threading.Semaphore) -> None:
        for _ in range(11):
            mine.acquire(timeout=20)
            fd = os.open(name, os.O_RDWR | os.O_CREAT)
            os.read(fd, 3)
            os.close(fd)
            theirs.release()

    turns = threading.Semaphore(1), threading.Semaphore(0)
    threads = [
        threading.Thread(target=work, args=("two", *turns)),
        threading.Thread(target=work, args=("three", *reversed(turns))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


SCENES = {
    scene.__name__: scene for scene in (files, copies, pipes, inherited, sockets, passed, shared)
}
for wanted in sys.argv[1:]:
    SCENES[wanted]()
