"""Result files: tables, regions, pictures and the report.

:func:`spacrd_core.results.write.write_results` writes them all; ``files/`` has one module per writer.
"""
