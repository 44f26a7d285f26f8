/* Loops of system calls that time themselves: loops WHICH COUNT.
 * Prints the number of calls made and the nanoseconds each took on standard output. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "getppid";
	long count = argc > 2 ? atol(argv[2]) : 20000, calls = 0;
	char line[128], buffer[64];
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	double start = now();

	if (!strcmp(which, "getppid")) {
		for (; calls < count; calls++)
			syscall(SYS_getppid);
	} else if (!strcmp(which, "readwrite")) {
		for (; calls < count; calls += 2) {
			if (read(zero, buffer, sizeof(buffer)) != sizeof(buffer) ||
			    write(null, buffer, sizeof(buffer)) != sizeof(buffer))
				return 1;
		}
	} else if (!strcmp(which, "openclose")) {
		for (; calls < count; calls += 2)
			close(open("/etc/hostname", O_RDONLY));
	} else {
		return 2;
	}
	double each = (now() - start) / (calls ? calls : 1);

	snprintf(line, sizeof(line), "%ld %.1f\n", calls, each);
	return write(1, line, strlen(line)) < 0;
}
