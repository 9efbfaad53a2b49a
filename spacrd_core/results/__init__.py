"""What users take away: tables, regions, pictures and the report.

:func:`spacrd_core.results.write.write_results` writes all of it; each writer is a module of its own.
"""
