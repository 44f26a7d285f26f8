/* A known number of each call: accounting THREADS PROCESSES EXECS.
 * Every process runs its threads, waits for them, and executes itself EXECS times to do it again. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls that neither the loader nor the C library makes by itself. */
static void *work(void *nothing)
{
	static const char text[] = "prime numbers of everything";
	char buffer[1009];
	struct iovec in = {buffer, sizeof(buffer)}, out = {(void *)text, sizeof(text)};
	int zero = *(int *)nothing, null = zero + 1;

	for (int i = 0; i < 499; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < 211; i++)
		syscall(SYS_getsid, 0);
	for (int i = 0; i < 101; i++)
		syscall(SYS_pwritev, null, &out, 1, 0, 0);
	for (int i = 0; i < 53; i++)
		syscall(SYS_preadv, zero, &in, 1, 0, 0);
	for (int i = 0; i < 31; i++)
		syscall(SYS_truncate, "/nonexistent/prime", 7);
	for (int i = 0; i < 17; i++)
		syscall(SYS_fchdir, -1);
	return 0;
}

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int threads = atoi(argv[1]), processes = atoi(argv[2]), execs = atoi(argv[3]);
	int zero, status, failed = 0;
	char left[16];

	for (int i = 0; i < processes; i++) {
		pid_t child = fork();

		check(child < 0, "fork");
		if (!child) {
			processes = 0;
			break;
		}
	}
	if (processes) {
		while (wait(&status) > 0)
			failed |= status;
		return failed ? 1 : 0;
	}
	zero = open("/dev/zero", O_RDONLY);
	check(zero < 0 || open("/dev/null", O_WRONLY) != zero + 1, "open");
	pthread_t made[64];
	for (int i = 0; i < threads; i++)
		check(pthread_create(&made[i], 0, work, &zero), "pthread_create");
	for (int i = 0; i < threads; i++)
		pthread_join(made[i], 0);
	if (!execs)
		return 0;
	close(zero);
	close(zero + 1);
	snprintf(left, sizeof(left), "%d", execs - 1);
	execl("/proc/self/exe", argv[0], argv[1], "0", left, (char *)0);
	check(1, "execl");
}
