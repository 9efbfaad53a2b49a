"""Local servers and small data in place of services of the internet."""
