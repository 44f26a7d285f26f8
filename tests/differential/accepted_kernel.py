"""What strace 7.2 knows of newer kernels: performance events, io_uring, bpf. See accepted.py."""

from __future__ import annotations

from tests.differential.difference import Difference, differs

DIFFERENCES: tuple[Difference, ...] = (
    # Performance events, section 4.9 of the release notes
    differs(
        "7.2 prints the three bits and the number that follow in newer structures, with -v",
        r"(aux_sample_size=\d+)(?: /\* bytes 116\.\.119: 0x[0-9a-f]+ \*/)?"
        r"(, sig_data=\w+)?(?:, \.\.\.)?\}",
        r"\1⟦(?:, aux_start_paused=[01], aux_pause=[01], aux_resume=[01])?"
        r"(?: /\* bytes 116\.\.119: 0x[0-9a-f]+ \*/)?⟧\2⟦(?:, config3=\w+)?(?:, \.\.\.)?⟧}",
        "perf_event_open",
        "ioctl",
    ),
    # io_uring, section 4.9 of the release notes
    differs(
        "7.2 knows younger operations of rings",
        r"(op=)\d+ /\* IORING_OP_\?\?\? \*/",
        r"\1⟦(?:\d+ /\* )?IORING_OP_[A-Z0-9_?]+(?: \*/)?⟧",
        "io_uring_register",
    ),
    differs(
        "7.2 prints two more fields of a ring of buffers",
        r"(bgid=\d+)(?:, pad=\w+)?(?:, resv=\[[^]]*\])?\}",
        r"\1⟦, flags=\w+, min_left=\d+(?:, resv=\[[^]]*\])?⟧}",
        "io_uring_register",
    ),
    differs(
        "7.2 knows the bit of a ring that is registered",
        r"0x8000001d /\* IORING_REGISTER_\?\?\? \*/",
        r"⟦(?:0x1d /\* )?IORING_REGISTER_CLOCK(?: \*/)?\|"
        r"(?:0x80000000 /\* )?IORING_REGISTER_USE_REGISTERED_RING(?: \*/)?⟧",
        "io_uring_register",
    ),
    differs(
        "7.2 knows and decodes younger requests to rings",
        r"(?<=, )0x(1[89a-f]|2[0-5]) /\* IORING_REGISTER_\?\?\? \*/, 0x[0-9a-f]+",
        r"⟦(?:0x\1 /\* )?IORING_(?:UN)?REGISTER_\w+(?: \*/)?, (?:\{.*\}|0x[0-9a-f]+)⟧",
        "io_uring_register",
    ),
    differs(
        "7.2 decodes the extended argument of io_uring_enter",
        r"(\bIORING_ENTER_EXT_ARG(?: \*/)?), 0x[0-9a-f]+",
        r"\1, ⟦\{sigmask=.*\}|0x[0-9a-f]+⟧",
        "io_uring_enter",
    ),
    differs(
        "7.2 knows younger flags of rings",
        r"((?:flags=|features=|, )[A-Z0-9_|]*(?:IORING_\w+)\|)0x([0-9a-f]+)",
        r"\1⟦0x\2|[A-Z0-9_|]+(?:\|0x[0-9a-f]+)?⟧",
        "io_uring_setup",
        "io_uring_enter",
    ),
    # bpf, section 4.9 of the release notes
    differs("7.2 renamed one mode of instructions", r"\bBPF_XADD\b", "BPF_ATOMIC", "bpf"),
    differs(
        "7.2 knows more of bpf's flags",
        r"(flags=)(?:[A-Z0-9_|]+\|)?0x[0-9a-f]+(?: /\* [^*]+ \*/)?",
        r"\1⟦(?:[A-Z0-9_|]+\|)?0x[0-9a-f]+(?: /\* [^*]+ \*/)?⟧",
        "bpf",
    ),
    differs(
        "7.2 prints the fields of newer versions of bpf's structures",
        r"(BPF_MAP_CREATE(?: \*/)?, \{.*map_extra=\d+)(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦(?:, value_type_btf_obj_fd=-?\d+(?:<[^>]*>)?, map_token_fd=-?\d+(?:<[^>]*>)?)?"
        r"(?:, excl_prog_hash=\w+, excl_prog_hash_size=\d+)?(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints the fields of newer versions of bpf's structures",
        r"(BPF_PROG_LOAD(?: \*/)?, \{.*attach_btf_id=\d+(?:, attach_prog_fd=-?\d+(?:<[^>]*>)?)?)"
        r"(?:, fd_array=\w+)?(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦(?:, core_relo_cnt=\d+)?(?:, fd_array=\w+)?"
        r"(?:, core_relos=\w+, core_relo_rec_size=\d+)?(?:, log_true_size=\d+)?"
        r"(?:, prog_token_fd=-?\d+(?:<[^>]*>)?, fd_array_cnt=\d+)?"
        r"(?:, signature=\w+, signature_size=\d+, keyring_id=-?\d+)?"
        r"(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints all that an attachment is made with when it is undone",
        r"(BPF_PROG_DETACH(?: \*/)?, \{target_fd=-?\d+(?:<[^>]*>)?)(, attach_type=[^,}]+)"
        r"(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1, attach_bpf_fd=⟦-?\d+(?:<[^>]*>)?⟧\2, attach_flags=⟦[^}]*⟧}",
        "bpf",
    ),
    differs(
        "7.2 knows more flags and fields of an attachment",
        r"(BPF_PROG_ATTACH(?: \*/)?, \{.*attach_flags=)(?:⟦[^⟧]+⟧|[^,}]+)([^}]*?)"
        r"(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦[^,}]+⟧\2⟦(?:, relative_(?:fd|id)=-?\d+(?:<[^>]*>)?, expected_revision=\d+)?"
        r"(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints the fields of newer versions of bpf's structures, and more flags",
        r"(BPF_PROG_QUERY(?: \*/)?, \{.*attach_flags=)(?:⟦[^⟧]+⟧|[^,}]+)"
        r"(, prog_ids=.*, prog_cnt=\d+)\}"
        r"(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦[^,}]+⟧\2⟦(?:, prog_attach_flags=\w+)?(?:, link_ids=\w+)?"
        r"(?:, link_attach_flags=\w+)?(?:, revision=\d+)?⟧}⟦(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints no fields that do not belong to the command",
        r"(BPF_\w+_BY_ID(?: \*/)?, \{\w+_id=\d+)(?:, next_id=\d+)?"
        r"(?:, open_flags=(?:⟦[^⟧]+⟧|[^,}]+))?"
        r"(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦(?:, open_flags=[^,}]+)?(?:, fd_by_id_token_fd=-?\d+(?:<[^>]*>)?)?"
        r"(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints no fields that do not belong to the command",
        r"(BPF_\w+_NEXT_ID(?: \*/)?, \{start_id=\d+, next_id=\d+(?: => \d+)?)"
        r"(?:, open_flags=(?:⟦[^⟧]+⟧|[^,}]+))?(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints the fields of newer versions of bpf's structures",
        r"(BPF_BTF_LOAD(?: \*/)?, \{.*btf_log_level=\d+)(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦(?:, btf_log_true_size=\d+)?(?:, btf_flags=\w+, btf_token_fd=-?\d+(?:<[^>]*>)?)?"
        r"(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints the fields of newer versions of bpf's structures",
        r"(BPF_RAW_TRACEPOINT_OPEN(?: \*/)?, \{raw_tracepoint=\{[^}]*)\}"
        r"(?:, \.\.\.|, extra_data=.*)?\}",
        r"\1⟦(?:, cookie=\d+)?⟧}⟦(?:, \.\.\.|, extra_data=.*)?⟧}",
        "bpf",
    ),
    differs(
        "7.2 prints the flags of a new link by name",
        r"(link_create=\{.*attach_type=[^,}]+, flags=)(?:0x[0-9a-f]+|⟦[^⟧]+⟧)",
        r"\1⟦(?:0x[0-9a-f]+ /\* )?[A-Z0-9_|]*\|?(?:0x[0-9a-f]+)?(?: /\* BPF_F_\?\?\?)?(?: \*/)?⟧",
        "bpf",
    ),
)
