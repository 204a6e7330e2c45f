"""The events of a day as the old server wrote them: its own recorded topic, and more of the same kind."""
import json
import random
from pathlib import Path

from topics import Record

GOLDEN = Path(__file__).parents[1] / "batch" / "golden" / "seed_topic.tsv"

EVENTS = {
    "default": {},
    "purchase_sword": {},
    "purchase_shield": {},
    "purchase_spear": {},
    "purchase_potion": {"description": "heals you for 50 hp"},
}
HEADERS = {
    "Host": ["user1.comcast.com", "user2.att.com", "user3.att.com:5000", "[::1]:5000", "", "bücher.example"],
    "User-Agent": [
        "ApacheBench/2.3",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        'odd "quoted" \\ agent',
        "агент 😀",
        " ",
        "\u00ff\u0080",
        "a\ttab",
        "x" * 8_000,
    ],
    "Accept": ["*/*", "text/html, application/json;q=0.9", ", ,", ""],
    "accept": ["lower case"],
    "X-Forwarded-For": ["192.0.2.1, 192.0.2.2"],
    "Content-Length": ["0"],
}


def golden():
    """The recorded topic: milliseconds, a tab, the value."""
    lines = GOLDEN.read_bytes().splitlines()
    return [Record(value, int(millis)) for millis, value in (line.split(b"\t", 1) for line in lines)]


def generated(count, start):
    """More events, each a millisecond or more after the one before it."""
    choose = random.Random(2026)
    records, millis = [], start
    for number in range(count):
        millis += choose.randint(1, 40)
        event_type = choose.choice(list(EVENTS))
        event = {"event_type": event_type}
        if event_type != "purchase_sword":
            # A float of seconds, as `time.time()` gives it.
            event["event_ts"] = (millis * 1000 + choose.randint(0, 999)) / 1e6
        event |= EVENTS[event_type]
        for name, values in HEADERS.items():
            if choose.random() < (0.95 if name in ("Host", "User-Agent", "Accept") else 0.3):
                event[name] = values[0] if choose.random() < 0.5 else choose.choice(values)
        records.append(
            Record(
                json.dumps(event).encode(),
                millis,
                key=None if number % 3 else b"player",
                headers=(("traceparent", b"\xff\x00"), ("", b"")) if number % 5 == 0 else (),
            )
        )
    return records
