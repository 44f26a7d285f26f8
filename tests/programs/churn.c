/* Waits for a line, then makes argv[1] processes one after the other; each calls getppid thrice. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;

	for (int turn = 0; getchar() != EOF; turn++) {
		for (int i = 0; i < count; i++) {
			pid_t child = fork();

			if (child < 0)
				return 1;
			if (!child) {
				for (int call = 0; call < 3; call++)
					syscall(SYS_getppid);
				_exit(0);
			}
			if (waitpid(child, NULL, 0) != child)
				return 1;
		}
		puts("done");
		fflush(stdout);
	}
	return 0;
}
