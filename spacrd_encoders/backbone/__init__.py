"""What encoder families share: networks, weights, tiles and downloads from the Hub."""
