#!/usr/bin/env python3
"""Cases for the recurrence rules, judged by python-dateutil and zoneinfo.

    python3 common/tests/recurrence/generate.py --seed 5545 --count 4000 --to-the-end > common/tests/recurrence/cases.txt

A line is a zone (or - for dates), a start, a rule, and what follows the start: steps in days, with the minutes by which a step is not
whole days (7*3 is three times seven days; 1+60 a day and an hour), then how it ends:

    .  there is no further occurrence
    +  there are more, which the case does not list
    ~  nothing more before the horizon; later ones may exist
    !  never again after the start, whatever end the rule sets; looked for up to the year 9998 if told to go --to-the-end, which takes
       dateutil minutes (not for most daily rules, which would take it hours)

dateutil reads the rule itself, and its answer is taken as it is, but for five points where it is known to differ from RFC 5545 or from
what docs/adr/0019 decides. How many cases each point touches is told on stderr.

    start    dateutil leaves out a start that the rule does not name; here it is the first occurrence, and COUNT counts it
             (3.3.10: "the DTSTART property value always counts as the first occurrence")
    gap      dateutil keeps a wall time that does not exist. Its instant, by the offset before the gap, is RFC 5545 3.3.5's; here the
             wall clock then shows what that instant really is
    merged   two occurrences of one instant (a day that a zone left out) are one, also for COUNT
    week     dateutil begins the first week at the start, so that BYSETPOS chooses from the rest of that week; here, as for months and
             years, from the whole one
    mixed    for dateutil BYDAY=MO,2TU is no day at all (it must be both); here it is either: MO is written as all its numbers
"""

import argparse
import datetime as calendar
import random
import sys
from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

ZONES = [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran", "America/Sao_Paulo", "Africa/Casablanca",
    "Pacific/Apia", "Asia/Kolkata", "Africa/Cairo", "America/St_Johns", "Pacific/Chatham", "Asia/Amman",
]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
LISTED = 8
# Beyond it governments may still change the clocks, and the cases would age.
ZONED_HORIZON = date(2025, 1, 1)
HORIZON = date(2100, 1, 1)
TO_THE_END = False
touched = Counter()


def transitions(zone):
    """Days on which the offset changes, 1990 to 2022, with the wall times around it."""
    found, at = [], datetime(1990, 1, 1, tzinfo=timezone.utc)
    offset = at.astimezone(zone).utcoffset()
    while at.year < 2023:
        later = at + timedelta(hours=6)
        if later.astimezone(zone).utcoffset() != offset:
            low, high = at, later
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                middle = middle.replace(second=0, microsecond=0)
                if middle in (low, high):
                    break
                if middle.astimezone(zone).utcoffset() == offset:
                    low = middle
                else:
                    high = middle
            found.append((high + offset).replace(tzinfo=None))
            offset = later.astimezone(zone).utcoffset()
        at = later
    return found


def some(values, most):
    return sorted(random.sample(values, random.randint(1, min(most, len(values)))))


def joined(values):
    return ",".join(str(value) for value in values)


def weekday(numbers):
    if numbers and random.random() < 0.7:
        return f"{random.choice(numbers)}{random.choice(DAYS)}"
    return random.choice(DAYS)


def some_rule():
    freq = random.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={freq}"]
    if random.random() < 0.5:
        parts.append(f"INTERVAL={random.choice([2, 3, 4, 5, 7, 10, 12, 24, 52, 100, 365, 1000, 2, 3])}")
    chosen = False
    if random.random() < 0.3:
        parts.append(f"BYMONTH={joined(some(range(1, 13), 6))}")
        chosen = True
    if freq != "WEEKLY" and random.random() < 0.35:
        days = [*range(1, 32), *range(-31, 0), -1, -1, 31, 30, 29, 1]
        parts.append(f"BYMONTHDAY={joined(some(days, random.choice([1, 2, 6, 20])))}")
        chosen = True
    if random.random() < 0.5:
        numbers = [1, 2, 3, 4, 5, -1, -2, 1, -1] if freq in ("MONTHLY", "YEARLY") and random.random() < 0.6 else []
        if numbers and freq == "YEARLY" and not part(";".join(parts), "BYMONTH"):
            numbers += [10, 20, 52, 53, -53]  # In a month, dateutil ends in an IndexError.
        parts.append(f"BYDAY={joined(sorted({weekday(numbers) for _ in range(random.choice([1, 1, 2, 3, 5, 7]))}))}")
        chosen = True
    if chosen and random.random() < 0.25:
        parts.append(f"BYSETPOS={joined(some([1, 2, 3, -1, -2, 1, -1, 5, 31, -31, 366], 3))}")
    if random.random() < 0.4:
        parts.append(f"WKST={random.choice(DAYS)}")
    random.shuffle(parts)
    return ";".join(parts)


