/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that asks at a steady rate, whatever the server's answers take:
 *
 *     client PORT REQUEST REPLY_BYTES CONNECTIONS RATE SECONDS
 *
 * Each request is due at a time of its own and waits for a connection that is free; how long it
 * took is counted from when it was due. What is not answered when the time is over is left. Prints:
 * requests answered, seconds, and the median and 99th percentile of their times in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 256
#define SECOND_NS 1000000000LL
#define GRACE_NS 50000000LL

static int sockets[MOST_CONNECTIONS];
static long wanting[MOST_CONNECTIONS]; /* bytes of the reply that are still to come */
static int64_t due_ns[MOST_CONNECTIONS];
static int idle[MOST_CONNECTIONS], idles;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void open_connections(int port, int count, int events)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

		sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (sockets[i] < 0 || connect(sockets[i], (void *)&at, sizeof(at)))
			fail("connect");
		setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(events, EPOLL_CTL_ADD, sockets[i], &event))
			fail("epoll_ctl");
		idle[idles++] = i;
	}
}

static int ascending(const void *one, const void *two)
{
	int64_t a = *(const int64_t *)one, b = *(const int64_t *)two;

	return a < b ? -1 : a > b;
}

int main(int argc, char **argv)
{
	struct epoll_event ready[MOST_CONNECTIONS];
	static char reply[1 << 16];
	int events = epoll_create1(0), connections;
	long bytes, rate, all, sent = 0, answered = 0;
	int64_t begin, over, *took;
	size_t length;

	if (argc != 7)
		return 2;
	length = strlen(argv[2]);
	bytes = atol(argv[3]);
	connections = atoi(argv[4]);
	rate = atol(argv[5]);
	all = rate * atol(argv[6]);
	if (connections < 1 || connections > MOST_CONNECTIONS || all < 1)
		return 2;
	took = malloc(all * sizeof(*took));
	prctl(PR_SET_TIMERSLACK, 1L);
	open_connections(atoi(argv[1]), connections, events);
	begin = now();
	over = begin + all * SECOND_NS / rate + GRACE_NS;
	while (answered < all) {
		int64_t at = now(), due = begin + sent * SECOND_NS / rate, wait = GRACE_NS;
		struct timespec limit;
		int found;

		if (at > over)
			break;
		while (sent < all && due <= at && idles) {
			int i = idle[--idles];

			due_ns[i] = due;
			wanting[i] = bytes;
			if (write(sockets[i], argv[2], length) != (ssize_t)length)
				fail("write");
			due = begin + ++sent * SECOND_NS / rate;
		}
		if (sent < all && idles)
			wait = due > at ? due - at : 0;
		limit = (struct timespec){wait / SECOND_NS, wait % SECOND_NS};
		found = epoll_pwait2(events, ready, MOST_CONNECTIONS, &limit, 0);
		for (int k = 0; k < found; k++) {
			int i = ready[k].data.u32;
			ssize_t got = read(sockets[i], reply, sizeof(reply));

			if (got <= 0 || got > wanting[i])
				fail("an answer that was not expected");
			wanting[i] -= got;
			if (!wanting[i]) {
				took[answered++] = now() - due_ns[i];
				idle[idles++] = i;
			}
		}
	}
	if (!answered)
		return 1;
	qsort(took, answered, sizeof(*took), ascending);
	printf("%ld %.6f %.1f %.1f\n", answered, (now() - begin) / 1e9, took[answered / 2] / 1e3,
	       took[answered - 1 - answered / 100] / 1e3);
	return 0;
}
