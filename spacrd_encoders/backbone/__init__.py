"""What encoder families share: networks, weights, tiles and the Hub."""
