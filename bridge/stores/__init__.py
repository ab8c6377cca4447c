"""Where orders live: OrderBooks, which speak a shop system's wire. They know neither Flask nor the database."""
