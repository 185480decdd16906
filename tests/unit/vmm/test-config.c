/* What options mean together: the machine, its lines, disks and devices, and each way they can contradict. */
#include "vmm/options/config.h"

#include <string.h>

struct config_case {
	const char *command_line;
	const char *error; /* NULL: accepted */
};

static struct machine_types *types;

static struct config *configure(const char *command_line, GError **error)
{
	g_auto(GStrv) words = NULL;
	struct options *options = options_new();
	struct config *config = NULL;
	int count = 0;

	if (command_line[0] != '\0')
		g_assert_true(g_shell_parse_argv(command_line, &count, &words, NULL));
	if (options_parse(options, count, words, error))
		config = config_new(options, types, error);
	options_free(options);
	return config;
}

static struct config *configured(const char *command_line)
{
	g_autoptr(GError) error = NULL;
	struct config *config = configure(command_line, &error);

	g_assert_no_error(error);
	g_assert_nonnull(config);
	return config;
}

static void test_defaults(void)
{
	struct config *config = configured("");
	const struct device_config *display =
		&g_array_index(config->devices, struct device_config, 0);

	g_assert_true(g_str_has_prefix(config->machine.name, "guest-"));
	g_assert_cmpstr(config->machine.type->name, ==, "q35-1.0");
	g_assert_cmpuint(config->machine.memory_size, ==, 128 << 20);
	g_assert_cmpuint(config->machine.cpus, ==, 1);
	g_assert_cmpstr(config->machine.cpu, ==, "host");
	g_assert_cmpuint(config->devices->len, ==, 1);
	g_assert_cmpstr(display->class->name, ==, "VGA");
	g_assert_cmpstr(config->serial[0], ==, "serial0");
	g_assert_null(config->serial[1]);
	g_assert_cmpuint(config->chardevs->len, ==, 1);
	g_assert_cmpuint(config->qmp->len, ==, 1);
	g_assert_cmpuint(config->vnc->len, ==, 0);
	g_assert_false(config->viewer);
	config_free(config);
}

static void test_nodefaults(void)
{
	struct config *config = configured("-nodefaults");

	g_assert_cmpuint(config->devices->len, ==, 0);
	g_assert_null(config->serial[0]);
	g_assert_cmpuint(config->chardevs->len, ==, 0);
	config_free(config);
}

static void test_monitors(void)
{
	struct config *config = configured(
		"-nographic -monitor null -chardev null,id=c -mon c,mode=control,pretty=on");
	const struct qmp_config *qmp = &g_array_index(config->qmp, struct qmp_config, 0);
	const struct option_set *line = g_ptr_array_index(config->chardevs, 1);

	g_assert_cmpstr(config->serial[0], ==, "serial0");
	g_assert_true(option_set_bool(line, "mux", false));
	g_assert_false(option_set_bool(line, "signal", true));
	g_assert_cmpuint(config->qmp->len, ==, 4);
	g_assert_cmpstr(qmp[1].chardev, ==, "serial0");
	g_assert_true(qmp[1].people);
	g_assert_true(qmp[2].people);
	g_assert_cmpstr(qmp[3].chardev, ==, "c");
	g_assert_true(qmp[3].pretty && !qmp[3].people);
	config_free(config);
}

static void test_sockets(void)
{
	struct config *config =
		configured("-name web -runtime-dir /run/x -qmp unix:/q,server -qmp stdio");
	const struct option_set *line = g_ptr_array_index(config->chardevs, 0);
	const struct qmp_config *qmp = &g_array_index(config->qmp, struct qmp_config, 0);

	g_assert_cmpstr(config->runtime_base, ==, "/run/x");
	g_assert_cmpstr(config->runtime_dir, ==, "/run/x/web");
	g_assert_cmpstr(option_set_get(line, "path"), ==, "/run/x/web/serial0.sock");
	g_assert_cmpuint(config->qmp->len, ==, 3);
	g_assert_cmpstr(qmp[0].path, ==, "/run/x/web/qmp.sock");
	g_assert_cmpstr(qmp[1].path, ==, "/q");
	g_assert_null(qmp[2].path);
	g_assert_cmpstr(qmp[2].chardev, ==, "qmp1");
	config_free(config);
}

