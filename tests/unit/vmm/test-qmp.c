/* QMP: where messages end, what each is answered, and what clients that misbehave get. */
#include "vmm/control/qmp.h"

#include <glib/gstdio.h>
#include <png.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sockets.h"
#include "display/head.h"
#include "tests/unit/vmm/fake-machine.h"
#include "vmm/chardev/chardev.h"
#include "vmm/control/json-splitter.h"
#include "vmm/control/keycodes.h"
#include "vmm/control/qmp-socket.h"
#include "vmm/options/options.h"

/* --- where values end --- */

static const struct {
	const char *text;
	const char *
		result; /* "V" for each value, "E" for each error, "+" when something is left open */
} splits[] = {
	{ "", "" },
	{ " \r\n\t", "" },
	{ "{}", "V" },
	{ "{}{}\n[]", "VVV" },
	{ "{\"a\":\"}\"}", "V" },
	{ "{\"a\":\"\\\"}\"}", "V" },
	{ "{\"a\":\"\\\\\"}{", "V+" },
	{ "{\"a\":[{},{}]}", "V" },
	{ "{", "+" },
	{ "{\"", "+" },
	{ "[}", "E" },
	{ "{]", "E" },
	{ "}", "E" },
	{ "5", "E" },
	{ "nonsense {} \n{}", "EV" },
	{ "{\"a\x01\"}\n{}", "EV" },
	{ "{\"a\n\"}{}", "EE" },
	{ "{\x7f}", "V" },
	{ "{\x02}\n{}", "EV" },
};

/* Feeds @chunk bytes at a time: the result must not depend on it. */
static char *split(const char *text, size_t chunk)
{
	struct json_splitter splitter = {};
	GString *result = g_string_new(NULL);
	size_t length = strlen(text);

	for (size_t at = 0; at < length;) {
		size_t used = 0;
		enum json_split found = json_split(
			&splitter, (const uint8_t *)text + at, MIN(chunk, length - at), &used);

		g_assert_cmpuint(used, >, 0);
		g_assert_cmpuint(used, <=, MIN(chunk, length - at));
		at += used;
		if (found != JSON_SPLIT_MORE)
			g_string_append_c(result, found == JSON_SPLIT_VALUE ? 'V' : 'E');
	}
	if (splitter.length > 0)
		g_string_append_c(result, '+');
	return g_string_free(result, FALSE);
}

static void test_split(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(splits); i++) {
		for (size_t chunk = 1; chunk < 5; chunk++) {
			g_autofree char *result = split(splits[i].text, chunk);

			g_test_message("%s", splits[i].text);
			g_assert_cmpstr(result, ==, splits[i].result);
		}
	}
}

static void test_split_limits(void)
{
	g_autofree char *deep = g_strnfill(JSON_MAX_DEPTH, '[');
	g_autofree char *deeper = g_strnfill(JSON_MAX_DEPTH + 1, '[');
	g_autofree char *blanks = g_strnfill(JSON_MAX_LENGTH - 2, ' ');
	g_autofree char *longest = g_strdup_printf("{%s}", blanks);
	g_autofree char *longer = g_strdup_printf("{%s }", blanks);
	g_autofree char *results[] = { split(deep, 64), split(deeper, 64), split(longest, 4096),
		split(longer, 4096) };

	g_assert_cmpstr(results[0], ==, "+");
	g_assert_cmpstr(results[1], ==, "E");
	g_assert_cmpstr(results[2], ==, "V");
	g_assert_cmpstr(results[3], ==, "E");
	for (size_t i = 1; i < G_N_ELEMENTS(results); i++)
		g_free(results[i]);
}

/* --- conversations --- */

struct fixture {
	char *folder, *path;
	struct machine_config config;
	struct machine *machine;
	GPtrArray *chardevs;
	struct qmp *qmp;
	int fd;
	GString *input; /* received and not yet looked at */
};

static struct chardev *create_chardev(const char *arguments)
{
	char *words[] = { "-chardev", (char *)arguments };
	struct options *options = options_new();
	struct chardev *chardev;

	g_assert_true(options_parse(options, 2, words, NULL));
	chardev = chardev_new(options_find(options, "chardev"), NULL);
	g_assert_nonnull(chardev);
	options_free(options);
	return chardev;
}

