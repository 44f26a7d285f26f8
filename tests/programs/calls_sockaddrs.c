/* Socket addresses of every family, of every length. */
#include "calls.h"

#include <sys/socket.h>

static unsigned char bytes[128];

static void all_lengths(int family)
{
        bytes[0] = family;
        bytes[1] = 0;
        for (int length = 0; length <= 100; length += length < 40 ? 1 : 7)
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), length);
}

int main(void)
{
        static const unsigned char ax25[] = { 0, 0, 'A' << 1, 'B' << 1, '1' << 1, ' ' << 1,
                                              ' ' << 1, ' ' << 1, 0x1e, 0, 0, 0, 2, 0, 0, 0,
                                              'Q' << 1, ' ' << 1, 'X' << 1, ' ' << 1, ' ' << 1,
                                              ' ' << 1, 3, '*' << 1, 0, 0, 0, 0, 0, 0 };
        static const unsigned short channels[] = { 1, 0x21, 5, 0x40, 0x80, 0xfe, 0x1001, 0xffff };

        make_room();
        for (int family = 0; family < 48; family++) {
                memset(bytes, 0, sizeof(bytes));
                bytes[0] = family;
                for (int length = 12; length <= 100; length += 4)
                        CALL(connect, -1, at(64, bytes, sizeof(bytes)), length);
                for (size_t i = 2; i < sizeof(bytes); i++)
                        bytes[i] = i * 37;
                all_lengths(family);
        }
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, ax25, sizeof(ax25));
        bytes[0] = 3;
        for (int length = 16; length < 80; length += 3)
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), length);
        memset(bytes + 2, ' ' << 1, 6);
        bytes[8] = 0;
        bytes[12] = 0;
        CALL(connect, -1, at(64, bytes, sizeof(bytes)), 16);
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = 31;
        for (int i = 0; i < 8; i++) {
                memcpy(bytes + 2, &channels[i], 2);
                memcpy(bytes + 10, &channels[7 - i], 2);
                bytes[12] = i;
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 14);
                memcpy(bytes + 4, &channels[i], 2);
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 6);
        }
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = 33;
        for (int family = 1; family < 11; family += 1) {
                bytes[2] = family == 2 ? 1 : 5;
                bytes[6] = family * 3;
                bytes[8] = family;
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 36);
                bytes[6] = 30;
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 36);
        }
        for (int kind = 0; kind < 5; kind++) {
                memset(bytes, kind, sizeof(bytes));
                bytes[0] = 36;
                bytes[1] = 0;
                bytes[5] = bytes[6] = bytes[7] = 0;
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 20);
                bytes[0] = 30;
                bytes[2] = kind;
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 16);
        }
        memset(bytes, 0xff, sizeof(bytes));
        bytes[1] = 0;
        bytes[2] = 0xef;
        for (int family = 36; family < 46; family++) {
                bytes[0] = family;
                CALL(connect, -1, at(64, bytes, sizeof(bytes)), 20);
        }
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = 38;
        memcpy(bytes + 2, "hash", 4);
        bytes[17] = 0x10;
        bytes[20] = 5;
        memcpy(bytes + 24, "sha256", 6);
        CALL(connect, -1, at(64, bytes, sizeof(bytes)), 88);
        return 0;
}