static void test_machine(void)
{
	struct config *config =
		configured("-machine q35,kernel=k -initrd i -append a -bios b -m 1G "
			   "-smp 8,sockets=2,threads=2 -no-reboot -no-shutdown -S "
			   "-uuid 123E4567-E89B-12D3-A456-426614174000");
	const struct machine_config *machine = &config->machine;

	g_assert_cmpstr(machine->kernel, ==, "k");
	g_assert_cmpstr(machine->initrd, ==, "i");
	g_assert_cmpstr(machine->append, ==, "a");
	g_assert_cmpstr(machine->firmware, ==, "b");
	g_assert_cmpuint(machine->memory_size, ==, 1 << 30);
	g_assert_cmpuint(machine->cpus, ==, 8);
	g_assert_cmpuint(machine->topology.cores, ==, 2);
	g_assert_true(machine->no_reboot && machine->no_shutdown && machine->start_paused);
	g_assert_cmpstr(machine->uuid, ==, "123e4567-e89b-12d3-a456-426614174000");
	config_free(config);
}

static void test_clock(void)
{
	struct config *config = configured("-S");

	g_assert_cmpint(config->machine.rtc.base, ==, RTC_BASE_UTC);
	g_assert_cmpint(config->machine.rtc.clock, ==, RTC_CLOCK_HOST);
	g_assert_false(config->machine.rtc.slew);
	g_assert_false(config->machine.no_hpet);
	config_free(config);
	config = configured("-rtc base=localtime,clock=rt,driftfix=slew -machine hpet=off");
	g_assert_cmpint(config->machine.rtc.base, ==, RTC_BASE_LOCALTIME);
	g_assert_cmpint(config->machine.rtc.clock, ==, RTC_CLOCK_RT);
	g_assert_true(config->machine.rtc.slew);
	g_assert_true(config->machine.no_hpet);
	config_free(config);
	config = configured("-rtc base=2026-01-01T12:00:00,clock=vm -no-hpet");
	g_assert_cmpint(config->machine.rtc.base, ==, RTC_BASE_TIME);
	g_assert_cmpint(config->machine.rtc.time, ==, 1767268800);
	g_assert_cmpint(config->machine.rtc.clock, ==, RTC_CLOCK_VM);
	g_assert_true(config->machine.no_hpet);
	config_free(config);
}

static void test_lines(void)
{
	struct config *config = configured(
		"-chardev ringbuf,id=r -serial none -serial chardev:r -serial file:/f,append=on "
		"-serial unix:/s,server,nowait -debugcon stdio");

	g_assert_null(config->serial[0]);
	g_assert_cmpstr(config->serial[1], ==, "r");
	g_assert_cmpstr(config->serial[2], ==, "serial2");
	g_assert_cmpstr(config->serial[3], ==, "serial3");
	g_assert_cmpstr(config->debugcon, ==, "debugcon");
	g_assert_cmpuint(config->chardevs->len, ==, 4);
	config_free(config);
}

static void test_devices(void)
{
	struct config *config = configured(
		"-drive file=a -drive file=b,if=none,id=d,readonly=on,discard=unmap,cache=unsafe "
		"-device virtio-blk-pci,drive=d,queues=4,id=disk,addr=5.0 -device bochs-display");
	const struct drive_config *drives = (const struct drive_config *)config->drives->data;
	const struct device_config *devices = (const struct device_config *)config->devices->data;

	g_assert_cmpuint(config->drives->len, ==, 2);
	g_assert_cmpstr(drives[0].id, ==, "virtio0");
	g_assert_false(drives[0].read_only || drives[0].discard);
	g_assert_true(drives[1].read_only && drives[1].discard);
	g_assert_true(drives[1].no_flush && !drives[1].no_cache);
	/* The display that was asked for stands instead of the default. */
	g_assert_cmpuint(config->devices->len, ==, 3);
	g_assert_cmpstr(devices[0].id, ==, "disk");
	g_assert_cmpuint(devices[0].property_count, ==, 3);
	g_assert_cmpstr(devices[0].properties[2].name, ==, "addr");
	g_assert_cmpstr(devices[1].class->name, ==, "bochs-display");
	/* Those of -drive come behind the others, at the addresses that are left. */
	g_assert_cmpstr(devices[2].class->name, ==, "virtio-blk-pci");
	g_assert_cmpstr(devices[2].properties[0].value, ==, "virtio0");
	config_free(config);
}