static void setup(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->folder = g_dir_make_tmp("qmp-XXXXXX", NULL);
	f->path = g_build_filename(f->folder, "s", NULL);
	f->config.name = "web";
	f->machine = fake_machine_new(&f->config);
	f->chardevs = g_ptr_array_new_with_free_func((GDestroyNotify)chardev_free);
	g_ptr_array_add(f->chardevs, create_chardev("ringbuf,id=ring,size=64"));
	f->qmp = qmp_new(f->machine, f->chardevs);
	g_assert_true(qmp_listen(f->qmp, f->path, false, &error));
	f->fd = socket_connect_unix(f->path, NULL);
	f->input = g_string_new(NULL);
}

static void teardown(struct fixture *f, gconstpointer data)
{
	close(f->fd);
	qmp_free(f->qmp);
	g_ptr_array_unref(f->chardevs);
	fake_machine_free(f->machine);
	g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
	g_rmdir(f->folder);
	g_free(f->path);
	g_free(f->folder);
	g_string_free(f->input, TRUE);
}

/* The next line, without its end; NULL at the end of the stream. */
static char *next_line(int fd, GString *input)
{
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	char bytes[4096];
	char *line;

	while (!strstr(input->str, "\r\n")) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		g_assert_cmpint(g_get_monotonic_time(), <, end);
		if (got == 0)
			return NULL;
		if (got > 0)
			g_string_append_len(input, bytes, got);
		else
			g_main_context_iteration(NULL, FALSE);
	}
	line = g_strndup(input->str, strstr(input->str, "\r\n") - input->str);
	g_string_erase(input, 0, (gssize)strlen(line) + 2);
	return line;
}

static void say(int fd, const char *text)
{
	g_assert_cmpint(send(fd, text, strlen(text), 0), ==, strlen(text));
}

static void expect(struct fixture *f, const char *expected)
{
	g_autofree char *line = next_line(f->fd, f->input);

	g_assert_cmpstr(line, ==, expected);
}

static void expect_part(struct fixture *f, const char *part)
{
	g_autofree char *line = next_line(f->fd, f->input);

	if (!line || !strstr(line, part))
		g_error("\"%s\" is not in \"%s\"", part, line);
}

static void ask(struct fixture *f, const char *request, const char *expected)
{
	say(f->fd, request);
	expect(f, expected);
}

static void negotiate(struct fixture *f)
{
	expect_part(f, "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},"
		       "\"package\":\"Vitrine ");
	ask(f, "{\"execute\":\"qmp_capabilities\"}", "{\"return\":{}}");
}

#define GENERIC(text)    "{\"error\":{\"class\":\"GenericError\",\"desc\":\"" text "\"}}"
#define NO_COMMAND(text) "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"" text "\"}}"

