"""The ledger on Apache Kafka: topics, messages, the publisher and the workers. Kafka is never the truth."""
