"""Pages that show records: runs, cards, searches and grids."""