static void test_drives(void)
{
	struct config *config = configured(
		"-drive file=a,if=none,werror=stop,rerror=ignore,cache=directsync,format=qcow2 "
		"-drive if=none,media=cdrom -drive file=c,if=virtio,index=3,snapshot=on "
		"-blockdev driver=nbd,server.type=unix,server.path=/s,export=e,node-name=bytes "
		"-blockdev qcow2,file=bytes,node-name=disk,discard=unmap "
		"-blockdev "
		"'{\"driver\":\"raw\",\"node-name\":\"r\",\"file\":{\"driver\":\"file\","
		"\"filename\":\"x:y\"},\"read-only\":true}' -device virtio-blk-pci,drive=disk");
	const struct drive_config *drives = (const struct drive_config *)config->drives->data;

	g_assert_cmpuint(config->drives->len, ==, 6);
	g_assert_cmpstr(drives[0].id, ==, "none0");
	g_assert_cmpstr(drives[0].format, ==, "qcow2");
	g_assert_cmpint(drives[0].on_write_error, ==, DRIVE_ERROR_STOP);
	g_assert_cmpint(drives[0].on_read_error, ==, DRIVE_ERROR_IGNORE);
	g_assert_true(drives[0].no_cache && drives[0].write_through);
	g_assert_cmpstr(drives[1].id, ==, "none-cd1");
	g_assert_true(drives[1].is_cdrom && drives[1].read_only && !drives[1].file);
	g_assert_cmpstr(drives[2].id, ==, "virtio3");
	g_assert_true(drives[2].snapshot);
	g_assert_cmpstr(drives[3].file, ==, "nbd+unix:///e?socket=/s");
	g_assert_true(drives[3].is_used);
	g_assert_cmpstr(drives[4].child, ==, "bytes");
	g_assert_true(drives[4].discard);
	g_assert_cmpstr(drives[5].file, ==, "./x:y");
	g_assert_true(drives[5].read_only);
	config_free(config);
}

static void test_vnc(void)
{
	struct config *config =
		configured("-vnc :1 -vnc host:2 -vnc [::1]:3 -vnc unix:/v -vnc none -display gtk");
	const struct vnc_config *vnc = (const struct vnc_config *)config->vnc->data;

	g_assert_cmpuint(config->vnc->len, ==, 4);
	g_assert_cmpstr(vnc[0].host, ==, "localhost");
	g_assert_cmpuint(vnc[0].port, ==, 5901);
	g_assert_cmpstr(vnc[1].host, ==, "host");
	g_assert_cmpstr(vnc[2].host, ==, "::1");
	g_assert_null(vnc[3].host);
	g_assert_cmpstr(vnc[3].path, ==, "/v");
	g_assert_true(config->viewer);
	config_free(config);
}

#define TWO_BACKENDS \
	"-object memory-backend-ram,id=m,size=32M -object memory-backend-ram,id=n,size=32M "

