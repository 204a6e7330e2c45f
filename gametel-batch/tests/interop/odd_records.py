"""Records that no orderly game would send, each with the classes of difference that it must show.

A case is (what is sent, classes). A case without classes must give the same in both.
"""
import itertools
import json
import random

from topics import Record

START = 1_795_500_000_000

TEXT, BEYOND = "number text", "numbers beyond doubles"
NESTED, HALF = "objects and arrays", "half a surrogate pair"
NO_JSON, NAN = "no JSON", "NaN and Infinity"
SPARK, PYTHON = "limits of Spark's parser", "limits of Python's parser"

# Values of a member that has a column.
VALUES = [
    # Numbers that are the same text in both: integers of any size, and what Java prints alike.
    *((number, ()) for number in ["0", "-12", "9223372036854775807", "9007199254740993", "1.0", "100.0"]),
    *((number, ()) for number in ["12345678901234567890123", "0.30000000000000004", "-0.0", "9" * 999]),
    # Numbers that Spark prints anew.
    *((number, (TEXT,)) for number in ["-0", "0.1e1", "1E5", "1.10", "1e22", "0.0001", "12345678.9"]),
    *((number, (TEXT,)) for number in ["123456789.123456789123456789", "2.50E+2", "5e-324", "0e5", "-0e-1"]),
    *((number, (BEYOND,)) for number in ["1e400", "-1e400", "1e-400", "-1.5e-999"]),
    ("9" * 1_001, (SPARK,)),
    ("0." + "1" * 1_001, (SPARK,)),
    ("9" * 4_301, (PYTHON,)),
    # Words.
    *((word, ()) for word in ["true", "false", "null"]),
    *((word, (NAN,)) for word in ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a": -Infinity}']),
    *((word, (NO_JSON,)) for word in ["nan", "True", "None", "+1", "01", ".5", "1.", "0x10", "1_000", "undefined"]),
    # Strings: empty, blank, escaped, not Latin, long.
    *((string, ()) for string in ['""', '" "', r'"\t\n\r\b\f\/\\\""', r'"\u0000"', '"\u2028\u00a0\ufeff"']),
    *((string, ()) for string in [r'"\u00e9"', '"é"', '"e\u0301"', '"😀"', r'"\ud83d\ude00"', '"שלום 你好"']),
    *((string, ()) for string in ['"null"', '"NaN"', '"1e400"', '"{}"', '"\u007f\u0080\uffff"', r'"\\u0041"']),
    (json.dumps("x" * 1_000_000), ()),
    (json.dumps("é" * 300_000, ensure_ascii=False), ()),
    *((string, (HALF,)) for string in [r'"\ud800"', r'"a\udc00b"', r'"\ude00\ud83d"', r'"\ud83d\ud83d\ude00"']),
    *((string, (NO_JSON,)) for string in ["'single'", '"a\tb"', '"a\nb"', '"a\x00b"', r'"\x41"', r'"\u12"', '"open']),
    # Objects and arrays: the same where there is nothing in them to print anew.
    *((nested, ()) for nested in ["{}", "[]", "[ ]", "[1, 2 ,\t{\"x\" : \"y z\"}]", '{"a":1,"a":2}', "[[[[[]]]]]"]),
    *((nested, ()) for nested in ['{"b":{"c":[null,true]}}', '["é"]', r'["\"\\"]', '{"": ""}', "[" * 900 + "]" * 900]),
    *((nested, (NESTED,)) for nested in ["[1.50]", '{"a":1e2}', '["😀"]', r'["\u00e9"]', r'["\/"]', "[-0]", "[1e400]"]),
    *((nested, (NESTED,)) for nested in [r'{"\u0061":1}', r'["\ud800"]', r'["\ud83d\ude00"]', r'["\u001f"]']),
    *((nested, (NO_JSON,)) for nested in ["[1,]", "[,1]", '{"a":1,}', "{a:1}", "[1 2]", "[", "{]", "[1]]"]),
    ("[" * 2_000 + "]" * 2_000, (PYTHON,)),
]
# Where they stand: in a column of each dataset, and as the time.
PLACES = [("purchase_sword", "Host"), ("purchase_shield", "event_ts"), ("purchase_potion", "description")]

SWORD = b'"event_type":"purchase_sword"'
RECORDS = [
    # Names: what case they have, how often they come, how they are written.
    (b'{%b,"host":"a","HOST":"b","accept":"c","user-agent":"d","Event_ts":1}' % SWORD, ()),
    (b'{%b,"Host":"a","host":"b","Host":"c"}' % SWORD, ()),
    (b'{%b,"Host":"a","Host":null}' % SWORD, ()),
    (b'{%b,"Host":null,"Host":"a"}' % SWORD, ()),
    (b'{%b,"Host":{"Host":"in"},"Host":"out"}' % SWORD, ()),
    (b'{%b,"Host":1.50,"Host":"text"}' % SWORD, ()),
    (b'{%b,"Host":"text","Host":1.50}' % SWORD, (TEXT,)),
    (b'{%b,"\\u0048ost":"escaped","User\\u002dAgent":"too"}' % SWORD, ()),
    (b'{%b,"Host ":"a"," Host":"b","Ho\\u0000st":"c","":"d"}' % SWORD, ()),
    (b'{%b,"timestamp":"mine","raw_event":"mine","json":"mine"}' % SWORD, ()),
    (b'{%b,"%b":1,"Host":"a"}' % (SWORD, b"k" * 40_000), ()),
    (b'{%b,"%b":1,"Host":"a"}' % (SWORD, b"k" * 60_000), (SPARK,)),
    (b'{%b,%b,"Host":"a"}' % (SWORD, b",".join(b'"k%d":%d' % (i, i) for i in range(5_000))), ()),
    # Headers in odd forms.
    (b'{%b,"Host":"a:80","Accept":["*/*","text/html"],"User-Agent":{"name":"x"}}' % SWORD, ()),
    (b'{%b,"Host":"","Accept":" ","User-Agent":"\\r\\nSet-Cookie: x"}' % SWORD, ()),
    (b'{%b,"Host":7,"Accept":true,"User-Agent":null}' % SWORD, ()),
    (b'{%b,"User-Agent":"\xc3\x83\xc2\xa9","Accept":"=?utf-8?q?x?="}' % SWORD, ()),
    # The event type.
    (b'{"event_type":"purchase_\\u0073word","Host":"a"}', ()),
    (b'{"event_type":"purchase_potion",%b}' % SWORD, ()),
    (b'{%b,"event_type":"purchase_potion","description":"x"}' % SWORD, ()),
    (b'{"event_type":7,%b}' % SWORD, ()),
    *((b'{"event_type":"%b"}' % name, ()) for name in [b"Purchase_Sword", b" purchase_sword", b"", b"\\u0000"]),
    *((b'{"event_type":"%b"}' % name, ()) for name in [b"purchase_sword\\u0000", b"\\ud800", b"default", b"login"]),
    (b'{"event_type":"join_guild","guild":"Owls","event_ts":1.0}', ("guild_joins",)),
    *((b'{"event_type":%b}' % value, ("event_type that is no string",)) for value in [b"7", b"null", b"true"]),
    (b'{"event_type":["purchase_sword"]}', ("event_type that is no string",)),
    (b'{"event_type":{"event_type":"purchase_sword"}}', ("event_type that is no string",)),
    (b'{%b,"event_type":null}' % SWORD, ("event_type that is no string",)),
    *((value, ("no event_type",)) for value in [b"{}", b'{"Event_Type":"purchase_sword"}', b'{"event":{%b}}' % SWORD]),
    # White space where it may stand, and what may not.
    (b' \t\r\n{ %b , "Host" : "a" } \r\n' % SWORD, ()),
    *((b"{%b}%b" % (SWORD, more), (NO_JSON,)) for more in [b" trailing", b"{}", b",", b"\x00", b"}", b"\x0b"]),
    *((b"%b{%b}" % (more, SWORD), (NO_JSON,)) for more in [b"\xef\xbb\xbf", b"\x0c", b"/* c */", b"x", b"\x00", b")]}',"]),
    *((value, (NO_JSON,)) for value in [b"", b" ", b"{", b"}", b"{%b" % SWORD, b"{%b,}" % SWORD, b"{'a':1}"]),
    (("{%s}" % SWORD.decode()).encode("utf-16-le"), (NO_JSON,)),
    # JSON, but no object.
    *((value, ("no object",)) for value in [b"[{%b}]" % SWORD, b"[]", b"7", b"true", b"null", b'"purchase_sword"']),
    # Bytes that are no text.
    *((b'{%b,"Host":"a%bb"}' % (SWORD, odd), ("invalid UTF-8",)) for odd in [b"\xff", b"\xc3", b"\xed\xa0\x80"]),
    *((b'{%b,"Host":"a%bb"}' % (SWORD, odd), ("invalid UTF-8",)) for odd in [b"\xc0\x80", b"\xf5\x80\x80\x80"]),
    (b'{%b,"\xff":1}' % SWORD, ("invalid UTF-8",)),
    (b'{"event_type":"login","Host":"\xfe"}', ("invalid UTF-8",)),
    (b"\xff\xfe" + ("{%s}" % SWORD.decode()).encode("utf-16-le"), ("invalid UTF-8",)),
    (bytes(range(256)), ("invalid UTF-8",)),
    # No value at all.
    (None, ("tombstones",)),
    (None, ("tombstones",)),
]


def declared():
    """The cases of the tables above, as records with their classes."""
    for value, classes in VALUES:
        for event_type, name in PLACES:
            text = f'{{"event_type":"{event_type}","Accept":"*/*","{name}":{value},"after":[0]}}'
            yield text.encode(), set(classes)
    for value, classes in RECORDS:
        yield value, set(classes)


def random_records(count):
    """Objects of random members, of which it is only known that every difference must have a class."""
    choose = random.Random(6)
    names = ["Host", "Accept", "User-Agent", "event_ts", "description", "guild", "host", "x", "event_type"]
    types = ['"purchase_sword"', '"purchase_potion"', '"purchase_spear"', '"default"', '"join_guild"', "7"]
    values = [value for value, _ in VALUES if len(value) < 200]
    fits = [value for value, classes in VALUES if len(value) < 200 and not {NO_JSON, NAN} & set(classes)]
    for _ in range(count):
        pool = fits if choose.random() < 0.9 else values
        members = [("event_type", choose.choice(types))]
        for name in choose.choices(names, k=choose.randint(0, 8)):
            members.append((name, choose.choice(types if name == "event_type" else pool)))
        choose.shuffle(members)
        space = ["", " ", "\n", "\t "]
        parts = [
            f"{choose.choice(space)}{json.dumps(name)}{choose.choice(space)}:{choose.choice(space)}{value}"
            for name, value in members
        ]
        yield ("{" + ",".join(parts) + choose.choice(space) + "}").encode()


def records(random_count, partitions):
    """All of them, over some partitions, with the classes that each must show (`None`: any)."""
    cases = [*declared(), *((value, None) for value in random_records(random_count))]
    # Times with every kind of fraction, and two far away; none twice.
    steps = itertools.accumulate(itertools.cycle([1, 9, 90, 900]), initial=START)
    sent = {
        Record(value, millis, partition=place % partitions): classes
        for place, ((value, classes), millis) in enumerate(zip(cases, steps))
    }
    far = b'{%b,"Host":"far"}' % SWORD
    sent[Record(far, 253_402_300_799_999)] = set()
    sent[Record(far, 1)] = set()
    sent[Record(b'{%b,"Host":"aborted"}' % SWORD, START - 1, aborted=True)] = {"aborted transactions"}
    return sent
