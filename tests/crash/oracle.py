"""What the streams of workload.py must write, computed from their input without ebb.

Each function gives {line: (key, sequence)}: every line of output that must be there exactly once,
and what orders it among the lines of its key.
"""
import collections

SECOND = 1_000_000
DAY = 86_400 * SECOND


def civil(days):
    """Year, month, day of a day number since 1970-01-01."""
    days += 719_468
    era, of_era = divmod(days, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


DATES = {}


def text_of(micros):
    """A TIMESTAMP as ebb writes it: as many digits of a fraction as needed."""
    days, rest = divmod(micros, DAY)
    date = DATES.get(days)
    if date is None:
        date = DATES[days] = "%04d-%02d-%02d" % civil(days)
    seconds, fraction = divmod(rest, SECOND)
    text = "%sT%02d:%02d:%02d" % (date, seconds // 3600, seconds // 60 % 60, seconds % 60)
    return text + ("." + "%06d" % fraction).rstrip("0") if fraction else text


def day_number(year, month, day):
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


TIMES = {}


def micros_of(text):
    known = TIMES.get(text)
    if known is None:
        whole, _, fraction = text[11:].partition(".")
        hour, minute, second = whole.split(":")
        days = day_number(int(text[:4]), int(text[5:7]), int(text[8:10]))
        known = days * DAY + (int(hour) * 3600 + int(minute) * 60 + int(second)) * SECOND \
            + int((fraction + "000000")[:6])
        TIMES[text] = known
    return known


def hop_lines(bids, slide, size):
    """`bids`: (auction, price, micros). Count, sum and maximum of each window and auction."""
    windows = collections.defaultdict(dict)
    for auction, price, at in bids:
        last = at // slide * slide
        for start in range(last - size + slide, last + slide, slide):
            if start <= at < start + size:
                of = windows[start]
                row = of.get(auction)
                if row is None:
                    of[auction] = [1, price, price]
                else:
                    row[0] += 1
                    row[1] += price
                    if price > row[2]:
                        row[2] = price
    lines = {}
    for start, auctions in windows.items():
        head = '{"window_start":"%s","window_end":"%s","auction":' % (text_of(start), text_of(start + size))
        for auction, (count, total, top) in auctions.items():
            line = f'{head}{auction},"bids":{count},"total":{total},"top":{top}}}'
            lines[line] = (auction, start)
    return lines


def join_lines(orders, payments, most):
    """`orders`: id → (customer, micros); `payments`: (n, order, amount, micros). Pairs of an order
    and a payment that comes at most `most` before or after it; which of a pair comes first is open,
    so that there is no order to check."""
    lines = {}
    for n, order, amount, paid in payments:
        customer, ordered = orders.get(order, (None, None))
        if customer is None or not ordered - most <= paid <= ordered + most:
            continue
        line = ('{"id":%d,"customer":"%s","n":%d,"amount":%d,"ordered":"%s","paid":"%s"}'
                % (order, customer, n, amount, text_of(ordered), text_of(paid)))
        lines[line] = (order, 0)
    return lines


def session_lines(clicks, gap):
    """`clicks`: (n, user, micros). Rows of a user that are at most `gap` apart are one session."""
    users = collections.defaultdict(list)
    for n, user, at in clicks:
        users[user].append((at, n))
    lines = {}
    for user, rows in users.items():
        rows.sort()
        begin = 0
        for i in range(1, len(rows) + 1):
            if i < len(rows) and rows[i][0] - rows[i - 1][0] <= gap:
                continue
            numbers = [n for _, n in rows[begin:i]]
            start, end = rows[begin][0], rows[i - 1][0] + gap
            lines[f"{user},{text_of(start)},{text_of(end)},{len(numbers)},{sum(numbers)},"
                  f"{min(numbers)},{max(numbers)}"] = (user, start)
            begin = i
    return lines