static const struct config_case cases[] = {
	{ "-nographic", NULL },
	{ "-drive if=pflash,file=a,readonly=on -drive if=pflash,file=b", NULL },
	{ "-drive if=pflash,unit=1,file=b",
		"-drive if=pflash,unit=1: it holds variables of the firmware in unit=0, which is "
		"missing" },
	{ "-drive if=pflash,unit=0,file=a -drive if=pflash,unit=0,file=b",
		"-drive: file=b: the flash chip unit=0 is taken by a" },
	{ "-drive if=pflash,file=a -bios b",
		"-bios b: the firmware is in the flash chip a already; leave one of the two out" },
	{ "-blockdev driver=file,filename=a,node-name=n,read-only=on -machine pflash0=n", NULL },
	{ "-blockdev driver=file,filename=a,node-name=n -blockdev "
	  "driver=raw,file=n,node-name=m,read-only=on -machine pflash0=m "
	  "-drive if=pflash,unit=1,file=b",
		NULL },
	{ "-machine pflash0=n", "-machine pflash0=n: there is no drive 'n'; make one with -drive "
				"file=FILE,if=none,id=n" },
	{ "-blockdev driver=file,filename=a,node-name=n -machine pflash1=n",
		"-drive if=pflash,unit=1: it holds variables of the firmware in unit=0, which is "
		"missing" },
	{ "-blockdev driver=file,filename=a,node-name=n -machine pflash0=n -drive "
	  "if=pflash,unit=0,file=b",
		"-machine pflash0=n: this flash chip is taken by b" },
	{ "-blockdev driver=file,filename=a,node-name=n -machine pflash0=n -device "
	  "virtio-blk-pci,drive=n",
		"-device: drive 'n' is taken by -machine pflash0=n" },
	{ "-blockdev driver=qcow2,file.filename=a,node-name=n -machine pflash0=n",
		"-machine pflash0=n: a flash chip takes a -blockdev with driver=raw over "
		"driver=file, or the latter alone" },
	{ "-blockdev driver=nbd,server.type=unix,server.path=/a,node-name=n -machine pflash0=n",
		"-machine pflash0=n: a flash chip takes a -blockdev with driver=raw over "
		"driver=file, or the latter alone" },
	{ "-boot menu=on,splash-time=500", NULL },
	{ "-boot dn,once=c,strict=on", NULL },
	{ "-boot cdac",
		"-boot: order=cdac is not accepted; accepted: up to 3 of a (floppy), c (disk), d "
		"(CD-ROM), n "
		"(network), each once" },
	{ "-fw_cfg opt/a,string=b -fw_cfg opt/c,file=d", NULL },
	{ "-fw_cfg opt/a,string=b,file=c", "-fw_cfg: name=opt/a takes either file= or string=" },
	{ "-smbios type=1,serial=4711 -smbios type=11,value=a -smbios file=x", NULL },
	{ "-smbios serial=4711", "-smbios: takes either type=N or file=FILE" },
	{ "-smbios type=0,release=1", "-smbios: type=0,release=1 is not accepted; accepted: two "
				      "numbers up to 255, such as "
				      "1.0" },
	{ "-m 64 -numa node,mem=32 -numa node,mem=32 -numa dist,src=0,dst=1,val=21", NULL },
	{ "-m 64 -smp 4 -numa node,cpus=0-1 -numa node,cpus=2-3", NULL },
	{ "-m 64 -numa node,mem=32",
		"-numa node: the nodes have 32 MiB of memory together, -m says 64" },
	{ "-smp 2 -numa node,cpus=0-1 -numa node,cpus=1",
		"-numa: cpus=1: processor 1 belongs to node 0 already" },
	{ "-numa node -numa dist,src=0,dst=1,val=20",
		"-numa: takes src=, dst= and val=, with nodes from 0 to 0" },
	{ "-numa node,memdev=m", "-numa: memdev=m: there is no such memory; make it with -object "
				 "memory-backend-ram,id=m,size=SIZE" },
	{ "-m 64 " TWO_BACKENDS "-numa node,memdev=m -numa node,memdev=n", NULL },
	{ "-m 64 " TWO_BACKENDS "-numa node,memdev=m -numa node,memdev=m",
		"-numa: memdev=m is the memory of node 0 already; each node has its own" },
	{ "-m 64 " TWO_BACKENDS "-numa node,memdev=m -numa node,mem=32",
		"-numa node: node 1 has no memdev=, and others have; give one to all nodes, or to "
		"none" },
	{ "-m 32 " TWO_BACKENDS "-machine memory-backend=m -numa node,memdev=n",
		"-numa: memdev=n: all memory is m already, as -machine memory-backend= says" },
	{ "-serial none -qmp none", NULL },
	{ "-smp cores=2,threads=2", NULL },
	{ "-smp 4,maxcpus=4", NULL },
	{ "-device VGA -device VGA", NULL },

	{ "-machine isapc",
		"-machine: there is no machine type 'isapc'; accepted: pc, pc-1.0, q35, q35-1.0" },
	{ "-rtc base=2026-13-01", "-rtc: base=2026-13-01 is not accepted; accepted: utc, local" },
	{ "-rtc base=2026-1-01", "base=2026-1-01 is not accepted" },
	{ "-rtc base=1969-12-31", "base=1969-12-31 is not accepted" },
	{ "-rtc base=2026-01-01T12:00:00Z", "base=2026-01-01T12:00:00Z is not accepted" },
	{ "-name a/b", "-name: \"a/b\" is no name for a guest" },
	{ "-name .a", "-name: \".a\" is no name for a guest" },
	{ "-m 8388609B", "-m: size=8388609B is not accepted; accepted: a multiple of 4K" },
	{ "-smp 4,sockets=3",
		"-smp: 3 sockets of 1 cores of 1 threads make 3 processors, not cpus=4" },
	{ "-smp 2,maxcpus=4", "-smp: maxcpus=4 is not accepted; accepted: the same as cpus, 2" },
	{ "-smp sockets=8,cores=8", "-smp: cpus=64 is not accepted; accepted: up to 8" },
	{ "-initrd x", "-initrd x: needs -kernel" },
	{ "-append x", "-append: needs -kernel" },
	{ "-serial mon:stdio -monitor pty -qmp-pretty null", NULL },
	{ "-chardev stdio,id=c,mux=on -serial chardev:c -mon c -mon c,mode=control", NULL },
	{ "-chardev stdio,id=c -serial chardev:c -mon c", "-mon: chardev 'c' is taken by -serial" },
	{ "-mon nobody", "-mon: there is no chardev 'nobody'" },
	{ "-chardev null,id=c -mon c,pretty=on", "-mon: pretty=on is for mode=control, QMP" },
	{ "-serial mon:none", "-serial: mon:none is not accepted" },
	{ "-monitor mon:stdio", "-monitor: mon:stdio is not accepted: mon: is for -serial" },
	{ "-serial mon:stdio -monitor stdio",
		"-monitor: standard input and output are taken by -serial" },
	{ "-serial tcp:localhost:1 -monitor tcp::0,server=on -serial tcp:[::1]:2", NULL },
	{ "-serial pipe:/p -monitor unix:/m,server=off,reconnect=1", NULL },
	{ "-qmp unix:/q -qmp unix:/r,reconnect=1 -qmp unix:/s,server,wait", NULL },
	{ "-serial tcp:localhost",
		"-serial: tcp:localhost is not accepted; accepted: tcp:HOST:PORT" },
	{ "-serial tcp:localhost:65536", "-serial: port=65536 is not accepted" },
	{ "-serial tcp:localhost:0", "-serial: host=HOST and port=PORT of the server" },
	{ "-serial telnet::1", "-serial: telnet::1 is not accepted: there is no Telnet" },
	{ "-serial com1", "-serial: com1 is not accepted; accepted: stdio, pty, null, none" },
	{ "-serial chardev:x", "-serial: there is no chardev 'x'" },
	{ "-serial chardev:x,append=on", "-serial: chardev:x takes no key 'append'" },
	{ "-serial stdio,server=on", "-serial: stdio takes no key 'server'" },
	{ "-serial unix:/s,server=off,wait=on", "-serial: wait=on is for server=on" },
	{ "-serial unix:/s,server,reconnect=1", "-serial: reconnect=1 is for server=off" },
	{ "-serial file:", "-serial: path=PATH is missing" },
	{ "-serial stdio -qmp stdio", "-qmp: standard input and output are taken by -serial" },
	{ "-chardev null,id=a -serial chardev:a -serial chardev:a",
		"-serial: chardev 'a' is taken by -serial" },
	{ "-chardev null,id=serial0 -serial pty", "-chardev id=serial0 takes that name" },
	{ "-serial null -serial null -serial null -serial null -serial null",
		"-serial: null is one too many; accepted: up to 4 ports" },
	{ "-chardev file,id=a", "-chardev id=a: path=PATH is missing" },
	{ "-chardev socket,id=a,path=/x", NULL },
	{ "-chardev socket,id=a,fd=7,server=on -mon a", NULL },
	{ "-chardev socket,id=a", "-chardev id=a: one place is needed: path=PATH" },
	{ "-chardev socket,id=a,path=/x,fd=7", "-chardev id=a: one place is needed" },
	{ "-chardev socket,id=a,path=/x,host=h", "-chardev id=a: one place is needed" },
	{ "-chardev socket,id=a,fd=2", "fd=2 is not accepted" },
	{ "-chardev null,id=a,logfile=/l,logappend=on", NULL },
	{ "-chardev null,id=a,path=/x", "null takes no key 'path'; accepted: none" },
	{ "-chardev ringbuf,id=a,size=100", "size=100 is not accepted; accepted: a power of two" },
	{ "-qmp unix:,server", "-qmp: unix: names no path" },
	{ "-qmp unix:/q,wait=on", "-qmp: wait=on is for server=on" },
	{ "-vnc 5", "-vnc: 5 is not accepted; accepted: [HOST]:N" },
	{ "-vnc :59636", "-vnc: :59636 is not accepted" },
	{ "-vnc :-1", "-vnc: :-1 is not accepted" },
	{ "-vnc ::1:1", "-vnc: ::1:1 is not accepted" },
	{ "-vnc unix:", "-vnc: unix: is not accepted" },
	{ "-nographic -display gtk", "-nographic: there is no window with it" },
	{ "-device virtio-blk-pc",
		"there is no device 'virtio-blk-pc'; did you mean virtio-blk-pci?" },
	{ "-device sound-blaster",
		"-device: there is no device 'sound-blaster'; \"-device help\"" },
	{ "-device mch", "-device: mch is part of the machine and cannot be added" },
	{ "-device VGA,x=1", "-device: VGA has no property 'x'; \"-device VGA,help\" lists all" },
	{ "-device VGA,queues=17", "-device: VGA: queues=17 is not accepted; accepted: 1 to 16" },
	{ "-device VGA,octet=256", "octet=256 is not accepted; accepted: 0x0 to 0xff" },
	{ "-device VGA,colour=blue", "colour=blue is not accepted; accepted: one of red, green" },
	{ "-device VGA,memory=512M", "memory=512M is not accepted; accepted: a size from 1M to" },
	{ "-device VGA,enabled=1",
		"enabled=1 is not accepted; accepted: on, off, yes, no, true or false" },
	{ "-device virtio-blk-pci,drive=x", "there is no drive 'x'; make one with -drive" },
	{ "-drive file=a,id=x -device virtio-blk-pci,drive=x",
		"-device: drive 'x' is taken by -drive x (with if=none it would be free)" },
	{ "-drive if=none", "-drive: file=... is missing; only a CD-ROM drive" },
	{ "-drive file=a,if=virtio,media=cdrom", "there is no CD-ROM drive with if=virtio" },
	{ "-drive file=a,media=cdrom,if=none,readonly=off", "readonly=off is not possible" },
	{ "-drive file=a,index=1,unit=1,if=none", "-drive: index= says all that bus= and unit=" },
	{ "-drive file=a,index=1,if=none -drive file=b,index=1,if=none",
		"-drive: drive none1 is at this place already (bus 0, unit 1)" },
	{ "-drive file=a,if=ide", "-drive ide0-hd0: if=ide is not possible: there is no ide-hd" },
	{ "-drive file=a,if=ide,unit=1", "unit=1 is not accepted; accepted: up to 0" },
	{ "-blockdev raw,node-name=a", "driver=raw needs file=NODE-NAME or file.filename=PATH" },
	{ "-blockdev raw,node-name=a,file=b", "file=b: there is no such -blockdev" },
	{ "-blockdev file,node-name=a", "-blockdev: filename=PATH is missing" },
	{ "-blockdev file,node-name=a,filename=f,file=x", "takes no file=" },
	{ "-blockdev nbd,node-name=a,server.type=unix", "server.type has to be unix, with" },
	{ "-blockdev file,node-name=a,filename=f -blockdev file,node-name=a,filename=g",
		"node-name=a: the name is taken by another drive" },
	{ "-blockdev file,node-name=a,filename=f -blockdev raw,file=a,node-name=b "
	  "-blockdev raw,file=a,node-name=c",
		"file=a is used by another -blockdev" },
	{ "-blockdev file,node-name=a,filename=f -blockdev raw,file=a,node-name=b "
	  "-device virtio-blk-pci,drive=a",
		"drive 'a' is the file of another -blockdev" },
	{ "-drive file=a -drive file=b,if=virtio,id=virtio0",
		"the name virtio0 is taken by another drive" },
	{ "-device VGA,chardev=x", "-device: there is no chardev 'x'" },
	{ "-runtime-dir "
	  "/a12345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	  "7"
	  "89012345",
		"is too long for the sockets in it" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		struct config *config = configure(cases[i].command_line, &error);

		g_test_message("%s", cases[i].command_line);
		if (!cases[i].error)
			g_assert_no_error(error);
		else if (config || !strstr(error->message, cases[i].error))
			g_error("%s: \"%s\" is not in \"%s\"", cases[i].command_line,
				cases[i].error, config ? "(no error)" : error->message);
		config_free(config);
	}
}

int main(int argc, char **argv)
{
	g_autofree char *folder = NULL;
	int result;

	g_test_init(&argc, &argv, NULL);
	g_setenv("XDG_RUNTIME_DIR", "/run/user/test", TRUE);
	folder = g_test_build_filename(G_TEST_DIST, "data/machine-types", NULL);
	types = machine_types_load(folder, NULL);
	g_assert_nonnull(types);
	g_test_add_func("/config/defaults", test_defaults);
	g_test_add_func("/config/nodefaults", test_nodefaults);
	g_test_add_func("/config/sockets", test_sockets);
	g_test_add_func("/config/monitors", test_monitors);
	g_test_add_func("/config/machine", test_machine);
	g_test_add_func("/config/clock", test_clock);
	g_test_add_func("/config/lines", test_lines);
	g_test_add_func("/config/devices", test_devices);
	g_test_add_func("/config/drives", test_drives);
	g_test_add_func("/config/vnc", test_vnc);
	g_test_add_func("/config/refusals", test_cases);
	result = g_test_run();
	machine_types_free(types);
	return result;
}
