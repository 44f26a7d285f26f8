/* bpf: every command, with structures of every size, empty and full. */
#include "calls.h"

#include <linux/bpf.h>

static unsigned char attr[256];

static void try(int command, unsigned size)
{
        CALL(bpf, command, at(1024, attr, sizeof(attr)), size);
}

int main(void)
{
        static const unsigned sizes[] = { 4, 8, 12, 16, 20, 24, 28, 32, 40, 44, 48, 52, 56, 60, 64,
                                          68, 72, 76, 96, 104, 108, 112, 116, 120, 128, 160 };
        static const unsigned types[] = { 0, 28, 41, 42, 3, 77 };
        uint32_t *words = (uint32_t *)attr;
        uint64_t *longs = (uint64_t *)attr;

        make_room();
        /* No command succeeds: descriptors are bad, types unknown. */
        for (int command = 0; command < 32; command++) {
                memset(attr, 0, sizeof(attr));
                for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                        memset(attr, 0, sizeof(attr));
                        words[0] = -1;
                        if (command == BPF_OBJ_PIN || command == BPF_OBJ_GET ||
                            command == BPF_RAW_TRACEPOINT_OPEN || command == BPF_BTF_LOAD)
                                longs[0] = BAD;
                        try(command, sizes[i]);
                }
#ifndef __i386__
                memset(attr, 0x11, 200);
                words[0] = -1;
                try(command, 16);
                try(command, 128);
#endif
                CALL(bpf, command, BAD, 16);
                CALL(bpf, command, 0, 16);
                if (command != BPF_PROG_GET_NEXT_ID && command != BPF_MAP_GET_NEXT_ID &&
                    command != BPF_BTF_GET_NEXT_ID && command != BPF_LINK_GET_NEXT_ID)
                        CALL(bpf, command, room + 1024, 0);
                CALL(bpf, command, room + 1024, 5000);
        }
        memset(attr, 0, sizeof(attr));
        words[0] = 2;
        words[1] = 4;
        words[2] = 8;
        words[3] = 1;
        words[4] = 0x4 | 0x40;
        words[6] = -1;
        memcpy(attr + 28, "a_map", 6);
        words[11] = 1;
        try(BPF_MAP_CREATE, 48);
        try(BPF_MAP_CREATE, 72);
        static const uint64_t code[] = { 0xb7, 0x95, 0x1234567800020107, 0x16, 0xdb };
        memset(attr, 0, sizeof(attr));
        words[0] = 99;
        words[1] = 5;
        longs[1] = L(at(2048, code, sizeof(code)));
        longs[2] = L(strcpy(room + 2200, "GPL"));
        words[7] = 12;
        longs[4] = L(strcpy(room + 2300, "a log"));
        words[10] = 0x50a01;
        words[11] = 3;
        memcpy(attr + 48, "a_prog", 7);
        try(BPF_PROG_LOAD, 48);
        try(BPF_PROG_LOAD, 72);
        try(BPF_PROG_LOAD, 128);
        memset(attr, 0, sizeof(attr));
        longs[0] = L(strcpy(room + 2400, "/absent/path"));
        words[2] = -1;
        words[3] = 8;
        try(BPF_OBJ_PIN, 16);
        try(BPF_OBJ_GET, 16);
        words[2] = -1;
        try(BPF_RAW_TRACEPOINT_OPEN, 16);
        words[4] = 5;
        words[2] = 0;
        words[3] = 0;
        try(BPF_BTF_LOAD, 28);
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
                memset(attr, 0, sizeof(attr));
                words[0] = -1;
                words[1] = -1;
                words[2] = types[i];
                words[4] = 1;
                words[5] = 1;
                longs[3] = L(at(2500, longs, 8));
                try(BPF_LINK_CREATE, 16);
                try(BPF_LINK_CREATE, 48);
        }
        memset(attr, 0, sizeof(attr));
        longs[0] = L(room + 2500);
        words[2] = 2;
        try(BPF_OBJ_GET_INFO_BY_FD, 16);
        return 0;
}
