/*
 * A child whose execve names strings that lie on pages it has never touched: fork does not copy
 * the page tables of file mappings.
 */
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static const char cold[3 * PAGE + 1] __attribute__((aligned(PAGE))) = {
	[PAGE] = '/', [PAGE + 1] = 'b', [PAGE + 2] = 'i', [PAGE + 3] = 'n', [PAGE + 4] = '/',
	[PAGE + 5] = 't', [PAGE + 6] = 'r', [PAGE + 7] = 'u', [PAGE + 8] = 'e',
};

int main(void)
{
	if (fork() == 0) {
		char *argv[] = {(char *)cold + PAGE + 5, (char *)cold + PAGE + 1, NULL};

		execv(cold + PAGE, argv);
		_exit(1);
	}
	wait(NULL);
	return 0;
}
