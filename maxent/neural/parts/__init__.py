"""What the algorithms are made of: networks, policies, proposals, replay."""
