/*
 * Hang in read(5, ...) on a pipe nobody writes to, after saying so: "ready" on standard output.
 *
 * An alarm ends it after a minute, should nobody else.
 */
#include <unistd.h>

int main(void)
{
	int ends[2];
	char byte;

	alarm(60);
	if (pipe(ends) || dup2(ends[0], 5) != 5)
		return 1;
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	return read(5, &byte, 1) != 1;
}
