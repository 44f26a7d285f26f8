/*
 * spent FILE: calls that take time and calls that take the CPU. Writes to FILE how many nanoseconds
 * of CPU time the reads of /dev/zero took, by the clock of the thread. Others want the same CPU
 * meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES (32 << 20)
#define READS 5
#define RIVALS 3
#define TURNS 211

static long long spent(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Stay on one CPU, whichever of those that are allowed. */
static void settle(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		exit(1);
}

static void sleep_a_while(void)
{
	struct timespec ms = {.tv_nsec = 50000000};

	for (int i = 0; i < 3; i++)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL);
}

static void talk(void)
{
	int there[2], back[2];
	char byte = 0;

	if (pipe(there) || pipe(back))
		exit(1);
	if (!fork()) {
		for (int i = 0; i < TURNS; i++)
			if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < TURNS; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			exit(1);
	wait(NULL);
}

int main(int argc, char **argv)
{
	int zero = open("/dev/zero", O_RDONLY);
	char *bytes = malloc(BYTES);
	pid_t rivals[RIVALS];
	long long before, took;
	FILE *file;

	if (argc < 2 || zero < 0 || !bytes || read(zero, bytes, BYTES) != BYTES)
		return 1;
	sleep_a_while();
	talk();
	settle();
	for (int i = 0; i < RIVALS; i++) {
		rivals[i] = fork();
		if (!rivals[i]) {
			alarm(20);
			for (;;)
				;
		}
	}
	before = spent();
	for (int i = 0; i < READS; i++)
		if (pread(zero, bytes, BYTES, 0) != BYTES)
			return 1;
	took = spent() - before;
	for (int i = 0; i < RIVALS; i++) {
		kill(rivals[i], SIGKILL);
		waitpid(rivals[i], NULL, 0);
	}
	file = fopen(argv[1], "w");
	if (!file || fprintf(file, "%lld\n", took) < 0 || fclose(file))
		return 1;
	return 0;
}
