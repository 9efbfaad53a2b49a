"""What users take away: tables, regions, pictures and the report."""
