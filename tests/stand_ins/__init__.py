"""Real servers on this machine that stand in for services of the internet."""
