/* sendmmsg and recvmmsg, and the control messages of sendmsg. */
#include "calls.h"

#include <fcntl.h>
#include <linux/time_types.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct frame {
        struct mmsghdr messages[4];
        struct iovec parts[8];
        char text[64];
        struct sockaddr_un names[4];
        char control[256];
};

static struct frame *frame;

static void prepare(int names)
{
        memset(frame, 0, sizeof(*frame));
        memcpy(frame->text, "first message, second message, third", 37);
        for (int i = 0; i < 4; i++) {
                struct msghdr *header = &frame->messages[i].msg_hdr;

                frame->parts[2 * i] = (struct iovec){ frame->text + 8 * i, 5 };
                frame->parts[2 * i + 1] = (struct iovec){ frame->text + 8 * i + 5, 3 };
                header->msg_iov = &frame->parts[2 * i];
                header->msg_iovlen = 2;
                if (names) {
                        header->msg_name = &frame->names[i];
                        header->msg_namelen = sizeof(frame->names[i]);
                }
        }
}

/* One control message with a few bytes of data. */
static void control(int level, int type, const void *data, size_t size, size_t claimed)
{
        struct msghdr *header = &frame->messages[0].msg_hdr;
        struct cmsghdr *message = (struct cmsghdr *)frame->control;

        prepare(0);
        message->cmsg_len = claimed;
        message->cmsg_level = level;
        message->cmsg_type = type;
        memcpy(CMSG_DATA(message), data, size);
        header->msg_control = message;
        header->msg_controllen = CMSG_SPACE(size);
        CALL(sendmsg, -1, header, 0);
}

int main(void)
{
        struct __kernel_old_timespec { long sec, nsec; } wait = { 1, 0 };
        static const int types[] = { 1, 2, 3, 4, 29, 35, 37, 41, 77, 0 };
        static const char words[] = "\4\0\0\0\5\0\0\0abcdefgh12345678ABCDEFGH";
        int pair[2];

        make_room();
        frame = (struct frame *)(room + 4096);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
        prepare(0);
        CALL(sendmmsg, 3, frame->messages, 3, MSG_DONTWAIT);
        prepare(1);
        CALL(recvmmsg, 4, frame->messages, 2, MSG_DONTWAIT, 0);
        prepare(1);
        CALL(recvmmsg, 4, frame->messages, 4, MSG_WAITFORONE, at(0, &wait, sizeof(wait)));
        wait.sec = 1; CALL(recvmmsg, 4, frame->messages, 2, MSG_DONTWAIT, at(0, &wait, sizeof(wait)));
        CALL(recvmmsg, 4, frame->messages, 2, MSG_DONTWAIT, BAD);
        CALL(recvmmsg, 4, BAD, 2, MSG_DONTWAIT, 0);
        CALL(recvmmsg, -1, 0, 0, 0x80000000, 0);
        CALL(recvmmsg, 4, frame->messages, 0, MSG_DONTWAIT, 0);
        CALL(sendmmsg, 3, frame->messages, 0, 0);
        CALL(sendmmsg, 3, BAD, 2, 0);
        CALL(sendmmsg, -1, 0, 2, 0);
        prepare(1);
        CALL(sendmmsg, 3, frame->messages, 4, MSG_DONTWAIT);
        prepare(0);
        frame->messages[1].msg_hdr.msg_iov = (void *)BAD;
        CALL(sendmmsg, 3, frame->messages, 2, MSG_DONTWAIT);
        CALL(sendmmsg, -1, at_edge(frame->messages, sizeof(frame->messages[0])), 2, 0);
#ifdef __i386__
        struct __kernel_timespec wide = { 0, 1000000 };
        CALL(recvmmsg_time64, 4, frame->messages, 2, MSG_DONTWAIT, at(0, &wide, sizeof(wide)));
        CALL(recvmmsg_time64, 4, frame->messages, 2, MSG_DONTWAIT, 0);
        long args[5] = { 3, L(frame->messages), 1, MSG_DONTWAIT, 0 };
        CALL(socketcall, 20, at(0, args, sizeof(args)));
        CALL(socketcall, 19, at(0, args, sizeof(args)));
        CALL(socketcall, 19, BAD);
#endif
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
                control(SOL_SOCKET, types[i], words, 32, CMSG_LEN(32));
                control(SOL_SOCKET, types[i], words, 1, CMSG_LEN(1));
                control(SOL_IP, types[i], words, 32, CMSG_LEN(32));
                control(SOL_IP, types[i], words, 1, CMSG_LEN(1));
        }
        control(IPPROTO_TCP, 1, words, 4, CMSG_LEN(4));
        control(0x7777, -1, words, 4, CMSG_LEN(4));
        control(SOL_SOCKET, 1, words, 4, CMSG_LEN(0));
        control(SOL_SOCKET, 1, words, 4, 3);
        control(SOL_SOCKET, 1, words, 4, 0x7fffffff);
        control(SOL_IP, 52, words, 4, CMSG_LEN(4));
        control(SOL_IP, 11, words, 32, CMSG_LEN(40));
        return 0;
}
