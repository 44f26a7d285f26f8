"""What pytracer prints: text, NDJSON, summaries. Outputs know values, never system calls."""
