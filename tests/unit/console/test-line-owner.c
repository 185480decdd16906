/* Who is on a UNIX socket, from the kernel's list of them. */
#include "console/line-owner.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sockets.h"

#define HEADING "Num       RefCount Protocol Flags    Type St Inode Path\n"

static const struct {
	const char *name;
	const char *table;
	bool taken;
} cases[] = {
	{ "/table/empty", HEADING, false },
	{ "/table/listening", HEADING "0000: 00000002 00000000 00010000 0001 01 123 /s\n", false },
	{ "/table/accepted", HEADING "0000: 00000003 00000000 00000000 0001 03 123 /s\n", true },
	{ "/table/waiting", HEADING "0000: 00000003 00000000 00000000 0001 02 123 /s\n", false },
	{ "/table/other", HEADING "0000: 00000003 00000000 00000000 0001 03 123 /s2\n", false },
	{ "/table/nameless", HEADING "0000: 00000003 00000000 00000000 0001 03 123\n", false },
	{ "/table/datagrams", HEADING "0000: 00000003 00000000 00000000 0002 03 123 /s\n", false },
	{ "/table/wide", HEADING "ffff888000000000: 00000003 00000000 00000000 0001 03   1 /s\n",
		true },
	{ "/table/noise", "a\n: \n0: 1 2 3\n", false },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;

	g_assert_true(unix_table_has_client(c->table, "/s") == c->taken);
}

/* The kernel that runs this. */
static void test_this_kernel(void)
{
	g_autofree char *folder = g_dir_make_tmp("line-owner-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL);
	int listening = socket_listen_unix(path, NULL);
	int client, accepted;

	g_assert_false(line_is_taken(path));
	client = socket_connect_unix(path, NULL);
	g_assert_cmpint(client, >=, 0);
	g_assert_false(line_is_taken(path));
	accepted = accept(listening, NULL, NULL);
	g_assert_cmpint(accepted, >=, 0);
	if (g_file_test("/proc/net/unix", G_FILE_TEST_EXISTS))
		g_assert_true(line_is_taken(path));
	close(accepted);
	g_assert_false(line_is_taken(path));
	close(client);
	close(listening);
	unlink(path);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/table/this-kernel", test_this_kernel);
	return g_test_run();
}
