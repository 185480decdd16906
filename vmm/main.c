/* vitrine: a virtual machine monitor. From the command line to a running guest. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "version.h"
#include "vmm/daemon.h"
#include "vmm/guest.h"
#include "vmm/options/config.h"
#include "vmm/options/help.h"

static bool print_help(const struct options *options, GError **error)
{
	struct machine_types *types = NULL;
	g_autofree char *text = NULL;

	if (help_needs_types(options)) {
		types = machine_types_load(NULL, error);
		if (!types)
			return false;
	}
	text = help_text(options, types, error);
	if (text)
		fputs(text, stdout);
	g_clear_pointer(&types, machine_types_free);
	return text != NULL;
}

/* The machine type goes out by its versioned name: what is written is to mean the same machine when its family has a newer
 * version. */
static bool write_config(struct options *options, const struct machine_type *type, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) reason = NULL;

	if (!options_set(options, "machine", "type", type->name, error))
		return false;
	text = options_write(options);
	if (strcmp(options->write_config, "-") != 0)
		return g_file_set_contents(options->write_config, text, -1, &reason) ||
		       fail(error, VITRINE_ERROR_HOST, "-writeconfig %s: cannot be written: %s",
			       options->write_config, reason->message);
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		return fail_errno(error, VITRINE_ERROR_HOST, "-writeconfig: cannot write");
	return true;
}

/* Messages to a file: it takes the place of standard error, so that nothing is missed. */
static bool redirect_messages(const struct config *config, GError **error)
{
	log_set_prefix(config->timestamps, config->guest_name ? config->machine.name : NULL);
	if (!config->log_file || freopen(config->log_file, "a", stderr))
		return true;
	return fail_errno(error, VITRINE_ERROR_HOST, "-D %s: cannot be opened", config->log_file);
}

static bool start_guest(const struct config *config, int *status, GError **error)
{
	int ready = -1;

	if (!redirect_messages(config, error))
		return false;
	if (config->daemonize) {
		ready = daemon_start(error);
		if (ready < 0)
			return false;
	}
	return guest_run(config, ready, status, error);
}

static bool run_guest(struct options *options, int *status, GError **error)
{
	struct machine_types *types = machine_types_load(NULL, error);
	struct config *config;
	bool done = false;

	if (!types)
		return false;
	config = config_new(options, types, error);
	if (config) {
		done = (!options->write_config ||
			       write_config(options, config->machine.type, error)) &&
		       start_guest(config, status, error);
		config_free(config);
	}
	machine_types_free(types);
	return done;
}

static bool run(struct options *options, int count, char **arguments, int *status, GError **error)
{
	if (!options_parse(options, count, arguments, error))
		return false;
	switch (options->request) {
	case OPTIONS_VERSION:
		puts("vitrine (Vitrine) " VITRINE_VERSION);
		return true;
	case OPTIONS_HELP:
	case OPTIONS_LIST:
	case OPTIONS_DESCRIBE:
		return print_help(options, error);
	case OPTIONS_RUN:
		break;
	}
	return run_guest(options, status, error);
}

int main(int argc, char **argv)
{
	struct options *options = options_new();
	g_autoptr(GError) error = NULL;
	int status = EXIT_SUCCESS;

	setlocale(LC_ALL, "");
	g_set_prgname("vitrine");
	if (!run(options, argc - 1, argv + 1, &status, &error)) {
		/* The one line that a refusal gets. */
		fprintf(stderr, "vitrine: %s\n", error->message);
		status = EXIT_FAILURE;
	}
	options_free(options);
	return status;
}
