# GNU make reads this before librdkafka's own Makefile (see config.toml): the C library alone.
override LIBSUBDIRS = src
