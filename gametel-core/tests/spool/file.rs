//! The file: its format, and what is no such file.

use std::sync::Arc;

use gametel_core::event::{EventId, QuarantineReason, Timestamp};
use gametel_core::sink::spool::SpoolReader;
use gametel_core::sink::{EventSink, MemorySink, SinkErrorKind, Spool};
use rusqlite::Connection;

use crate::support::{Place, options, target, until_empty};

/// As the module's documentation has it, version 1; never to be changed.
const VERSION_1: &str = "
    PRAGMA application_id = 0x676D7370;
    PRAGMA user_version = 1;
    CREATE TABLE pending (
        number INTEGER PRIMARY KEY, spooled_us INTEGER NOT NULL, event_id BLOB, event_type TEXT,
        timestamp_us INTEGER, malformed_reason TEXT, malformed_detail TEXT, event_key BLOB,
        payload BLOB NOT NULL
    ) STRICT;
    CREATE TABLE refused (
        number INTEGER PRIMARY KEY, spooled_us INTEGER NOT NULL, event_id BLOB, event_type TEXT,
        timestamp_us INTEGER, malformed_reason TEXT, malformed_detail TEXT, event_key BLOB,
        payload BLOB NOT NULL,
        kind TEXT NOT NULL, reason TEXT NOT NULL, refused_us INTEGER NOT NULL
    ) STRICT;
    INSERT INTO pending VALUES
        (7, 1000, x'0192a3b4c5d67e8f9a0b1c2d3e4f5a6b', 'join_guild', 500, NULL, NULL, x'616461', x'7b7d'),
        (9, 2000, NULL, NULL, NULL, 'invalid_json', 'oops', NULL, x'7b'),
        (12, 3000, NULL, NULL, NULL, 'of_a_later_version', 'oops', NULL, x'7b');
    INSERT INTO refused VALUES
        (30, 10, NULL, 'x', NULL, NULL, NULL, NULL, x'7b7d', 'too_large', 'two bytes', 20);
";

#[tokio::test]
async fn a_file_of_version_1_is_read_and_gone_on_with() {
    let (place, target) = (Place::new(), target());
    Connection::open(&place.path).unwrap().execute_batch(VERSION_1).unwrap();
    let reader = SpoolReader::open(&place.path).unwrap();
    let status = reader.status().unwrap();
    assert_eq!((status.pending_events, status.pending_bytes), (3, 7));
    assert_eq!(status.oldest, Some(Timestamp::from_micros(1000)));
    assert_eq!((status.refused_events, status.refused_bytes), (1, 2));
    let pending = reader.pending(7, 10).unwrap();
    assert_eq!(pending.iter().map(|record| record.number).collect::<Vec<_>>(), [9, 12]);
    drop(reader);

    let spool = place.open(Arc::clone(&target), options());
    until_empty(&spool).await;
    spool.close().await.unwrap();
    let events = target.inner().events();
    assert_eq!(events[0].id(), EventId::parse("0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b").ok());
    assert_eq!(events[0].event_type().unwrap().as_str(), "join_guild");
    assert_eq!(events[0].key().unwrap(), "ada");
    assert_eq!(events[0].timestamp(), Some(Timestamp::from_micros(500)));
    let malformed = events[1].malformed().unwrap();
    assert_eq!((malformed.reason, &*malformed.detail), (QuarantineReason::InvalidJson, "oops"));
    assert!(events[2].malformed().unwrap().detail.starts_with("of_a_later_version"));
    let refused = SpoolReader::open(&place.path).unwrap().refused(0, 10).unwrap();
    assert_eq!((refused.len(), &*refused[0].reason), (1, "two bytes"));
}

#[tokio::test]
async fn the_file_is_what_the_documentation_says() {
    let (place, documented) = (Place::new(), Place::new());
    place.open(MemorySink::new(), options()).close().await.unwrap();
    Connection::open(&documented.path).unwrap().execute_batch(VERSION_1).unwrap();
    let columns = |place: &Place| {
        let connection = Connection::open(&place.path).unwrap();
        let sql = "SELECT t.name, t.strict, c.name, c.type, c.\"notnull\", c.pk \
                   FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
                   WHERE t.name IN ('pending', 'refused') ORDER BY t.name, c.cid";
        let mut statement = connection.prepare(sql).unwrap();
        type Column = (String, bool, String, String, bool, bool);
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        });
        rows.unwrap().collect::<Result<Vec<Column>, _>>().unwrap()
    };
    assert_eq!(columns(&place), columns(&documented));
    assert_eq!(columns(&place).len(), 21);
    let connection = Connection::open(&place.path).unwrap();
    let pragma =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(["application_id", "user_version"].map(pragma), [0x676D_7370, 1]);
    assert_eq!(pragma("auto_vacuum"), 2, "incremental");
}

#[test]
fn a_file_of_another_kind_or_version_is_refused_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    for (name, statements, why) in [
        ("diary.db", "CREATE TABLE diary (day TEXT)", "another program's"),
        ("log.db", "PRAGMA application_id = 0x676D746C; PRAGMA user_version = 1", "another"),
        ("newer.db", "PRAGMA application_id = 0x676D7370; PRAGMA user_version = 2", "version 2"),
    ] {
        let path = directory.path().join(name);
        Connection::open(&path).unwrap().execute_batch(statements).unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = Spool::open(&path, MemorySink::new(), options()).unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Config);
        for text in [error.to_string(), SpoolReader::open(&path).unwrap_err().to_string()] {
            assert!(text.contains(why), "{name}: {text}");
        }
        assert!(before == std::fs::read(&path).unwrap(), "{name} is changed");
    }
    let missing = directory.path().join("no/such.db");
    let error = Spool::open(&missing, MemorySink::new(), options()).unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Config, "{error}");
    let text = SpoolReader::open(&missing).unwrap_err().to_string();
    assert!(text.starts_with("there is no spool at"), "{text}");
    let garbage = directory.path().join("garbage.db");
    std::fs::write(&garbage, "x".repeat(5_000)).unwrap();
    let error = Spool::open(&garbage, MemorySink::new(), options()).unwrap_err();
    assert!(error.to_string().contains("it is no SQLite file"), "{error}");
}
