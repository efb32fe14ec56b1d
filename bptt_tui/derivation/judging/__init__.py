"""Whether a formula of a derivative is right, term by term, and which slip it shows if it is not."""
