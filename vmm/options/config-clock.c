/* The guest's clocks: -rtc and -no-hpet. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"

enum {
	FIRST_YEAR = 1970,
	LAST_YEAR = 9998
};

/* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, nothing else. */
static bool has_form(const char *text, const char *form)
{
	for (; *form && *text; form++, text++)
		if (*form == '0' ? !g_ascii_isdigit(*text) : *form != *text)
			return false;
	return *form == *text;
}

static bool parse_time(const char *text, int64_t *seconds)
{
	g_autofree char *whole = NULL;
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = NULL;

	if (has_form(text, "0000-00-00"))
		whole = g_strdup_printf("%sT00:00:00", text);
	else if (has_form(text, "0000-00-00T00:00:00"))
		whole = g_strdup(text);
	else
		return false;
	time = g_date_time_new_from_iso8601(whole, utc);
	if (!time || g_date_time_get_year(time) < FIRST_YEAR ||
		g_date_time_get_year(time) > LAST_YEAR)
		return false;
	*seconds = g_date_time_to_unix(time);
	return true;
}

static bool build_base(const char *base, struct machine_rtc *rtc, GError **error)
{
	if (!base || strcmp(base, "utc") == 0) {
		rtc->base = RTC_BASE_UTC;
		return true;
	}
	if (strcmp(base, "localtime") == 0) {
		rtc->base = RTC_BASE_LOCALTIME;
		return true;
	}
	rtc->base = RTC_BASE_TIME;
	return parse_time(base, &rtc->time) ||
	       fail(error, VITRINE_ERROR_INPUT,
		       "-rtc: base=%s is not accepted; accepted: utc, localtime, or a time such as "
		       "2026-01-31T12:00:00 or 2026-01-31, from %d on",
		       base, FIRST_YEAR);
}

static enum rtc_clock clock_named(const char *name)
{
	if (name && strcmp(name, "rt") == 0)
		return RTC_CLOCK_RT;
	return name && strcmp(name, "vm") == 0 ? RTC_CLOCK_VM : RTC_CLOCK_HOST;
}

bool config_build_clock(struct config_builder *builder, GError **error)
{
	struct machine_config *machine = &builder->config->machine;
	const struct option_set *rtc = options_find(builder->options, "rtc");
	const struct option_set *set = options_find(builder->options, "machine");
	bool hpet = option_set_bool(set, "hpet", true);

	machine->no_hpet = !hpet || options_find(builder->options, "no-hpet");
	machine->rtc.clock = clock_named(option_set_get(rtc, "clock"));
	machine->rtc.slew = g_strcmp0(option_set_get(rtc, "driftfix"), "slew") == 0;
	return build_base(option_set_get(rtc, "base"), &machine->rtc, error);
}
