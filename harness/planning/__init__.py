"""What a run is made of: cells with an identity, what they share, what is stored of them."""