def ended(rule, start, zone):
    """With COUNT or UNTIL, or without."""
    end = random.random()
    if end < 0.2:
        return rule + (f";COUNT={random.choice([1, 2, 3, 5, 10, 30])}")
    elif end < 0.4:
        last = start + timedelta(days=random.choice([0, 1, 7, 30, 365, 3000]))
        if zone is None:
            return rule + (f";UNTIL={last:%Y%m%d}")
        else:
            # On the very instant, a second before it and somewhere.
            at = last.replace(tzinfo=zone).astimezone(timezone.utc) + timedelta(seconds=random.choice([0, -1, 1, 40000]))
            if last > start or at >= start.replace(tzinfo=zone):
                return rule + (f";UNTIL={at:%Y%m%dT%H%M%SZ}")
    return rule


def named_start(rule, start):
    """The first day that the rule names itself, if that is soon."""
    calendar.MAXYEAR = start.year + 4
    return next(iter(rrulestr(rule, dtstart=start)), start)


def toward(change):
    """A start whose occurrences land on the day of the change, at a time that is skipped or doubled there."""
    at = change + timedelta(minutes=random.choice([-60, -30, -1, 0, 10, 30, 59, 60]))
    steps, times = random.choice([1, 1, 2, 3, 5, 10]), random.choice([1, 2, 3, 4])
    kind = random.choice(["DAILY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    if kind in ("DAILY", "WEEKLY"):
        start = at - timedelta(days=steps * times * (7 if kind == "WEEKLY" else 1))
        rule = f"FREQ={kind};INTERVAL={steps}"
    elif kind == "MONTHLY":
        start = at - timedelta(days=random.randrange(32))
        rule = f"FREQ=MONTHLY;BYMONTHDAY={at.day}"
    else:
        start = at - timedelta(days=random.randrange(800))
        rule = f"FREQ=YEARLY;BYMONTH={at.month};BYDAY={random.choice([1, 2, 3, 4, -1])}{DAYS[at.weekday()]}"
    return start, rule + random.choice(["", "", f";COUNT={times + 2}"])


def part(rule, name):
    return next((p.split("=", 1)[1] for p in rule.split(";") if p.startswith(name + "=")), None)


def without(rule, *names):
    return ";".join(p for p in rule.split(";") if p.split("=", 1)[0] not in names)


def asked(rule, start):
    """dateutil's rule for everything but COUNT, and what had to be said otherwise."""
    points, begin = set(), start
    text = without(rule, "COUNT")
    days = part(rule, "BYDAY")
    if days and any(d[:-2] for d in days.split(",")) and any(not d[:-2] for d in days.split(",")):
        points.add("mixed")
        yearly = part(rule, "FREQ") == "YEARLY" and not part(rule, "BYMONTH")
        numbers = range(1, 54 if yearly else 6)
        each = [[d] if d[:-2] else [f"{n}{d}" for n in numbers] for d in days.split(",")]
        text = without(text, "BYDAY") + ";BYDAY=" + ",".join(sum(each, []))
    if part(rule, "FREQ") == "WEEKLY" and part(rule, "BYSETPOS"):
        points.add("week")
        if not days:
            text += f";BYDAY={DAYS[start.weekday()]}"
        first = DAYS.index(part(rule, "WKST") or "MO")
        begin = start - timedelta(days=(start.weekday() - first) % 7)
    return rrulestr(text, dtstart=begin), points


def instant(at):
    return at.astimezone(timezone.utc) if at.tzinfo else at


def judged(rule, start, zone):
    """Up to LISTED occurrences after the start, and how the list ends."""
    horizon = HORIZON if zone is None else ZONED_HORIZON
    begin = start.replace(tzinfo=zone)
    answer, points = asked(rule, begin)
    count = int(part(rule, "COUNT") or 10**9)
    listed, last = [instant(begin)], instant(begin)
    end = named = None
    calendar.MAXYEAR = horizon.year  # dateutil looks no further.
    for at in answer:
        named = named or at
        if at.date() >= horizon:
            break
        if at.replace(fold=0) < begin:
            continue
        if instant(at) <= last:
            if instant(at) == last and at.date() != begin.date():
                points.add("merged")
            continue
        if len(listed) >= count:
            break
        if len(listed) > LISTED:
            end = "+"
            break
        if zone and at.replace(tzinfo=None) != instant(at).astimezone(zone).replace(tzinfo=None):
            points.add("gap")
        last = instant(at)
        listed.append(last)
    if named is None or named.replace(tzinfo=None) > start:
        points.add("start")
    if end != "+":
        # Nothing within the years looked at, or nothing more at all: only an end of its own tells.
        end = "." if len(listed) >= count or until_over(rule, horizon) else "~"
    if len(listed) == 1 and end != "+" and never(rule, begin):
        end = "!"
    if not points - {"gap"}:
        own = rrulestr(rule, dtstart=begin)
        more = 1 if end == "." else 0
        assert [instant(at) for at in islice(own, len(listed) + more)] == listed, rule
    touched.update(points or {"none"})
    return listed, end


def never(rule, begin):
    text = without(rule, "UNTIL", "COUNT")
    if not TO_THE_END or "FREQ=DAILY" in rule and int(part(rule, "INTERVAL") or 1) < 7:
        return False
    answer, _ = asked(text, begin)
    calendar.MAXYEAR = 9998
    return next((at for at in answer if instant(at) > instant(begin)), None) is None


def until_over(rule, horizon):
    if not part(rule, "UNTIL"):
        return False
    return datetime.strptime(part(rule, "UNTIL")[:8], "%Y%m%d").date() < horizon - timedelta(days=2)


def written(listed):
    steps = []
    for before, after in zip(listed, listed[1:]):
        minutes = round((after - before).total_seconds()) // 60
        days = (minutes + 720) // 1440
        rest = minutes - days * 1440
        steps.append(f"{days}{rest:+d}" if rest else f"{days}")
    runs = []
    for step in steps:
        if runs and runs[-1][0] == step:
            runs[-1][1] += 1
        else:
            runs.append([step, 1])
    return " ".join(step if n == 1 else f"{step}*{n}" for step, n in runs)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--count", type=int, required=True)
    arguments.add_argument("--to-the-end", action="store_true")
    given = arguments.parse_args()
    global TO_THE_END
    TO_THE_END = given.to_the_end
    random.seed(given.seed)
    changes = {name: transitions(ZoneInfo(name)) for name in ZONES}
    print(f"# seed {given.seed}, {given.count} cases; written by generate.py, judged by python-dateutil and zoneinfo")
    for _ in range(given.count):
        name = random.choice(["-", *ZONES, *ZONES])
        zone, rule = None if name == "-" else ZoneInfo(name), None
        if zone is None:
            start = datetime.combine(date(1990, 1, 1) + timedelta(days=random.randrange(14000)), time())
        elif changes[name] and random.random() < 0.4:
            start, rule = toward(random.choice(changes[name]))
        elif changes[name] and random.random() < 0.5:
            change = random.choice(changes[name])
            start = change + timedelta(minutes=random.choice([-60, -30, -1, 0, 10, 30, 59, 60]))
            start -= timedelta(days=random.choice([0, 1, 1, 2, 3, 7, 7, 14, 28, 30, 31, 365]))
            start = max(start, datetime(1990, 1, 1))
        else:
            start = datetime(1990, 1, 1) + timedelta(days=random.randrange(11000), minutes=random.randrange(1440))
        if not rule:
            rule = some_rule()
            if random.random() < 0.7:
                start = named_start(rule, start)
            rule = ended(rule, start, zone)
        listed, end = judged(rule, start, zone)
        shown = f"{start:%Y%m%d}" if zone is None else f"{start:%Y%m%dT%H%M}"
        print(f"{name}|{shown}|{rule}|{written(listed)}{end}")
    print(", ".join(f"{point} {n}" for point, n in sorted(touched.items())), file=sys.stderr)


main()
