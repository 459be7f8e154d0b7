#!/usr/bin/env python3
"""Cases for points in time, judged by Python's zoneinfo, and by python-dateutil beside it.

    python3 common/tests/times/generate.py --seed 2011 --count 6000 > common/tests/times/cases.txt

A line is one question and its answer. Instants are seconds since 1970, local times are 20111230T0900.

    L|zone|local|instant                     a local time with its zone
    O|due|zone|hour|offset|instant           a reminder at an offset from a due value, for a reader in the zone with that reminder hour;
                                             due is D20111230, L20111230T0900@zone or A1325203200
    Q|zone|from-until|days off|at|instant    a moment, and where quiet hours (or -) and days off (a bit each, Monday is 1) move it
    N|zone|hour|days|after|instant           what comes at one hour of some days (a bit each), next after a moment

The rules are those of docs/reminders.md, written down here once more in another way: wall times are datetimes without a zone until the
very end, what quiet hours take is a union of intervals laid out for weeks, and the next of something is looked for among all there are.
zoneinfo's fold=0 is both rules for wall times that are none, or two: in a gap it counts with the offset before, which moves forward by
the gap, and in a fold it is the first. dateutil is asked the same of each local time, and agrees but for a few: it goes astray where summer
time is the standard (Europe/Dublin, Africa/Casablanca), or where the standard itself changes in summer (Asia/Tehran, 1977).
"""

import argparse
import random
import sys
from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil import tz

# Half an hour of summer time; whole days left out; quarters of hours; two hours and three kinds of time; negative summer time; clocks
# set at a minute past midnight; gaps at midnight; offsets of seconds; changes without summer time.
ZONES = [
    "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Asia/Kathmandu", "Antarctica/Troll",
    "Africa/Casablanca", "America/St_Johns", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Havana", "America/Asuncion",
    "Europe/Berlin", "America/New_York", "Asia/Tehran", "Asia/Gaza", "Asia/Amman", "Africa/Monrovia", "America/Caracas",
    "Asia/Pyongyang", "Pacific/Chatham", "Europe/Dublin", "America/Scoresbysund", "Asia/Kolkata", "UTC",
]
BEGIN = datetime(1970, 1, 10, tzinfo=timezone.utc)
# Beyond it governments may still change the clocks, and the cases would age.
END = datetime(2025, 1, 1, tzinfo=timezone.utc)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
kinds = Counter()


def transitions(zone):
    """Instants at which the offset changes."""
    found, at = [], BEGIN
    while at < END:
        later = at + timedelta(days=2)
        if later.astimezone(zone).utcoffset() != at.astimezone(zone).utcoffset():
            low, high = at, later
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        at = later
    return found


def seconds(at):
    return int((at - EPOCH).total_seconds())


def resolve(name, local):
    """The instant at which the clocks of a zone show this."""
    at = local.replace(tzinfo=ZoneInfo(name), fold=0).astimezone(timezone.utc)
    back = at.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    kinds["gap" if back != local else "plain" if at == local.replace(tzinfo=ZoneInfo(name), fold=1).astimezone(timezone.utc) else "fold"] += 1
    # dateutil counts in whole minutes where an offset has seconds.
    other = tz.gettz(name)
    if ZoneInfo(name).utcoffset(local).total_seconds() % 60 == 0:
        theirs = tz.resolve_imaginary(local.replace(tzinfo=other, fold=0)).astimezone(timezone.utc)
        kinds["dateutil astray"] += theirs != at
    return at


def near(change, zone):
    """A moment about a change of clocks, to the minute."""
    at = change + timedelta(minutes=random.choice([-1441, -1440, -90, -61, -60, -31, -30, -1, 0, 1, 15, 29, 30, 59, 60, 90, 1439, 1440]))
    return at.replace(second=0) if random.random() < 0.9 else at


def some_instant(name, changes):
    if changes[name] and random.random() < 0.75:
        return near(random.choice(changes[name]), name)
    span = int((END - BEGIN).total_seconds()) // 60
    return BEGIN + timedelta(minutes=random.randrange(span))


def some_local(name, changes):
    """A wall time; about a change often one that was skipped, or shown twice."""
    if changes[name] and random.random() < 0.75:
        change = random.choice(changes[name])
        offset = (change - timedelta(seconds=1)).astimezone(ZoneInfo(name)).utcoffset()
        step = change.astimezone(ZoneInfo(name)).utcoffset() - offset
        about = (change + offset).replace(tzinfo=None)
        minute = timedelta(minutes=random.choice([-1, 0, 1, 15, 29, 30, 59, 60]))
        local = about + random.choice([step * random.random() if abs(step) > minute else minute, minute, -minute, step, step - minute])
    else:
        local = some_instant(name, changes).astimezone(ZoneInfo(name)).replace(tzinfo=None)
    return local.replace(second=0, microsecond=0, fold=0)


