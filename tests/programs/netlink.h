/* Building netlink messages, for the programs that send one of each kind. */
#ifndef NETLINK_H
#define NETLINK_H

#include "calls.h"

#include <linux/netlink.h>
#include <sys/socket.h>

static char message[8192];
static unsigned length;
static int sock;

static inline int open_netlink(int protocol)
{
        struct sockaddr_nl name = { AF_NETLINK, 0, 0, 0 };
        int fd = CALL(socket, AF_NETLINK, SOCK_RAW, protocol);

        CALL(bind, fd, at(0, &name, sizeof(name)), sizeof(name));
        return fd;
}

/*
 * Begin a message. Without NLM_F_REQUEST the kernel answers nothing and does nothing: that is
 * how these programs can say whatever they like.
 */
static inline void start(unsigned type, unsigned flags, const void *head, unsigned size)
{
        struct nlmsghdr *header = (struct nlmsghdr *)message;

        memset(message, 0, sizeof(message));
        header->nlmsg_type = type;
        header->nlmsg_flags = flags;
        header->nlmsg_seq = 1;
        memcpy(message + 16, head, size);
        length = 16 + ((size + 3) & ~3U);
}

static inline unsigned begin(unsigned type)
{
        unsigned place = length;

        *(uint16_t *)(message + place + 2) = type;
        length += 4;
        return place;
}

static inline void end(unsigned place)
{
        *(uint16_t *)(message + place) = length - place;
        length = (length + 3) & ~3U;
}

static inline void put(unsigned type, const void *data, unsigned size)
{
        unsigned place = begin(type);

        memcpy(message + length, data, size);
        length += size;
        end(place);
}

static inline void finish(unsigned cut)
{
        ((struct nlmsghdr *)message)->nlmsg_len = length;
        CALL(sendto, sock, at(4096, message, length - cut), length - cut, MSG_DONTWAIT, 0, 0);
}

/* Where in a tree of attributes something stands: what it is inside of, outermost first. */
struct place {
        unsigned short type;
        const char *first;      /* an attribute of type 1 that goes before: a kind of link */
        unsigned short first_type;
};

/*
 * Send every attribute up to the last one of some place, each with data of many lengths. Those of
 * structures come in ``sizes``, which a 0 ends.
 */
static inline void sweep(unsigned type, unsigned flags, const void *head, unsigned size,
                         const struct place *path, unsigned depth, unsigned last,
                         const unsigned short *sizes)
{
        static const unsigned short common[] = { 0, 1, 2, 3, 4, 5, 8, 9, 12, 16, 20, 0 };
        unsigned char data[512];
        unsigned places[8];

        for (unsigned attribute = 0; attribute <= last; attribute++) {
                start(type, flags, head, size);
                for (unsigned i = 0; i < depth; i++) {
                        if (path[i].first)
                                put(path[i].first_type, path[i].first,
                                    strlen(path[i].first) + 1);
                        places[i] = begin(path[i].type);
                }
                for (unsigned i = 0; i < sizeof(data); i++)
                        data[i] = i % 8 < 5 && i % 3 ? i + attribute : i % 8 == 4;
                for (const unsigned short *one = common; one == common || *one; one++)
                        put(attribute, data, *one);
                put(attribute, "bridge", 7);
                put(attribute, "no end", 6);
                for (const unsigned short *one = sizes; one && *one; one++)
                        put(attribute | (one == sizes ? NLA_F_NESTED : 0), data, *one);
                for (unsigned i = depth; i--;)
                        end(places[i]);
                finish(0);
        }
}

/* A message's structure alone: whole, with every length that is too short, and of each family. */
static inline void heads(unsigned type, unsigned flags, const void *head, unsigned size,
                         const unsigned char *families, unsigned count)
{
        unsigned char copy[256];

        memcpy(copy, head, size);
        for (unsigned i = 0; i < count; i++) {
                copy[0] = families[i];
                start(type, flags, copy, size);
                finish(0);
        }
        for (unsigned cut = 1; cut < size; cut += cut < 4 ? 1 : 3) {
                start(type, flags, copy, size);
                length -= cut;
                finish(0);
        }
}

#endif
