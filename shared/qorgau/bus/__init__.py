"""Kafka: everything that is sent to it and read from it goes through here; nothing else imports aiokafka.

Every wait on the network has a deadline of ours, and what fails is `Unavailable`, never a text of the library.
"""

from qorgau.bus.ends import Ends
from qorgau.bus.following import Topic, read_all, read_at
from qorgau.bus.group import GroupReader
from qorgau.bus.inbound import InboundReader
from qorgau.bus.producing import FactsLog, Producer, References
from qorgau.bus.records import (
    DeadLetter,
    Incoming,
    Outgoing,
    Place,
    dead_letter,
    partition_of,
    read_letter,
    traceparents,
)
from qorgau.bus.topics import TopicMismatch, TopicSpec, prepare_topics, topic_names

__all__ = [
    "DeadLetter",
    "Ends",
    "FactsLog",
    "GroupReader",
    "InboundReader",
    "Incoming",
    "Outgoing",
    "Place",
    "Producer",
    "References",
    "Topic",
    "TopicMismatch",
    "TopicSpec",
    "dead_letter",
    "partition_of",
    "prepare_topics",
    "read_all",
    "read_at",
    "read_letter",
    "topic_names",
    "traceparents",
]