/* The errors are QEMU 7.2's, word for word, but for the JSON parser's own. */
static const struct {
	const char *request, *answer;
} dialogue[] = {
	{ "{\"execute\":\"query-name\"}", "{\"return\":{\"name\":\"web\"}}" },
	{ "{\"execute\":\"query-name\",\"id\":[1,{\"a\":null}]}",
		"{\"return\":{\"name\":\"web\"},\"id\":[1,{\"a\":null}]}" },
	{ "{\"execute\":\"query-name\",\"arguments\":{}}", "{\"return\":{\"name\":\"web\"}}" },
	{ "{\"execute\":\"query-uuid\"}",
		"{\"return\":{\"UUID\":\"00000000-0000-0000-0000-000000000000\"}}" },
	{ "{\"execute\":\"query-status\"}",
		"{\"return\":{\"status\":\"running\",\"singlestep\":false,\"running\":true}}" },
	{ "{\"execute\":\"query-chardev\"}",
		"{\"return\":[{\"frontend-open\":false,\"filename\":\"ringbuf\","
		"\"label\":\"ring\"}]}" },
	{ "{\"execute\":\"inject-nmi\"}", "{\"return\":{}}" },
	{ "{\"execute\":\"x-query-internal-error\"}", "{\"return\":[]}" },
	{ "{\"execute\":\"foo\"}", NO_COMMAND("The command foo has not been found") },
	{ "{\"execute\":\"qmp_capabilities\"}",
		NO_COMMAND("Capabilities negotiation is already complete, command ignored") },
	{ "{\"execute\":5}", GENERIC("QMP input member 'execute' must be a string") },
	{ "{}", GENERIC("QMP input lacks member 'execute'") },
	{ "[1]", GENERIC("QMP input must be a JSON object") },
	{ "{\"x\":1}", GENERIC("QMP input member 'x' is unexpected") },
	{ "{\"execute\":\"stop\",\"exec-oob\":1}",
		GENERIC("QMP input member 'exec-oob' is unexpected") },
	{ "{\"execute\":\"stop\",\"arguments\":5}",
		GENERIC("QMP input member 'arguments' must be an object") },
	{ "{\"execute\":\"stop\",\"arguments\":{\"a\":1}}",
		GENERIC("Parameter 'a' is unexpected") },
	{ "{\"execute\":\"screendump\"}", GENERIC("Parameter 'filename' is missing") },
	{ "{\"execute\":\"screendump\",\"arguments\":{\"filename\":5}}",
		GENERIC("Invalid parameter type for 'filename', expected: string") },
	{ "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/x\",\"format\":\"gif\"}}",
		GENERIC("Parameter 'format' does not accept value 'gif'") },
	{ "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/x\",\"head\":1}}",
		GENERIC("'head' must be specified together with 'device'") },
	{ "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/x\",\"device\":\"q\"}}",
		"{\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"Device 'q' not found\"}}" },
	{ "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/x\"}}",
		GENERIC("There is no console to take a screendump from") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":5}}",
		GENERIC("Invalid parameter type for 'keys', expected: array") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[5]}}",
		GENERIC("Invalid parameter type for 'keys[0]', expected: object") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":\"zz\"}]"
	  "}}",
		GENERIC("Parameter 'data' does not accept value 'zz'") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"number\",\"data\":\"z\"}]"
	  "}}",
		GENERIC("Invalid parameter type for 'keys[0].data', expected: integer") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"number\",\"data\":256}]}"
	  "}",
		GENERIC("Parameter 'data' does not accept value '256'") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"foo\",\"data\":\"a\"}]}}",
		GENERIC("Parameter 'type' does not accept value 'foo'") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[],\"hold-time\":\"x\"}}",
		GENERIC("Invalid parameter type for 'hold-time', expected: integer") },
	{ "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[],\"hold-time\":-1}}",
		GENERIC("Parameter 'hold-time' expects 0 to 10000 milliseconds") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[5]}}",
		GENERIC("Invalid parameter type for 'events[0]', expected: object") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"sound\","
	  "\"data\":{}}]}}",
		GENERIC("Parameter 'type' does not accept value 'sound'") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"btn\",\"data\":"
	  "{\"button\":\"left\"}}]}}",
		GENERIC("Parameter 'events[0].data.down' is missing") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"btn\",\"data\":"
	  "{\"button\":\"none\",\"down\":true}}]}}",
		GENERIC("Parameter 'button' does not accept value 'none'") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"key\",\"data\":"
	  "{\"key\":{\"type\":\"qcode\",\"data\":\"zz\"},\"down\":true}}]}}",
		GENERIC("Parameter 'data' does not accept value 'zz'") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"rel\",\"data\":"
	  "{\"axis\":\"x\",\"value\":32768}}]}}",
		GENERIC("Parameter 'value' expects -32767 to 32767") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"abs\",\"data\":"
	  "{\"axis\":\"x\",\"value\":-1}}]}}",
		GENERIC("Parameter 'value' expects 0 to 32767") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"abs\",\"data\":"
	  "{\"axis\":\"z\",\"value\":1}}]}}",
		GENERIC("Parameter 'axis' does not accept value 'z'") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"mtt\",\"data\":"
	  "{\"type\":\"begin\",\"slot\":16,\"tracking-id\":0,\"axis\":\"x\",\"value\":0}}]}}",
		GENERIC("Parameter 'slot' expects 0 to 15") },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"device\":\"q\",\"events\":[]}}",
		"{\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"Device 'q' not found\"}}" },
	{ "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[]}}", "{\"return\":{}}" },
	{ "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"x\",\"size\":10}}",
		GENERIC("Device 'x' not found") },
	{ "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"ring\",\"size\":0}}",
		GENERIC("size must be greater than zero") },
	{ "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"ring\",\"size\":1.5}}",
		GENERIC("Invalid parameter type for 'size', expected: integer") },
	{ "}\n", GENERIC("JSON parse error, expecting value") },
	{ "nonsense\n", GENERIC("JSON parse error, expecting value") },
	{ "[}\n", GENERIC("JSON parse error, brackets that do not match") },
	{ "{\"execute\":\"query-name\xff\"}",
		GENERIC("JSON parse error, a text that is no UTF-8") },
	{ "{\"execute\":\"query-name\"}", "{\"return\":{\"name\":\"web\"}}" },
};

