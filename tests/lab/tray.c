/* Opens and closes the tray of a CD-ROM, as eject(1) does: for the stock guest, whose busybox cannot. */
#include <errno.h>
#include <fcntl.h>
#include <linux/cdrom.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: tray open|close DEVICE\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, strcmp(argv[1], "open") == 0 ? CDROMEJECT : CDROMCLOSETRAY) < 0) {
		fprintf(stderr, "tray: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	return 0;
}
