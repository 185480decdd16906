/* Runs in the stock guest: plays a square wave of 1000 Hz on a sound card, or records, by the kernel's own interface.
 *
 *     tone play CARD SECONDS
 *     tone record CARD SECONDS      prints the largest sample
 *
 * 48 kHz, 16 bits, two channels. Linked statically: the guest has no libraries.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <sound/asound.h>

enum {
	RATE = 48000,
	CHANNELS = 2,
	BLOCK = 480, /* frames: 10 ms */
	HALF_WAVE = 24,
	LOUDNESS = 0x2000,
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void set_mask(struct snd_pcm_hw_params *params, int which, unsigned value)
{
	struct snd_mask *mask = &params->masks[which - SNDRV_PCM_HW_PARAM_FIRST_MASK];

	memset(mask, 0, sizeof(*mask));
	mask->bits[value / 32] = 1u << value % 32;
}

static void set_interval(struct snd_pcm_hw_params *params, int which, unsigned value)
{
	struct snd_interval *interval =
		&params->intervals[which - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

	interval->min = interval->max = value;
	interval->integer = 1;
}

static void set_up(int fd)
{
	struct snd_pcm_hw_params params;

	memset(&params, 0, sizeof(params));
	memset(params.masks, 0xff, sizeof(params.masks));
	for (unsigned i = 0; i < sizeof(params.intervals) / sizeof(params.intervals[0]); i++)
		params.intervals[i].max = UINT_MAX;
	params.rmask = ~0u;
	params.info = ~0u;
	set_mask(&params, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
	set_mask(&params, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
	set_interval(&params, SNDRV_PCM_HW_PARAM_CHANNELS, CHANNELS);
	set_interval(&params, SNDRV_PCM_HW_PARAM_RATE, RATE);
	set_interval(&params, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, BLOCK * 5);
	if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &params) < 0)
		die("hw_params");
	if (ioctl(fd, SNDRV_PCM_IOCTL_PREPARE) < 0)
		die("prepare");
}

static void play(int fd, unsigned seconds)
{
	int16_t samples[BLOCK * CHANNELS];
	struct snd_xferi transfer = { .buf = samples, .frames = BLOCK };

	for (unsigned i = 0; i < BLOCK * CHANNELS; i++)
		samples[i] = i / CHANNELS / HALF_WAVE % 2 ? -LOUDNESS : LOUDNESS;
	for (unsigned i = 0; i < seconds * (RATE / BLOCK); i++)
		if (ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &transfer) < 0) {
			if (ioctl(fd, SNDRV_PCM_IOCTL_PREPARE) < 0)
				die("write");
			printf("tone: underrun\n");
		}
	if (ioctl(fd, SNDRV_PCM_IOCTL_DRAIN) < 0)
		die("drain");
	printf("tone: played %u seconds\n", seconds);
}

static void record(int fd, unsigned seconds)
{
	int16_t samples[BLOCK * CHANNELS];
	struct snd_xferi transfer = { .buf = samples, .frames = BLOCK };
	int largest = 0;

	for (unsigned i = 0; i < seconds * (RATE / BLOCK); i++) {
		memset(samples, 0, sizeof(samples));
		if (ioctl(fd, SNDRV_PCM_IOCTL_READI_FRAMES, &transfer) < 0 &&
			ioctl(fd, SNDRV_PCM_IOCTL_PREPARE) < 0)
			die("read");
		for (unsigned j = 0; j < BLOCK * CHANNELS; j++)
			largest = samples[j] > largest ? samples[j] : largest;
	}
	printf("tone: recorded, largest sample %d\n", largest);
}

int main(int argc, char **argv)
{
	char path[64];
	int fd;

	if (argc != 4)
		return 2;
	snprintf(path, sizeof(path), "/dev/snd/pcmC%sD0%c", argv[2],
		strcmp(argv[1], "play") == 0 ? 'p' : 'c');
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	set_up(fd);
	if (strcmp(argv[1], "play") == 0)
		play(fd, atoi(argv[3]));
	else
		record(fd, atoi(argv[3]));
	return 0;
}
