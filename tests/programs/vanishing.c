/* A thread makes calls with a path on a page that another one takes away and brings back, with the
 * same path on it: vanishing N. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char path[] = "/nonexistent/vanishing/path";
static volatile int over;
static char *page;

static void *juggle(void *nothing)
{
	while (!over) {
		/* Made elsewhere and moved: the page is never seen without its path. */
		char *other =
		    mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memcpy(other, path, sizeof(path));
		munmap(page, 4096);
		if (mremap(other, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page) != page)
			exit(1);
	}
	return nothing;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int count = atoi(argv[1]);

	page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(page, path, sizeof(path));
	if (pthread_create(&thread, 0, juggle, 0))
		return 1;
	for (int i = 0; i < count; i++)
		syscall(SYS_truncate, page, 7);
	over = 1;
	pthread_join(thread, 0);
	return 0;
}
