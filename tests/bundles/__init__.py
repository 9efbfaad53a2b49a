"""Writers of every platform's files, from one synthetic tissue whose truth is known."""