static void test_dialogue(struct fixture *f, gconstpointer data)
{
	negotiate(f);
	for (size_t i = 0; i < G_N_ELEMENTS(dialogue); i++) {
		g_test_message("request %zu", i);
		ask(f, dialogue[i].request, dialogue[i].answer);
	}
	say(f->fd, "{\"execute\" x}");
	expect_part(f, "\"class\":\"GenericError\",\"desc\":\"JSON parse error, ");
	g_assert_cmpstr(fake_machine_log->str, ==, "nmi");
}

static void test_before_negotiation(struct fixture *f, gconstpointer data)
{
	expect_part(f, "{\"QMP\":");
	ask(f, "{\"execute\":\"stop\"}",
		NO_COMMAND("Expecting capabilities negotiation with 'qmp_capabilities'"));
	ask(f, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}",
		GENERIC("There are no capabilities to enable"));
	/* No events either. */
	machine_stop(f->machine);
	ask(f, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]}}",
		"{\"return\":{}}");
}

static void test_in_pieces(struct fixture *f, gconstpointer data)
{
	const char *request = "{\"execute\": \"query-name\"}";

	negotiate(f);
	for (const char *c = request; *c != '\0'; c++) {
		send(f->fd, c, 1, 0);
		g_main_context_iteration(NULL, FALSE);
	}
	expect(f, "{\"return\":{\"name\":\"web\"}}");
}

/* Answers and events in the order that QEMU has them. */
static void test_machine(struct fixture *f, gconstpointer data)
{
	negotiate(f);
	say(f->fd, "{\"execute\":\"stop\"}{\"execute\":\"cont\"}{\"execute\":\"system_reset\"}"
		   "{\"execute\":\"system_powerdown\"}{\"execute\":\"quit\"}");
	expect_part(f, ",\"event\":\"STOP\"}");
	expect(f, "{\"return\":{}}");
	expect_part(f, ",\"event\":\"RESUME\"}");
	expect(f, "{\"return\":{}}");
	expect(f, "{\"return\":{}}");
	expect_part(f, "\"event\":\"RESET\",\"data\":{\"guest\":false,"
		       "\"reason\":\"host-qmp-system-reset\"}}");
	expect(f, "{\"return\":{}}");
	expect_part(f, "{\"timestamp\":{\"seconds\":");
	expect(f, "{\"return\":{}}");
	expect_part(f,
		"\"event\":\"SHUTDOWN\",\"data\":{\"guest\":false,\"reason\":\"host-qmp-quit\"}}");
	g_assert_cmpstr(fake_machine_log->str, ==, "stop cont reset powerdown quit");
}

static void test_cont_refused(struct fixture *f, gconstpointer data)
{
	negotiate(f);
	f->machine->state = RUN_STATE_SHUTDOWN;
	ask(f, "{\"execute\":\"cont\"}", GENERIC("the guest is off"));
}

static void test_stop_refused(struct fixture *f, gconstpointer data)
{
	negotiate(f);
	f->machine->state = RUN_STATE_SUSPENDED;
	ask(f, "{\"execute\":\"stop\"}",
		GENERIC("the guest sleeps and cannot be stopped; system_wakeup wakes it"));
	g_assert_cmpstr(fake_machine_log->str, ==, "");
}

