/* Clock registers of an MC146818 and the time they stand for: binary or BCD, 24 or 12 hours.
 *
 * Specification: Motorola MC146818A, "Time, Calendar and Alarm Locations".
 */
#include "vmm/chipset/rtc-time.h"

#include <glib.h>

enum {
	AFTERNOON = 0x80,   /* in the hours, when there are twelve */
	ALARM_ANY = 0xc0,   /* an alarm value from here on matches always */
	DAY = 24 * 60 * 60, /* seconds */
};

static uint8_t encode(const uint8_t *memory, unsigned value)
{
	return memory[RTC_B] & RTC_B_BINARY ? value : value / 10 << 4 | value % 10;
}

static unsigned decode(const uint8_t *memory, uint8_t value)
{
	return memory[RTC_B] & RTC_B_BINARY ? value : (value >> 4) * 10u + (value & 0x0f);
}

static uint8_t encode_hour(const uint8_t *memory, unsigned hour)
{
	if (memory[RTC_B] & RTC_B_24_HOURS)
		return encode(memory, hour);
	return encode(memory, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? AFTERNOON : 0);
}

static unsigned decode_hour(const uint8_t *memory, uint8_t value)
{
	if (memory[RTC_B] & RTC_B_24_HOURS)
		return decode(memory, value);
	return decode(memory, value & ~AFTERNOON) % 12 + (value & AFTERNOON ? 12 : 0);
}

void rtc_time_write(uint8_t memory[128], int64_t seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	if (!time)
		return;
	memory[RTC_SECONDS] = encode(memory, g_date_time_get_second(time));
	memory[RTC_MINUTES] = encode(memory, g_date_time_get_minute(time));
	memory[RTC_HOURS] = encode_hour(memory, g_date_time_get_hour(time));
	/* Sunday is 1 here and 7 there. */
	memory[RTC_DAY_OF_WEEK] = encode(memory, g_date_time_get_day_of_week(time) % 7 + 1);
	memory[RTC_DAY_OF_MONTH] = encode(memory, g_date_time_get_day_of_month(time));
	memory[RTC_MONTH] = encode(memory, g_date_time_get_month(time));
	memory[RTC_YEAR] = encode(memory, g_date_time_get_year(time) % 100);
	memory[RTC_CENTURY] = encode(memory, g_date_time_get_year(time) / 100);
}

bool rtc_time_read(const uint8_t memory[128], int64_t *seconds)
{
	unsigned year =
		decode(memory, memory[RTC_CENTURY]) * 100 + decode(memory, memory[RTC_YEAR]);
	g_autoptr(GDateTime) time = NULL;

	if (year < 1 || year > 9999)
		return false;
	time = g_date_time_new_utc(year, decode(memory, memory[RTC_MONTH]),
		decode(memory, memory[RTC_DAY_OF_MONTH]), decode_hour(memory, memory[RTC_HOURS]),
		decode(memory, memory[RTC_MINUTES]), decode(memory, memory[RTC_SECONDS]));
	if (!time)
		return false;
	*seconds = g_date_time_to_unix(time);
	return true;
}

bool rtc_alarm_matches(const uint8_t memory[128], uint32_t second)
{
	const struct {
		uint8_t alarm;
		uint8_t now;
	} fields[] = {
		{ memory[RTC_SECONDS_ALARM], encode(memory, second % 60) },
		{ memory[RTC_MINUTES_ALARM], encode(memory, second / 60 % 60) },
		{ memory[RTC_HOURS_ALARM], encode_hour(memory, second % DAY / 3600) },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (fields[i].alarm < ALARM_ANY && fields[i].alarm != fields[i].now)
			return false;
	return true;
}
