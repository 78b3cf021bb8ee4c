"""The whole system on one machine: Apache Kafka and a MongoDB-compatible server as supervised processes on loopback."""