static void test_internal_error(struct fixture *f, gconstpointer data)
{
	struct vcpu_failure failure = { (char *)"emulation failure", (char *)"rax=1\nrip=2\n",
		(char *)"f4" };

	negotiate(f);
	fake_machine_tell(
		MACHINE_EVENT_INTERNAL_ERROR, 0, "emulation failure\nrax=1\nrip=2\ncode: f4");
	expect_part(f, "\"event\":\"X_INTERNAL_ERROR\",\"data\":{\"reason\":\"emulation failure\","
		       "\"details\":[\"rax=1\",\"rip=2\",\"code: f4\"]}}");
	fake_failure = &failure;
	ask(f, "{\"execute\":\"x-query-internal-error\"}",
		"{\"return\":[{\"cpu-index\":0,\"reason\":\"emulation failure\",\"registers\":"
		"[\"rax=1\",\"rip=2\"],\"code\":\"f4\"}]}");
	fake_failure = NULL;
}

static void test_lists(struct fixture *f, gconstpointer data)
{
	negotiate(f);
	say(f->fd, "{\"execute\":\"query-commands\"}");
	expect_part(f, "{\"name\":\"screendump\"}");
	say(f->fd, "{\"execute\":\"query-machines\"}");
	expect_part(f,
		"\"name\":\"q35-1.0\",\"numa-mem-supported\":false,"
		"\"default-cpu-type\":\"host-x86_64-cpu\",\"cpu-max\":8,\"deprecated\":false,"
		"\"alias\":\"q35\",\"is-default\":true");
}

static void test_ring(struct fixture *f, gconstpointer data)
{
	struct chardev *ring = g_ptr_array_index(f->chardevs, 0);

	negotiate(f);
	chardev_write(ring, "a\xff\0b", 4);
	ask(f, "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"ring\",\"size\":100}}",
		"{\"return\":\"a\xef\xbf\xbd\xef\xbf\xbd"
		"b\"}");
	chardev_write(ring, "hello", 5);
	ask(f,
		"{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"ring\",\"size\":4,"
		"\"format\":\"base64\"}}",
		"{\"return\":\"aGVsbA==\"}");
}

static void record_key(void *device, uint8_t qnum, bool down)
{
	g_string_append_printf(device, "%02x%c ", qnum, down ? '+' : '-');
}

static bool has_keys(GString *keys)
{
	return keys->len >= 6 * 4;
}

static void test_send_key(struct fixture *f, gconstpointer data)
{
	static const struct keyboard_ops ops = { record_key };
	g_autoptr(GString) keys = g_string_new(NULL);
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	g_mutex_lock(&f->machine->lock);
	display_set_keyboard(f->machine->display, &ops, keys);
	g_mutex_unlock(&f->machine->lock);
	negotiate(f);
	ask(f,
		"{\"execute\":\"send-key\",\"arguments\":{\"hold-time\":1,\"keys\":["
		"{\"type\":\"qcode\",\"data\":\"ctrl\"},{\"type\":\"qcode\",\"data\":\"alt\"},"
		"{\"type\":\"number\",\"data\":211}]}}",
		"{\"return\":{}}");
	while (!has_keys(keys)) {
		g_assert_cmpint(g_get_monotonic_time(), <, end);
		g_main_context_iteration(NULL, FALSE);
	}
	g_assert_cmpstr(keys->str, ==, "1d+ 38+ d3+ d3- 38- 1d- ");
	g_mutex_lock(&f->machine->lock);
	display_set_keyboard(f->machine->display, NULL, keys);
	g_mutex_unlock(&f->machine->lock);
}

/* --- screendump --- */

enum {
	WIDTH = 3,
	HEIGHT = 2,
	STRIDE = 16
};

static struct head *show_picture(struct fixture *f, struct video_memory *memory)
{
	static const uint32_t pixels[] = { 0xff0000, 0x00ff00, 0x0000ff, 0xdead, 0x102030, 0xffffff,
		0x000000, 0xbeef };
	struct scanout scanout = { WIDTH, HEIGHT, STRIDE, 64, PIXMAN_x8r8g8b8 };
	struct head_config config = { .label = "VGA", .device_address = "pci/0000/01.0" };
	struct head *head;

	memcpy(video_memory_bytes(memory) + 64, pixels, sizeof(pixels));
	g_mutex_lock(&f->machine->lock);
	head = head_new(f->machine->display, &config);
	head_set_scanout(head, memory, &scanout);
	g_mutex_unlock(&f->machine->lock);
	return head;
}

