"""Energy statements reckoned a second time, from docs/formats and a device's readings alone."""
