/* Processes that all have the same number, one after the other: same_pid N, as root and in a pid
 * namespace of its own. The n-th makes n calls of getsid and of access("n"), and exits with n. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = atoi(argv[1]), first = 0, status;
	char text[16];

	for (int n = 1; n <= count; n++) {
		if (first) {
			int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);

			snprintf(text, sizeof(text), "%d", first - 1);
			if (fd < 0 || write(fd, text, strlen(text)) < 0)
				return 1;
			close(fd);
		}
		pid_t child = fork();

		if (!child) {
			snprintf(text, sizeof(text), "%d", n);
			for (int i = 0; i < n; i++) {
				syscall(SYS_getsid, 0);
				access(text, F_OK);
			}
			_exit(n);
		}
		if (!first)
			first = child;
		if (child != first || waitpid(child, &status, 0) != child)
			return 2;
	}
	return 0;
}