static const uint8_t expected_pixels[] = { 0xff, 0, 0, 0, 0xff, 0, 0, 0, 0xff, 0x10, 0x20, 0x30,
	0xff, 0xff, 0xff, 0, 0, 0 };

static void check_png(const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t pixels[WIDTH * HEIGHT * 3];

	g_assert_true(png_image_begin_read_from_file(&image, path));
	g_assert_cmpuint(image.width, ==, WIDTH);
	g_assert_cmpuint(image.height, ==, HEIGHT);
	image.format = PNG_FORMAT_RGB;
	g_assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
	g_assert_cmpmem(pixels, sizeof(pixels), expected_pixels, sizeof(expected_pixels));
}

static void test_screendump(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->folder, "picture", NULL);
	g_autofree char *ppm = g_strdup_printf(
		"{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"%s\"}}", path);
	g_autofree char *png = g_strdup_printf("{\"execute\":\"screendump\",\"arguments\":{"
					       "\"filename\":\"%s\",\"format\":\"png\","
					       "\"device\":\"VGA\",\"head\":0}}",
		path);
	struct video_memory *memory = video_memory_new("test", 4096, NULL);
	struct head *head = show_picture(f, memory);
	g_autofree char *text = NULL;
	gsize length;

	negotiate(f);
	ask(f, ppm, "{\"return\":{}}");
	g_assert_true(g_file_get_contents(path, &text, &length, NULL));
	g_assert_cmpuint(length, ==, 11 + sizeof(expected_pixels));
	g_assert_cmpmem(text, 11, "P6\n3 2\n255\n", 11);
	g_assert_cmpmem(text + 11, length - 11, expected_pixels, sizeof(expected_pixels));
	ask(f, png, "{\"return\":{}}");
	check_png(path);
	g_remove(path);
	ask(f, "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/nonexistent/x\"}}",
		GENERIC("failed to open file '/nonexistent/x': No such file or directory"));
	g_mutex_lock(&f->machine->lock);
	head_disable(head);
	g_mutex_unlock(&f->machine->lock);
	ask(f, ppm, GENERIC("no surface"));
	g_mutex_lock(&f->machine->lock);
	head_free(head);
	g_mutex_unlock(&f->machine->lock);
	video_memory_unref(memory);
}

/* A pipe that nobody reads would make the guest wait for ever. */
static void test_screendump_to_pipe(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->folder, "pipe", NULL);
	g_autofree char *request = g_strdup_printf(
		"{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"%s\"}}", path);
	g_autofree char *expected = g_strdup_printf(
		GENERIC("failed to open file '%s': a picture is written to a regular file only"),
		path);
	struct video_memory *memory = video_memory_new("test", 4096, NULL);
	struct head *head = show_picture(f, memory);

	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	negotiate(f);
	ask(f, request, expected);
	ask(f, "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/dev/full\"}}",
		GENERIC("failed to open file '/dev/full': a picture is written to a regular file "
			"only"));
	g_remove(path);
	g_mutex_lock(&f->machine->lock);
	head_free(head);
	g_mutex_unlock(&f->machine->lock);
	video_memory_unref(memory);
}

/* --- clients --- */

static void test_two_clients(struct fixture *f, gconstpointer data)
{
	g_autoptr(GString) input = g_string_new(NULL);
	int second = socket_connect_unix(f->path, NULL);
	g_autofree char *greeting = NULL;
	g_autofree char *answer = NULL;
	g_autofree char *event = NULL;

	negotiate(f);
	greeting = next_line(second, input);
	say(second, "{\"execute\":\"qmp_capabilities\"}");
	answer = next_line(second, input);
	g_assert_cmpstr(answer, ==, "{\"return\":{}}");
	say(f->fd, "{\"execute\":\"stop\"}");
	event = next_line(second, input);
	g_assert_nonnull(strstr(event, "\"event\":\"STOP\""));
	close(second);
	expect_part(f, "STOP");
	expect(f, "{\"return\":{}}");
}

