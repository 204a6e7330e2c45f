#!/usr/bin/env python
"""The Spark job that gametel-batch replaces: extracts events from Kafka and writes them as Parquet.

It is the old job, line for line where that can be. What is new: the brokers, the topic and the folder
are arguments, the result type of a function is an object where it was a word, and a misspelt name is
mended that kept the old one from running. `guard` wraps the two functions that choose the records;
the old job has none.

usage: spark-submit --jars JARS seed_job.py BROKERS TOPIC FOLDER
"""
import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import from_json, udf
from pyspark.sql.types import BooleanType, StringType, StructField, StructType


def purchase_equipment_event_schema():
    return StructType([
        StructField("Accept", StringType(), True),
        StructField("Host", StringType(), True),
        StructField("User-Agent", StringType(), True),
        StructField("event_ts", StringType(), True),
        StructField("event_type", StringType(), True),
    ])


def purchase_consumable_event_schema():
    return StructType([
        StructField("Accept", StringType(), True),
        StructField("Host", StringType(), True),
        StructField("User-Agent", StringType(), True),
        StructField("description", StringType(), True),
        StructField("event_ts", StringType(), True),
        StructField("event_type", StringType(), True),
    ])


def is_equipment_purchase(event_as_json):
    """filters sword, shield and spear purchases"""
    event = json.loads(event_as_json)
    if event['event_type'] in ['purchase_spear', 'purchase_shield', 'purchase_sword']:
        return True
    return False


def is_consumable_purchase(event_as_json):
    """filters potion purchases"""
    event = json.loads(event_as_json)
    if event['event_type'] in ['purchase_potion']:
        return True
    return False


def main(brokers, topic, folder, guard=lambda choose: choose):
    spark = SparkSession \
        .builder \
        .appName("ExtractEventsJob") \
        .getOrCreate()

    raw_events = spark \
        .read \
        .format("kafka") \
        .option("kafka.bootstrap.servers", brokers) \
        .option("subscribe", topic) \
        .option("startingOffsets", "earliest") \
        .option("endingOffsets", "latest") \
        .load()

    chosen = udf(guard(is_equipment_purchase), BooleanType())
    purchase_equipment_events = raw_events \
        .filter(chosen(raw_events.value.cast('string'))) \
        .select(raw_events.value.cast('string').alias('raw_event'),
                raw_events.timestamp.cast('string'),
                from_json(raw_events.value.cast('string'),
                          purchase_equipment_event_schema()).alias('json')) \
        .select('raw_event', 'timestamp', 'json.*')

    purchase_equipment_events.printSchema()
    purchase_equipment_events.show()

    purchase_equipment_events \
        .write \
        .mode('overwrite') \
        .parquet(f'{folder}/equipment_purchases')

    chosen = udf(guard(is_consumable_purchase), BooleanType())
    purchase_consumable_events = raw_events \
        .filter(chosen(raw_events.value.cast('string'))) \
        .select(raw_events.value.cast('string').alias('raw_event'),
                raw_events.timestamp.cast('string'),
                from_json(raw_events.value.cast('string'),
                          purchase_consumable_event_schema()).alias('json')) \
        .select('raw_event', 'timestamp', 'json.*')

    purchase_consumable_events.printSchema()
    purchase_consumable_events.show()

    purchase_consumable_events \
        .write \
        .mode('overwrite') \
        .parquet(f'{folder}/consumable_purchases')


if __name__ == "__main__":
    main(*sys.argv[1:])
