/* Clock registers of an MC146818 and the time they stand for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum rtc_register {
	RTC_SECONDS = 0x00,
	RTC_SECONDS_ALARM = 0x01,
	RTC_MINUTES = 0x02,
	RTC_MINUTES_ALARM = 0x03,
	RTC_HOURS = 0x04,
	RTC_HOURS_ALARM = 0x05,
	RTC_DAY_OF_WEEK = 0x06,
	RTC_DAY_OF_MONTH = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	RTC_CENTURY = 0x32,
};

enum rtc_b {
	RTC_B_24_HOURS = 1 << 1,
	RTC_B_BINARY = 1 << 2,
	RTC_B_UPDATE_INTERRUPT = 1 << 4,
	RTC_B_ALARM_INTERRUPT = 1 << 5,
	RTC_B_PERIODIC_INTERRUPT = 1 << 6,
	RTC_B_SET = 1 << 7,
};

/* Writes @seconds since 1970 (UTC) into the clock registers of @memory, in the form that its register B asks for. */
void rtc_time_write(uint8_t memory[128], int64_t seconds);

/* The time that the clock registers say, seconds since 1970; false when they say no time. */
bool rtc_time_read(const uint8_t memory[128], int64_t *seconds);

/* Whether the alarm registers of @memory match the time of day, @second 0..86399. */
bool rtc_alarm_matches(const uint8_t memory[128], uint32_t second);
