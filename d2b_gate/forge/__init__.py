"""What a code forge is told and asked: the sticky comment, check runs, and signed statements about results."""