/* Commands without end, and no answer is read: the server stops reading. Then events without end: it gives up. */
static void test_slow_client(struct fixture *f, gconstpointer data)
{
	static const char request[] = "{\"execute\":\"query-commands\"}";
	g_autofree char *line = NULL;

	negotiate(f);
	for (int i = 0; i < 100000; i++) {
		if (send(f->fd, request, strlen(request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
			i > 10000)
			break;
		g_main_context_iteration(NULL, FALSE);
	}
	for (int i = 0; i < 100000; i++)
		machine_powerdown(f->machine);
	while (g_main_context_iteration(NULL, FALSE))
		;
	do {
		g_free(line);
		line = next_line(f->fd, f->input);
	} while (line);
}

static void test_too_many_clients(struct fixture *f, gconstpointer data)
{
	int fds[QMP_MAX_CLIENTS];
	g_autoptr(GString) input = g_string_new(NULL);

	negotiate(f);
	for (int i = 0; i < QMP_MAX_CLIENTS; i++) {
		g_autofree char *greeting = NULL;

		fds[i] = socket_connect_unix(f->path, NULL);
		g_string_truncate(input, 0);
		greeting = next_line(fds[i], input);
		g_assert_cmpint(greeting != NULL, ==, i < QMP_MAX_CLIENTS - 1);
	}
	for (int i = 0; i < QMP_MAX_CLIENTS; i++)
		close(fds[i]);
	ask(f, "{\"execute\":\"query-name\"}", "{\"return\":{\"name\":\"web\"}}");
}

static void test_chardev(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->folder, "line", NULL);
	g_autofree char *arguments =
		g_strdup_printf("socket,id=line,path=%s,server=on,wait=off", path);
	struct chardev *chardev = create_chardev(arguments);
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(f->chardevs, chardev);
	g_assert_true(qmp_attach(f->qmp, chardev, false, NULL));
	g_assert_false(qmp_attach(f->qmp, chardev, false, &error));
	g_assert_cmpstr(error->message, ==, "chardev 'line' is in use by another device");
	/* A second conversation starts anew. */
	for (int i = 0; i < 2; i++) {
		close(f->fd);
		f->fd = socket_connect_unix(path, NULL);
		negotiate(f);
		ask(f, "{\"execute\":\"query-name\"}", "{\"return\":{\"name\":\"web\"}}");
		say(f->fd, "{\"execute\":");
	}
}

static void test_keycodes(void)
{
	g_assert_cmphex(keycode_find("a"), ==, 0x1e);
	g_assert_cmphex(keycode_find("ret"), ==, 0x1c);
	g_assert_cmphex(keycode_find("delete"), ==, 0xd3);
	g_assert_cmphex(keycode_find("meta_l"), ==, 0xdb);
	g_assert_cmphex(keycode_find("pause"), ==, 0xc6);
	g_assert_cmphex(keycode_find("lang1"), ==, 0x72);
	g_assert_cmphex(keycode_find("unmapped"), ==, 0);
}

/* --- input --- */

static void record_motion(void *device, int32_t dx, int32_t dy)
{
	g_string_append_printf(device, "by%d,%d ", dx, dy);
}

static void record_position(void *device, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	g_string_append_printf(device, "to%u,%u ", x, y);
}

static void record_button(void *device, enum input_button button, bool down)
{
	g_string_append_printf(device, "button%d%c ", button, down ? '+' : '-');
}

static void record_touch(void *device, enum input_touch kind, unsigned slot, uint32_t x, uint32_t y,
	uint32_t width, uint32_t height)
{
	g_string_append_printf(device, "finger%u:%d@%u,%u ", slot, kind, x, y);
}

#define EVENTS(events)    "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[" events "]}}"
#define EVENT(kind, data) "{\"type\":\"" kind "\",\"data\":{" data "}}"
#define AXIS(name, value) "\"axis\":\"" name "\",\"value\":" value
#define FINGER(kind, axis, value) \
	EVENT("mtt", "\"type\":\"" kind "\",\"slot\":2,\"tracking-id\":9," AXIS(axis, value))

static const struct {
	const char *events, *told;
} input_events[] = {
	{ EVENTS(EVENT("key", "\"key\":{\"type\":\"qcode\",\"data\":\"a\"},\"down\":true")),
		"1e+ " },
	{ EVENTS(EVENT("btn", "\"button\":\"wheel-up\",\"down\":true") "," EVENT(
		  "btn", "\"button\":\"left\",\"down\":false")),
		"button3+ button0- " },
	/* A place has two axes, and reaches both ends of a picture of 3 by 2. */
	{ EVENTS(EVENT("abs", AXIS("x", "32767"))), "" },
	{ EVENTS(EVENT("abs", AXIS("x", "32767")) "," EVENT("abs", AXIS("y", "0"))), "to2,0 " },
	{ EVENTS(EVENT("abs", AXIS("y", "32767")) "," EVENT("abs", AXIS("x", "16384"))), "to1,1 " },
	{ EVENTS(FINGER("begin", "x", "0") "," FINGER("data", "x", "0") "," FINGER(
		  "data", "y", "32767")),
		"finger2:0@0,1 " },
	{ EVENTS(FINGER("end", "x", "0")), "finger2:2@0,0 " },
	/* All or nothing. */
	{ EVENTS(EVENT("btn", "\"button\":\"left\",\"down\":true") "," EVENT(
		  "rel", AXIS("z", "1"))),
		NULL },
};

static void test_input_events(struct fixture *f, gconstpointer data)
{
	static const struct keyboard_ops keyboard = { record_key };
	static const struct pointer_ops tablet = { true, NULL, record_position, record_button };
	static const struct pointer_ops mouse = { false, record_motion, NULL, record_button };
	static const struct touch_ops touch = { 10, record_touch };
	struct display *display = f->machine->display;
	struct video_memory *memory = video_memory_new("test", 4096, NULL);
	struct head *head = show_picture(f, memory);
	g_autoptr(GString) told = g_string_new(NULL);

	g_mutex_lock(&f->machine->lock);
	display_set_keyboard(display, &keyboard, told);
	display_set_pointer(display, &tablet, told);
	display_set_touch(display, &touch, told);
	g_mutex_unlock(&f->machine->lock);
	negotiate(f);
	for (size_t i = 0; i < G_N_ELEMENTS(input_events); i++) {
		g_string_truncate(told, 0);
		say(f->fd, input_events[i].events);
		expect_part(f, input_events[i].told ? "{\"return\":{}}" : "\"error\"");
		g_assert_cmpstr(told->str, ==, input_events[i].told ? input_events[i].told : "");
	}
	g_mutex_lock(&f->machine->lock);
	display_set_pointer(display, NULL, told);
	display_set_pointer(display, &mouse, told);
	g_mutex_unlock(&f->machine->lock);
	g_string_truncate(told, 0);
	ask(f, EVENTS(EVENT("rel", AXIS("x", "-5")) "," EVENT("rel", AXIS("y", "7"))),
		"{\"return\":{}}");
	g_assert_cmpstr(told->str, ==, "by-5,0 by0,7 ");
	g_mutex_lock(&f->machine->lock);
	display_set_keyboard(display, NULL, told);
	display_set_pointer(display, NULL, told);
	display_set_touch(display, NULL, told);
	head_free(head);
	g_mutex_unlock(&f->machine->lock);
	video_memory_unref(memory);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{ "/qmp/dialogue", test_dialogue },
		{ "/qmp/before-negotiation", test_before_negotiation },
		{ "/qmp/in-pieces", test_in_pieces },
		{ "/qmp/machine", test_machine },
		{ "/qmp/cont-refused", test_cont_refused },
		{ "/qmp/stop-refused", test_stop_refused },
		{ "/qmp/internal-error", test_internal_error },
		{ "/qmp/lists", test_lists },
		{ "/qmp/ring", test_ring },
		{ "/qmp/send-key", test_send_key },
		{ "/qmp/input-events", test_input_events },
		{ "/qmp/screendump", test_screendump },
		{ "/qmp/screendump-to-pipe", test_screendump_to_pipe },
		{ "/qmp/two-clients", test_two_clients },
		{ "/qmp/slow-client", test_slow_client },
		{ "/qmp/too-many-clients", test_too_many_clients },
		{ "/qmp/chardev", test_chardev },
	};

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/split", test_split);
	g_test_add_func("/json/split-limits", test_split_limits);
	g_test_add_func("/keycodes", test_keycodes);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, setup, tests[i].test, teardown);
	return g_test_run();
}
