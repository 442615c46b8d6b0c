"""Real services for the tests: PostgreSQL and Apache Kafka, arranged by the test run itself."""
