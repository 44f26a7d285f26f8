/* Children made by vfork, posix_spawn, and a fork whose child forks again and leaves an orphan. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	int status;
	pid_t child;
	char *argv[] = {"true", NULL};
	char *absent[] = {"absent", NULL};

	child = vfork();
	if (child == 0) {
		execv("/nonexistent/absent", absent);
		execv("/bin/true", argv);
		_exit(127);
	}
	waitpid(child, &status, 0);

	child = vfork();
	if (child == 0)
		_exit(3);
	waitpid(child, &status, 0);

	if (posix_spawn(&child, "/bin/true", NULL, NULL, argv, environ) == 0)
		waitpid(child, &status, 0);

	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			usleep(60000);
			_exit(5);
		}
		_exit(4);
	}
	waitpid(child, &status, 0);
	usleep(120000);
	return 0;
}
