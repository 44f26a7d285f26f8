/* Known numbers of calls: counted THREADS. The numbers are primes, and are made by threads, by
 * children, and by a program executed in the end. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(int nr, int times)
{
	for (int i = 0; i < times; i++)
		syscall(nr, -1, 0, 0);
}

static void *thread(void *unused)
{
	make(SYS_getppid, 1009);
	make(SYS_close, 211);  /* EBADF */
	make(SYS_getpgid, 31); /* ESRCH */
	make(SYS_ioctl, 17);   /* EBADF */
	return unused;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t all[64];
	pid_t child;

	if (argc > 2) {
		make(SYS_getppid, 503);
		return 0;
	}
	for (int i = 0; i < threads && i < 64; i++)
		if (pthread_create(&all[i], NULL, thread, NULL))
			return 1;
	for (int i = 0; i < threads && i < 64; i++)
		pthread_join(all[i], NULL);
	for (int i = 0; i < 7; i++) {
		child = fork();
		if (!child) {
			make(SYS_getppid, 101);
			_exit(0);
		}
		while (waitpid(child, NULL, 0) != child)
			;
	}
	execl("/proc/self/exe", argv[0], argv[1], "leaf", NULL);
	return 1;
}
