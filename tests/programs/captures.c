/*
 * Memory that is hard to capture: strings on pages that are not resident, buffers that run into
 * nothing, more buffers and more bytes than fit into one record.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define VECTORS 100

/* In a page of its own that nothing has touched before the call. */
static const char cold[PAGE * 3] __attribute__((aligned(PAGE))) = {
	[PAGE] = '/', [PAGE + 1] = 'c', [PAGE + 2] = 'o', [PAGE + 3] = 'l', [PAGE + 4] = 'd',
};
/* Far from everything: the kernel brings in sixteen pages at once. */
#define FAR (48 * PAGE)
static const char constant[64 * PAGE] __attribute__((aligned(PAGE))) = {
	[FAR] = 'c', [FAR + 1] = 'a', [FAR + 2] = 'n',
};
static char big[12345];

int main(void)
{
	struct iovec vectors[VECTORS];
	int ends[2];
	char *end = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int null = open("/dev/null", O_WRONLY);

	munmap(end + PAGE, PAGE);
	open(cold + PAGE, O_RDONLY);

	memset(big, 'b', sizeof(big));
	write(null, big, sizeof(big));

	/* The last seven bytes of a mapping, and what is behind it. */
	memset(end, 'e', PAGE);
	write(null, end + PAGE - 7, 4000);
	open(end + PAGE - 7, O_RDONLY);

	/* A page that nothing touches, not even the call. */
	signal(SIGPIPE, SIG_IGN);
	pipe(ends);
	close(ends[0]);
	write(ends[1], constant + FAR, 3);
	usleep(300000);

	for (int i = 0; i < VECTORS; i++)
		vectors[i] = (struct iovec){big + i, 97};
	writev(null, vectors, VECTORS);
	return 0;
}
