SELECT seq, hash FROM chain
