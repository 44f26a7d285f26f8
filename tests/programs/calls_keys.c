/* Keyrings: add_key, request_key and every operation of keyctl. */
#include "calls.h"

#include <linux/keyctl.h>
#include <sys/uio.h>

#define KEYCTL(operation, ...) CALL(keyctl, operation, ##__VA_ARGS__)

int main(void)
{
        uint32_t words[12] = { 1, 5, 8, 0, 0 };
        struct iovec parts[2];

        make_room();
        memcpy(room + 512, "payload, and more than is shown of it", 38);
        CALL(add_key, "user", "pytracer", room + 512, 7, KEY_SPEC_PROCESS_KEYRING);
        CALL(add_key, "user", "a description that is longer than usual", room + 512, 37, -9);
        CALL(add_key, BAD, 0, BAD, 5, 1);
        CALL(add_key, "nothing", "x", 0, 0, 0x7fffffff);
        CALL(request_key, "user", "pytracer", 0, KEY_SPEC_PROCESS_KEYRING);
        CALL(request_key, "user", "absent", "callout", 0);
        CALL(request_key, 0, BAD, BAD, -3);
        KEYCTL(KEYCTL_GET_KEYRING_ID, -2, 1);
        KEYCTL(KEYCTL_GET_KEYRING_ID, 0x12345, -1);
        KEYCTL(KEYCTL_SEARCH, -2, "user", "pytracer", 0);
        KEYCTL(KEYCTL_SEARCH, 1, BAD, 0, -1);
        KEYCTL(KEYCTL_UPDATE, 1, room + 512, 37L);
        KEYCTL(KEYCTL_UPDATE, -1, BAD, 3L);
        KEYCTL(KEYCTL_DESCRIBE, -2, room + 64, 64L);
        KEYCTL(KEYCTL_DESCRIBE, -2, room + 64, 4L);
        KEYCTL(KEYCTL_DESCRIBE, 1, room + 64, 4L);
        KEYCTL(KEYCTL_DESCRIBE, -2, 0, 0L);
        KEYCTL(KEYCTL_READ, -2, room + 64, 1L);
        KEYCTL(KEYCTL_READ, -1, 0, 0L);
        KEYCTL(KEYCTL_GET_SECURITY, -2, room + 64, 64L);
        KEYCTL(KEYCTL_GET_SECURITY, 1, BAD, 64L);
        KEYCTL(KEYCTL_CHOWN, -2, -1, -1);
        KEYCTL(KEYCTL_CHOWN, 1, 2, 3);
        KEYCTL(KEYCTL_SETPERM, 1, 0x3f3f3f3f);
        KEYCTL(KEYCTL_SETPERM, 1, 0xc0c0c0c0);
        KEYCTL(KEYCTL_LINK, 1, -2);
        KEYCTL(KEYCTL_UNLINK, 1, -2);
        KEYCTL(KEYCTL_CLEAR, -2);
        KEYCTL(KEYCTL_REVOKE, 1);
        KEYCTL(KEYCTL_INVALIDATE, 1);
        KEYCTL(KEYCTL_ASSUME_AUTHORITY, 1);
        KEYCTL(KEYCTL_INSTANTIATE, 1, room + 512, 7L, -2);
        parts[0] = (struct iovec){ room + 512, 7 };
        parts[1] = (struct iovec){ (void *)BAD, 3 };
        KEYCTL(KEYCTL_INSTANTIATE_IOV, 1, at(0, parts, sizeof(parts)), 2L, -2);
        KEYCTL(KEYCTL_NEGATE, 1, -1, -2);
        KEYCTL(KEYCTL_REJECT, 1, 2, 13, -2);
        KEYCTL(KEYCTL_REJECT, 1, 2, 1313, -2);
        KEYCTL(KEYCTL_SET_REQKEY_KEYRING, -1);
        KEYCTL(KEYCTL_SET_REQKEY_KEYRING, 77);
        KEYCTL(KEYCTL_SET_TIMEOUT, 1, 2);
        KEYCTL(KEYCTL_GET_PERSISTENT, 12345, 1);
        KEYCTL(KEYCTL_GET_PERSISTENT, -1, 0x7777);
        KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, BAD);
        KEYCTL(KEYCTL_DH_COMPUTE, at(0, words, sizeof(words)), room + 64, 3L, 0);
        KEYCTL(KEYCTL_DH_COMPUTE, BAD, room + 64, 3L, BAD);
#ifndef __i386__
        uint64_t kdf[8] = { L(room + 512), L(room + 512), 7 };
        KEYCTL(KEYCTL_DH_COMPUTE, room, room + 64, 3L, at(256, kdf, sizeof(kdf)));
        kdf[2] = 0;
        kdf[4] = 1;
        KEYCTL(KEYCTL_DH_COMPUTE, room, room + 64, 3L, at(256, kdf, sizeof(kdf)));
#endif
        KEYCTL(KEYCTL_PKEY_QUERY, 1, 0, "info", room + 64);
        KEYCTL(KEYCTL_PKEY_QUERY, -2, 5, BAD, BAD);
        for (int operation = KEYCTL_PKEY_ENCRYPT; operation <= KEYCTL_PKEY_VERIFY; operation++) {
                KEYCTL(operation, room, "enc=pkcs1", room + 512, room + 520);
                KEYCTL(operation, BAD, 0, room + 512, room + 520);
        }
        words[7] = 5;
        KEYCTL(KEYCTL_PKEY_SIGN, at(0, words, sizeof(words)), "", BAD, 0);
        KEYCTL(KEYCTL_RESTRICT_KEYRING, 1, "asymmetric", "builtin_trusted");
        KEYCTL(KEYCTL_RESTRICT_KEYRING, 1, 0, BAD);
        KEYCTL(KEYCTL_MOVE, 1, -2, -3, 1);
        KEYCTL(KEYCTL_MOVE, 1, 2, 3, -2);
        KEYCTL(KEYCTL_CAPABILITIES, room + 64, 8L);
        KEYCTL(KEYCTL_CAPABILITIES, room + 64, 1L);
        KEYCTL(KEYCTL_CAPABILITIES, 0, 0L);
        KEYCTL(KEYCTL_CAPABILITIES, BAD, 8L);
        KEYCTL(KEYCTL_SESSION_TO_PARENT);
        KEYCTL(32, 1, 2, 3, 4);
        KEYCTL(-1, -1L, 0L, BAD, room);
        return 0;
}
