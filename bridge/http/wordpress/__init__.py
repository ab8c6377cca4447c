"""How WordPress reads requests and answers them."""
