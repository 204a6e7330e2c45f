"""Topics of a real broker, and records in them."""
import uuid
from dataclasses import dataclass

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

# A record of a megabyte, and what stands around it.
LARGEST = 4_000_000


@dataclass(frozen=True)
class Record:
    """What is sent. The milliseconds are its name, too: no two records of a topic share them."""

    value: bytes | None
    millis: int
    partition: int = 0
    key: bytes | None = None
    headers: tuple = ()
    aborted: bool = False


def create(brokers, name, partitions=1):
    """A fresh topic that takes large records, and any time that they may have."""
    topic = f"interop-{name}-{uuid.uuid4().hex[:8]}"
    settings = {"max.message.bytes": str(LARGEST), "message.timestamp.after.max.ms": str(2**63 - 1)}
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=settings)
    admin = AdminClient({"bootstrap.servers": brokers})
    for created in admin.create_topics([new]).values():
        created.result(30)
    return topic


def send(brokers, topic, records):
    """Sends records in order, and waits until the broker has them all."""
    settings = {"bootstrap.servers": brokers, "message.max.bytes": LARGEST, "enable.idempotence": True}
    _send(Producer(settings), topic, [record for record in records if not record.aborted])
    aborted = [record for record in records if record.aborted]
    if aborted:
        producer = Producer({**settings, "transactional.id": topic})
        producer.init_transactions(30)
        producer.begin_transaction()
        _send(producer, topic, aborted)
        producer.abort_transaction(30)


def _send(producer, topic, records):
    failures = []
    for record in records:
        producer.produce(
            topic,
            value=record.value,
            key=record.key,
            partition=record.partition,
            timestamp=record.millis,
            headers=list(record.headers),
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        producer.poll(0)
    assert producer.flush(60) == 0, "the broker did not take all records"
    assert not failures, failures[:3]
