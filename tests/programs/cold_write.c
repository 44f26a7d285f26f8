/* Writes a constant that lies on a page of its own, which nothing has touched, into a pipe that
 * nobody reads: the call fails before it looks at it. Then it stays for a while. */
#include <signal.h>
#include <unistd.h>

static const char cold[1 << 16] __attribute__((aligned(1 << 16))) = "nobody reads this";

int main(void)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(ends))
		return 1;
	close(ends[0]);
	if (write(ends[1], cold, 17) >= 0)
		return 1;
	sleep(2);
	return 0;
}