def some_hour():
    return random.choice([time(9), time(0), time(0, 30), time(1, 30), time(2), time(2, 30), time(3), time(23, 30), time(random.randrange(24), random.randrange(60))])


def some_offset():
    """Its text, its days, its exact part."""
    sign = random.choice(["-", "-", "-", ""])
    weeks = random.choice([0, 0, 0, 1, 2])
    days = random.choice([0, 1, 1, 2, 3, 7, 30, 335])
    hours = random.choice([0, 0, 1, 2, 24, 25, 100])
    minutes = random.choice([0, 0, 15, 30, 90])
    text = (f"{weeks}W" if weeks else "") + (f"{days}D" if days else "")
    exact = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if not text and not exact:
        return "PT0S", 0, timedelta()
    by = -1 if sign else 1
    return f"{sign}P{text}{'T' + exact if exact else ''}", by * (weeks * 7 + days), by * timedelta(hours=hours, minutes=minutes)


def local_case(changes):
    name = random.choice(ZONES)
    local = some_local(name, changes)
    return f"L|{name}|{local:%Y%m%dT%H%M}|{seconds(resolve(name, local))}"


def offset_case(changes):
    reader, hour, (text, days, exact) = random.choice(ZONES), some_hour(), some_offset()
    kind = random.choice("DLA")
    if kind == "D":
        # Often so that the day before, or after, is one on which clocks change.
        day = some_local(reader, changes).date() - timedelta(days=random.choice([0, days]))
        due, zone, local = f"D{day:%Y%m%d}", reader, datetime.combine(day, hour)
    elif kind == "L":
        zone = random.choice(ZONES)
        local = some_local(zone, changes) - timedelta(days=random.choice([0, days]))
        due = f"L{local:%Y%m%dT%H%M}@{zone}"
    else:
        at = some_instant(reader, changes)
        due, zone, local = f"A{seconds(at)}", reader, at.astimezone(ZoneInfo(reader)).replace(tzinfo=None, fold=0)
    if kind == "A" and days == 0:
        moved = at
    else:
        moved = resolve(zone, local + timedelta(days=days))
    return f"O|{due}|{reader}|{hour:%H%M}|{text}|{seconds(moved + exact)}"


def quiet_case(changes):
    name, days = random.choice(ZONES), random.choice([0, 0, 96, 64, 32, random.randrange(127)])
    start, end = some_hour(), random.choice([some_hour(), time(7), time(6, 30)])
    hours = start != end and (days == 0 or random.random() < 0.7)
    at = some_instant(name, changes) + timedelta(seconds=random.choice([0, 0, 0, 1, -1]))
    zone = ZoneInfo(name)
    day = at.astimezone(zone).date() - timedelta(days=4)
    taken = []
    for _ in range(40):
        if days & 1 << day.weekday():
            taken.append((resolve(name, datetime.combine(day, time())), resolve(name, datetime.combine(day + timedelta(days=1), time()))))
        if hours:
            last = day if start < end else day + timedelta(days=1)
            taken.append((resolve(name, datetime.combine(day, start)), resolve(name, datetime.combine(last, end))))
        day += timedelta(days=1)
    # One after the other, those that touch or overlap are one.
    union = []
    for begins, ends in sorted(window for window in taken if window[0] < window[1]):
        if union and begins <= union[-1][1]:
            union[-1][1] = max(union[-1][1], ends)
        else:
            union.append([begins, ends])
    moved = next((ends for begins, ends in union if begins <= at < ends), at)
    kinds["moved" if moved != at else "free"] += 1
    shown = f"{start:%H%M}-{end:%H%M}" if hours else "-"
    return f"Q|{name}|{shown}|{days}|{seconds(at)}|{seconds(moved)}"


def next_case(changes):
    name, hour, days = random.choice(ZONES), some_hour(), random.choice([127, 31, 1, 64, random.randrange(1, 128)])
    after = some_instant(name, changes)
    first = after.astimezone(ZoneInfo(name)).date() - timedelta(days=3)
    all_days = (first + timedelta(days=n) for n in range(30))
    comes = sorted(resolve(name, datetime.combine(day, hour)) for day in all_days if days & 1 << day.weekday())
    return f"N|{name}|{hour:%H%M}|{days}|{seconds(after)}|{seconds(next(at for at in comes if at > after))}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--count", type=int, required=True)
    given = arguments.parse_args()
    random.seed(given.seed)
    changes = {name: transitions(ZoneInfo(name)) for name in ZONES}
    print(f"# seed {given.seed}, {given.count} cases; written by generate.py, judged by zoneinfo and python-dateutil")
    for _ in range(given.count):
        print(random.choice([local_case, offset_case, offset_case, quiet_case, quiet_case, next_case])(changes))
    assert kinds["dateutil astray"] * 1000 < sum(kinds[kind] for kind in ("plain", "gap", "fold")), kinds
    print(", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())), file=sys.stderr)


main()
