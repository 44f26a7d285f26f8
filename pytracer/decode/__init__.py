"""From events and tables to calls: trees of values that outputs print."""
