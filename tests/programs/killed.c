/* Die of the signal whose number is the argument, without a core. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	raise(argc > 1 ? atoi(argv[1]) : SIGTERM);
	return 1;
}
