/*
 * A little of everything, for the ABIs: built as it is, with -m32 and with -static.
 *
 * With an argument it forks, too; with two, it makes no call that nobody knows.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			perror(#condition); \
			exit(1); \
		} \
	} while (0)

static void files(void)
{
	struct stat status;
	struct statfs filesystem;
	struct iovec parts[3] = {{"one", 3}, {"two", 3}, {"three", 5}};
	char buffer[64];
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	MUST(fd >= 0);
	MUST(writev(fd, parts, 3) == 11);
	MUST(pread(fd, buffer, sizeof(buffer), 3) == 8);
	MUST(lseek(fd, -4, SEEK_END) == 7);
	MUST(read(fd, buffer, 2) == 2);
	MUST(fstat(fd, &status) == 0);
	MUST(ftruncate(fd, 5) == 0);
	MUST(fcntl(fd, F_GETFL) >= 0);
	MUST(fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK, .l_len = 3}) == 0);
	MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	MUST(close(fd) == 0);
	MUST(close(-1) == -1);
	MUST(open("absent", O_RDONLY) == -1);
	MUST(stat("file", &status) == 0);
	MUST(stat("absent", &status) == -1);
	MUST(statfs(".", &filesystem) == 0);
	MUST(symlink("file", "link") == 0);
	MUST(readlink("link", buffer, sizeof(buffer)) == 4);
	MUST(rename("link", "renamed") == 0);
	MUST(unlink("renamed") == 0);
	MUST(mkdir("folder", 0711) == 0);
	MUST(chmod("folder", 01755) == 0);
	MUST(rmdir("folder") == 0);
	MUST(access("file", R_OK | W_OK) == 0);
	MUST(umask(022) != (mode_t)-1);
	DIR *folder = opendir(".");
	MUST(folder != NULL);
	while (readdir(folder))
		;
	closedir(folder);
	MUST(syscall(SYS_open, (char *)16, O_RDONLY) == -1);
}

static void sockets(void)
{
	int pair[2];
	char buffer[16];
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "socket"};
	struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = htons(1)};
	struct msghdr message = {0};
	struct iovec part = {buffer, sizeof(buffer)};
	int one = 1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0);
	MUST(bind(fd, (struct sockaddr *)&path, sizeof(path)) == 0);
	MUST(listen(fd, 7) == 0);
	MUST(close(fd) == 0);
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	MUST(send(pair[0], "datagram", 8, 0) == 8);
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	MUST(recvmsg(pair[1], &message, 0) == 8);
	MUST(poll(&(struct pollfd){.fd = pair[0], .events = POLLIN | POLLOUT}, 1, 0) == 1);
	MUST(shutdown(pair[0], SHUT_RDWR) == 0);
	inet_aton("127.0.0.1", &nowhere.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	MUST(fd >= 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	MUST(connect(fd, (struct sockaddr *)&nowhere, sizeof(nowhere)) == -1);
	close(fd);
}

static void times(void)
{
	struct timespec span = {.tv_nsec = 1000000};
	struct timeval brief = {.tv_usec = 1000};
	struct rlimit limit;
	struct utsname names;
	fd_set readable;

	nanosleep(&span, NULL);
	FD_ZERO(&readable);
	FD_SET(0, &readable);
	MUST(select(1, &readable, NULL, NULL, &brief) >= 0);
	MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	MUST(uname(&names) == 0);
	MUST(getpriority(PRIO_PROCESS, 0) < 20);
}

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	(void)argv;
	files();
	sockets();
	times();
	if (argc > 1) {
		child = fork();
		MUST(child >= 0);
		if (child == 0) {
			usleep(30000);	/* the parent is to wait before its child ends */
			_exit(7);
		}
		MUST(waitpid(child, &status, 0) == child);
	}
	if (argc < 3)	/* strace 6.1 does not count calls that it does not know */
		MUST(syscall(1000, 1, 2, 3, 4, 5, 6) == -1);
	return 0;
}
