"""Command-line programs: flags, one call into the library, one record."""
