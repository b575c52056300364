"""Words and values: money, reasons, statuses, how JSON documents read."""
